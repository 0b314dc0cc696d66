//! The health of an SQLite database: foreign key violations, and broken views and triggers.

use std::collections::BTreeSet;

use super::read;
use crate::Value;
use crate::dialect::sqlite::lexicon::{LEXICON, columns_of_update};
use crate::dialect::{Broken, Health, Object, ObjectKind, Shadow, Violation, ViolationKind};
use crate::driver::{Connection, DatabaseError, ErrorKind};
use crate::operations::Operation;
use crate::schema::{Schema, TableOption};
use crate::sql::{Kind, Token, quote};

pub(super) fn health(
    conn: &mut dyn Connection,
    tables: &BTreeSet<String>,
) -> Result<Health, DatabaseError> {
    Ok(Health { violations: violations(conn)?, broken: broken(conn, tables)? })
}

/// A temporary object hides a table of the same name, and SQLite also looks for a missing table in
/// attached databases.
pub(super) fn shadow(
    conn: &mut dyn Connection,
    tables: &BTreeSet<String>,
    expected: &Schema,
    objects: &[Object],
) -> Result<Option<Shadow>, DatabaseError> {
    let is_named =
        |object: &&Object| tables.iter().any(|table| table.eq_ignore_ascii_case(&object.name));
    let hides = |object: &&Object| object.temporary && object.kind != ObjectKind::Trigger;
    if let Some(object) = objects.iter().filter(hides).find(is_named) {
        return Ok(Some(Shadow::Temporary(object.name.clone())));
    }
    for table in tables.iter().filter(|table| expected.table(table).is_some()) {
        let is_here = objects.iter().any(|object| object.name.eq_ignore_ascii_case(table));
        let sql = format!("SELECT 1 FROM {} WHERE 1 = 0", quote(table));
        if is_here || objects.is_empty() {
            continue;
        }
        match conn.query(&sql, &[]) {
            Ok(_) => {
                let place = "a database attached to the connection".to_owned();
                return Ok(Some(Shadow::Elsewhere { table: table.clone(), place }));
            }
            Err(err) if err.is_of_disk() => return Err(err),
            Err(_) => {}
        }
    }
    Ok(None)
}

fn violations(conn: &mut dyn Connection) -> Result<Vec<Violation>, DatabaseError> {
    match conn.query("PRAGMA foreign_key_check", &[]) {
        Ok(found) => return Ok(found.rows.into_iter().filter_map(violation).collect()),
        Err(err) if err.is_of_disk() => return Err(err),
        Err(_) => {}
    }
    // A foreign key that can't be checked, since the referenced columns aren't unique, hides all
    // other violations. So each table is checked by itself.
    let tables = conn.query("SELECT name FROM sqlite_master WHERE type = 'table'", &[])?;
    let mut violations = Vec::new();
    for table in tables.rows.into_iter().flatten() {
        let Value::Text(table) = table else { continue };
        match conn.query(&format!("PRAGMA foreign_key_check({})", quote(&table)), &[]) {
            Ok(found) => violations.extend(found.rows.into_iter().filter_map(violation)),
            Err(err) if err.is_of_disk() => return Err(err),
            Err(err) => violations.push(unchecked(table, &err)),
        }
    }
    Ok(violations)
}

/// Parses a row of `PRAGMA foreign_key_check`.
fn violation(row: Vec<Value>) -> Option<Violation> {
    match row.as_slice() {
        [Value::Text(table), row, Value::Text(references), ..] => {
            let row = if let Value::Integer(row) = row { Some(*row) } else { None };
            let (table, references) = (table.clone(), references.clone());
            Some(Violation { table, references, kind: ViolationKind::Row(row) })
        }
        _ => None,
    }
}

/// A table whose rows SQLite refuses to check.
fn unchecked(table: String, why: &DatabaseError) -> Violation {
    let (references, kind) = match why.kind() {
        ErrorKind::KeyMismatch { references } => (references.clone(), ViolationKind::Mismatch),
        _ => (String::new(), ViolationKind::Unchecked(why.to_string())),
    };
    Violation { table, references, kind }
}

/// Views and triggers that mention one of these tables and don't work.
fn broken(
    conn: &mut dyn Connection,
    tables: &BTreeSet<String>,
) -> Result<Vec<Broken>, DatabaseError> {
    if tables.is_empty() {
        return Ok(Vec::new());
    }
    let objects = read::views_and_triggers(conn)?;
    let mut broken = Vec::new();
    for object in mentioning(&objects, tables) {
        let (res, only_by_text) = match try_object(conn, object) {
            Ok(()) => (try_without_texts(conn, object), true),
            err => (err, false),
        };
        if let Err(err) = res {
            if err.is_of_disk() {
                return Err(err);
            }
            broken.push(Broken {
                kind: object.kind,
                name: object.name.clone(),
                why: err.to_string(),
                only_by_text,
                lacks_registered: err.is_unregistered(),
            });
        }
    }
    Ok(broken)
}

/// Those of these views and triggers that mention one of the tables, directly or through a view.
fn mentioning<'a>(objects: &'a [Object], tables: &BTreeSet<String>) -> Vec<&'a Object> {
    let mut names: BTreeSet<String> =
        tables.iter().map(|table| table.to_ascii_lowercase()).collect();
    let identifiers = |object: &'a Object| {
        let tokens = LEXICON.tokens(object.sql.as_deref().unwrap_or_default());
        let names = tokens.iter().filter_map(Token::identifier);
        (object, names.map(|name| name.to_ascii_lowercase()).collect::<BTreeSet<_>>())
    };
    let mut others: Vec<_> = objects.iter().map(identifiers).collect();
    let mut found = Vec::new();
    loop {
        let (new, rest) =
            others.into_iter().partition(|(_, mentioned)| !mentioned.is_disjoint(&names));
        others = rest;
        let new: Vec<(&Object, BTreeSet<String>)> = new;
        if new.is_empty() {
            return found;
        }
        for (object, _) in new {
            if object.kind == ObjectKind::View {
                names.insert(object.name.to_ascii_lowercase());
            }
            found.push(object);
        }
    }
}

/// Compiles statements that use the view or fire the trigger, without running them.
fn try_object(conn: &mut dyn Connection, object: &Object) -> Result<(), DatabaseError> {
    let table = quote(&object.table);
    let columns = conn.query(&format!("SELECT * FROM {table} LIMIT 0"), &[])?.columns;
    if object.kind == ObjectKind::View {
        return Ok(());
    }
    // SQLite accepts a missing column there, and then never fires the trigger.
    let sql = object.sql.as_deref().unwrap_or_default();
    let is_there = |name: &String| columns.iter().any(|column| column.eq_ignore_ascii_case(name));
    if let Some(column) = columns_of_update(sql).into_iter().find(|name| !is_there(name)) {
        return Err(DatabaseError::new(format!("no such column: {column}")));
    }
    let generated = generated(conn, &object.table)?;
    let settable = columns.iter().filter(|column| !generated.contains(*column));
    let sets: Vec<String> = settable.map(|column| format!("{0} = {0}", quote(column))).collect();
    let fires = |event: &str| {
        let tokens = LEXICON.significant(sql);
        let is_event = |token: &&Token<'_>| {
            ["DELETE", "INSERT", "UPDATE"].iter().any(|event| token.is_word(event))
        };
        tokens.iter().find(is_event).is_none_or(|token| token.is_word(event))
    };
    let mut compile = |sql: &str| conn.query(&format!("EXPLAIN {sql}"), &[]).map(drop);
    if fires("DELETE") {
        compile(&format!("DELETE FROM {table}"))?;
    }
    if fires("INSERT") {
        compile(&format!("INSERT INTO {table} DEFAULT VALUES"))?;
    }
    if fires("UPDATE") {
        compile(&format!("UPDATE {table} SET {}", sets.join(", ")))?;
    }
    Ok(())
}

fn generated(conn: &mut dyn Connection, table: &str) -> Result<BTreeSet<String>, DatabaseError> {
    let sql = "SELECT name FROM pragma_table_xinfo(?1) WHERE hidden IN (2, 3)";
    let found = conn.query(sql, &[Value::from(table)])?;
    let text = |value| if let Value::Text(name) = value { Some(name) } else { None };
    Ok(found.rows.into_iter().flatten().filter_map(text).collect())
}

/// Checks that a view or trigger also works if a double-quoted name that matches no column is an
/// error instead of a text (sqlite.org, `quirks.html`, section 8). SQLite writes double-quoted
/// names itself when it renames a column. A view that lost such a column would go on working, with
/// the column's name in place of its value.
///
/// The object is created with other quotes, and that is rolled back. SQLite also has a setting for
/// this, but not every version of rusqlite offers it.
fn try_without_texts(conn: &mut dyn Connection, object: &Object) -> Result<(), DatabaseError> {
    let Some(text) = object.sql.as_deref().and_then(without_double_quotes) else { return Ok(()) };
    let mut run = |sql: &str| conn.execute(sql, &[]).map(drop);
    run("SAVEPOINT dbmigrate_texts")?;
    let database = if object.temporary { "temp" } else { "main" };
    let drop = format!("DROP {} {database}.{}", object.kind, quote(&object.name));
    let create = if object.temporary { text.replacen("CREATE", "CREATE TEMP", 1) } else { text };
    let res = run(&drop).and_then(|()| run(&create));
    let res = res.and_then(|()| try_object(conn, object));
    for sql in ["ROLLBACK TO dbmigrate_texts", "RELEASE dbmigrate_texts"] {
        conn.execute(sql, &[])?;
    }
    res
}

/// SQL with its double-quoted names in backticks, which are never read as texts; `None` if it has
/// no double-quoted names.
fn without_double_quotes(sql: &str) -> Option<String> {
    let tokens = LEXICON.tokens(sql);
    let is_double = |token: &Token<'_>| token.kind == Kind::Quoted && token.text.starts_with('"');
    let text = |token: &Token<'_>| match token.unquoted().filter(|_| is_double(token)) {
        Some(name) => format!("`{}`", name.replace('`', "``")),
        None => token.text.to_owned(),
    };
    tokens.iter().any(is_double).then(|| tokens.iter().map(text).collect())
}

/// Whether the operation may change the rowids of its table.
pub(super) fn renumbers_rows(operation: &Operation, before: &Schema) -> bool {
    match operation {
        Operation::AddPrimaryKey { .. } | Operation::DropPrimaryKey { .. } => true,
        Operation::AlterTable { change, .. } => {
            change.options.contains_key(&TableOption::WithoutRowid)
        }
        // The values of the key may be the rowids.
        Operation::AlterColumn { table, column, change } => {
            let key = before.table(table).and_then(|table| table.primary_key.as_ref());
            let is_given = change.using.is_some() || change.fill.is_some();
            is_given && key.is_some_and(|key| key.columns.contains(column))
        }
        Operation::CreateTable(_)
        | Operation::DropTable { .. }
        | Operation::RenameTable { .. }
        | Operation::AddColumn { .. }
        | Operation::DropColumn { .. }
        | Operation::RenameColumn { .. }
        | Operation::AddUnique { .. }
        | Operation::DropUnique { .. }
        | Operation::AddForeignKey { .. }
        | Operation::DropForeignKey { .. }
        | Operation::AddCheck { .. }
        | Operation::DropCheck { .. }
        | Operation::CreateIndex { .. }
        | Operation::DropIndex { .. }
        | Operation::RenameIndex { .. }
        | Operation::Execute(_)
        | Operation::BulkInsert { .. }
        | Operation::Run(_)
        | Operation::Makes(_)
        | Operation::Drops(_) => false,
    }
}
