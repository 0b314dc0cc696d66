//! The texts of SQLite's `CREATE` statements.

use super::super::{Facts, Refusal};
use super::decimal;
use super::definition::table_options;
use crate::Value;
use crate::backend::Backend;
use crate::operations::Operation;
use crate::schema::{
    Check, Column, DefaultValue, Deferrable, ForeignKey, Generated, Index, IndexTerm, PrimaryKey,
    ReferentialAction, Table, TableOption, Type, Unique, naming,
};
use crate::sql::quote;

fn quoted(names: &[String]) -> String {
    let names: Vec<_> = names.iter().map(|name| quote(name)).collect();
    names.join(", ")
}

/// Counts rows, and returns nothing if there are none. Before 3.39, `HAVING` needs `GROUP BY`.
pub(super) fn any(from: &str) -> String {
    format!("SELECT n FROM (SELECT count(*) AS n FROM {from}) WHERE n > 0")
}

/// A value as a literal that SQLite reads back exactly.
pub(super) fn literal(value: &Value) -> String {
    match value {
        Value::Bool(value) => i64::from(*value).to_string(),
        // SQLite has no literal for infinity, but reads a number that is too large as infinity.
        Value::Real(value) if value.is_infinite() => {
            (if *value > 0.0 { "9e999" } else { "-9e999" }).to_owned()
        }
        // SQLite stores NaN as NULL.
        Value::Real(value) if value.is_nan() => "NULL".to_owned(),
        // A text literal ends at a NUL character.
        Value::Text(value) if value.contains('\0') => {
            format!("CAST({} AS TEXT)", Value::Blob(value.clone().into_bytes()))
        }
        other => other.to_string(),
    }
}

/// An expression that other SQL can follow: a comment at its end must not hide what follows.
pub(super) fn closed(expression: &str) -> String {
    let end = if expression.contains("--") { "\n" } else { "" };
    format!("{expression}{end}")
}

pub(super) fn needs(facts: &Facts, operation: &Operation, version: u32) -> Result<(), Refusal> {
    if facts.version >= version {
        return Ok(());
    }
    let text =
        |number: u32| format!("{}.{}.{}", number / 1_000_000, number / 1000 % 1000, number % 1000);
    Err(Refusal {
        message: format!(
            "cannot {operation} on SQLite {}: it needs SQLite {}",
            text(facts.version),
            text(version)
        ),
        hint: Some("link a newer SQLite, for example with the runtime's feature `bundled`".into()),
    })
}

/// Writes the definitions for an operation.
pub(super) struct Ddl<'a> {
    pub(super) facts: &'a Facts,
    pub(super) operation: &'a Operation,
}

impl Ddl<'_> {
    pub(super) fn refuse(&self, why: &str, hint: &str) -> Refusal {
        Refusal {
            message: format!("cannot {} on SQLite: {why}", self.operation),
            hint: Some(hint.to_owned()),
        }
    }

    pub(super) fn refuse_counting(&self) -> Refusal {
        let hint = "remove `without_rowid` or `autoincrement`";
        self.refuse("a WITHOUT ROWID table cannot have AUTOINCREMENT", hint)
    }

    pub(super) fn create_table(&self, table: &Table) -> Result<String, Refusal> {
        self.create_table_with(&format!("CREATE TABLE {}", quote(&table.name)), table)
    }

    /// The statement with these words before the opening parenthesis.
    pub(super) fn create_table_with(&self, words: &str, table: &Table) -> Result<String, Refusal> {
        if table.has(TableOption::Strict) {
            needs(self.facts, self.operation, 3_037_000)?;
        }
        let lines = table.columns.iter().map(|column| self.column_of(table, column));
        let mut lines = lines.collect::<Result<Vec<_>, _>>()?;
        let key = table.primary_key.as_ref().filter(|_| table.generated_key().is_none());
        lines.extend(key.map(primary_key));
        let mut uniques: Vec<_> = table.uniques.iter().collect();
        uniques.sort_by(|a, b| a.name.cmp(&b.name));
        lines.extend(uniques.into_iter().map(unique));
        let mut checks: Vec<_> = table.checks.iter().collect();
        checks.sort_by(|a, b| a.name.cmp(&b.name));
        lines.extend(checks.into_iter().map(check));
        let of_table =
            table.foreign_keys.iter().filter(|foreign_key| !is_inline(table, foreign_key));
        lines.extend(of_table.map(foreign_key));
        let options = table_options(&table.options);
        let lines = lines.join(",\n    ");
        Ok(format!("{words} (\n    {lines}\n){options}"))
    }

    /// The definition of one of a table's columns, including those of the table's constraints that
    /// are written with the column: the key that generates values, and its foreign key.
    pub(super) fn column_of(&self, table: &Table, column: &Column) -> Result<String, Refusal> {
        let key = table.primary_key.as_ref().filter(|_| is_generated_key(table, &column.name));
        let foreign_key = table.foreign_keys.iter().find(|foreign_key| {
            foreign_key.columns == [column.name.as_str()] && is_inline(table, foreign_key)
        });
        if key.is_some()
            && column.autoincrement == Some(true)
            && table.has(TableOption::WithoutRowid)
        {
            return Err(self.refuse_counting());
        }
        let key = key.map(|key| (key.name.as_str(), column.autoincrement == Some(true)));
        let mut column = column.clone();
        column.ty = stored_type(table, &column);
        self.column(table, &column, key, foreign_key)
    }

    /// The declared type of a column.
    pub(super) fn declared(&self, table: &Table, column: &Column) -> Result<String, Refusal> {
        type_name(&stored_type(table, column), table.has(TableOption::Strict)).map_err(|why| {
            let why = format!("column `{}` of table `{}` {why}", column.name, table.name);
            self.refuse(&why, "choose another type with `#[model(type = ...)]`")
        })
    }

    /// A column's definition. If the column is the primary key, it includes the constraint's name
    /// and whether it has AUTOINCREMENT; it may also include a foreign key.
    pub(super) fn column(
        &self,
        table: &Table,
        column: &Column,
        key: Option<(&str, bool)>,
        foreign_key: Option<&ForeignKey>,
    ) -> Result<String, Refusal> {
        let ty = type_name(&column.ty, table.has(TableOption::Strict)).map_err(|why| {
            let why = format!("column `{}` of table `{}` {why}", column.name, table.name);
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
            sql += &format!(" {}", key_clause(name, autoincrement));
        }
        if let Some(default) = default_of(column) {
            sql += &format!(" {default}");
        }
        if let Some(generated) = &column.generated {
            needs(self.facts, self.operation, 3_031_000)?;
            sql += &format!(" {}", generated_clause(generated));
        }
        if let Some(collation) = &column.collation {
            sql += &format!(" COLLATE {}", quote(collation));
        }
        if let Type::Enum(_, values) = &column.ty {
            sql += &format!(" {}", enum_clause(&table.name, &column.name, values));
        }
        if let Some(foreign_key) = foreign_key {
            sql += &format!(" CONSTRAINT {} {}", quote(&foreign_key.name), references(foreign_key));
        }
        Ok(sql)
    }
}

/// Whether the column is the table's primary key and generates its values.
fn is_generated_key(table: &Table, column: &str) -> bool {
    table.generated_key().is_some_and(|generated_key| generated_key.name == column)
}

/// Only `INTEGER PRIMARY KEY` generates values; other names of integer types don't.
fn stored_type(table: &Table, column: &Column) -> Type {
    let is_single_key = table.primary_key.as_ref().is_some_and(|primary_key| {
        primary_key.columns == [column.name.as_str()] && !table.has(TableOption::WithoutRowid)
    });
    let is_plain = column.ty.is_integer() && !is_generated_key(table, &column.name);
    if is_single_key && is_plain { Type::Raw("INT".to_owned()) } else { column.ty.clone() }
}

/// Whether a foreign key is written with its column. If one column refers to several tables, each
/// foreign key is a constraint of the table.
fn is_inline(table: &Table, foreign_key: &ForeignKey) -> bool {
    let same = |candidate: &&ForeignKey| candidate.columns == foreign_key.columns;
    foreign_key.columns.len() == 1 && table.foreign_keys.iter().filter(same).count() == 1
}

pub(super) fn key_clause(name: &str, autoincrement: bool) -> String {
    let autoincrement = if autoincrement { " AUTOINCREMENT" } else { "" };
    format!("CONSTRAINT {} PRIMARY KEY{autoincrement}", quote(name))
}

/// The clause for a column's default; a generated column has none.
pub(super) fn default_of(column: &Column) -> Option<String> {
    let default = column.default.as_ref().filter(|_| column.generated.is_none())?;
    Some(format!("DEFAULT {}", default_text(default, &column.ty)))
}

pub(super) fn generated_clause(generated: &Generated) -> String {
    let how = if generated.stored { "STORED" } else { "VIRTUAL" };
    format!("GENERATED ALWAYS AS ({}) {how}", closed(&generated.expression))
}

/// The condition that limits an enumeration's column to its values.
pub(super) fn enum_condition(column: &str, values: &[String]) -> String {
    let values: Vec<_> = values.iter().map(|value| literal(&Value::Text(value.clone()))).collect();
    format!("{} IN ({})", quote(column), values.join(", "))
}

pub(super) fn enum_clause(table: &str, column: &str, values: &[String]) -> String {
    // The enumeration is the column's type, and its check isn't an object of the schema. Readers
    // recognise the check by its condition, so its name needn't follow the project's convention.
    let name = naming::Convention::default().check(table, column);
    format!("CONSTRAINT {} CHECK ({})", quote(&name), enum_condition(column, values))
}

pub(super) fn primary_key(primary_key: &PrimaryKey) -> String {
    format!(
        "CONSTRAINT {} PRIMARY KEY ({})",
        quote(&primary_key.name),
        quoted(&primary_key.columns)
    )
}

pub(super) fn unique(unique: &Unique) -> String {
    format!("CONSTRAINT {} UNIQUE ({})", quote(&unique.name), quoted(&unique.columns))
}

pub(super) fn check(check: &Check) -> String {
    format!("CONSTRAINT {} CHECK ({})", quote(&check.name), closed(&check.expression))
}

pub(super) fn foreign_key(foreign_key: &ForeignKey) -> String {
    let (name, columns) = (quote(&foreign_key.name), quoted(&foreign_key.columns));
    format!("CONSTRAINT {name} FOREIGN KEY ({columns}) {}", references(foreign_key))
}

fn references(foreign_key: &ForeignKey) -> String {
    let mut sql = format!(
        "REFERENCES {} ({})",
        quote(&foreign_key.references_table),
        quoted(&foreign_key.references_columns)
    );
    for (on, action) in [("DELETE", foreign_key.on_delete), ("UPDATE", foreign_key.on_update)] {
        if action != ReferentialAction::NoAction {
            sql += &format!(" ON {on} {}", action.sql());
        }
    }
    sql += match foreign_key.deferrable {
        None => "",
        Some(Deferrable::InitiallyImmediate) => " DEFERRABLE INITIALLY IMMEDIATE",
        Some(Deferrable::InitiallyDeferred) => " DEFERRABLE INITIALLY DEFERRED",
    };
    sql
}

fn default_text(default: &DefaultValue, ty: &Type) -> String {
    match (default, ty) {
        (DefaultValue::Literal(Value::Text(text)), _) if text.contains('\0') => {
            format!("({})", literal(&Value::Text(text.clone())))
        }
        // The value for a UUID is stored as 16 bytes.
        (DefaultValue::Literal(value), _) => {
            literal(&default.literal_of(ty).unwrap_or(value.clone()))
        }
        (DefaultValue::Now, Type::Date) => "CURRENT_DATE".to_owned(),
        (DefaultValue::Now, Type::Time) => "CURRENT_TIME".to_owned(),
        (DefaultValue::Now, _) => "CURRENT_TIMESTAMP".to_owned(),
        (DefaultValue::Sql(text), _) => format!("({})", closed(text)),
    }
}

/// The type in SQLite's words. A `STRICT` table has only six types (sqlite.org, stricttables.html).
pub(super) fn type_name(ty: &Type, strict: bool) -> Result<String, String> {
    let usual =
        |word: &str, strict_word: &str| Ok((if strict { strict_word } else { word }).into());
    if let Some(declared) = decimal::declared(ty, strict) {
        return Ok(declared);
    }
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
        Type::Raw(_) | Type::PerDialect(_) => {
            let own = ty.own_words(Backend::Sqlite).map(str::to_owned);
            own.ok_or_else(|| "has no type for SQLite".to_owned())
        }
        Type::Array(_) => Err("is an array, and SQLite has no arrays".to_owned()),
    }
}

pub(super) fn create_index(table: &str, index: &Index) -> String {
    let columns: Vec<_> = index
        .columns
        .iter()
        .map(|column| {
            let mut sql = match &column.term {
                IndexTerm::Column(column) => quote(column),
                IndexTerm::Expression(column) => format!("({})", closed(column)),
            };
            if let Some(collation) = &column.collation {
                sql += &format!(" COLLATE {}", quote(collation));
            }
            sql + if column.descending { " DESC" } else { "" }
        })
        .collect();
    let unique = if index.unique { "UNIQUE " } else { "" };
    let filter = index.filter.as_ref().map_or(String::new(), |filter| format!(" WHERE {filter}"));
    let (name, table, columns) = (quote(&index.name), quote(table), columns.join(", "));
    format!("CREATE {unique}INDEX {name} ON {table} ({columns}){filter}")
}

/// Rows per statement. SQLite could take more in a `VALUES` list, but a person should be able to
/// read the statement.
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
