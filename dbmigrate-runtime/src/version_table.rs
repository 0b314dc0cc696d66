//! `dbmigrate_version`: one row for each applied revision.
//!
//! A row describes its revision, so that the database can still show it after the file is gone. The
//! row is inserted and deleted in the same transaction as the revision's own work, and the primary
//! key makes it impossible to apply a revision twice.

use crate::dialect::Dialect;
use crate::driver::{Connection, DatabaseError};
use crate::migration::Migration;
use crate::operations::codec::{DecodeError, read_recording, write_recording};
use crate::operations::{self, Json, Operation, Recording};
use crate::pace::{Load, Took};
use crate::schema::{Column, Table, Type};
use crate::{Error, Value};

/// The table's default name.
pub const NAME: &str = "dbmigrate_version";

/// The table's name, and the schema that contains it.
///
/// # Example
///
/// ```
/// use dbmigrate_runtime::engine::version_table::{NAME, Name};
///
/// assert_eq!(Name::from("done"), Name { schema: "", table: "done" });
/// assert_eq!(Name::default().table, NAME);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name<'a> {
    /// The schema; empty for the connection's own.
    pub schema: &'a str,
    /// The table.
    pub table: &'a str,
}

impl<'a> From<&'a str> for Name<'a> {
    fn from(table: &'a str) -> Name<'a> {
        Name { schema: "", table }
    }
}

impl Default for Name<'_> {
    fn default() -> Self {
        Name::from(NAME)
    }
}

impl Name<'_> {
    /// The name as it is written in statements.
    ///
    /// # Errors
    ///
    /// A schema that can't contain the table.
    pub fn quoted(self, dialect: &dyn Dialect) -> Result<String, Error> {
        dialect.qualified(self.schema, self.table).map_err(Error::version_table_name)
    }
}

/// An applied revision: what is needed of it to tell where a database stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRow {
    /// The revision's id.
    pub id: String,
    /// Its message.
    pub message: String,
    /// The checksum of its upgrade's operations.
    pub checksum: String,
    /// The version of the encoding of the row's operations.
    pub format: i64,
    /// The version of dbmigrate that applied the revision.
    pub tool_version: String,
}

/// The applied revisions in the order in which they were applied; empty if the table doesn't exist.
///
/// # Errors
///
/// The database's errors, a row that a newer version wrote, and a schema that can't contain the
/// table.
pub fn read(conn: &mut dyn Connection, table: Name<'_>) -> Result<Vec<VersionRow>, Error> {
    let failed = |err| Error::database("read which revisions are applied", err);
    let name = table.quoted(conn.dialect())?;
    let own = match table.schema {
        "" => conn.dialect().in_own_schema(table.table),
        _ => String::new(),
    };
    let order = order(conn.dialect());
    let sql = format!("SELECT id, message, checksum, format, tool_version FROM {name}{own}{order}");
    // If the table doesn't exist, the query would fail and so end the transaction.
    let looks_first = conn.dialect().capabilities().aborts_on_error && conn.in_transaction();
    if looks_first && !exists(conn, table).map_err(failed)? {
        return Ok(Vec::new());
    }
    let rows = match conn.query(&sql, &[]) {
        Ok(rows) => rows.rows,
        Err(err) if err.is_of_disk() => return Err(failed(err)),
        // Only checked now, so that the usual case takes one query. Another process may have
        // created the table meanwhile, so only a second failure counts.
        Err(_) if exists(conn, table).map_err(failed)? => {
            conn.query(&sql, &[]).map_err(failed)?.rows
        }
        Err(_) => return Ok(Vec::new()),
    };
    let applied: Vec<VersionRow> = rows.into_iter().map(from_row).collect();
    match applied.iter().find(|row| row.format > operations::FORMAT.into()) {
        Some(row) => Err(Error::newer_format(&row.id, row.format, &row.tool_version)),
        None => Ok(applied),
    }
}

/// The order of the rows where a table is kept in the order of its key: when they were applied, to
/// the second.
fn order(dialect: &dyn Dialect) -> &'static str {
    if dialect.capabilities().commits_definitions { " ORDER BY applied_at, id" } else { "" }
}

fn text(value: Option<Value>) -> String {
    match value {
        Some(Value::Text(text)) => text,
        Some(Value::Integer(number)) => number.to_string(),
        _ => String::new(),
    }
}

fn from_row(row: Vec<Value>) -> VersionRow {
    let mut row = row.into_iter();
    VersionRow {
        id: text(row.next()),
        message: text(row.next()),
        checksum: text(row.next()),
        format: match row.next() {
            Some(Value::Integer(number)) => number,
            // A format that isn't a number is unknown to this version.
            value => text(value).parse().unwrap_or(i64::MAX),
        },
        tool_version: text(row.next()),
    }
}

/// Separates the operations, the downgrade and the load in a row. None of them contains it.
const SEPARATOR: char = '\n';

/// Everything that the database stores about an applied revision.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// The revision's id.
    pub id: String,
    /// The ids that it followed.
    pub parents: Vec<String>,
    /// Its message.
    pub message: String,
    /// The operations of its upgrade, encoded.
    pub operations: String,
    /// The recording of its downgrade, encoded, if no way back follows from the operations.
    pub downgrade: Option<String>,
    /// What it had to do to rows, if that took long enough to tell.
    pub load: Option<Load>,
    /// The version of the encoding of the operations.
    pub format: i64,
    /// When it was applied, in UTC.
    pub applied_at: String,
    /// How long that took, in milliseconds.
    pub milliseconds: i64,
    /// The version of dbmigrate that applied the revision.
    pub tool_version: String,
}

/// Everything that the database stores about the applied revisions, in the order in which they were
/// applied; empty if the table doesn't exist.
///
/// # Errors
///
/// The database's errors, and a schema that can't contain the table.
pub fn entries(conn: &mut dyn Connection, table: Name<'_>) -> Result<Vec<Entry>, Error> {
    let failed = |err| Error::database("read what the applied revisions did", err);
    let name = table.quoted(conn.dialect())?;
    if !exists(conn, table).map_err(failed)? {
        return Ok(Vec::new());
    }
    let order = order(conn.dialect());
    let sql = format!(
        "SELECT id, parents, message, operations, format, applied_at, milliseconds, tool_version \
         FROM {name}{order}"
    );
    let rows = conn.query(&sql, &[]).map_err(failed)?.rows;
    let entry = |row: Vec<Value>| {
        let mut row = row.into_iter();
        let mut text = || text(row.next());
        let (id, parents, message, operations) = (text(), text(), text(), text());
        let mut parts = operations.split(SEPARATOR);
        let upgrade = parts.next().unwrap_or_default();
        let downgrade = parts.next().filter(|text| !text.is_empty());
        Entry {
            id,
            parents: parents.split_whitespace().map(str::to_owned).collect(),
            message,
            operations: upgrade.to_owned(),
            downgrade: downgrade.map(str::to_owned),
            load: parts.next().and_then(Load::decode),
            format: text().parse().unwrap_or(i64::MAX),
            applied_at: text(),
            milliseconds: text().parse().unwrap_or(0),
            tool_version: text(),
        }
    };
    Ok(rows.into_iter().map(entry).collect())
}

impl Entry {
    /// The operations of the upgrade.
    ///
    /// # Errors
    ///
    /// When a newer version wrote them, or they can't be decoded.
    pub fn decode(&self) -> Result<Vec<Operation>, Error> {
        self.refuse_newer()?;
        operations::decode(&self.operations).map_err(|err| self.unreadable(&err))
    }

    /// What the downgrade recorded when the revision was applied; `None` if its way back follows
    /// from the operations, or if an earlier version wrote the row.
    ///
    /// # Errors
    ///
    /// As [`Entry::decode`].
    pub fn decode_downgrade(&self) -> Result<Option<Recording>, Error> {
        self.refuse_newer()?;
        let Some(text) = &self.downgrade else { return Ok(None) };
        let json =
            Json::parse(text).map_err(DecodeError::new).map_err(|err| self.unreadable(&err))?;
        read_recording(&json).map(Some).map_err(|err| self.unreadable(&err))
    }

    fn refuse_newer(&self) -> Result<(), Error> {
        if self.format > operations::FORMAT.into() {
            return Err(Error::newer_format(&self.id, self.format, &self.tool_version));
        }
        Ok(())
    }

    fn unreadable(&self, err: &DecodeError) -> Error {
        Error::unreadable_row(&self.id, &err.to_string())
    }
}

fn exists(conn: &mut dyn Connection, name: Name<'_>) -> Result<bool, DatabaseError> {
    conn.dialect().has_table(conn, name.schema, name.table)
}

/// The definition of the table as it is created now. A table from an earlier version has the same
/// columns, but may be declared differently.
fn table(name: &str) -> Table {
    let text = |column: &str| Column::new(column, Type::Text).not_null();
    let integer = |column: &str| Column::new(column, Type::BigInteger).not_null();
    Table::new(name)
        .column(Column::new("id", Type::String(255)).not_null())
        .column(text("parents"))
        .column(text("message"))
        .column(text("checksum"))
        .column(integer("format"))
        .column(text("applied_at"))
        .column(integer("milliseconds"))
        .column(text("tool_version"))
        .column(text("operations"))
        .primary_key(&format!("pk_{name}"), ["id"])
}

/// The statement that creates the table if it doesn't exist.
///
/// # Errors
///
/// A schema that can't contain the table.
pub fn create_text(dialect: &dyn Dialect, name: Name<'_>) -> Result<String, Error> {
    create_text_of(dialect, name, &table(name.table))
}

/// The statement that creates one of this library's own tables if it doesn't exist.
pub(crate) fn create_text_of(
    dialect: &dyn Dialect,
    name: Name<'_>,
    table: &Table,
) -> Result<String, Error> {
    let quoted = name.quoted(dialect)?;
    dialect.create_if_missing(&quoted, table).map_err(Error::version_table_name)
}

/// Creates the table if it doesn't exist.
pub(crate) fn create(conn: &mut dyn Connection, table: Name<'_>) -> Result<(), Error> {
    let failed = |err| Error::database("create the version table", err);
    // Servers want the right to create a table even if it exists, or commit.
    let capabilities = conn.dialect().capabilities();
    let looks_first = capabilities.aborts_on_error || capabilities.commits_definitions;
    if looks_first && exists(conn, table).map_err(failed)? {
        return Ok(());
    }
    let res = conn.execute(&create_text(conn.dialect(), table)?, &[]);
    res.map(drop).map_err(failed)
}

/// A revision's row as values, in the order of the table's columns without `applied_at`.
fn values(migration: &Migration, took: Took) -> [Value; 8] {
    let Migration { revision, upgrade, downgrade, .. } = migration;
    let operations = &upgrade.operations;
    // The way back from these follows from nothing else, and the file may be gone when it is needed.
    let hides_way_back = operations.iter().any(Operation::hides_way_back);
    let is_meant = *downgrade != Recording::default() || upgrade.means_no_way_back();
    let way_back = hides_way_back && is_meant;
    let downgrade = way_back.then(|| write_recording(downgrade).to_string());
    let load = took.telling().and_then(Load::encode);
    let mut text = operations::encode(operations);
    if downgrade.is_some() || load.is_some() {
        text.push(SEPARATOR);
        text += &downgrade.unwrap_or_default();
    }
    if let Some(load) = load {
        text.push(SEPARATOR);
        text += &load;
    }
    [
        Value::from(revision.id.as_str()),
        Value::from(revision.parents.join(" ")),
        Value::from(revision.message.as_str()),
        Value::from(text),
        Value::from(operations::checksum(operations)),
        Value::from(operations::FORMAT),
        Value::from(took.duration.as_millis() as i64),
        Value::from(env!("CARGO_PKG_VERSION")),
    ]
}

/// A row's columns and its values, each as a comma-separated list.
fn row_sql(now: &str, values: [&str; 8]) -> (&'static str, String) {
    let [id, parents, message, operations, checksum, format, took, tool] = values;
    let columns = "id, parents, message, operations, checksum, format, applied_at, milliseconds, \
                   tool_version";
    let values = format!(
        "{id}, {parents}, {message}, {operations}, {checksum}, {format}, {now}, {took}, {tool}"
    );
    (columns, values)
}

fn insert_sql(name: &str, now: &str, values: [&str; 8]) -> String {
    let (columns, values) = row_sql(now, values);
    format!("INSERT INTO {name} ({columns}) VALUES ({values})")
}

pub(crate) fn insert(
    conn: &mut dyn Connection,
    table: Name<'_>,
    migration: &Migration,
    took: Took,
) -> Result<(), Error> {
    let dialect = conn.dialect();
    let places = ["?1", "?2", "?3", "?4", "?5", "?6", "?7", "?8"];
    let sql = insert_sql(&table.quoted(dialect)?, dialect.now(), places);
    let n = conn
        .execute(&sql, &values(migration, took))
        .map_err(|err| Error::database("add the revision to the version table", err))?;
    if n == 1 { Ok(()) } else { Err(Error::version_row(&migration.revision.id, n)) }
}

pub(crate) fn delete(conn: &mut dyn Connection, table: Name<'_>, id: &str) -> Result<(), Error> {
    let sql = format!("DELETE FROM {} WHERE id = ?1", table.quoted(conn.dialect())?);
    let n = conn
        .execute(&sql, &[Value::from(id)])
        .map_err(|err| Error::database("remove the revision from the version table", err))?;
    if n == 1 { Ok(()) } else { Err(Error::version_row(id, n)) }
}

pub(crate) fn clear(conn: &mut dyn Connection, table: Name<'_>) -> Result<(), Error> {
    let sql = format!("DELETE FROM {}", table.quoted(conn.dialect())?);
    let res = conn.execute(&sql, &[]);
    res.map(drop).map_err(|err| Error::database("empty the version table", err))
}

/// The statement that inserts a revision's row, with its values as literals, for a script. The
/// table's name is already quoted.
pub(crate) fn insert_text(dialect: &dyn Dialect, name: &str, migration: &Migration) -> String {
    let values = literals(dialect, migration);
    insert_sql(name, dialect.now(), values.each_ref().map(String::as_str))
}

fn literals(dialect: &dyn Dialect, migration: &Migration) -> [String; 8] {
    values(migration, Took::default()).map(|value| dialect.literal(&value))
}

/// The statement that inserts a revision's row unless the same row exists, for a script. It fails
/// if a different row exists for the revision. The table's name is already quoted.
pub(crate) fn ensure_text(dialect: &dyn Dialect, name: &str, migration: &Migration) -> String {
    let values = literals(dialect, migration);
    let [id, _, _, _, checksum, ..] = &values;
    let (columns, row) = row_sql(dialect.now(), values.each_ref().map(String::as_str));
    format!(
        "INSERT INTO {name} ({columns}) SELECT {row}\n    \
         WHERE NOT EXISTS (SELECT 1 FROM {name} WHERE id = {id} AND checksum = {checksum})"
    )
}

/// The statement that deletes a revision's row, for a script. The table's name is already quoted.
pub(crate) fn delete_text(dialect: &dyn Dialect, name: &str, id: &str) -> String {
    format!("DELETE FROM {name} WHERE id = {}", dialect.literal(&id.into()))
}
