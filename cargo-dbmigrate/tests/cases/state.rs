//! The state of a database at one moment: its objects, its rows, and its connection's settings.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use dbmigrate_runtime::Value;
use dbmigrate_runtime::engine::dialect::{Catalog, Object, ObjectKind, Sqlite, Violation};
use dbmigrate_runtime::engine::drift::Difference;
use dbmigrate_runtime::engine::driver::Driver;
use dbmigrate_runtime::engine::{sql, version_table};
use dbmigrate_runtime::schema::Schema;

#[derive(Debug, Clone, PartialEq)]
pub struct State {
    pub objects: Vec<Object>,
    pub rows: BTreeMap<String, Rows>,
    pub sequence: BTreeMap<String, i64>,
    pub found: Catalog,
    /// The differences from the schema that the migrations build.
    pub drift: BTreeSet<String>,
    pub settings: Vec<(&'static str, i64)>,
    pub violations: Vec<Violation>,
    pub integrity: Vec<String>,
}

/// The rows of a table, sorted by rowid if there is one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    pub columns: Vec<String>,
    pub rows: Vec<(Option<i64>, Vec<Value>)>,
}

impl State {
    /// Reads the whole database, which should have this schema according to the migrations.
    pub fn of(driver: &mut dyn Driver, schema: &Schema) -> State {
        let objects: Vec<Object> = driver.as_connection().objects().unwrap();
        let objects: Vec<_> =
            objects.into_iter().filter(|object| object.table != version_table::NAME).collect();
        let setting = |name| (name, number(driver, &format!("PRAGMA {name}")));
        let settings = ["foreign_keys", "legacy_alter_table", "recursive_triggers"].map(setting);
        let found = driver.as_connection().catalog(None).unwrap();
        let tables = objects.iter().filter(|object| object.kind == ObjectKind::Table);
        let is_virtual = |object: &Object| {
            object.sql.as_ref().is_some_and(|sql| sql.to_uppercase().starts_with("CREATE VIRTUAL"))
        };
        let tables = tables.filter(|object| !is_virtual(object));
        let rows = tables.map(|object| (object.name.clone(), rows(driver, &object.name))).collect();
        let sequence = if objects.iter().any(|object| object.name == "sqlite_sequence") {
            sequence(driver)
        } else {
            BTreeMap::new()
        };
        State {
            drift: words(&drift(driver, schema, &found)),
            violations: driver.as_connection().health(&BTreeSet::new()).unwrap().violations,
            integrity: texts(driver, "PRAGMA integrity_check"),
            settings: settings.into(),
            objects,
            rows,
            sequence,
            found,
        }
    }

    /// A short text of the rows.
    pub fn dump(&self) -> String {
        let mut text = String::new();
        for (name, Rows { columns, rows }) in &self.rows {
            let is_shown = |row: &&(Option<i64>, Vec<Value>)| {
                !row.1.contains(&Value::from(version_table::NAME))
            };
            let shown: Vec<_> = rows.iter().filter(is_shown).collect();
            let _ = writeln!(text, "{name}: {}", columns.join(", "));
            for (_, row) in shown.iter().take(12) {
                let values: Vec<_> = row.iter().map(literal).collect();
                let _ = writeln!(text, "  {}", values.join(", "));
            }
            if shown.len() > 12 {
                let _ = writeln!(text, "  and {} more", shown.len() - 12);
            }
        }
        text
    }

    /// The object with this kind and name.
    pub fn object(&self, kind: ObjectKind, name: &str) -> Option<&Object> {
        self.objects
            .iter()
            .find(|object| object.kind == kind && object.name.eq_ignore_ascii_case(name))
    }
}

/// A value as a literal; the time of a run is replaced, since it is different each time.
fn literal(value: &Value) -> String {
    let now = jiff::Timestamp::now();
    let hour_ago = now - jiff::SignedDuration::from_hours(1);
    let times =
        [hour_ago, now].map(|timestamp| timestamp.strftime("%Y-%m-%d %H:%M:%S").to_string());
    match value {
        Value::Text(contains)
            if contains.len() == times[0].len() && (&times[0]..=&times[1]).contains(&contains) =>
        {
            "now".to_owned()
        }
        other => other.to_string(),
    }
}

fn number(driver: &mut dyn Driver, sql: &str) -> i64 {
    match driver.query(sql, &[]).unwrap().rows.into_iter().flatten().next() {
        Some(Value::Integer(row)) => row,
        other => panic!("{sql}: {other:?}"),
    }
}

fn texts(driver: &mut dyn Driver, sql: &str) -> Vec<String> {
    let rows = driver.query(sql, &[]).unwrap_or_else(|err| panic!("{sql}: {err}")).rows;
    rows.into_iter().flatten().map(|value| value.to_string()).collect()
}

fn rows(driver: &mut dyn Driver, table: &str) -> Rows {
    let table = sql::quote(table);
    let columns = driver.query(&format!("SELECT * FROM {table} LIMIT 0"), &[]).unwrap().columns;
    let is_free = |text: &&str| !columns.iter().any(|column| column.eq_ignore_ascii_case(text));
    let rowid = ["rowid", "_rowid_", "oid"].into_iter().find(is_free);
    let with_rowid = rowid.and_then(|rowid| {
        driver.query(&format!("SELECT {rowid}, * FROM {table} ORDER BY 1"), &[]).ok()
    });
    if let Some(found) = with_rowid {
        let rows = found.rows.into_iter().map(|mut row| match row.remove(0) {
            Value::Integer(rowid) => (Some(rowid), row),
            other => panic!("{other:?} is no rowid"),
        });
        return Rows { columns, rows: rows.collect() };
    }
    let found = driver.query(&format!("SELECT * FROM {table}"), &[]).unwrap().rows;
    Rows { columns, rows: found.into_iter().map(|found| (None, found)).collect() }
}

fn sequence(driver: &mut dyn Driver) -> BTreeMap<String, i64> {
    let rows = driver.query("SELECT name, seq FROM sqlite_sequence", &[]).unwrap().rows;
    let entry = |values: Vec<Value>| match values.as_slice() {
        [Value::Text(name), Value::Integer(seq)] => (name.clone(), *seq),
        other => panic!("{other:?} is no sequence"),
    };
    rows.into_iter().map(entry).collect()
}

/// The differences between what was read and a schema.
pub fn drift(driver: &mut dyn Driver, schema: &Schema, found: &Catalog) -> Vec<Difference> {
    let facts = driver.as_connection().facts().unwrap();
    let mut drift = Vec::new();
    let comparing = driver.dialect().comparing(&facts);
    for table in schema.tables.values() {
        let is_it = |name: &&String| comparing.folding.same_table(name, &table.name);
        let Some(actual) = found.schema.tables.keys().find(is_it) else {
            drift.push(Difference::missing(&table.name));
            continue;
        };
        let actual = &found.schema.tables[actual];
        let stored = driver.as_connection().as_kept(table, Some(actual)).unwrap().unwrap();
        drift.extend(comparing.differences(&stored, actual));
    }
    drift
}

/// Differences as they are compared here: by table and wording.
pub fn words(drift: &[Difference]) -> BTreeSet<String> {
    drift.iter().map(|difference| format!("{}: {difference}", difference.table)).collect()
}

/// Whether the name is one of SQLite's own.
pub fn is_internal(name: &str) -> bool {
    name.to_ascii_lowercase().starts_with("sqlite_")
}

/// The dialect, for planning without a database.
pub const SQLITE: &Sqlite = &Sqlite;
