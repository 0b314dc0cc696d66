//! The texts of SQLite's `CREATE` statements.

use super::super::{Facts, Unplannable};
use crate::Value;
use crate::operations::Operation;
use crate::schema::{
    Action, Column, DefaultValue, Deferrable, ForeignKey, Index, IndexTerm, Table, Type, naming,
};

/// An identifier in double quotes.
pub(super) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn quoted(names: &[String]) -> String {
    let names: Vec<_> = names.iter().map(|it| quote(it)).collect();
    names.join(", ")
}

/// A value as SQLite reads it back exactly.
pub(super) fn literal(value: &Value) -> String {
    match value {
        Value::Bool(it) => i64::from(*it).to_string(),
        // SQLite's parser reads a larger number as infinity and has no word for it.
        Value::Real(it) if it.is_infinite() => {
            (if *it > 0.0 { "9e999" } else { "-9e999" }).to_owned()
        }
        // SQLite stores NULL for it.
        Value::Real(it) if it.is_nan() => "NULL".to_owned(),
        // A text literal ends at the character 0.
        Value::Text(it) if it.contains('\0') => {
            format!("CAST({} AS TEXT)", Value::Blob(it.clone().into_bytes()))
        }
        other => other.to_string(),
    }
}

pub(super) fn needs(facts: &Facts, operation: &Operation, version: u32) -> Result<(), Unplannable> {
    if facts.version >= version {
        return Ok(());
    }
    let text = |it: u32| format!("{}.{}.{}", it / 1_000_000, it / 1000 % 1000, it % 1000);
    Err(Unplannable {
        message: format!(
            "cannot {operation} on SQLite {}: it needs SQLite {}",
            text(facts.version),
            text(version)
        ),
        hint: Some("link a newer SQLite, for example with the runtime's feature `bundled`".into()),
    })
}

/// Writes the definitions that an operation needs.
pub(super) struct Ddl<'a> {
    pub(super) facts: &'a Facts,
    pub(super) operation: &'a Operation,
}

impl Ddl<'_> {
    fn refuse(&self, why: &str, hint: &str) -> Unplannable {
        Unplannable {
            message: format!("cannot {} on SQLite: {why}", self.operation),
            hint: Some(hint.to_owned()),
        }
    }

    pub(super) fn create_table(&self, table: &Table) -> Result<String, Unplannable> {
        if table.strict {
            needs(self.facts, self.operation, 3_037_000)?;
        }
        let key = table.generated_key();
        let mut lines = Vec::new();
        for column in &table.columns {
            let is_key = key.is_some_and(|it| it.name == column.name);
            let key = if is_key { table.primary_key.as_ref().map(|it| &it.name) } else { None };
            let single = |it: &&ForeignKey| it.columns == [column.name.as_str()];
            let foreign_key = table.foreign_keys.iter().find(single);
            let inline = foreign_key.filter(|_| {
                // One column may refer to several tables; each but the first is a line below.
                table.foreign_keys.iter().filter(single).count() == 1
            });
            if is_key && column.autoincrement == Some(true) && table.without_rowid {
                let hint = "take `without_rowid` or `autoincrement` away";
                return Err(self.refuse("a WITHOUT ROWID table has no AUTOINCREMENT", hint));
            }
            let key = key.map(|name| (name.as_str(), column.autoincrement == Some(true)));
            let mut column = column.clone();
            let is_single_key = table.primary_key.as_ref().is_some_and(|it| {
                it.columns.len() == 1 && it.columns[0] == column.name && !table.without_rowid
            });
            if is_single_key && key.is_none() && column.ty.is_integer() {
                // `INTEGER PRIMARY KEY` would generate values; any other word for it doesn't.
                column.ty = Type::Raw("INT".to_owned());
            }
            lines.push(self.column(&table.name, &column, key, inline, table.strict)?);
        }
        if let Some(it) = table.primary_key.as_ref().filter(|_| key.is_none()) {
            let columns = quoted(&it.columns);
            lines.push(format!("CONSTRAINT {} PRIMARY KEY ({columns})", quote(&it.name)));
        }
        let by_name = |name: &String| name.clone();
        let mut uniques: Vec<_> = table.uniques.iter().collect();
        uniques.sort_by_key(|it| by_name(&it.name));
        for it in uniques {
            lines.push(format!("CONSTRAINT {} UNIQUE ({})", quote(&it.name), quoted(&it.columns)));
        }
        let mut checks: Vec<_> = table.checks.iter().collect();
        checks.sort_by_key(|it| by_name(&it.name));
        for it in checks {
            lines.push(format!("CONSTRAINT {} CHECK ({})", quote(&it.name), it.expression));
        }
        for it in &table.foreign_keys {
            let others = table.foreign_keys.iter().filter(|other| other.columns == it.columns);
            if it.columns.len() > 1 || others.count() > 1 {
                lines.push(format!(
                    "CONSTRAINT {} FOREIGN KEY ({}) {}",
                    quote(&it.name),
                    quoted(&it.columns),
                    references(it)
                ));
            }
        }
        let options = match (table.strict, table.without_rowid) {
            (false, false) => "",
            (true, false) => " STRICT",
            (false, true) => " WITHOUT ROWID",
            (true, true) => " STRICT, WITHOUT ROWID",
        };
        let (name, lines) = (quote(&table.name), lines.join(",\n    "));
        Ok(format!("CREATE TABLE {name} (\n    {lines}\n){options}"))
    }

    /// A column's definition: with the primary key's name and whether it says AUTOINCREMENT, if
    /// the column is the key, and with the foreign key that is the column's alone.
    pub(super) fn column(
        &self,
        table: &str,
        column: &Column,
        key: Option<(&str, bool)>,
        foreign_key: Option<&ForeignKey>,
        strict: bool,
    ) -> Result<String, Unplannable> {
        let ty = type_name(&column.ty, strict).map_err(|why| {
            let why = format!("column `{}` of table `{table}` {why}", column.name);
            self.refuse(&why, "choose another type with `#[model(type = ...)]`")
        })?;
        let mut sql = quote(&column.name);
        if !ty.is_empty() {
            sql += &format!(" {ty}");
        }
        if !column.nullable {
            sql += " NOT NULL";
        }
        if let Some((name, autoincrement)) = key {
            sql += &format!(" CONSTRAINT {} PRIMARY KEY", quote(name));
            sql += if autoincrement { " AUTOINCREMENT" } else { "" };
        }
        if let Some(default) = &column.default {
            sql += &format!(" DEFAULT {}", default_text(default, &column.ty));
        }
        if let Some(generated) = &column.generated {
            needs(self.facts, self.operation, 3_031_000)?;
            let how = if generated.stored { "STORED" } else { "VIRTUAL" };
            sql += &format!(" GENERATED ALWAYS AS ({}) {how}", generated.expression);
        }
        if let Some(collation) = &column.collation {
            sql += &format!(" COLLATE {}", quote(collation));
        }
        if let Type::Enum(_, values) = &column.ty {
            let name = naming::check(table, &column.name);
            let values: Vec<_> =
                values.iter().map(|it| literal(&Value::Text(it.clone()))).collect();
            let (name, column, values) = (quote(&name), quote(&column.name), values.join(", "));
            sql += &format!(" CONSTRAINT {name} CHECK ({column} IN ({values}))");
        }
        if let Some(it) = foreign_key {
            sql += &format!(" CONSTRAINT {} {}", quote(&it.name), references(it));
        }
        Ok(sql)
    }
}

fn references(it: &ForeignKey) -> String {
    let mut sql =
        format!("REFERENCES {} ({})", quote(&it.references_table), quoted(&it.references_columns));
    for (on, action) in [("DELETE", it.on_delete), ("UPDATE", it.on_update)] {
        if action != Action::NoAction {
            sql += &format!(" ON {on} {}", action.sql());
        }
    }
    sql += match it.deferrable {
        None => "",
        Some(Deferrable::InitiallyImmediate) => " DEFERRABLE INITIALLY IMMEDIATE",
        Some(Deferrable::InitiallyDeferred) => " DEFERRABLE INITIALLY DEFERRED",
    };
    sql
}

fn default_text(default: &DefaultValue, ty: &Type) -> String {
    match (default, ty) {
        (DefaultValue::Literal(Value::Text(it)), _) if it.contains('\0') => {
            format!("({})", literal(&Value::Text(it.clone())))
        }
        (DefaultValue::Literal(it), _) => literal(it),
        (DefaultValue::Now, Type::Date) => "CURRENT_DATE".to_owned(),
        (DefaultValue::Now, Type::Time) => "CURRENT_TIME".to_owned(),
        (DefaultValue::Now, _) => "CURRENT_TIMESTAMP".to_owned(),
        (DefaultValue::Sql(it), _) => format!("({it})"),
    }
}

/// The type in SQLite's words; a `STRICT` table knows six of them (sqlite.org, stricttables.html).
pub(super) fn type_name(ty: &Type, strict: bool) -> Result<String, String> {
    let usual =
        |word: &str, strict_word: &str| Ok((if strict { strict_word } else { word }).into());
    match ty {
        Type::TinyInteger
        | Type::SmallInteger
        | Type::Integer
        | Type::BigInteger
        | Type::TinyUnsigned
        | Type::SmallUnsigned
        | Type::Unsigned
        | Type::BigUnsigned => usual("INTEGER", "INTEGER"),
        Type::Float | Type::Double => usual("REAL", "REAL"),
        Type::Boolean => usual("BOOLEAN", "INTEGER"),
        Type::String(length) => usual(&format!("VARCHAR({length})"), "TEXT"),
        Type::Text | Type::Enum(..) | Type::Json | Type::Decimal(..) | Type::Numeric => {
            usual("TEXT", "TEXT")
        }
        Type::Date => usual("DATE", "TEXT"),
        Type::Time => usual("TIME", "TEXT"),
        Type::DateTime | Type::Timestamp => usual("DATETIME", "TEXT"),
        Type::Uuid | Type::Binary | Type::FixedBinary(_) => usual("BLOB", "BLOB"),
        Type::Raw(it) => Ok(it.clone()),
        Type::PerDialect(types) => {
            let own = types.get("sqlite").cloned();
            own.ok_or_else(|| "has no type for SQLite".to_owned())
        }
        Type::Array(_) => Err("is a list, and SQLite has no arrays".to_owned()),
    }
}

pub(super) fn create_index(table: &str, index: &Index) -> String {
    let columns: Vec<_> = index
        .columns
        .iter()
        .map(|it| {
            let mut sql = match &it.term {
                IndexTerm::Column(it) => quote(it),
                IndexTerm::Expression(it) => format!("({it})"),
            };
            if let Some(collation) = &it.collation {
                sql += &format!(" COLLATE {}", quote(collation));
            }
            sql + if it.descending { " DESC" } else { "" }
        })
        .collect();
    let unique = if index.unique { "UNIQUE " } else { "" };
    let filter = index.filter.as_ref().map_or(String::new(), |it| format!(" WHERE {it}"));
    let (name, table, columns) = (quote(&index.name), quote(table), columns.join(", "));
    format!("CREATE {unique}INDEX {name} ON {table} ({columns}){filter}")
}

/// Rows a statement; SQLite's usual limit for one `VALUES` list has nothing to do with it, but a
/// statement that a person can read has.
const ROWS_A_STATEMENT: usize = 100;

pub(super) fn inserts(table: &str, columns: &[String], rows: &[Vec<Value>]) -> Vec<String> {
    let insert = |rows: &[Vec<Value>]| {
        let rows: Vec<_> = rows
            .iter()
            .map(|row| format!("({})", row.iter().map(literal).collect::<Vec<_>>().join(", ")))
            .collect();
        let (table, columns, rows) = (quote(table), quoted(columns), rows.join(",\n    "));
        format!("INSERT INTO {table} ({columns}) VALUES\n    {rows}")
    };
    rows.chunks(ROWS_A_STATEMENT).map(insert).collect()
}

/// The operations come last: they may be long, and SQLite reads a row from its beginning.
pub(super) fn version_table(table: &str) -> String {
    format!(
        "CREATE TABLE IF NOT EXISTS {} (\n    \
         \"id\" TEXT NOT NULL PRIMARY KEY,\n    \
         \"parents\" TEXT NOT NULL,\n    \
         \"message\" TEXT NOT NULL,\n    \
         \"checksum\" TEXT NOT NULL,\n    \
         \"format\" INTEGER NOT NULL,\n    \
         \"applied_at\" TEXT NOT NULL,\n    \
         \"milliseconds\" INTEGER NOT NULL,\n    \
         \"tool_version\" TEXT NOT NULL,\n    \
         \"operations\" TEXT NOT NULL\n)",
        quote(table)
    )
}
