//! Reads the catalog of an SQLite database as a schema in SQLite's own terms.

mod beyond;
mod constant;

use std::collections::{BTreeMap, BTreeSet};

use super::ddl::{self, Ddl};
use super::decimal;
use super::definition::{
    ClauseKind, ConstraintKind, Definition, IndexDefinition, KeyColumn, Reference,
};
use crate::Value;
use crate::dialect::sqlite::lexicon::LEXICON;
use crate::dialect::{
    Catalog, Facts, Object, ObjectKind, ObjectName, Refusal, RowCount, Unreadable,
};
use crate::driver::{Connection, DatabaseError, ErrorKind};
use crate::operations::Operation;
use crate::schema::{
    Check, Column, DefaultValue, ForeignKey, Generated, Index, IndexTerm, PrimaryKey, Table,
    TableOption, Type, Unique,
};
use crate::sql::{self, is_one_of, starts_with};

/// The prefix of the names that SQLite keeps for itself.
pub(super) const RESERVED_PREFIX: &str = "sqlite_";

/// The version of the library; `3.46.1` is `3_046_001`.
pub(super) fn version(conn: &mut dyn Connection) -> Result<u32, DatabaseError> {
    let found = conn.query("SELECT sqlite_version()", &[])?;
    let text = match found.rows.into_iter().flatten().next() {
        Some(Value::Text(version)) => version,
        _ => String::new(),
    };
    let parts = text.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    Ok(parts.chain([0, 0]).take(3).fold(0, |version, part| version * 1000 + part))
}

/// Whether there are JSON functions: always since 3.38 (sqlite.org, `releaselog/3_38_0.html`), and
/// before that in an extension that most libraries include.
pub(super) fn has_json(conn: &mut dyn Connection, version: u32) -> Result<bool, DatabaseError> {
    if version >= 3_038_000 {
        return Ok(true);
    }
    match conn.query("SELECT json_valid('1')", &[]) {
        Ok(_) => Ok(true),
        Err(err) if err.is_unregistered() => Ok(false),
        Err(err) => Err(err),
    }
}

/// The rows of `sqlite_schema`, in the order of creation, in which they can also be created again.
pub(super) fn objects(conn: &mut dyn Connection) -> Result<Vec<Object>, DatabaseError> {
    objects_where(conn, "1")
}

/// The same for views and triggers only, of which most databases have few.
pub(super) fn views_and_triggers(conn: &mut dyn Connection) -> Result<Vec<Object>, DatabaseError> {
    objects_where(conn, "type IN ('view', 'trigger')")
}

fn objects_where(conn: &mut dyn Connection, condition: &str) -> Result<Vec<Object>, DatabaseError> {
    let sql = format!(
        "SELECT type, name, tbl_name, sql, 0 FROM sqlite_master WHERE {condition} UNION ALL \
         SELECT type, name, tbl_name, sql, 1 FROM sqlite_temp_master WHERE {condition}"
    );
    Ok(conn.query(&sql, &[])?.rows.into_iter().filter_map(object).collect())
}

fn object(row: Vec<Value>) -> Option<Object> {
    let mut row = row.into_iter();
    let mut text = || match row.next() {
        Some(Value::Text(text)) => Some(text),
        // Invalid UTF-8 becomes replacement characters, which make it recognisable.
        Some(Value::Blob(bytes)) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        _ => None,
    };
    let (kind, name, table, sql) = (text()?, text()?, text()?, text());
    let kind = match kind.as_str() {
        "table" => ObjectKind::Table,
        "index" => ObjectKind::Index,
        "view" => ObjectKind::View,
        "trigger" => ObjectKind::Trigger,
        _ => return None,
    };
    Some(Object { kind, name, table, sql, temporary: row.next() == Some(Value::Integer(1)) })
}

pub(super) fn has_table(conn: &mut dyn Connection, name: &str) -> Result<bool, DatabaseError> {
    let sql = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1 COLLATE NOCASE";
    Ok(!conn.query(sql, &[Value::from(name)])?.rows.is_empty())
}

pub(super) fn objects_version(conn: &mut dyn Connection) -> Result<i64, DatabaseError> {
    let mut version = |pragma: &str| -> Result<i64, DatabaseError> {
        let found = conn.query(&format!("PRAGMA {pragma}"), &[])?;
        Ok(match found.rows.into_iter().flatten().next() {
            Some(Value::Integer(version)) => version,
            _ => 0,
        })
    };
    // Both versions have 32 bits.
    let (own, temporary) = (version("schema_version")?, version("temp.schema_version")?);
    Ok((own << 32) | (temporary & 0xffff_ffff))
}

/// Whether the object is SQLite's own, or belongs to a virtual table, so that it is created and
/// dropped implicitly.
pub(super) fn is_maintained(object: &Object, objects: &[Object]) -> bool {
    let is_virtual = |other: &Object| {
        other.sql.as_deref().is_some_and(|sql| sql.starts_with("CREATE VIRTUAL TABLE"))
    };
    let is_behind =
        |other: &&Object| is_virtual(other) && object.name.starts_with(&format!("{}_", other.name));
    object.kind == ObjectKind::Table
        && (starts_with(&object.name, RESERVED_PREFIX)
            || objects.iter().any(|other| is_behind(&other)))
}

fn unreadable(object: &Object, why: &str) -> Unreadable {
    Unreadable { kind: object.kind, name: object.name.clone(), why: why.to_owned() }
}

/// Reads tables and their indexes: only the given ones, or all.
///
/// Types are [`Type::Raw`], and defaults are [`DefaultValue::Sql`]; the name of an unnamed
/// constraint is empty. A column also counts as not nullable if SQLite never stores `NULL` in it:
/// the alias of the rowid, and the key of a `WITHOUT ROWID` or `STRICT` table. A schema can't
/// represent the collations and orders of a key, and `ON CONFLICT`; they are in
/// [`Catalog::beyond`].
///
/// SQLite's own objects and temporary ones are left out.
pub(crate) fn read(objects: &[Object], only: Option<&BTreeSet<String>>) -> Catalog {
    let is_own =
        |object: &&Object| !object.temporary && !starts_with(&object.name, RESERVED_PREFIX);
    let objects: Vec<_> = objects.iter().filter(is_own).collect();
    let virtuals: Vec<Virtual> = objects.iter().filter_map(|object| Virtual::of(object)).collect();
    let lower = |text: &str| text.to_ascii_lowercase();
    let only: Option<BTreeSet<_>> = only.map(|only| only.iter().map(|name| lower(name)).collect());
    let is_wanted =
        |object: &Object| only.as_ref().is_none_or(|only| only.contains(&lower(&object.table)));
    let mut out = Catalog::default();
    let mut tables = BTreeMap::new();
    for object in objects.iter().filter(|object| is_wanted(object)) {
        let kind = match object.kind {
            ObjectKind::Table if virtuals.iter().any(|table| table.is(object)) => {
                ObjectKind::VirtualTable
            }
            ObjectKind::Table if virtuals.iter().any(|table| table.is_behind(object)) => {
                ObjectKind::ShadowTable
            }
            ObjectKind::Table => {
                match definition(object) {
                    Ok(definition) => {
                        let table = table(&object.name, &definition);
                        out.beyond.extend(beyond::of(&definition, &table));
                        tables.insert(lower(&object.name), table);
                    }
                    Err(why) => out.unreadable.push(unreadable(object, &why)),
                }
                continue;
            }
            ObjectKind::Index => continue,
            other => other,
        };
        out.others.push(ObjectName::new(kind, &object.name));
    }
    complete_keys(&mut tables, &objects);
    for object in objects.iter().filter(|object| object.kind == ObjectKind::Index) {
        // An index without SQL belongs to a constraint, which is part of the table's SQL.
        let Some(sql) = &object.sql else { continue };
        let Some(table) = tables.get_mut(&object.table.to_ascii_lowercase()) else { continue };
        match IndexDefinition::parse(&LEXICON.without_qualifier(sql, &object.table)) {
            Ok(index_definition) => {
                table.indexes.push(index(index_definition, &object.name, &table.columns))
            }
            Err(why) => out.unreadable.push(unreadable(object, &why)),
        }
    }
    out.schema.tables = tables.into_values().map(|table| (table.name.clone(), table)).collect();
    out
}

/// The table as it would be read back after it was created.
///
/// # Errors
///
/// When the table can't be created, or couldn't be read back.
pub(crate) fn as_stored(table: &Table, facts: &Facts) -> Result<Table, Refusal> {
    // A refusal mentions only the table's name.
    let operation = Operation::CreateTable(Table::new(&table.name));
    let object = |kind: ObjectKind, name: &str, sql: String| Object {
        kind,
        name: name.to_owned(),
        table: table.name.clone(),
        sql: Some(sql),
        temporary: false,
    };
    let sql = Ddl { facts, operation: &operation }.create_table(table)?;
    let mut objects = vec![object(ObjectKind::Table, &table.name, sql)];
    for index in &table.indexes {
        objects.push(object(ObjectKind::Index, &index.name, ddl::create_index(&table.name, index)));
    }
    let Catalog { mut schema, mut unreadable, .. } = read(&objects, None);
    let error =
        |why: &str| Refusal { message: format!("cannot {operation} on SQLite: {why}"), hint: None };
    match (unreadable.pop(), schema.tables.remove(&table.name)) {
        (Some(Unreadable { name, why, .. }), _) => {
            Err(error(&format!("the SQL of `{name}` is wrong: {why}")))
        }
        (None, Some(table)) => Ok(table),
        (None, None) => Err(error("the name is reserved for SQLite's own tables")),
    }
}

/// The table with its columns' types as the existing table declares them, if these stand for the
/// same types.
pub(crate) fn as_declared(table: &Table, actual: &Table) -> Table {
    let mut table = table.clone();
    if table.has(TableOption::Strict) {
        return table;
    }
    for column in &mut table.columns {
        let is_same = |candidate: &&Column| candidate.name.eq_ignore_ascii_case(&column.name);
        match actual.columns.iter().find(is_same).map(|column| &column.ty) {
            Some(Type::Raw(declared)) if decimal::stands_for(declared, &column.ty) => {
                column.ty = Type::Raw(declared.clone());
            }
            _ => {}
        }
    }
    table
}

/// A virtual table and the name of its module.
struct Virtual {
    name: String,
    module: String,
    /// Whether a full-text table doesn't store its own content: `content='another_table'`.
    is_external: bool,
}

/// The suffixes of shadow tables, for virtual tables of these modules.
const SHADOWS: &[(&[&str], &[&str])] = &[
    (&["fts3", "fts4"], &["_content", "_segments", "_segdir", "_docsize", "_stat"]),
    (&["fts5"], &["_data", "_idx", "_content", "_docsize", "_config"]),
    (&["rtree", "rtree_i32", "geopoly"], &["_node", "_rowid", "_parent"]),
    (&["spellfix1"], &["_vocab"]),
];

impl Virtual {
    fn of(object: &Object) -> Option<Virtual> {
        let sql = object.sql.as_deref().filter(|sql| starts_with(sql, "CREATE VIRTUAL TABLE"))?;
        let tokens = LEXICON.significant(sql);
        let using = tokens.iter().position(|token| token.is_word("USING"));
        let module = using.and_then(|at| tokens.get(at + 1)?.identifier());
        let module = module.map_or_else(String::new, String::from);
        let says_content =
            |tokens: &[sql::Token<'_>]| tokens[0].is_word("content") && tokens[1].is_symbol("=");
        let is_external = tokens.windows(2).any(says_content);
        Some(Virtual { name: object.name.clone(), module, is_external })
    }

    fn is(&self, object: &Object) -> bool {
        self.name == object.name
    }

    /// Whether the object is one of this table's shadow tables. For an unknown module, the suffixes
    /// of all known modules count.
    fn is_behind(&self, object: &Object) -> bool {
        let suffix = starts_with(&object.name, &self.name).then(|| &object.name[self.name.len()..]);
        let of = |pair: &&(&[&str], &[&str])| is_one_of(&self.module, pair.0);
        let is_known = SHADOWS.iter().any(|pair| of(&pair));
        let mut shadows = SHADOWS.iter().filter(|pair| !is_known || of(pair));
        let is_own = |text: &&str| !(self.is_external && text.eq_ignore_ascii_case("_content"));
        suffix
            .filter(is_own)
            .is_some_and(|suffix| shadows.any(|(_, suffixes)| is_one_of(suffix, suffixes)))
    }
}

/// The definition of a table, or why it can't be parsed.
fn definition(object: &Object) -> Result<Definition, String> {
    let no_text = || "the database does not store its definition".to_owned();
    let sql = object.sql.as_deref().ok_or_else(no_text)?;
    Definition::parse(&LEXICON.without_qualifier(sql, &object.name))
}

/// A table whose foreign keys are still in their own words.
fn table(name: &str, definition: &Definition) -> Table {
    let mut table = Table::new(name);
    table.options = definition.options.clone();
    table.columns.reserve_exact(definition.columns.len());
    for item in &definition.columns {
        let mut column = Column::new(&item.name, Type::Raw(item.ty.clone()));
        for clause in &item.clauses {
            let name = || clause.name.clone().unwrap_or_default();
            let columns = || vec![item.name.clone()];
            match &clause.kind {
                ClauseKind::PrimaryKey { autoincrement, .. } => {
                    column.autoincrement = autoincrement.then_some(true);
                    table.primary_key = Some(PrimaryKey { name: name(), columns: columns() });
                }
                ClauseKind::NotNull { .. } => column.nullable = false,
                ClauseKind::Unique { .. } => {
                    let (name, columns) = (name(), columns());
                    table.uniques.push(Unique { name, columns, ..Unique::default() });
                }
                ClauseKind::Check(kind) => table.checks.push(check(name(), kind)),
                ClauseKind::Default(kind) => {
                    let strict = definition.options.has(TableOption::Strict);
                    let default =
                        constant::default(LEXICON.unparenthesised(kind), &column.ty, strict);
                    column.default = Some(DefaultValue::Sql(default.into()));
                }
                // BINARY is the default collation.
                ClauseKind::Collate(kind) if kind.eq_ignore_ascii_case("BINARY") => {}
                ClauseKind::Collate(kind) => column.collation = Some(kind.clone()),
                ClauseKind::References(reference) => {
                    table.foreign_keys.push(foreign_key(name(), columns(), reference));
                }
                ClauseKind::Generated { expression, stored } => {
                    let expression = LEXICON.unparenthesised(expression).to_owned();
                    column.generated =
                        Some(Generated { expression: expression.into(), stored: *stored });
                }
                ClauseKind::Null | ClauseKind::OnlyName => {}
            }
        }
        table.columns.push(column);
    }
    for item in &definition.constraints {
        let name = item.name.clone().unwrap_or_default();
        match &item.kind {
            ConstraintKind::PrimaryKey { columns, autoincrement, .. } => {
                let columns = key_names(columns, &table.columns);
                let mut own = table.columns.iter_mut();
                if let Some(column) =
                    own.find(|column| *autoincrement && columns[..] == [column.name.as_str()])
                {
                    column.autoincrement = Some(true);
                }
                table.primary_key = Some(PrimaryKey { name, columns });
            }
            ConstraintKind::Unique { columns, .. } => {
                let columns = key_names(columns, &table.columns);
                table.uniques.push(Unique { name, columns, ..Unique::default() });
            }
            ConstraintKind::Check(kind) => table.checks.push(check(name, kind)),
            ConstraintKind::ForeignKey { columns, reference } => {
                let columns =
                    columns.iter().map(|column| own_name(column, &table.columns)).collect();
                table.foreign_keys.push(foreign_key(name, columns, reference));
            }
            ConstraintKind::OnlyName => {}
        }
    }
    never_null(&mut table, definition);
    table
}

fn foreign_key(name: String, columns: Vec<String>, reference: &Reference) -> ForeignKey {
    ForeignKey {
        name,
        columns,
        references_table: reference.table.clone(),
        references_columns: reference.columns.clone(),
        on_delete: reference.on_delete,
        on_update: reference.on_update,
        deferrable: reference.deferrable,
    }
}

/// Completes foreign keys by what they refer to: names in the spelling there, and the columns if a
/// key says none.
fn complete_keys(tables: &mut BTreeMap<String, Table>, objects: &[&Object]) {
    let keys = tables.values().flat_map(|table| &table.foreign_keys);
    let names: BTreeSet<_> = keys.map(|key| key.references_table.to_ascii_lowercase()).collect();
    let mut targets = BTreeMap::new();
    for name in names {
        let is_it = |object: &&&Object| {
            object.kind == ObjectKind::Table && object.name.eq_ignore_ascii_case(&name)
        };
        let target = match tables.get(&name) {
            Some(table) => Some(Target::of(table)),
            None => objects.iter().find(is_it).map(|object| Target::read(object)),
        };
        targets.extend(target.map(|target| (name, target)));
    }
    for key in tables.values_mut().flat_map(|table| &mut table.foreign_keys) {
        if let Some(target) = targets.get(&key.references_table.to_ascii_lowercase()) {
            target.complete(key);
        }
    }
}

/// A table that foreign keys refer to.
struct Target {
    name: String,
    columns: Vec<String>,
    primary_key: Vec<String>,
}

impl Target {
    fn of(table: &Table) -> Target {
        let primary_key = table.primary_key.as_ref();
        Target {
            name: table.name.clone(),
            columns: table.columns.iter().map(|column| column.name.clone()).collect(),
            primary_key: primary_key.map(|key| key.columns.clone()).unwrap_or_default(),
        }
    }

    /// Of one that can't be parsed, only the name is known.
    fn read(object: &Object) -> Target {
        match definition(object) {
            Ok(definition) => Target::of(&table(&object.name, &definition)),
            Err(_) => Target::of(&Table::new(&object.name)),
        }
    }

    fn complete(&self, key: &mut ForeignKey) {
        key.references_table.clone_from(&self.name);
        if key.references_columns.is_empty() {
            key.references_columns.clone_from(&self.primary_key);
        }
        for name in &mut key.references_columns {
            let own = self.columns.iter().find(|column| column.eq_ignore_ascii_case(name));
            own.into_iter().for_each(|own| name.clone_from(own));
        }
    }
}

/// Marks the columns of the primary key in which SQLite never stores `NULL`.
fn never_null(table: &mut Table, definition: &Definition) {
    let Some(key) = &table.primary_key else { return };
    let is_alias = |column: &Column| {
        let item = definition.columns.iter().find(|column_item| column_item.name == column.name);
        let is_descending = item.is_some_and(|column_item| {
            let descending = |clause_kind: &ClauseKind| {
                matches!(clause_kind, ClauseKind::PrimaryKey { descending: true, .. })
            };
            column_item.clauses.iter().any(|clause| descending(&clause.kind))
        });
        key.columns.len() == 1 && is_integer(&column.ty) && !is_descending
    };
    let takes_no_null = table.has(TableOption::WithoutRowid) || table.has(TableOption::Strict);
    for column in table.columns.iter_mut().filter(|column| key.columns.contains(&column.name)) {
        if takes_no_null || is_alias(column) {
            column.nullable = false;
        }
    }
}

/// Whether a key of this type is the rowid.
fn is_integer(ty: &Type) -> bool {
    let Type::Raw(ty) = ty else { return false };
    let tokens = LEXICON.tokens(ty);
    let [ty] = tokens.as_slice() else { return false };
    let name = ty.identifier().or_else(|| ty.unquoted());
    name.is_some_and(|name| name.eq_ignore_ascii_case("INTEGER"))
}

fn check(name: String, expression: &str) -> Check {
    Check { name, expression: LEXICON.unparenthesised(expression).into() }
}

fn index(definition: IndexDefinition, name: &str, columns: &[Column]) -> Index {
    let mut index = definition.index();
    name.clone_into(&mut index.name);
    for column in &mut index.columns {
        if let IndexTerm::Column(term) = &mut column.term {
            *term = own_name(term, columns);
            let own = columns.iter().find(|column| column.name == *term);
            // The default is the column's own collation.
            let usual = own.and_then(|column| column.collation.as_deref()).unwrap_or("BINARY");
            column.collation =
                column.collation.take().filter(|collation| !collation.eq_ignore_ascii_case(usual));
        }
    }
    index.filter = index.filter.map(|filter| LEXICON.unparenthesised(&filter).into());
    index
}

fn key_names(key: &[KeyColumn], columns: &[Column]) -> Vec<String> {
    key.iter().map(|key| own_name(&key.name, columns)).collect()
}

/// A column's name in the table's spelling.
fn own_name(name: &str, columns: &[Column]) -> String {
    let found = columns.iter().find(|column| column.name.eq_ignore_ascii_case(name));
    found.map_or(name, |column| &column.name).to_owned()
}

/// How many rows a table has. A large one is not counted, but taken to have used each rowid.
pub(super) fn rows_about(
    conn: &mut dyn Connection,
    table: &str,
) -> Result<Option<RowCount>, DatabaseError> {
    const COUNTED: i64 = 1_000_000;
    let table = sql::quote(table);
    let mut number = |sql: &str, is_estimate| match conn.query(sql, &[]) {
        Ok(rows) => Ok(RowCount::of(&rows, is_estimate)),
        // There is no such table, or it has no rowids.
        Err(err) if matches!(err.kind(), ErrorKind::Missing { .. }) => Ok(None),
        Err(err) => Err(err),
    };
    let last = number(&format!("SELECT coalesce(max(rowid), 0) FROM {table}"), true)?;
    if let Some(last) = last.filter(|last| last.n > COUNTED) {
        return Ok(Some(last));
    }
    number(&format!("SELECT count(*) FROM {table}"), false)
}

#[cfg(test)]
mod tests;
