//! How a database compares with the migrations that a program contains.

use std::collections::BTreeMap;
use std::fmt;

use super::Migrator;
use crate::barriers::{self, Barrier, Reach};
use crate::connect::ConnectToRead;
use crate::direction::Direction;
use crate::drift::{self, Declared, Described};
use crate::driver::{Connection, Driver, LOCK_TABLE};
use crate::executor::Options;
use crate::migration::Migrations;
use crate::migrator::hash::of_ids;
use crate::revision::{Target, View};
use crate::schema::{Schema, Table};
use crate::standing::{self, History, Standing};
use crate::version_table::{self, VersionRow};
use crate::{Error, ledger};

/// How a database compares with the migrations that a program contains.
///
/// `{status}` says in words what is pending, what waits and what is unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// Ids of applied revisions, in the order of the history.
    pub applied: Vec<String>,
    /// Ids of revisions that the program has and that are pending, in the order in which they would
    /// run. Those that wait are among them.
    pub pending: Vec<String>,
    /// Ids of the pending revisions that an upgrade does not apply yet: those with a barrier, and
    /// merges of them that do nothing else; see
    /// [`Operations::barrier`](crate::operations::Operations::barrier).
    pub waiting: Vec<String>,
    /// The barriers that an upgrade stops before.
    pub barriers: Vec<Barrier>,
    /// Ids of applied revisions that the program doesn't have.
    pub unknown: Vec<String>,
    /// The messages of the pending and the unknown revisions, by id.
    messages: BTreeMap<String, String>,
}

impl Status {
    /// Compares version rows with the revisions of a program.
    pub(crate) fn of<H: History>(
        conn: &mut dyn Connection,
        history: &H,
        rows: Vec<VersionRow>,
        options: &Options,
    ) -> Result<Status, Error> {
        let standing = Standing::of(history, rows)?;
        let heads = standing.graph().heads().into_iter().map(str::to_owned).collect();
        let heads = Target::Revisions(heads);
        let pending = standing.route(Direction::Upgrade, &heads);
        let reach = barriers::reach(conn, &standing, &heads, options.passing())?;
        let Reach { waiting, barriers, .. } = reach;
        let Standing { rows, view } = standing;
        let View { of: history, applied, .. } = view;
        let graph = history.graph();
        let (known, unknown): (Vec<_>, Vec<_>) =
            applied.into_iter().partition(|id| graph.get(id).is_some());
        let in_order = graph.revisions().iter().map(|revision| revision.id.clone());
        let applied = in_order.filter(|id| known.contains(id)).collect();
        let of_pending = pending.iter().filter_map(|id| graph.get(id));
        let of_pending = of_pending.map(|revision| (revision.id.clone(), revision.message.clone()));
        let of_unknown = rows.into_iter().filter(|row| unknown.contains(&row.id));
        let messages = of_pending.chain(of_unknown.map(|row| (row.id, row.message))).collect();
        Ok(Status { applied, pending, waiting, barriers, unknown, messages })
    }

    /// A hash of the applied revisions, which is `migrations::SCHEMA_HASH` if they are those of the
    /// program.
    pub fn schema_hash(&self) -> String {
        of_ids(self.applied.iter().chain(&self.unknown).map(String::as_str))
    }

    /// Whether an upgrade would apply nothing: nothing is pending, or only what waits because of a
    /// barrier. A database that is ahead of the program counts as up to date.
    pub fn is_up_to_date(&self) -> bool {
        self.pending.len() == self.waiting.len()
    }

    /// What the database lacks, in words: ``2 of 5 revisions: `1a2b` (add posts), `3c4d` ``.
    pub(crate) fn lacking(&self) -> String {
        let all = self.applied.len() + self.pending.len();
        let revisions = if all == 1 { "revision" } else { "revisions" };
        let is_due = |id: &&String| !self.waiting.contains(id);
        let due: Vec<String> = self.pending.iter().filter(is_due).cloned().collect();
        format!("{} of {all} {revisions}: {}", due.len(), self.named(&due))
    }

    fn named(&self, ids: &[String]) -> String {
        let named = |id: &String| match self.messages.get(id).map_or("", String::as_str) {
            "" => format!("`{id}`"),
            message => format!("`{id}` ({message})"),
        };
        ids.iter().map(named).collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_up_to_date() {
            let revisions = if self.applied.len() == 1 { "revision is" } else { "revisions are" };
            write!(f, "up to date: {} {revisions} applied", self.applied.len())?;
        } else {
            write!(f, "behind: the database lacks {}", self.lacking())?;
        }
        self.barriers.iter().try_for_each(|barrier| write!(f, "; waits before {barrier}"))?;
        if !self.unknown.is_empty() {
            let of_them = self.named(&self.unknown);
            write!(f, "; this program does not have what is applied as {of_them}")?;
        }
        Ok(())
    }
}

/// Everything that a database says about itself and its migrations; see
/// [`Migrator::report`](Migrator::report).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The database's product with its version, such as `PostgreSQL 15.4`.
    pub product: String,
    /// How it compares with the migrations.
    pub status: Status,
    /// When the revisions were applied, the last one first.
    pub history: Vec<AppliedRevision>,
    /// Revisions that are half applied or half undone, each with what is done of it.
    pub unfinished: Vec<String>,
    /// Who migrates the database now, if somebody does and the database can tell.
    pub lock_holder: Option<String>,
    /// How the tables differ from what the applied revisions create.
    pub drift: Vec<String>,
}

/// A revision that is applied in a database.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AppliedRevision {
    /// The revision's id.
    pub id: String,
    /// Its message.
    pub message: String,
    /// When it was applied, in UTC, as ISO 8601 text.
    pub applied_at: String,
    /// How long that took, in milliseconds.
    pub milliseconds: i64,
    /// The version of dbmigrate that applied it.
    pub tool_version: String,
}

impl Report {
    /// Whether nothing is due, half done, unknown or different.
    pub fn is_in_order(&self) -> bool {
        self.status.is_up_to_date()
            && self.status.unknown.is_empty()
            && self.unfinished.is_empty()
            && self.drift.is_empty()
    }
}

/// One line for each thing that there is to say.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.product, self.status)?;
        if let Some(last) = self.history.first() {
            let AppliedRevision { id, applied_at, milliseconds, tool_version, .. } = last;
            let when = applied_at.replace('T', " ").replace('Z', " UTC");
            write!(
                f,
                "\nlast applied: `{id}` ({when}, {milliseconds} ms, dbmigrate {tool_version})"
            )?;
        }
        self.unfinished.iter().try_for_each(|text| write!(f, "\nstopped: {text}"))?;
        self.lock_holder.iter().try_for_each(|holder| write!(f, "\nlocked by {holder}"))?;
        self.drift.iter().try_for_each(|difference| write!(f, "\ndifferent: {difference}"))
    }
}

impl Migrator {
    /// Everything that `cargo dbmigrate status` tells about a database: which one it is, what is
    /// applied since when, what is pending or half done, who migrates it now, and how its tables
    /// differ from what the applied revisions create.
    ///
    /// This reads the tables' definitions. For a check at start-up, [`Migrator::status`] takes one
    /// query.
    ///
    /// # Errors
    ///
    /// As [`Migrator::status`].
    ///
    /// # Example
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")] {
    /// use dbmigrate_runtime::{Migrator, Options};
    ///
    /// let migrator = Migrator::new(&[]);
    ///
    /// let mut conn = rusqlite::Connection::open_in_memory().unwrap();
    /// migrator.upgrade(&mut conn).unwrap();
    /// let report = migrator.report(&conn, &Options::default()).unwrap();
    /// assert!(report.is_in_order());
    /// println!("{report}");
    /// # }
    /// ```
    pub fn report(&self, database: impl ConnectToRead, options: &Options) -> Result<Report, Error> {
        let migrations = self.migrations()?;
        database.with_reader(|driver| {
            let name = options.version_table();
            let rows = version_table::read(driver.as_connection(), name)?;
            let of_database = migrations.view(standing::ids(&rows))?;
            let mut history = version_table::entries(driver.as_connection(), name)?;
            history.reverse();
            let history = history.into_iter().map(|entry| AppliedRevision {
                id: entry.id,
                message: entry.message,
                applied_at: entry.applied_at,
                milliseconds: entry.milliseconds,
                tool_version: entry.tool_version,
            });
            let unfinished = ledger::unfinished(driver.as_connection(), ledger::beside(name))?;
            let halfway = unfinished.iter().filter(|begun| begun.is_halfway());
            let unfinished = halfway.map(|begun| {
                format!("`{}` is {}", begun.revision, begun.standing(&of_database.applied))
            });
            let failed = |err| Error::database("read the database's version", err);
            let facts = driver.as_connection().facts().map_err(failed)?;
            let backend = driver.dialect().backend();
            let version = backend.version_text(facts.version);
            Ok(Report {
                product: format!("{backend} {version}"),
                status: Status::of(driver.as_connection(), &migrations, rows, options)?,
                history: history.collect(),
                unfinished: unfinished.collect(),
                lock_holder: driver.holder(&format!("{}.{}", name.schema, name.table)),
                drift: differences(driver, (&migrations, &of_database), options)?,
            })
        })
    }
}

/// How the tables of a database differ from what its applied revisions create.
fn differences(
    driver: &mut dyn Driver,
    (migrations, view): (&Migrations, &View<'_, Migrations>),
    options: &Options,
) -> Result<Vec<String>, Error> {
    let failed = |err| Error::database("read the existing tables", err);
    let conn = driver.as_connection();
    let mut found = conn.catalog_with(None, &migrations.qualified()).map_err(failed)?;
    let comparing = {
        let facts = conn.facts().map_err(failed)?;
        conn.dialect().comparing(&facts)
    };
    let folding = comparing.folding;
    let own = [options.version_table.as_str(), ledger::NAME, LOCK_TABLE];
    found.schema.tables.retain(|name, _| !own.iter().any(|own| folding.same_table(own, name)));
    let expected = view.of.replay(Some(&view.applied))?;
    let expected: Vec<_> = expected.tables.values().collect();
    let actual = |table: &Table| folding.table(&found.schema, &table.name);
    let pairs: Vec<_> = expected.iter().map(|table| (*table, actual(table))).collect();
    let kept = driver.as_connection().all_as_kept(&pairs).map_err(failed)?;
    // What the database can't have is refused when it is planned, and is no difference.
    let expected = Schema::from_tables(kept.into_iter().flatten().map(|kept| kept.table));
    let applied = view.of.iter().filter(|migration| view.applied.contains(&migration.revision.id));
    let operations = applied.flat_map(|migration| &migration.upgrade.operations);
    let declared = Declared::of(folding, operations);
    let all = migrations.replay(None)?;
    let described = Described { expected: &expected, all: &all, declared: &declared };
    let drift = drift::drift(&comparing, described, &found);
    Ok(drift.differences.iter().map(ToString::to_string).collect())
}
