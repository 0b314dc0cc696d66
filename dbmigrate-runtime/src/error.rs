//! What can go wrong when migrations are planned and run, with one wording for each failure.

mod batch;
mod callback;
mod connecting;
mod halfway;
mod hint;
mod stop;
mod test_database;
mod waiting;

use std::borrow::Cow;
use std::fmt;

pub(crate) use callback::Remains;
use hint::{ALONE, CONTINUED, UNREGISTERED, hint_of, hint_of_statement};
pub(crate) use stop::Stop;
pub(crate) use waiting::past_barriers;

use crate::backend::Backend;
use crate::dialect::{Broken, Refusal, Statement, Violation, ViolationKind};
use crate::driver::{DatabaseError, ErrorKind};
use crate::revision::{GraphError, Revision};
use crate::secret::without_passwords;
use crate::written;

/// A failure to plan or to run migrations.
///
/// The message is one lowercase sentence without a full stop: what was being done, to what, and why
/// it failed. The database's own error is the [source](std::error::Error::source), and what to do
/// about it is in [`Error::hint`]. The `is_` methods tell apart the causes that a program can act
/// on.
pub struct Error {
    inner: Box<Inner>,
}

struct Inner {
    kind: Kind,
    message: String,
    hint: Option<String>,
    source: Option<DatabaseError>,
    /// Whether others got in the way, so that the same transaction may succeed later.
    is_transient: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Locked,
    Ahead,
    Edited,
    Unsupported,
    Behind,
    Other,
}

impl Error {
    fn new(kind: Kind, message: impl Into<String>) -> Error {
        let message = without_passwords(message.into());
        let inner = Inner { kind, message, hint: None, source: None, is_transient: false };
        Error { inner: Box::new(inner) }
    }

    fn with_hint(mut self, hint: impl Into<String>) -> Error {
        self.inner.hint = Some(hint.into());
        self
    }

    fn maybe_hint(self, hint: Option<impl Into<String>>) -> Error {
        match hint {
            Some(hint) => self.with_hint(hint),
            None => self,
        }
    }

    fn with_source(mut self, source: DatabaseError) -> Error {
        self.inner.is_transient = source.is_busy();
        self.inner.source = Some(source);
        self
    }

    /// Whether others got in the way, so that the same transaction may succeed later.
    pub(crate) fn is_transient(&self) -> bool {
        self.inner.is_transient
    }

    /// What to do about the failure, if there is something to suggest.
    pub fn hint(&self) -> Option<&str> {
        self.inner.hint.as_deref()
    }

    /// Whether another process held the lock until the timeout.
    pub fn is_locked(&self) -> bool {
        self.inner.kind == Kind::Locked
    }

    /// Whether the database has applied revisions that these migrations don't contain.
    pub fn is_ahead(&self) -> bool {
        self.inner.kind == Kind::Ahead
    }

    /// Whether an applied revision was edited afterwards.
    pub fn is_edited(&self) -> bool {
        self.inner.kind == Kind::Edited
    }

    /// Whether the database has no safe way to make a change. Nothing was run in that case.
    pub fn is_unsupported(&self) -> bool {
        self.inner.kind == Kind::Unsupported
    }

    pub(crate) fn statement(
        stop: Stop<'_>,
        (nth, of): (usize, usize),
        statement: &Statement,
        source: DatabaseError,
    ) -> Error {
        let Stop { revision, rolled_back, is_continued } = stop;
        let sql = &statement.sql;
        let name = statement.given_name().map_or(String::new(), |name| format!(" ({name})"));
        let message = format!("{stop}: statement {nth} of {of}{name} failed: {sql}");
        let err = Error::new(Kind::Other, message);
        let hint = match source.kind() {
            _ if rolled_back && hint_of(&source).is_some() => hint_of(&source).map(Cow::into_owned),
            ErrorKind::NotInTransaction if rolled_back => Some(ALONE.to_owned()),
            kind => hint_of_statement(statement, kind).or_else(|| match kind {
                ErrorKind::AlreadyExists(object) => Some(format!(
                    "{object} already exists: if the database was created without these migrations \
                     and matches them, `cargo dbmigrate stamp --verify {revision}` marks them as \
                     applied without running them"
                )),
                _ if rolled_back => None,
                _ if is_continued => Some(CONTINUED.to_owned()),
                _ => Some(
                    "the revision runs outside a transaction: revert its partial changes by hand, \
                     then run the upgrade again"
                        .to_owned(),
                ),
            }),
        };
        err.with_source(source).maybe_hint(hint)
    }

    /// The step's own message says why it failed. The hint comes from the database's last error, if
    /// that is the reason.
    pub(crate) fn step(
        stop: Stop<'_>,
        name: &str,
        why: &str,
        cause: Option<&DatabaseError>,
    ) -> Error {
        let message = format!("{stop}: step `{name}` failed: {why}");
        let hint = match cause.map(DatabaseError::kind) {
            Some(ErrorKind::Unregistered { .. }) => Some(UNREGISTERED),
            Some(ErrorKind::NotInTransaction) if stop.rolled_back => Some(ALONE),
            _ => None,
        };
        let mut err = Error::new(Kind::Other, message).maybe_hint(hint);
        err.inner.is_transient = cause.is_some_and(DatabaseError::is_busy);
        err
    }

    /// For a transaction that the database rolled back by itself, even if the step ignored the
    /// error.
    pub(crate) fn step_lost(revision: &str, name: &str, source: DatabaseError) -> Error {
        let message = format!("revision `{revision}` was rolled back: step `{name}` failed");
        let hint = hint_of(&source);
        Error::new(Kind::Other, message).with_source(source).maybe_hint(hint)
    }

    /// For a transaction that the database ended without an error that says why.
    pub(crate) fn transaction_lost(revision: &str) -> Error {
        let message = format!(
            "revision `{revision}` was not started: the database rolled back the transaction it \
             was to run in"
        );
        Error::new(Kind::Other, message).with_hint("run the command again")
    }

    pub(crate) fn transaction_ended(revision: &str, what: &str) -> Error {
        let message = format!(
            "revision `{revision}` ended the transaction it runs in, with {what}; its changes, and \
             those of earlier revisions in this run, may or may not be committed; it was not \
             marked as applied"
        );
        Error::new(Kind::Other, message).with_hint(written::NO_TRANSACTION)
    }

    pub(crate) fn unplannable(revision: &str, why: Refusal) -> Error {
        let message = format!("revision `{revision}`: {}", why.message);
        Error::new(Kind::Unsupported, message).maybe_hint(why.hint)
    }

    pub(crate) fn version_table_name(why: Refusal) -> Error {
        Error::new(Kind::Unsupported, why.message).maybe_hint(why.hint)
    }

    pub(crate) fn rebuild_alone(revision: &str) -> Error {
        let message = format!(
            "revision `{revision}` has to rebuild a table, which needs a transaction, but opts out \
             of it with `op.no_transaction()`"
        );
        Error::new(Kind::Unsupported, message)
            .with_hint("move that change to a revision of its own")
    }

    pub(crate) fn check(stop: Stop<'_>, failure: &str, hint: Option<&str>) -> Error {
        Error::new(Kind::Other, format!("{stop}: {failure}")).maybe_hint(hint)
    }

    /// The query of a guard can't be run.
    pub(crate) fn unchecked(stop: Stop<'_>, sql: &str, source: DatabaseError) -> Error {
        let kind = if source.is_busy() { Kind::Locked } else { Kind::Other };
        let hint = hint_of(&source).unwrap_or(Cow::Borrowed(
            "if the query has an expression of the revision that the database doesn't understand, \
             correct it there",
        ));
        let message = format!("{stop}: failed to check the existing rows: {sql}");
        Error::new(kind, message).with_source(source).with_hint(hint)
    }

    /// Each entry of `different` describes one difference.
    pub(crate) fn verification(different: &[String]) -> Error {
        let mut message =
            "the run was rolled back: the resulting schema does not match the revisions:"
                .to_owned();
        different.iter().for_each(|difference| message += &format!("\n  {difference}"));
        Error::new(Kind::Other, message).with_hint(
            "this is a bug in dbmigrate: please report it with the output of `cargo dbmigrate \
             upgrade --sql`",
        )
    }

    pub(crate) fn hidden(name: &str) -> Error {
        let message = format!("a temporary object of the connection hides the table `{name}`");
        Error::new(Kind::Other, message)
            .with_hint("drop it first, or run the migrations on another connection")
    }

    pub(crate) fn elsewhere(name: &str, place: &str) -> Error {
        let message = format!("the database has no table `{name}`, but {place} has one");
        Error::new(Kind::Other, message).with_hint(
            "the database differs from what the migrations build: `cargo dbmigrate check` lists \
             the differences",
        )
    }

    pub(crate) fn broken(broken: &[Broken]) -> Error {
        let mut message = "the run was rolled back: it broke views or triggers:".to_owned();
        for broken in broken {
            message += &format!("\n  {} `{}`: {}", broken.kind, broken.name, broken.why);
        }
        let hint = if broken.iter().all(|object| object.lacks_registered) {
            UNREGISTERED
        } else {
            "drop or replace them in the revision with `op.execute`, before the change that breaks \
             them"
        };
        Error::new(Kind::Other, message).with_hint(hint)
    }

    pub(crate) fn irreversible(revision: &str, why: &str) -> Error {
        Error::new(Kind::Other, format!("revision `{revision}` can't be undone: {why}"))
            .with_hint("restore a backup, or write a new revision that makes the changes you need")
    }

    pub(crate) fn database(doing: &str, source: DatabaseError) -> Error {
        if let ErrorKind::Unpublished { name, is_taken } = source.kind().clone() {
            return Error::unpublished(&name, is_taken, source);
        }
        let kind = if source.is_busy() { Kind::Locked } else { Kind::Other };
        let hint = hint_of(&source);
        Error::new(kind, format!("failed to {doing}")).with_source(source).maybe_hint(hint)
    }

    /// `url` is the server's URL without its password.
    #[cfg_attr(
        not(any(feature = "postgres", feature = "mysql")),
        allow(dead_code, reason = "no driver connects")
    )]
    pub(crate) fn connecting(url: &str, source: DatabaseError) -> Error {
        Error::unconnected(&format!("connect to `{url}`"), source)
    }

    /// A program's own connection can't be used.
    #[cfg_attr(
        not(any(feature = "postgres", feature = "mysql")),
        allow(dead_code, reason = "no driver connects")
    )]
    pub(crate) fn using(source: DatabaseError) -> Error {
        Error::unconnected("use the connection", source)
    }

    fn unconnected(doing: &str, source: DatabaseError) -> Error {
        let ErrorKind::Unconnected(fault) = source.kind() else {
            return Error::database(doing, source);
        };
        let (why, hint) = connecting::words(fault);
        let err = Error::new(Kind::Other, format!("failed to {doing}: {why}"));
        let err = err.maybe_hint((!hint.is_empty()).then_some(hint));
        // A fault that only we know of has no text of the database.
        if source.to_string().is_empty() { err } else { err.with_source(source) }
    }

    fn unpublished(name: &str, is_taken: bool, source: DatabaseError) -> Error {
        let nothing = "nothing from this run was kept";
        if is_taken {
            let message = format!(
                "another process created the file `{name}` while this run was creating it; that \
                 file was left as it is, and {nothing}"
            );
            return Error::new(Kind::Other, message)
                .with_hint("run the command again: it migrates that file if it is a database");
        }
        let message = format!("the new database could not be renamed to `{name}`, and {nothing}");
        Error::new(Kind::Other, message)
            .with_source(source)
            .with_hint("check the permissions of its directory, and run the command again")
    }

    pub(crate) fn locked(seconds: f64, source: DatabaseError) -> Error {
        let message = format!("another process held the database's lock for {seconds:.1} s");
        Error::new(Kind::Locked, message).with_source(source).with_hint(
            "let it finish and run the command again, or wait longer with --lock-timeout",
        )
    }

    /// `advice` is what keeps a commit of this database from waiting.
    pub(crate) fn commit_locked(
        seconds: f64,
        advice: Option<&str>,
        source: DatabaseError,
    ) -> Error {
        let message = format!(
            "other processes read the database, so the transaction could not be committed and was \
             rolled back after waiting for {seconds:.1} s"
        );
        let advice = advice.map_or(String::new(), |advice| format!("; {advice}"));
        Error::new(Kind::Locked, message).with_source(source).with_hint(format!(
            "let them end their transactions and run the command again, or wait longer with \
             --lock-timeout, in a program with `Options::lock_timeout`{advice}"
        ))
    }

    pub(crate) fn open_transaction() -> Error {
        let message =
            "the connection has an open transaction, but migrations need one of their own";
        Error::new(Kind::Other, message).with_hint("commit it or roll it back first")
    }

    /// `known` are the database's heads among the revisions that the project has.
    pub(crate) fn unknown_applied(id: &str, message: &str, known: &[&str]) -> Error {
        let message = if message.is_empty() { String::new() } else { format!(" ({message})") };
        let text = format!(
            "revision `{id}`{message} is applied in the database, but this project does not have it"
        );
        let known = if known.is_empty() { "base".to_owned() } else { known.join(" ") };
        Error::new(Kind::Ahead, text).with_hint(format!(
            "restore the revision's file, for example by updating to a newer version of the \
             project; `cargo dbmigrate switch` takes back what another branch applied; if its \
             changes are no longer in the database, `cargo dbmigrate stamp --purge {known}` removes \
             it from the version table"
        ))
    }

    /// `above` is an applied revision that follows `revision`.
    pub(crate) fn late(revision: &Revision, above: &str) -> Error {
        let Revision { id, message, file, .. } = revision;
        let message = if message.is_empty() { String::new() } else { format!(" ({message})") };
        let place = if file.is_empty() { String::new() } else { format!(", in {file}") };
        let text = format!(
            "revision `{id}`{message} is pending, but its successor `{above}` is already \
             applied{place}"
        );
        Error::new(Kind::Other, text).with_hint(format!(
            "to run it now: `cargo dbmigrate upgrade {id}`; to run it last: replace it in the \
             `DOWN_REVISION` of `{above}` with its own `DOWN_REVISION`, and set that to the head; \
             if the database already has its changes: `cargo dbmigrate stamp current` marks it as \
             applied"
        ))
    }

    pub(crate) fn edited(id: &str, file: &str) -> Error {
        let place = if file.is_empty() { String::new() } else { format!(", in {file}") };
        let text =
            format!("revision `{id}` was edited after it was applied to this database{place}");
        Error::new(Kind::Edited, text).with_hint(
            "revert the edit and put the change into a new revision; if the database already \
             matches the edited revision, `cargo dbmigrate stamp current` accepts it",
        )
    }

    pub(crate) fn newer_format(id: &str, format: i64, tool: &str) -> Error {
        let text = format!(
            "revision `{id}` was applied by dbmigrate {tool}, in format {format}, which this \
             version does not support"
        );
        Error::new(Kind::Other, text)
            .with_hint(format!("install that version: cargo install cargo-dbmigrate@{tool}"))
    }

    pub(crate) fn unreadable_row(id: &str, why: &str) -> Error {
        Error::new(
            Kind::Other,
            format!("revision `{id}` is applied, but its version row is damaged: {why}"),
        )
    }

    /// `alone` is the revision that ran outside a transaction, so that nothing is rolled back.
    pub(crate) fn violations(new: &[Violation], alone: Option<&str>) -> Error {
        // The database can't check the rows of a table that has such a foreign key.
        let is_mismatch = |violation: &&Violation| violation.kind == ViolationKind::Mismatch;
        let has_mismatch = new.iter().any(|violation| is_mismatch(&violation));
        let left = if has_mismatch {
            "foreign keys to columns that are missing or not unique"
        } else {
            "foreign key violations"
        };
        let mut message = match alone {
            None => format!("the run was rolled back: it left {left}:"),
            Some(id) => format!("revision `{id}` is applied, but it left {left}:"),
        };
        let named: Vec<_> =
            new.iter().filter(|violation| is_mismatch(violation) == has_mismatch).collect();
        for violation in named.iter().take(10) {
            message += &format!("\n  {violation}");
        }
        if named.len() > 10 {
            message += &format!("\n  and {} more", named.len() - 10);
        }
        Error::new(Kind::Other, message).with_hint(match (has_mismatch, alone) {
            (true, _) => {
                "make the referenced columns unique, with `op.add_unique` or a unique index \
                 without a condition, or drop the foreign key"
            }
            (false, None) => "delete or correct these rows in a step of the revision",
            (false, Some(_)) => "delete or correct these rows",
        })
    }

    pub(crate) fn version_row(id: &str, n: u64) -> Error {
        let message = format!(
            "revision `{id}` was rolled back: the version table has {n} rows of it, where one was \
             expected"
        );
        Error::new(Kind::Other, message)
    }

    pub(crate) fn not_a_way_up(identifier: &str) -> Error {
        Error::new(Kind::Other, format!("cannot upgrade to `{identifier}`"))
            .with_hint(format!("to go back, use `cargo dbmigrate downgrade {identifier}`"))
    }

    pub(crate) fn counted_up(identifier: &str) -> Error {
        Error::new(Kind::Other, format!("cannot downgrade to `{identifier}`"))
            .with_hint(format!("to go forward, use `cargo dbmigrate upgrade {identifier}`"))
    }

    pub(crate) fn not_a_way_down(identifier: &str, id: &str) -> Error {
        let message = format!("cannot downgrade to `{identifier}`: revision `{id}` is not applied");
        Error::new(Kind::Other, message)
            .with_hint("`cargo dbmigrate current` shows the revisions that are applied")
    }

    pub(crate) fn replay(revision: &str, why: &str) -> Error {
        Error::new(
            Kind::Other,
            format!("revision `{revision}` does not fit the revisions before it: {why}"),
        )
        .with_hint("compare its operations with those of the revisions before it")
    }

    pub(crate) fn url(why: &str, hint: &str) -> Error {
        Error::new(Kind::Other, why).with_hint(hint)
    }

    pub(crate) fn no_driver(backend: Backend) -> Error {
        let message = format!("this program was built without a driver for {backend}");
        let hint = backend.feature().map(|feature| {
            format!("enable the feature `{feature}` of `dbmigrate-runtime` in Cargo.toml")
        });
        Error::new(Kind::Unsupported, message).maybe_hint(hint)
    }

    pub(crate) fn steps(why: &str) -> Error {
        Error::new(Kind::Other, format!("the steps of the migrations can't be run: {why}"))
    }

    pub(crate) fn begun(why: &dyn std::error::Error) -> Error {
        Error::new(Kind::Other, format!("nothing was run: {why}"))
    }

    pub(crate) fn thread(err: &std::io::Error) -> Error {
        Error::new(Kind::Other, format!("no thread can be started for the migrations: {err}"))
    }

    pub(crate) fn no_schemas(database: &str) -> Error {
        let message = format!("the database `{database}` has no schemas");
        Error::new(Kind::Other, message).with_hint(
            "`upgrade_schemas` is for PostgreSQL; `upgrade_all` upgrades several databases",
        )
    }

    pub(crate) fn named_schema(table: &str) -> Error {
        let message = format!(
            "the revisions can't be run once in each schema: table `{table}` names its schema, and \
             so exists only once"
        );
        Error::new(Kind::Other, message).with_hint(
            "remove `schema` from its model, or keep such tables in a history of their own, as a \
             further database in dbmigrate.toml",
        )
    }

    pub(crate) fn unrecorded(revision: &str, why: &str) -> Error {
        Error::new(Kind::Other, format!("revision `{revision}` can't be recorded: {why}"))
    }
}

impl From<GraphError> for Error {
    fn from(err: GraphError) -> Error {
        Error::new(Kind::Other, err.to_string()).maybe_hint(err.get_hint())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.inner.message)
    }
}

/// Same as [`Error::report`], so that an `unwrap` in a program shows the hint as well.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.report())
    }
}

impl Error {
    /// The message, followed by the database's own error and the hint, each on its own line.
    pub fn report(&self) -> String {
        let mut text = self.to_string();
        if let Some(source) = &self.inner.source {
            text += &format!("\n  caused by: {source}");
        }
        if let Some(hint) = self.hint() {
            text += &format!("\n  hint: {hint}");
        }
        text
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.inner.source.as_ref().map(|database_error| database_error as _)
    }
}

const _: () = {
    const fn sendable<T: Send + Sync + 'static>() {}
    sendable::<Error>();
};
