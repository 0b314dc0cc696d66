//! Runs the migrations of another tool as they stand.

use std::fs;

use dbmigrate_runtime::engine::dialect::Dialect;
use dbmigrate_runtime::engine::driver::{DatabaseError, Driver, ErrorKind};

use super::client::{ForClient, for_client};
use super::definitions::own_schema;
use super::layout::{Foreign, Script};
use super::outside::{beginning, drops_schema, reaches_outside};
use super::scratch::Scratch;
use super::tool;
use crate::cli::Tool;
use crate::context::Context;
use crate::error::{Error, Result};

/// Runs migrations as their tool does.
#[derive(Clone, Copy)]
pub(super) struct Running<'a> {
    pub(super) cx: &'a Context,
    pub(super) scratch: &'a Scratch<'a>,
    pub(super) tool: Tool,
}

/// What is done before a transaction is committed.
pub(super) type Reading<'r> = &'r mut dyn FnMut(&mut dyn Driver) -> Result<()>;

/// The failure of a migration.
struct Failed {
    err: Error,
    /// Whether it can only run outside of a transaction.
    is_alone: bool,
}

impl Running<'_> {
    /// Runs a migration for the first time. If its tool finds out by itself that it has to run
    /// outside of a transaction, so does this.
    /// `reading` is called at the end of its transaction, if it has one.
    pub(super) fn run_first(
        self,
        driver: &mut dyn Driver,
        foreign: &mut Foreign,
        script: (&Script, Option<&str>),
        reading: Reading<'_>,
    ) -> Result<()> {
        match self.attempt(driver, foreign, script, reading) {
            Err(Failed { is_alone: true, .. })
                if tool::may_run_alone(self.tool) && !foreign.no_transaction =>
            {
                foreign.no_transaction = true;
                self.run(driver, foreign, script)
            }
            done => done.map_err(|failed| failed.err),
        }
    }

    /// Runs one direction of a migration as it stands.
    pub(super) fn run(
        self,
        driver: &mut dyn Driver,
        foreign: &Foreign,
        script: (&Script, Option<&str>),
    ) -> Result<()> {
        self.attempt(driver, foreign, script, &mut |_| Ok(())).map_err(|failed| failed.err)
    }

    fn attempt(
        self,
        driver: &mut dyn Driver,
        foreign: &Foreign,
        (script, sql): (&Script, Option<&str>),
        reading: Reading<'_>,
    ) -> std::result::Result<(), Failed> {
        let Some(sql) = sql else { return Ok(()) };
        let file = script.file.display();
        self.refuse_reach(script, sql).map_err(|err| Failed { err, is_alone: false })?;
        let failed = |err: DatabaseError| {
            let is_alone = *err.kind() == ErrorKind::NotInTransaction;
            let hint = match (is_alone, tool::no_transaction(self.tool)) {
                (true, Some(mark)) => {
                    format!("if it runs outside of a transaction, say so: {mark}")
                }
                (true, None) => "take it out of the file, and run it by hand".to_owned(),
                (false, _) if script.sql.starts_with('\u{feff}') => {
                    "the file begins with a byte order mark, which may be the reason: save it \
                     without"
                        .to_owned()
                }
                (false, _) => {
                    let is_down = foreign.down.as_ref().is_some_and(|down| down.sql == script.sql);
                    if is_down {
                        "it ran right after its migration: correct it, or remove it if there is \
                         no way back"
                    } else {
                        "the files ran one after the other, beginning with an empty database: \
                         correct this one, and import again"
                    }
                    .to_owned()
                }
            };
            Failed { err: Error::new(format!("`{file}` fails")).cause(err).hint(hint), is_alone }
        };
        let is_schema = |word: &&str| sql.to_ascii_lowercase().contains(word);
        let may_lose_schema = ["search_path", "role", "authorization"].iter().any(is_schema);
        let own = self.scratch.own();
        let refuse_lost_schema = |driver: &mut dyn Driver| {
            let conn = driver.as_connection();
            if !may_lose_schema || own_schema(conn).map_err(failed)? == own {
                return Ok(());
            }
            let message = format!("`{file}` leaves the session without its schema `{own}`");
            let err = Error::new(message).hint(
                "what follows it would not be found there, nor would the version table: end it \
                 with `RESET search_path` or `RESET ROLE`, and name the schema of its tables",
            );
            Err(Failed { err, is_alone: false })
        };
        let mut run = |driver: &mut dyn Driver| {
            if foreign.no_transaction {
                driver.batch(sql).map_err(failed)?;
                return refuse_lost_schema(driver);
            }
            if driver.dialect().backend().is_mysql_like() {
                driver.batch(&as_transaction(driver.dialect(), sql)).map_err(failed)?;
                return refuse_lost_schema(driver);
            }
            driver.batch("BEGIN").map_err(failed)?;
            driver.batch(sql).map_err(failed)?;
            refuse_lost_schema(driver)?;
            if driver.in_transaction() {
                reading(driver).map_err(|err| Failed { err, is_alone: false })?;
                return driver.batch("COMMIT").map_err(failed);
            }
            let err = Error::new(format!("`{file}` ends the transaction that it runs in"))
                .hint("remove `COMMIT` or `ROLLBACK` from it, and import again");
            Err(Failed { err, is_alone: false })
        };
        run(driver).inspect_err(|_| driver.rollback())
    }

    /// Fails if SQL changes more than the database that it runs in, or would lose it, and if a
    /// part of it is for a client.
    fn refuse_reach(self, script: &Script, sql: &str) -> Result<()> {
        let (file, own) = (script.file.display(), self.scratch.own());
        if drops_schema(self.cx.dialect(), own, sql) {
            let message = format!("`{file}` drops the schema `{own}`, in which it runs");
            return Err(Error::new(message)
                .hint("the version table is in it: drop what is in the schema instead"));
        }
        if let Some(found) = for_client(self.cx.dialect(), &script.sql) {
            let ForClient { what, text, start, hint } = found;
            let line = line_of(script, text, Some(start));
            let shown = beginning(text);
            let message = format!("`{file}` has {what}{line}: `{shown}`");
            return Err(Error::new(message).hint(hint));
        }
        let Some(statement) = reaches_outside(self.cx.dialect(), own, sql) else {
            return Ok(());
        };
        let line = line_of(script, &statement, None);
        let shown = beginning(&statement);
        let message = format!("`{file}` reaches outside of the database{line}: `{shown}`");
        Err(Error::new(message)
            .hint("the history is tried before it is taken over: move this out of the file"))
    }
}

/// On which line of its file a part of a script is, in words; empty for what a tool printed, which
/// is in no file. `start` is where it begins in the script.
fn line_of(script: &Script, part: &str, start: Option<usize>) -> String {
    let Ok(text) = fs::read_to_string(&script.file) else { return String::new() };
    let of_script = || Some(text.find(&script.sql)? + start?);
    match of_script().or_else(|| text.find(part)) {
        Some(start) => format!(" on line {}", 1 + text[..start].matches('\n').count()),
        None => String::new(),
    }
}

/// SQL as a transaction in one message, for a server whose definitions commit by themselves anyway.
fn as_transaction(dialect: &dyn Dialect, sql: &str) -> String {
    let tokens = dialect.lexicon().significant(sql);
    let end = if tokens.last().is_some_and(|last| last.is_symbol(";")) { "" } else { ";" };
    // The last line may be a comment. An error tells the line, which stays the same.
    format!("BEGIN;{sql}\n{end}COMMIT")
}

#[cfg(test)]
mod tests {
    use dbmigrate_runtime::engine::Backend;
    use dbmigrate_runtime::engine::dialect;

    use super::as_transaction;

    #[test]
    fn sql_is_one_transaction_however_it_ends() {
        let mariadb = dialect::of(Backend::Mariadb).unwrap();
        assert_eq!(as_transaction(mariadb, "A; B;"), "BEGIN;A; B;\nCOMMIT");
        assert_eq!(as_transaction(mariadb, "A -- ;"), "BEGIN;A -- ;\n;COMMIT");
    }
}
