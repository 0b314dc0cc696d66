//! The texts of PostgreSQL's definitions.

use super::literal::closed;
use super::{literal, text_enum, types};
use crate::Value;
use crate::dialect::{Facts, POSTGRES, Refusal, Work};
use crate::operations::Operation;
use crate::schema::qualified;
use crate::schema::{
    Check, Column, DefaultValue, Deferrable, ForeignKey, Generated, Identity, Index, IndexTerm,
    Nulls, PrimaryKey, ReferentialAction, Schema, Table, TableOption, Type, Unique,
};
use crate::sql::{Kind, quote};

/// The first version in which NULLs can count as equal.
const NULLS_NOT_DISTINCT: u32 = 150_000;

/// The first version with generated columns that aren't stored.
const VIRTUAL: u32 = 180_000;

pub(super) fn quoted(names: &[String]) -> String {
    let names: Vec<_> = names.iter().map(|name| quote(name)).collect();
    names.join(", ")
}

/// The name of a table in SQL.
pub(super) fn relation(table: &str) -> String {
    let (schema, name) = qualified::split(table);
    schema.map_or(String::new(), |schema| quote(schema) + ".") + &quote(name)
}

/// The name in SQL of something else that is in the schema of a table, such as its index.
pub(super) fn beside(table: &str, name: &str) -> String {
    let (schema, _) = qualified::split(table);
    schema.map_or(String::new(), |schema| quote(schema) + ".") + &quote(name)
}

pub(super) fn text(value: &str) -> String {
    literal::literal(&Value::from(value))
}

/// Writes the definitions for an operation.
pub(super) struct Ddl<'a> {
    pub(super) facts: &'a Facts,
    pub(super) operation: &'a Operation,
}

impl Ddl<'_> {
    pub(super) fn refuse(&self, why: &str, hint: &str) -> Refusal {
        Refusal {
            message: format!("cannot {} on PostgreSQL: {why}", self.operation),
            hint: Some(hint.to_owned()),
        }
    }

    pub(super) fn create_table(
        &self,
        table: &Table,
        is_present: impl Fn(&ForeignKey) -> bool,
    ) -> Result<String, Refusal> {
        let unlogged = if table.has(TableOption::Unlogged) { "UNLOGGED " } else { "" };
        let words = format!("CREATE {unlogged}TABLE {}", relation(&table.name));
        let mut sql = self.create_table_with(&words, table, is_present)?;
        if let Some(parameters) = &table.with {
            sql += &format!(" WITH ({parameters})");
        }
        if let Some(name) = &table.tablespace {
            sql += &format!(" TABLESPACE {}", quote(name));
        }
        Ok(sql)
    }

    /// The statement with these words before the opening parenthesis, and those foreign keys whose
    /// table is there.
    pub(super) fn create_table_with(
        &self,
        words: &str,
        table: &Table,
        is_present: impl Fn(&ForeignKey) -> bool,
    ) -> Result<String, Refusal> {
        let key = table.generated_key().map(|column| column.name.as_str());
        let column = |column: &Column| self.column(table, column, key == Some(&column.name));
        let mut lines = table.columns.iter().map(column).collect::<Result<Vec<_>, _>>()?;
        lines.extend(table.primary_key.as_ref().map(primary_key));
        let mut uniques: Vec<_> = table.uniques.iter().collect();
        uniques.sort_by(|a, b| a.name.cmp(&b.name));
        for unique in uniques {
            lines.push(self.unique(unique)?);
        }
        let mut checks: Vec<Check> = table.checks.clone();
        checks.extend(text_enum::checks(table));
        checks.sort_by(|a, b| a.name.cmp(&b.name));
        lines.extend(checks.iter().map(check));
        let present = table.foreign_keys.iter().filter(|foreign_key| is_present(foreign_key));
        lines.extend(present.map(foreign_key));
        Ok(format!("{words} (\n    {}\n)", lines.join(",\n    ")))
    }

    /// The type of a column.
    pub(super) fn declared(&self, table: &str, column: &Column) -> Result<String, Refusal> {
        types::type_name(&column.ty).map_err(|why| {
            let why = format!("column `{}` of table `{table}` {why}", column.name);
            self.refuse(&why, "choose another type with `#[model(type = ...)]`")
        })
    }

    /// The type of a column with its collation.
    pub(super) fn declared_collated(
        &self,
        table: &str,
        column: &Column,
    ) -> Result<String, Refusal> {
        let ty = self.declared(table, column)?;
        // The collation of a column whose type has none is without effect.
        let collation = column.collation.as_ref().filter(|_| types::is_collated(&column.ty));
        let Some(collation) = collation else { return Ok(ty) };
        self.has_collation(collation, &format!("column `{}`", column.name))?;
        Ok(format!("{ty} COLLATE {}", quote(collation)))
    }

    /// A column's definition. `generates` is whether it generates its values as a key.
    pub(super) fn column(
        &self,
        table: &Table,
        column: &Column,
        generates: bool,
    ) -> Result<String, Refusal> {
        let mut ty = self.declared_collated(&table.name, column)?;
        let generates = generates || column.identity.is_some();
        let is_serial = column.identity == Some(Identity::Serial);
        if is_serial {
            ty = self.serial(table, column)?.to_owned();
        }
        let mut sql = format!("{} {ty}", quote(&column.name));
        if generates && !is_serial {
            sql += &format!(" {}", self.identity(&table.name, column)?);
        }
        if !column.nullable {
            sql += " NOT NULL";
        }
        if let Some(default) = default_of(column).filter(|_| !generates) {
            sql += &format!(" DEFAULT {default}");
        }
        if let Some(generated) = &column.generated {
            sql += &format!(" {}", self.generated(&table.name, column, generated)?);
        }
        Ok(sql)
    }

    /// The clause of a column that generates its values as a key.
    pub(super) fn identity(&self, table: &str, column: &Column) -> Result<&'static str, Refusal> {
        if column.ty == Type::BigUnsigned {
            let why = format!(
                "column `{}` of table `{table}` can't generate its values: its type is \
                 numeric(20, 0), and only smallint, integer and bigint can",
                column.name
            );
            let hint = "use `i64` for the key, or `#[model(autoincrement = false)]`";
            return Err(self.refuse(&why, hint));
        }
        match column.identity {
            None | Some(Identity::ByDefault) => Ok("GENERATED BY DEFAULT AS IDENTITY"),
            Some(Identity::Always) => Ok("GENERATED ALWAYS AS IDENTITY"),
            Some(Identity::Serial) => {
                let why = format!(
                    "column `{}` of table `{table}` exists, and only a new column can be serial",
                    column.name
                );
                Err(self.refuse(&why, "use `identity = by_default`"))
            }
        }
    }

    /// The type of a serial column.
    fn serial(&self, table: &Table, column: &Column) -> Result<&'static str, Refusal> {
        let is_key = table.generated_key().is_some_and(|key| key.name == column.name);
        Ok(match self.serial_type(&table.name, column, is_key)? {
            "smallint" => "smallserial",
            "integer" => "serial",
            _ => "bigserial",
        })
    }

    /// The type of the numbers of a serial column.
    pub(super) fn serial_type(
        &self,
        table: &str,
        column: &Column,
        is_key: bool,
    ) -> Result<&'static str, Refusal> {
        match types::type_name(&column.ty).as_deref() {
            Ok("smallint") if is_key => Ok("smallint"),
            Ok("integer") if is_key => Ok("integer"),
            Ok("bigint") if is_key => Ok("bigint"),
            _ => {
                let why = format!(
                    "column `{}` of table `{}` can't be serial: it isn't a primary key of one \
                     integer",
                    column.name, table
                );
                Err(self.refuse(&why, "use `identity = by_default`"))
            }
        }
    }

    pub(super) fn generated(
        &self,
        table: &str,
        column: &Column,
        generated: &Generated,
    ) -> Result<String, Refusal> {
        if !generated.stored && self.facts.version < VIRTUAL {
            let why = format!(
                "the generated column `{}` of table `{table}` isn't stored, which needs \
                 PostgreSQL 18, and this is {}",
                column.name,
                version(self.facts.version)
            );
            return Err(self.refuse(&why, "store it: `#[model(generated(\"...\", stored))]`"));
        }
        let how = if generated.stored { "STORED" } else { "VIRTUAL" };
        Ok(format!("GENERATED ALWAYS AS ({}) {how}", closed(&generated.expression)))
    }

    pub(super) fn create_index(&self, table: &str, index: &Index) -> Result<String, Refusal> {
        let is_exclusion = index.is_exclusion();
        let has_all = index.columns.iter().all(|column| column.operator.is_some());
        if is_exclusion && (index.unique || !has_all) {
            let why = "an exclusion constraint has an operator for each of its columns, and is not \
                       unique";
            return Err(self.refuse(why, "give each column an operator with `.excludes(\"...\")`"));
        }
        if index.unique && index.columns.iter().any(|column| column.prefix.is_some()) {
            let why = format!("index `{}` is unique for the beginning of values", index.name);
            let hint = "index the expression instead: `sql(\"left(column, 20)\")`";
            return Err(self.refuse(&why, hint));
        }
        let is_of_mysql = |name: &&str| index.method().eq_ignore_ascii_case(name);
        if let Some(name) = ["fulltext", "spatial"].iter().find(|name| is_of_mysql(name)) {
            let why = format!("index `{}` uses `{name}`, which only MySQL has", index.name);
            let hint = "index an expression with a method of PostgreSQL: `using = \"gin\"`";
            return Err(self.refuse(&why, hint));
        }
        let mut columns = Vec::new();
        for column in &index.columns {
            let mut sql = match &column.term {
                IndexTerm::Column(column) => quote(column),
                IndexTerm::Expression(expression) => format!("({})", closed(expression)),
            };
            if let Some(collation) = &column.collation {
                self.has_collation(collation, &format!("index `{}`", index.name))?;
                sql += &format!(" COLLATE {}", quote(collation));
            }
            if let Some(opclass) = &column.opclass {
                sql += &format!(" {opclass}");
            }
            sql += if column.descending { " DESC" } else { "" };
            sql += match column.nulls {
                None => "",
                Some(Nulls::First) => " NULLS FIRST",
                Some(Nulls::Last) => " NULLS LAST",
            };
            if let Some(operator) = &column.operator {
                sql += &format!(" WITH {operator}");
            }
            columns.push(sql);
        }
        let unique = if index.unique { "UNIQUE " } else { "" };
        let (name, table, columns) = (quote(&index.name), relation(table), columns.join(", "));
        let using = index.using.as_ref().map_or(String::new(), |method| format!("USING {method} "));
        let mut sql = if is_exclusion {
            format!("ALTER TABLE {table} ADD CONSTRAINT {name} EXCLUDE {using}({columns})")
        } else {
            format!("CREATE {unique}INDEX {name} ON {table} {using}({columns})")
        };
        sql += &include(&index.include);
        if index.nulls_not_distinct {
            self.can_compare_nulls(&format!("index `{}`", index.name))?;
            sql += " NULLS NOT DISTINCT";
        }
        if let Some(parameters) = &index.with {
            sql += &format!(" WITH ({parameters})");
        }
        match &index.filter {
            Some(filter) if is_exclusion => sql += &format!(" WHERE ({})", closed(filter)),
            Some(filter) => sql += &format!(" WHERE {filter}"),
            None => {}
        }
        Ok(sql)
    }

    /// Refuses NULLs that count as equal, where the version can't compare them.
    fn can_compare_nulls(&self, what: &str) -> Result<(), Refusal> {
        if self.facts.version >= NULLS_NOT_DISTINCT {
            return Ok(());
        }
        let why = format!(
            "{what} treats NULLs as equal, which needs PostgreSQL 15, and this is {}",
            version(self.facts.version)
        );
        Err(self.refuse(&why, "remove `nulls_not_distinct`, or make the columns NOT NULL"))
    }

    pub(super) fn unique(&self, unique: &Unique) -> Result<String, Refusal> {
        let mut sql = format!("CONSTRAINT {} UNIQUE ", quote(&unique.name));
        if unique.nulls_not_distinct {
            self.can_compare_nulls(&format!("unique constraint `{}`", unique.name))?;
            sql += "NULLS NOT DISTINCT ";
        }
        sql += &format!("({}){}", quoted(&unique.columns), include(&unique.include));
        Ok(sql + deferrable(unique.deferrable))
    }

    /// Refuses the collations that only SQLite has.
    fn has_collation(&self, collation: &str, what: &str) -> Result<(), Refusal> {
        let of_sqlite = ["BINARY", "NOCASE", "RTRIM"];
        if !of_sqlite.iter().any(|name| collation.eq_ignore_ascii_case(name)) {
            return Ok(());
        }
        let why = format!("{what} has the collation `{collation}`, which only SQLite has");
        let hint = "PostgreSQL compares bytes by default (`C`) or by the rules of a language; for \
                    texts without regard to case, use the type `citext` or an index on `lower(...)`";
        Err(self.refuse(&why, hint))
    }
}

/// A unique constraint that takes over the index of the same name.
pub(super) fn unique_of_index(unique: &Unique) -> String {
    let name = quote(&unique.name);
    format!("CONSTRAINT {name} UNIQUE USING INDEX {name}")
}

/// A version for people: `150_004` is 15.4.
pub(super) fn version(number: u32) -> String {
    format!("{}.{}", number / 10_000, number % 10_000)
}

/// A column's default; a generated column has none.
pub(super) fn default_of(column: &Column) -> Option<String> {
    let default = column.default.as_ref().filter(|_| column.generated.is_none())?;
    literal::default(default, &column.ty)
}

/// Drops an index, which is a constraint if it has operators.
pub(super) fn drop_index(table: &Table, name: &str) -> String {
    match table.find_index(name).filter(|index| index.is_exclusion()) {
        Some(_) => format!("ALTER TABLE {} DROP CONSTRAINT {}", relation(&table.name), quote(name)),
        None => format!("DROP INDEX {}", beside(&table.name, name)),
    }
}

pub(super) fn primary_key(primary_key: &PrimaryKey) -> String {
    format!(
        "CONSTRAINT {} PRIMARY KEY ({})",
        quote(&primary_key.name),
        quoted(&primary_key.columns)
    )
}

/// The changes that turn storage parameters into others.
pub(super) fn set_parameters(was: Option<&str>, to: Option<&str>) -> Vec<String> {
    let names = |text: Option<&str>| -> Vec<String> {
        let parameters = text.unwrap_or_default().split(',');
        let names = parameters.filter_map(|parameter| parameter.split('=').next());
        names.map(|name| name.trim().to_lowercase()).filter(|name| !name.is_empty()).collect()
    };
    let kept = names(to);
    let gone: Vec<String> = names(was).into_iter().filter(|name| !kept.contains(name)).collect();
    let reset = (!gone.is_empty()).then(|| format!("RESET ({})", gone.join(", ")));
    let set = to.map(|parameters| format!("SET ({parameters})"));
    reset.into_iter().chain(set).collect()
}

fn include(columns: &[String]) -> String {
    if columns.is_empty() { String::new() } else { format!(" INCLUDE ({})", quoted(columns)) }
}

fn deferrable(deferrable: Option<Deferrable>) -> &'static str {
    match deferrable {
        None => "",
        Some(Deferrable::InitiallyImmediate) => " DEFERRABLE INITIALLY IMMEDIATE",
        Some(Deferrable::InitiallyDeferred) => " DEFERRABLE INITIALLY DEFERRED",
    }
}

pub(super) fn check(check: &Check) -> String {
    format!("CONSTRAINT {} CHECK ({})", quote(&check.name), closed(&check.expression))
}

pub(super) fn foreign_key(foreign_key: &ForeignKey) -> String {
    let (name, columns) = (quote(&foreign_key.name), quoted(&foreign_key.columns));
    let mut sql = format!(
        "CONSTRAINT {name} FOREIGN KEY ({columns}) REFERENCES {} ({})",
        relation(&foreign_key.references_table),
        quoted(&foreign_key.references_columns)
    );
    for (on, action) in [("DELETE", foreign_key.on_delete), ("UPDATE", foreign_key.on_update)] {
        if action != ReferentialAction::NoAction {
            sql += &format!(" ON {on} {}", action.sql());
        }
    }
    sql + deferrable(foreign_key.deferrable)
}

pub(super) fn comment_on_table(table: &str, comment: Option<&str>) -> String {
    let comment = comment.map_or("NULL".to_owned(), text);
    format!("COMMENT ON TABLE {} IS {comment}", relation(table))
}

pub(super) fn comment_on_column(table: &str, column: &str, comment: Option<&str>) -> String {
    let comment = comment.map_or("NULL".to_owned(), text);
    format!("COMMENT ON COLUMN {}.{} IS {comment}", relation(table), quote(column))
}

/// What `ADD COLUMN` has to do for existing rows. An expression whose value may differ from row to
/// row has to be computed for each.
pub(super) fn work_of_column(column: &Column, generates: bool) -> Work {
    let is_volatile = |text: &str| {
        let tokens = POSTGRES.significant(text);
        tokens.iter().enumerate().any(|(idx, token)| {
            let is_call = tokens.get(idx + 1).is_some_and(|next| next.is_symbol("("));
            let is_stable = ["now", "transaction_timestamp", "date_trunc", "to_char", "lower"];
            token.kind != Kind::Symbol
                && is_call
                && !is_stable.iter().any(|word| token.is_word(word))
        })
    };
    match (&column.generated, &column.default) {
        (Some(generated), _) if generated.stored => Work::Rewrite,
        (Some(_), _) => Work::None,
        _ if generates => Work::Rewrite,
        (None, Some(DefaultValue::Sql(text))) if is_volatile(text) => Work::Rewrite,
        (None, _) => Work::None,
    }
}

/// Rows per statement: a person should be able to read it.
const ROWS_A_STATEMENT: usize = 100;

/// A text with more characters than its column takes. The server would cut off blanks at its end
/// without a word.
pub(super) fn too_long(table: &Table, columns: &[String], rows: &[Vec<Value>]) -> Option<String> {
    let long = |(column, value): (&String, &Value)| {
        let length = match table.find_column(column)?.ty {
            Type::String(length) => length,
            _ => return None,
        };
        let Value::Text(text) = value else { return None };
        (text.chars().count() > length as usize)
            .then(|| format!("{value} has more than the {length} characters of column `{column}`"))
    };
    rows.iter().find_map(|row| columns.iter().zip(row).find_map(long))
}

pub(super) fn inserts(table: &Table, columns: &[String], rows: &[Vec<Value>]) -> Vec<String> {
    let types: Vec<_> = columns.iter().map(|column| table.find_column(column)).collect();
    let literal_at = |(idx, value): (usize, &Value)| match types.get(idx) {
        Some(Some(column)) => literal::literal_of(value, &column.ty),
        _ => literal::literal(value),
    };
    let row = |row: &Vec<Value>| {
        let values: Vec<_> = row.iter().enumerate().map(literal_at).collect();
        format!("({})", values.join(", "))
    };
    let insert = |rows: &[Vec<Value>]| {
        let rows: Vec<_> = rows.iter().map(row).collect();
        let (table, columns, rows) = (relation(&table.name), quoted(columns), rows.join(",\n    "));
        format!("INSERT INTO {table} ({columns}) VALUES\n    {rows}")
    };
    rows.chunks(ROWS_A_STATEMENT).map(insert).collect()
}

/// The foreign keys that are checked at the end of a transaction, by their names in SQL.
pub(super) fn initially_deferred(
    schema: &Schema,
    pending: &[(String, String, usize)],
) -> Vec<String> {
    let mut names = Vec::new();
    for table in schema.tables.values() {
        for key in &table.foreign_keys {
            let is_pending =
                pending.iter().any(|(of, name, _)| *of == table.name && *name == key.name);
            if key.deferrable == Some(Deferrable::InitiallyDeferred) && !is_pending {
                names.push(beside(&table.name, &key.name));
            }
        }
    }
    names.sort();
    names.dedup();
    names
}

/// The statement that creates a table under this quoted name, if it doesn't exist.
pub(super) fn create_if_missing(name: &str, table: &Table) -> Result<String, Refusal> {
    // A refusal mentions only the table's name.
    let operation = &Operation::CreateTable(Table::new(&table.name));
    let facts = &Facts::new(0, true);
    let words = format!("CREATE TABLE IF NOT EXISTS {name}");
    Ddl { facts, operation }.create_table_with(&words, table, |_| true)
}
