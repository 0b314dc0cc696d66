//! Reads the catalog.
//!
//! `SHOW CREATE TABLE` is the truth about a table. The views of the catalog differ between the two
//! databases and leave things out, and some of their columns take seconds to compute; so they are
//! only asked for names.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::resume_unwind;
use std::sync::mpsc;
use std::thread;

use super::assemble::{Assembled, assemble};
use super::crash;
use super::flavor::{Flavor, quote};
use super::parse::{self, Parsed};
use crate::Value;
use crate::dialect::{
    Catalog, Existing, Facts, Object, ObjectKind, ObjectName, RowCount, Shadow, Unreadable, Unsaid,
};
use crate::driver::{Connection, DatabaseError};
use crate::operations::Operation;
use crate::sql::Token;

/// A cell as text.
fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::Text(text) => Some(text.clone()),
        Value::Blob(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        Value::Integer(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The version as a number: 10.11.19 is `10_011_019`.
fn version(text: &str) -> u32 {
    let bare = text.trim_start_matches("5.5.5-");
    let mut numbers = bare.split(|sign: char| !sign.is_ascii_digit());
    let mut next = || numbers.next().and_then(|part| part.parse::<u32>().ok()).unwrap_or(0);
    next() * 1_000_000 + next() * 1000 + next()
}

pub(super) fn facts(flavor: Flavor, conn: &mut dyn Connection) -> Result<Facts, DatabaseError> {
    let sql = "SELECT VERSION(), @@lower_case_table_names";
    let found = match flavor {
        Flavor::Mysql => conn.query(sql, &[])?,
        // A server that was built without Galera doesn't have the setting.
        Flavor::Mariadb => match conn.query(&format!("{sql}, @@wsrep_on"), &[]) {
            Ok(found) => found,
            Err(_) => conn.query(sql, &[])?,
        },
    };
    let found = found.rows.into_iter().next().unwrap_or_default();
    let said = text(found.first()).unwrap_or_default();
    let (number, asserts_classes) = (version(&said), !said.contains("TiDB"));
    let folds = text(found.get(1)).is_some_and(|value| value != "0");
    let blocks_cluster = text(found.get(2)).is_some_and(|value| value == "1");
    let facts = Facts::new(number, true);
    Ok(Facts { folds_tables: folds, asserts_classes, blocks_cluster, ..facts })
}

/// The warnings that are errors in a change of rows, in the strict mode of our sessions: what is
/// truncated, out of range, too long, no value of a type, or divided by zero.
const STRICT: [i64; 9] = [1260, 1264, 1265, 1292, 1365, 1366, 1406, 1411, 1441];

/// The first warning about the last query at which a change of rows would have stopped.
pub(super) fn warning(conn: &mut dyn Connection) -> Result<Option<String>, DatabaseError> {
    let rows = conn.query("SHOW WARNINGS", &[])?.rows;
    let found = rows.iter().find(|row| {
        let code = text(row.get(1)).and_then(|code| code.parse().ok());
        code.is_some_and(|code: i64| STRICT.contains(&code))
            && text(row.first()).is_some_and(|level| level != "Note")
    });
    Ok(found.and_then(|row| text(row.get(2))))
}

pub(super) fn has_table(
    conn: &mut dyn Connection,
    schema: &str,
    name: &str,
) -> Result<bool, DatabaseError> {
    let sql = "SELECT 1 FROM information_schema.tables \
               WHERE table_schema = coalesce(nullif(?2, ''), DATABASE()) AND table_name = ?1";
    Ok(!conn.query(sql, &[name.into(), schema.into()])?.rows.is_empty())
}

/// The tables, views, triggers and routines; an index belongs to its table.
pub(super) fn objects(conn: &mut dyn Connection) -> Result<Vec<Object>, DatabaseError> {
    const OBJECTS: [&str; 3] = [
        "SELECT table_type, table_name, table_name, NULL FROM information_schema.tables \
         WHERE table_schema = DATABASE() ORDER BY table_type, table_name",
        "SELECT 'TRIGGER', trigger_name, event_object_table, \
         concat(action_timing, ' ', event_manipulation, ' ', action_statement) \
         FROM information_schema.triggers WHERE trigger_schema = DATABASE() ORDER BY trigger_name",
        "SELECT routine_type, routine_name, '', routine_definition \
         FROM information_schema.routines WHERE routine_schema = DATABASE() ORDER BY routine_name",
    ];
    // Asking for views takes long where there are many tables.
    const VIEWS: &str = "SELECT table_name, view_definition FROM information_schema.views \
                         WHERE table_schema = DATABASE()";
    let mut objects: Vec<Object> = Vec::new();
    for sql in OBJECTS {
        for row in conn.query(sql, &[])?.rows {
            let cells: Vec<_> = row.iter().map(|cell| text(Some(cell))).collect();
            let [Some(kind), Some(name), table, sql] = cells.as_slice() else { continue };
            let (kind, temporary) = match kind.as_str() {
                "BASE TABLE" | "SYSTEM VERSIONED" => (ObjectKind::Table, false),
                "TEMPORARY" | "TEMPORARY TABLE" => (ObjectKind::Table, true),
                "VIEW" => (ObjectKind::View, false),
                "SEQUENCE" => (ObjectKind::Sequence, false),
                "TRIGGER" => (ObjectKind::Trigger, false),
                "FUNCTION" => (ObjectKind::Function, false),
                "PROCEDURE" => (ObjectKind::Procedure, false),
                _ => continue,
            };
            objects.push(Object {
                kind,
                name: name.clone(),
                table: table.clone().unwrap_or_default(),
                sql: sql.clone(),
                temporary,
            });
        }
    }
    if objects.iter().any(|object| object.kind == ObjectKind::View) {
        for row in conn.query(VIEWS, &[])?.rows {
            let (name, sql) = (text(row.first()), text(row.get(1)));
            let is_it = |object: &&mut Object| {
                object.kind == ObjectKind::View && name.as_deref() == Some(object.name.as_str())
            };
            if let Some(view) = objects.iter_mut().find(is_it) {
                view.sql = sql;
            }
        }
    }
    Ok(objects)
}

/// The statement that would create a table; `None` if it is gone.
pub(super) fn show(
    conn: &mut dyn Connection,
    table: &str,
) -> Result<Option<String>, DatabaseError> {
    let found = conn.query(&format!("SHOW CREATE TABLE {}", quote(table)), &[])?;
    Ok(found.rows.first().and_then(|row| text(row.get(1))))
}

fn show_if_there(conn: &mut dyn Connection, table: &str) -> Result<Option<String>, DatabaseError> {
    match show(conn, table) {
        Err(err) if err.is_missing() => Ok(None),
        res => res,
    }
}

pub(super) fn catalog(
    flavor: Flavor,
    conn: &mut dyn Connection,
    only: Option<&BTreeSet<String>>,
) -> Result<Catalog, DatabaseError> {
    let objects = objects(conn)?;
    let is_wanted = |object: &Object| only.is_none_or(|only| only.contains(&object.table));
    let mut catalog = Catalog::default();
    let mut tables = Vec::new();
    for object in objects.iter().filter(|object| is_wanted(object) && !object.temporary) {
        if object.kind == ObjectKind::Table {
            tables.push(object.name.as_str());
        } else {
            catalog.others.push(ObjectName::new(object.kind, &object.name));
        }
    }
    read_tables(flavor, conn, &tables, &mut catalog)?;
    Ok(Catalog { objects, ..catalog })
}

/// These tables of the own database, without the other objects.
pub(super) fn tables_alone(
    flavor: Flavor,
    conn: &mut dyn Connection,
    names: &BTreeSet<String>,
) -> Result<Catalog, DatabaseError> {
    let mut catalog = Catalog::default();
    let names: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    let names = existing_tables(conn, &names)?;
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    read_tables(flavor, conn, &names, &mut catalog)?;
    Ok(catalog)
}

/// So many tables are parsed while the next ones are asked for.
const MANY: usize = 50;

/// Adds the tables to what was read, as far as they are still there.
fn read_tables(
    flavor: Flavor,
    conn: &mut dyn Connection,
    names: &[&str],
    catalog: &mut Catalog,
) -> Result<(), DatabaseError> {
    if names.len() < MANY {
        for name in names {
            if let Some(sql) = show(conn, name)? {
                catalog.add(name, table(flavor, &sql));
            }
        }
        return Ok(());
    }
    let read = thread::scope(|scope| {
        let (shown, received) = mpsc::channel::<(&str, String)>();
        let parsing = scope.spawn(move || {
            let parsed = received.iter().map(|(name, sql)| (name, table(flavor, &sql)));
            parsed.collect::<Vec<_>>()
        });
        for name in names {
            if let Some(sql) = show(conn, name)? {
                // It only ends before by a panic, which is passed on below.
                let _ = shown.send((name, sql));
            }
        }
        drop(shown);
        Ok(parsing.join().unwrap_or_else(|panic| resume_unwind(panic)))
    })?;
    for (name, parsed) in read {
        catalog.add(name, parsed);
    }
    Ok(())
}

impl Catalog {
    fn add(&mut self, name: &str, read: Option<(Parsed, Assembled)>) {
        match read {
            Some((_, Assembled { table, beyond, unsaid })) => {
                self.schema.tables.insert(table.name.clone(), table);
                self.beyond.extend(beyond);
                self.unsaid.extend(unsaid);
            }
            None => self.unreadable.push(Unreadable {
                kind: ObjectKind::Table,
                name: name.to_owned(),
                why: "its CREATE TABLE can't be read".to_owned(),
            }),
        }
    }
}

/// The table that a statement creates.
pub(super) fn table(flavor: Flavor, sql: &str) -> Option<(Parsed, Assembled)> {
    let parsed = parse::parse(flavor, sql)?;
    let assembled = assemble(flavor, &parsed);
    Some((parsed, assembled))
}

/// The definitions of the tables that a statement names, without what rows change in them.
pub(super) fn definitions(
    flavor: Flavor,
    conn: &mut dyn Connection,
    sql: &str,
) -> Result<String, DatabaseError> {
    let tokens = flavor.lexicon().significant(sql);
    let names: Vec<_> = tokens.iter().filter_map(|token| token.identifier()).collect();
    let names: BTreeSet<&str> = names.iter().map(AsRef::as_ref).collect();
    let mut found = String::new();
    for table in existing_tables(conn, &names)? {
        let sql = show(conn, &table)?.unwrap_or_default();
        if !found.is_empty() {
            found.push('\n');
        }
        found += &without_counter(flavor, &sql);
    }
    Ok(found)
}

/// Which of these tables exist, in the order of their types and names.
fn existing_tables(
    conn: &mut dyn Connection,
    names: &BTreeSet<&str>,
) -> Result<Vec<String>, DatabaseError> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    // The server opens each table that it tells more of than its name and type.
    let listed: Vec<_> = names.iter().map(|name| super::flavor::text(name)).collect();
    let query = format!(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() \
         AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') AND table_name IN ({}) \
         ORDER BY table_type, table_name",
        listed.join(", ")
    );
    let rows = conn.query(&query, &[])?.rows;
    let found = rows.iter().filter_map(|row| text(row.first()));
    Ok(found.filter(|table| names.contains(table.as_str())).collect())
}

/// A definition without the next value of its `AUTO_INCREMENT` column, which changes with each row,
/// and when the server starts after a crash.
fn without_counter(flavor: Flavor, sql: &str) -> String {
    let tokens = flavor.lexicon().significant(sql);
    let is_counter = |at: &[Token<'_>]| at[0].is_word("AUTO_INCREMENT") && at[1].is_symbol("=");
    match tokens.windows(3).find(|at| is_counter(at)) {
        Some(at) => format!("{}{}", &sql[..at[0].start], sql[at[2].end()..].trim_start()),
        None => sql.to_owned(),
    }
}

/// The definition of the table that a statement changes, if a crash may lose a part of it; empty
/// otherwise.
pub(super) fn at_risk(
    flavor: Flavor,
    conn: &mut dyn Connection,
    sql: &str,
) -> Result<String, DatabaseError> {
    let found = changed_table(flavor, conn, sql)?;
    Ok(found.filter(|found| crash::is_at_risk(flavor, found)).unwrap_or_default())
}

/// The statements that create again what a crash lost in the middle of a statement, given the
/// definitions before it.
pub(super) fn lost(
    flavor: Flavor,
    conn: &mut dyn Connection,
    sql: &str,
    before: &str,
) -> Result<Vec<String>, DatabaseError> {
    if before.is_empty() {
        return Ok(Vec::new());
    }
    let now = changed_table(flavor, conn, sql)?;
    Ok(now.map_or_else(Vec::new, |now| crash::missing(flavor, sql, before, &now)))
}

fn changed_table(
    flavor: Flavor,
    conn: &mut dyn Connection,
    sql: &str,
) -> Result<Option<String>, DatabaseError> {
    match crash::table(flavor, sql) {
        Some(table) => show_if_there(conn, &table),
        None => Ok(None),
    }
}

/// The definitions of the tables that the operations change, by the names that they have there.
pub(super) fn existing(
    conn: &mut dyn Connection,
    operations: &[Operation],
) -> Result<Existing, DatabaseError> {
    // The names now of tables that have another one by the time; `None` if there is none now.
    let mut origins: BTreeMap<&str, Option<&str>> = BTreeMap::new();
    let mut wanted: BTreeMap<&str, &str> = BTreeMap::new();
    for operation in operations {
        match operation {
            Operation::CreateTable(table) => {
                origins.insert(&table.name, None);
            }
            Operation::DropTable { table } => {
                origins.insert(table, None);
            }
            Operation::RenameTable { from, to } => {
                let origin = origins.insert(from, None).unwrap_or(Some(from));
                origins.insert(to, origin);
            }
            operation => {
                for name in operation.tables() {
                    if let Some(origin) = origins.get(name).copied().unwrap_or(Some(name)) {
                        wanted.insert(name, origin);
                    }
                }
            }
        }
    }
    let mut existing = Existing::default();
    for (name, origin) in wanted {
        let found = show_if_there(conn, origin)?;
        existing.definitions.extend(found.map(|sql| (name.to_owned(), sql)));
    }
    Ok(existing)
}

/// What no model says and nothing is compared with: the events of the database, and what
/// `SHOW CREATE TABLE` leaves out.
pub(super) fn unsaid(
    flavor: Flavor,
    conn: &mut dyn Connection,
) -> Result<Vec<Unsaid>, DatabaseError> {
    let sql = "SELECT event_name FROM information_schema.events WHERE event_schema = DATABASE() \
               ORDER BY event_name";
    let unsaid = |name| Unsaid { table: None, text: format!("event `{name}`") };
    let mut found: Vec<Unsaid> = conn.query(sql, &[])?.texts().map(unsaid).collect();
    if flavor == Flavor::Mariadb {
        let sql = "SELECT g_table_name, g_geometry_column, CAST(srid AS CHAR) \
                   FROM information_schema.geometry_columns \
                   WHERE g_table_schema = DATABASE() AND srid <> 0 ORDER BY 1, 2";
        for row in conn.query(sql, &[])?.rows {
            let [Value::Text(table), Value::Text(column), Value::Text(srid)] = row.as_slice()
            else {
                continue;
            };
            let text = format!("column `{table}.{column}` has REF_SYSTEM_ID={srid}");
            found.push(Unsaid { table: Some(table.clone()), text });
        }
    }
    Ok(found)
}

/// A temporary table hides a table of the same name.
pub(super) fn shadow(
    conn: &mut dyn Connection,
    tables: &BTreeSet<String>,
    objects: &[Object],
) -> Result<Option<Shadow>, DatabaseError> {
    for name in tables {
        let Some(object) = objects.iter().find(|object| object.name == *name) else { continue };
        let sql = match &object.sql {
            Some(sql) if object.kind == ObjectKind::Table => sql.clone(),
            _ => show(conn, name).ok().flatten().unwrap_or_default(),
        };
        if sql.starts_with("CREATE TEMPORARY") {
            return Ok(Some(Shadow::Temporary(name.clone())));
        }
    }
    Ok(None)
}

/// The statements that drop everything, and how many tables they drop.
pub(super) fn emptying(conn: &mut dyn Connection) -> Result<(Vec<String>, usize), DatabaseError> {
    let mut statements = Vec::new();
    let keys = "SELECT table_name, constraint_name FROM information_schema.table_constraints \
                WHERE table_schema = DATABASE() AND constraint_type = 'FOREIGN KEY'";
    for row in conn.query(keys, &[])?.rows {
        if let (Some(table), Some(name)) = (text(row.first()), text(row.get(1))) {
            let (table, name) = (quote(&table), quote(&name));
            statements.push(format!("ALTER TABLE {table} DROP FOREIGN KEY {name}"));
        }
    }
    let objects = objects(conn)?;
    let mut n_tables = 0;
    for object in &objects {
        let kind = match object.kind {
            ObjectKind::Table => "TABLE",
            ObjectKind::View => "VIEW",
            ObjectKind::Sequence => "SEQUENCE",
            ObjectKind::Function => "FUNCTION",
            ObjectKind::Procedure => "PROCEDURE",
            _ => continue,
        };
        n_tables += usize::from(object.kind == ObjectKind::Table);
        statements.push(format!("DROP {kind} {}", quote(&object.name)));
    }
    Ok((statements, n_tables))
}

/// How many rows a table has by the server's statistics.
pub(super) fn rows_about(
    conn: &mut dyn Connection,
    table: &str,
) -> Result<Option<RowCount>, DatabaseError> {
    let sql = format!(
        "SELECT CAST(table_rows AS SIGNED) FROM information_schema.tables \
         WHERE table_schema = DATABASE() AND table_name = {}",
        super::flavor::text(table)
    );
    Ok(RowCount::of(&conn.query(&sql, &[])?, true))
}

#[cfg(test)]
mod tests {
    use super::{version, without_counter};
    use crate::dialect::mysql::flavor::Flavor;

    #[test]
    fn the_counter_of_a_table_is_no_part_of_its_definition() {
        let columns = "CREATE TABLE `t` (\n  `id` int(11) NOT NULL AUTO_INCREMENT,\n  \
                       `AUTO_INCREMENT` int(11) GENERATED ALWAYS AS (`AUTO_INCREMENT` = 1)\n) ";
        let found = format!("{columns}ENGINE=InnoDB AUTO_INCREMENT=101 COMMENT='AUTO_INCREMENT=7'");
        let wanted = format!("{columns}ENGINE=InnoDB COMMENT='AUTO_INCREMENT=7'");
        assert_eq!(without_counter(Flavor::Mariadb, &found), wanted);
        assert_eq!(without_counter(Flavor::Mysql, &wanted), wanted);
    }

    #[test]
    fn a_version_is_a_number() {
        assert_eq!(version("10.11.19-MariaDB-0+deb12u1"), 10_011_019);
        assert_eq!(version("5.5.5-10.6.1-MariaDB"), 10_006_001);
        assert_eq!(version("9.7.4-2"), 9_007_004);
        assert_eq!(version("8.0.23"), 8_000_023);
    }
}
