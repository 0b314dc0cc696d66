//! `dbmigrate_step`: which statements of a revision have run, for databases whose DDL commits by
//! itself.
//!
//! A row is inserted before its statement, with the state `started`, and updated to `done` after
//! it; both are committed. After the last statement of a revision, the revision's own row says it
//! instead. After a crash a statement is either done or not, so the next run checks
//! whether its effect exists and continues after it. A statement that was edited since then stops
//! the run.
//!
//! A database with transactional DDL only needs the table for a revision that takes more than one
//! transaction, or none. There a row stands for a group of tasks, and a transactional group commits
//! its row together with its work. When the revision is complete, the table is dropped.
//!
//! While a half-applied revision is taken back, the statements that do so have rows of their own,
//! whose numbers are negative.

use std::collections::BTreeSet;

use crate::dialect::Dialect;
use crate::driver::Connection;
use crate::operations::{Json, decode_values, encode_values};
use crate::schema::{Column, Table, Type};
use crate::version_table::{Name, create_text_of};
use crate::{Error, Value};

/// The table's usual name.
pub const NAME: &str = "dbmigrate_step";

/// The table that belongs to a version table: it is in the same schema.
pub fn beside(version_table: Name<'_>) -> Name<'_> {
    Name { table: NAME, ..version_table }
}

/// The table as it is created.
pub fn table(name: &str) -> Table {
    let text = |column: &str| Column::new(column, Type::Text);
    Table::new(name)
        .column(Column::new("revision", Type::String(255)).not_null())
        .column(Column::new("number", Type::BigInteger).not_null())
        .column(text("hash").not_null())
        .column(text("state").not_null())
        .column(text("started_at").not_null())
        .column(text("finished_at"))
        .column(text("error"))
        .primary_key(&format!("pk_{name}"), ["revision", "number"])
}

/// The statement that creates the table, if it isn't there.
///
/// # Errors
///
/// A schema in which the database can't keep the table.
pub fn create_text(dialect: &dyn Dialect, name: Name<'_>) -> Result<String, Error> {
    create_text_of(dialect, name, &table(name.table))
}

/// A group of a revision's tasks that was done, or whose statement was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// The group's position in its revision, counted from 1; negative in what takes it back.
    pub(crate) number: i64,
    /// The hash of its tasks.
    pub(crate) hash: String,
    /// Whether it is done.
    pub(crate) is_done: bool,
    /// The definitions of what its statement names, as they were before it; empty if it doesn't
    /// matter.
    pub(crate) before: String,
    /// Whether its statement failed, and so did nothing. It may be another one now.
    pub(crate) is_failed: bool,
}

/// How far a batched step came.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Reached {
    /// How many pieces are done.
    pub(crate) n_pieces: u64,
    /// The largest key of the last piece; `None` before the first one.
    pub(crate) last: Option<Value>,
}

impl Reached {
    /// What the ledger says.
    pub(crate) fn read(text: &str) -> Option<Reached> {
        let json = Json::parse(text).ok()?;
        match decode_values(&json).ok()?.as_slice() {
            [Value::Integer(n), last] => {
                Some(Reached { n_pieces: u64::try_from(*n).ok()?, last: Some(last.clone()) })
            }
            _ => None,
        }
    }

    pub(crate) fn written(&self) -> String {
        let n = i64::try_from(self.n_pieces).unwrap_or(i64::MAX);
        encode_values(&[n.into(), self.last.clone().unwrap_or(Value::Null)]).to_string()
    }
}

const DONE: &str = "done";
const STARTED: &str = "started";

/// What stands in place of the definitions if a script started a statement: they are not known.
pub(crate) const BY_A_SCRIPT: &str = "by a script";

/// The rows of a revision; `None` if the table doesn't exist.
///
/// # Errors
///
/// The database's errors.
pub(crate) fn read(
    conn: &mut dyn Connection,
    name: Name<'_>,
    revision: &str,
) -> Result<Option<Vec<Row>>, Error> {
    let failed = |err| Error::database("read which statements have run", err);
    let dialect = conn.dialect();
    // Elsewhere a query that fails does no harm, and is one less where the table exists.
    let fails_for_good = dialect.capabilities().aborts_on_error;
    if fails_for_good && !dialect.has_table(conn, name.schema, name.table).map_err(failed)? {
        return Ok(None);
    }
    let name = name.quoted(dialect)?;
    let sql = format!("SELECT number, hash, state, error FROM {name} WHERE revision = ?1");
    let rows = match conn.query(&sql, &[revision.into()]) {
        Ok(found) => found.rows,
        Err(err) if err.is_missing() => return Ok(None),
        Err(err) => return Err(failed(err)),
    };
    let row = |row: Vec<Value>| match row.as_slice() {
        [Value::Integer(number), Value::Text(hash), Value::Text(state), error] => {
            let before = state.strip_prefix(STARTED).unwrap_or_default().trim().to_owned();
            let (is_done, is_failed) = (state == DONE, *error != Value::Null);
            Some(Row { number: *number, hash: hash.clone(), is_done, before, is_failed })
        }
        _ => None,
    };
    Ok(Some(rows.into_iter().filter_map(row).collect()))
}

/// A revision that was begun and isn't complete: neither applied nor as before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// The revision's id.
    pub revision: String,
    /// How many of its parts are done: each is a statement, or several in one transaction.
    pub n_done: usize,
    /// The part that was started and isn't known to be done, counted from 1.
    pub started: Option<i64>,
    /// How many pieces of that one are done, if it is a step that runs in pieces.
    pub n_pieces: Option<u64>,
    /// Why that one failed, if it did.
    pub error: Option<String>,
    /// Whether what is done of it is being taken back.
    pub is_taken_back: bool,
}

impl Unfinished {
    /// Whether something of it is done, or may be. A first statement that failed leaves nothing.
    pub fn is_halfway(&self) -> bool {
        let failed_at_once = (self.n_done, self.n_pieces) == (0, None) && self.error.is_some();
        self.is_taken_back || !failed_at_once
    }

    /// How far it came, in words, given the applied revisions.
    pub fn standing(&self, applied: &BTreeSet<String>) -> String {
        let Unfinished { revision, n_done, started, n_pieces, error, is_taken_back } = self;
        let what = if applied.contains(revision) { "half undone" } else { "half applied" };
        if *is_taken_back {
            return format!("{what}: what was done of it is being taken back");
        }
        // A run says that the revision was rolled back.
        if let Some(error) = error.as_ref().filter(|_| !self.is_halfway()) {
            let what = if applied.contains(revision) { "not undone" } else { "not applied" };
            return format!("{what}: its first statement failed: {error}");
        }
        let done = match n_done {
            0 => "none of its statements is done".to_owned(),
            1 => "1 of its statements is done".to_owned(),
            n => format!("{n} of its statements are done"),
        };
        let at = started
            .map_or(String::new(), |number| format!(", and it stands at statement {number}"));
        let pieces = match n_pieces {
            None => String::new(),
            Some(1) => ", of which 1 piece is done".to_owned(),
            Some(n) => format!(", of which {n} pieces are done"),
        };
        let why = error.as_ref().map_or(String::new(), |error| format!(": {error}"));
        format!("{what}: {done}{at}{pieces}{why}")
    }
}

/// The revisions that were begun and aren't complete, in the order of their ids; none if the table
/// doesn't exist.
///
/// # Errors
///
/// The database's errors.
pub fn unfinished(conn: &mut dyn Connection, name: Name<'_>) -> Result<Vec<Unfinished>, Error> {
    Ok(begun(conn, name)?.unwrap_or_default())
}

/// The same, and `None` if the table doesn't exist.
pub(crate) fn begun(
    conn: &mut dyn Connection,
    name: Name<'_>,
) -> Result<Option<Vec<Unfinished>>, Error> {
    let failed = |err| Error::database("read which statements have run", err);
    if !conn.dialect().has_table(conn, name.schema, name.table).map_err(failed)? {
        return Ok(None);
    }
    let name = name.quoted(conn.dialect())?;
    let sql =
        format!("SELECT revision, number, state, error FROM {name} ORDER BY revision, number");
    let mut found: Vec<Unfinished> = Vec::new();
    for row in conn.query(&sql, &[]).map_err(failed)?.rows {
        let [Value::Text(revision), Value::Integer(number), Value::Text(state), error] =
            row.as_slice()
        else {
            continue;
        };
        if found.last().is_none_or(|last| last.revision != *revision) {
            let revision = revision.clone();
            let is_taken_back = false;
            found.push(Unfinished {
                revision,
                n_done: 0,
                started: None,
                n_pieces: None,
                error: None,
                is_taken_back,
            });
        }
        let Some(last) = found.last_mut() else { continue };
        if *number < 0 {
            last.is_taken_back = true;
        } else if state == DONE {
            last.n_done += 1;
        } else {
            last.started = Some(*number);
            let before = state.strip_prefix(STARTED).unwrap_or_default();
            last.n_pieces = Reached::read(before.trim()).map(|reached| reached.n_pieces);
            last.error = match error {
                Value::Text(why) => Some(why.clone()),
                _ => None,
            };
        }
    }
    Ok(Some(found))
}

/// Enters a group of a revision as started, or as done. `is_known` tells whether it has a row.
///
/// # Errors
///
/// The database's errors.
pub(crate) fn enter(
    conn: &mut dyn Connection,
    name: Name<'_>,
    revision: &str,
    (row, is_known): (&Row, bool),
) -> Result<(), Error> {
    let failed = |err| Error::database("enter a statement into the ledger", err);
    let (now, name) = (conn.dialect().now(), name.quoted(conn.dialect())?);
    let started = format!("{STARTED} {}", row.before);
    let (state, finished) = if row.is_done { (DONE, now) } else { (started.trim_end(), "NULL") };
    let values = [revision.into(), row.number.into(), row.hash.as_str().into(), state.into()];
    if is_known {
        let update = format!(
            "UPDATE {name} SET hash = ?3, state = ?4, finished_at = {finished}, error = NULL \
             WHERE revision = ?1 AND number = ?2"
        );
        return conn.execute(&update, &values).map(std::mem::drop).map_err(failed);
    }
    let insert = format!(
        "INSERT INTO {name} (revision, number, hash, state, started_at, finished_at) \
         VALUES (?1, ?2, ?3, ?4, {now}, {finished})"
    );
    conn.execute(&insert, &values).map(std::mem::drop).map_err(failed)
}

/// Enters why a statement failed. The row stays one that was started.
///
/// # Errors
///
/// The database's errors.
pub(crate) fn enter_error(
    conn: &mut dyn Connection,
    name: Name<'_>,
    revision: &str,
    (number, why): (i64, &str),
) -> Result<(), Error> {
    let failed = |err| Error::database("enter a failure into the ledger", err);
    let name = name.quoted(conn.dialect())?;
    let update = format!("UPDATE {name} SET error = ?3 WHERE revision = ?1 AND number = ?2");
    let values = [revision.into(), number.into(), why.into()];
    conn.execute(&update, &values).map(std::mem::drop).map_err(failed)
}

/// Deletes the row of a group that did nothing.
///
/// # Errors
///
/// The database's errors.
pub(crate) fn forget(
    conn: &mut dyn Connection,
    name: Name<'_>,
    revision: &str,
    number: i64,
) -> Result<(), Error> {
    let failed = |err| Error::database("delete a statement from the ledger", err);
    let name = name.quoted(conn.dialect())?;
    let delete = format!("DELETE FROM {name} WHERE revision = ?1 AND number = ?2");
    let res = conn.execute(&delete, &[revision.into(), number.into()]);
    res.map(std::mem::drop).map_err(failed)
}

/// Deletes the rows of a revision that is complete, and returns whether the table is to be dropped
/// then, because it is empty. Where each change of a definition commits, it stays.
///
/// # Errors
///
/// The database's errors.
pub(crate) fn clear(
    conn: &mut dyn Connection,
    name: Name<'_>,
    revision: &str,
) -> Result<bool, Error> {
    let failed = |err| Error::database("empty the ledger", err);
    let name = name.quoted(conn.dialect())?;
    let delete = format!("DELETE FROM {name} WHERE revision = ?1");
    conn.execute(&delete, &[revision.into()]).map_err(failed)?;
    if conn.dialect().capabilities().commits_definitions {
        return Ok(false);
    }
    let left = conn.query(&format!("SELECT 1 FROM {name} LIMIT 1"), &[]).map_err(failed)?;
    Ok(left.rows.is_empty())
}

/// Drops the empty table.
///
/// # Errors
///
/// The database's errors.
pub(crate) fn drop(conn: &mut dyn Connection, name: Name<'_>) -> Result<(), Error> {
    let sql = format!("DROP TABLE {}", name.quoted(conn.dialect())?);
    let res = conn.execute(&sql, &[]);
    res.map(std::mem::drop).map_err(|err| Error::database("drop the ledger", err))
}

/// Creates the table if it doesn't exist.
///
/// # Errors
///
/// The database's errors.
pub(crate) fn create(conn: &mut dyn Connection, name: Name<'_>) -> Result<(), Error> {
    let res = conn.execute(&create_text(conn.dialect(), name)?, &[]);
    res.map(std::mem::drop).map_err(|err| Error::database("create the ledger", err))
}

/// The statement that enters a group of a revision as started, or as done, for a script. The table's
/// name is already quoted.
pub(crate) fn enter_text(
    dialect: &dyn Dialect,
    name: &str,
    revision: &str,
    Row { number, hash, is_done, .. }: &Row,
) -> String {
    let now = dialect.now();
    let started = format!("{STARTED} {BY_A_SCRIPT}");
    let (state, finished) = if *is_done { (DONE, now) } else { (started.as_str(), "NULL") };
    let [revision, hash, state] =
        [revision, hash.as_str(), state].map(|text| dialect.literal(&text.into()));
    format!(
        "INSERT INTO {name} (revision, number, hash, state, started_at, finished_at)\n    \
         VALUES ({revision}, {number}, {hash}, {state}, {now}, {finished})"
    )
}

/// The statement that enters a group as done that was started, for a script.
pub(crate) fn done_text(dialect: &dyn Dialect, name: &str, revision: &str, number: i64) -> String {
    let [revision, done] = [revision, DONE].map(|text| dialect.literal(&text.into()));
    format!(
        "UPDATE {name} SET state = {done}, finished_at = {}\n    \
         WHERE revision = {revision} AND number = {number}",
        dialect.now()
    )
}

/// The statement that deletes the rows of a revision that is complete, for a script.
pub(crate) fn clear_text(dialect: &dyn Dialect, name: &str, revision: &str) -> String {
    format!("DELETE FROM {name} WHERE revision = {}", dialect.literal(&revision.into()))
}

#[cfg(test)]
mod reached {
    use super::*;

    #[test]
    fn what_is_written_into_the_ledger_is_read_again() {
        let large = i64::MAX;
        for last in [Value::Integer(large), "Ann's".into(), Value::Blob(vec![0, 255])] {
            let reached = Reached { n_pieces: 7, last: Some(last) };
            assert_eq!(Reached::read(&reached.written()), Some(reached));
        }
        assert_eq!(Reached::read("by a script"), None);
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use super::*;
    use crate::dialect::Sqlite;
    use crate::driver::sqlite::SqliteDriver;
    use crate::driver::{AsConnection as _, Driver as _};

    #[test]
    fn the_dialect_creates_the_ledger_as_it_is_described() {
        let mut driver = SqliteDriver::open_in_memory().unwrap();
        let create = create_text(&Sqlite, Name::from(NAME)).unwrap();
        driver.batch(&format!("{create};\n{create}")).unwrap();
        let conn = driver.as_connection();
        let found = conn.catalog(None).unwrap().schema;
        let kept = conn.as_kept(&table(NAME), found.table(NAME)).unwrap().unwrap();
        assert_eq!(found.table(NAME), Some(&kept));
        let twice = format!("INSERT INTO {NAME} VALUES ('a', 1, 'h', 'done', 'then', NULL, NULL)");
        driver.batch(&twice).unwrap();
        assert!(driver.batch(&twice).unwrap_err().is_duplicate());
    }

    #[test]
    fn the_standing_says_how_far_a_revision_came() {
        let applied = BTreeSet::from(["a1".to_owned()]);
        let begun = |revision: &str, n_done, error: Option<&str>| Unfinished {
            revision: revision.to_owned(),
            n_done,
            started: Some(3),
            n_pieces: None,
            error: error.map(str::to_owned),
            is_taken_back: false,
        };
        let standing = |begun: Unfinished| begun.standing(&applied);
        assert_eq!(
            standing(Unfinished { n_pieces: Some(6), ..begun("b2", 2, None) }),
            "half applied: 2 of its statements are done, and it stands at statement 3, of which 6 \
             pieces are done"
        );
        assert_eq!(
            standing(begun("b2", 2, Some("no such table"))),
            "half applied: 2 of its statements are done, and it stands at statement 3: no such table"
        );
        assert_eq!(
            standing(begun("a1", 0, None)),
            "half undone: none of its statements is done, and it stands at statement 3"
        );
        assert_eq!(
            standing(begun("b2", 0, Some("no such table"))),
            "not applied: its first statement failed: no such table"
        );
        assert_eq!(
            standing(begun("a1", 0, Some("no such table"))),
            "not undone: its first statement failed: no such table"
        );
    }
}
