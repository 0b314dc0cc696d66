//! The texts of definitions.

use super::charset;
use super::column::Definition;
use super::flavor::{Flavor, closed, quote, quoted, text};
use super::hidden;
use super::index::{FULLTEXT, prefix, special};
use super::keys;
use super::literal;
use super::size::{self, KEY};
use super::text_enum;
use super::types::{self, Storage, storage};
use crate::Value;
use crate::dialect::{Facts, Refusal};
use crate::operations::Operation;
use crate::schema::{
    Check, Column, ForeignKey, Index, IndexColumn, IndexTerm, PrimaryKey, ReferentialAction, Table,
    Type, Unique,
};

/// How many bytes of a key are left for a number or a time.
const NUMBER: u32 = 16;

/// The first version of MariaDB that sorts parts of an index in descending order.
const DESCENDING: u32 = 10_008_000;

/// Writes the definitions for an operation.
#[derive(Clone, Copy)]
pub(super) struct Ddl<'a> {
    pub(super) flavor: Flavor,
    pub(super) facts: &'a Facts,
    pub(super) operation: &'a Operation,
}

impl Ddl<'_> {
    pub(super) fn refuse(&self, why: &str, hint: &str) -> Refusal {
        Refusal {
            message: format!("cannot {} on {}: {why}", self.operation, self.flavor.title()),
            hint: Some(hint.to_owned()),
        }
    }

    /// The statement, with those foreign keys whose table is there.
    pub(super) fn create_table(
        &self,
        table: &Table,
        is_present: impl Fn(&ForeignKey) -> bool,
    ) -> Result<String, Refusal> {
        let words = format!("CREATE TABLE {}", quote(&table.name));
        self.create_table_with(&words, table, is_present)
    }

    /// The statement with these words before the opening parenthesis.
    pub(super) fn create_table_with(
        &self,
        words: &str,
        table: &Table,
        is_present: impl Fn(&ForeignKey) -> bool,
    ) -> Result<String, Refusal> {
        let lowered =
            hidden::lowered(self.flavor, table).map_err(|unknown| self.untyped(&unknown))?;
        let table = &*lowered;
        let mut lines = Vec::new();
        for column in &table.columns {
            lines.push(self.column(table, column)?);
        }
        if let Some(key) = &table.primary_key {
            lines.push(self.primary_key(table, key)?);
        }
        for unique in &table.uniques {
            lines.push(self.unique(table, unique)?);
        }
        let present: Vec<_> =
            table.foreign_keys.iter().filter(|foreign_key| is_present(foreign_key)).collect();
        for index in &table.indexes {
            lines.push(self.index(table, index)?);
        }
        for foreign_key in keys::without_index(table) {
            if present.iter().any(|present| present.name == foreign_key.name) {
                lines.push(keys::own_index(foreign_key));
            }
        }
        let mut checks: Vec<Check> = table.checks.clone();
        checks.extend(text_enum::checks(table));
        checks.sort_by(|a, b| a.name.cmp(&b.name));
        for own in &checks {
            self.can_be_checked(table, own)?;
            lines.push(check(own));
        }
        for foreign_key in present {
            lines.push(self.foreign_key(table, foreign_key)?);
        }
        let mut sql = format!("{words} (\n    {}\n)", lines.join(",\n    "));
        let collation = charset::of_table(self.flavor, table);
        self.has_collation(&collation, "it")?;
        sql += &format!(
            " ENGINE={} DEFAULT CHARSET={} COLLATE={collation}",
            self.word(charset::engine(table), "engine")?,
            self.word(charset::of(&collation), "character set")?
        );
        if let Some(comment) = table.comment.as_ref().filter(|comment| !comment.is_empty()) {
            sql += &format!(" COMMENT={}", text(comment));
        }
        Ok(sql)
    }

    /// Refuses checks over a column that generates its values.
    pub(super) fn can_be_checked(&self, table: &Table, check: &Check) -> Result<(), Refusal> {
        let lexicon = self.flavor.lexicon();
        let key = table.generated_key();
        let Some(key) = key.filter(|key| lexicon.names_column(&check.expression, &key.name)) else {
            return Ok(());
        };
        let why = format!(
            "check `{}` is over column `{}`, which generates its values, and {} has no checks over \
             such columns",
            check.name,
            key.name,
            self.flavor.title()
        );
        Err(self.refuse(&why, "leave the column out of the check, or set `autoincrement = false`"))
    }

    /// A column's name and definition.
    pub(super) fn column(&self, table: &Table, column: &Column) -> Result<String, Refusal> {
        let definition = self.definition(table, column)?;
        Ok(format!("{} {}", quote(&column.name), definition.sql()))
    }

    /// A column's definition.
    pub(super) fn definition(&self, table: &Table, column: &Column) -> Result<Definition, Refusal> {
        self.has_nulls(table, column)?;
        let ty = types::type_name(self.flavor, &column.ty).map_err(|why| {
            let why = format!("column `{}` of table `{}` {why}", column.name, table.name);
            self.refuse(&why, "choose another type with `#[model(type = ...)]`")
        })?;
        if let Some(collation) = &column.collation {
            self.has_collation(collation, &format!("column `{}`", column.name))?;
        }
        let generates = table.generated_key().is_some_and(|key| key.name == column.name);
        let collate = types::is_collated(self.flavor, &column.ty)
            .then(|| charset::of_column(self.flavor, table, column))
            .filter(|collation| *collation != charset::of_table(self.flavor, table));
        let on_update = self.on_update(table, column)?;
        let in_key =
            table.primary_key.as_ref().is_some_and(|key| key.columns.contains(&column.name));
        let default = column.default.as_ref().filter(|_| column.generated.is_none() && !generates);
        let default = default.and_then(|value| literal::default(self.flavor, value, &column.ty));
        let generated = column.generated.as_ref();
        let comment = column.comment.clone().filter(|comment| !comment.is_empty());
        Ok(Definition {
            ty,
            charset: None,
            collate,
            // MariaDB has no required generated columns.
            nullable: column.nullable && !in_key || generated.is_some() && self.flavor.is_mariadb(),
            default,
            on_update,
            auto_increment: generates,
            generated: generated
                .map(|generated| (generated.expression.to_string(), generated.stored)),
            comment,
            invisible: column.invisible,
            check: None,
        })
    }

    /// What a column is set to when its row changes.
    fn on_update(&self, table: &Table, column: &Column) -> Result<Option<String>, Refusal> {
        if !column.on_update_now {
            return Ok(None);
        }
        let what = format!("column `{}` of table `{}`", column.name, table.name);
        let Some(now) = literal::now_of_session(self.flavor, &column.ty) else {
            let why = format!(
                "{what} has `on_update_now`, which only a `datetime` or a `timestamp` can have"
            );
            return Err(self.refuse(&why, "remove `on_update_now`, or choose such a type"));
        };
        if self.flavor.is_mariadb() && !column.nullable && column.default.is_none() {
            let why = format!(
                "{what} has `on_update_now`, is NOT NULL and has no default, and MariaDB would make \
                 it one, the date 0000-00-00"
            );
            return Err(self.refuse(&why, "add `default = now`"));
        }
        Ok(Some(now))
    }

    pub(super) fn primary_key(&self, table: &Table, key: &PrimaryKey) -> Result<String, Refusal> {
        self.has_keys(table, "primary keys")?;
        for name in &key.columns {
            self.can_be_in_key(table, name, &format!("primary key `{}`", key.name))?;
        }
        let what = format!("primary key `{}`", key.name);
        self.fits(table, &what, &key.columns)?;
        Ok(format!("PRIMARY KEY ({})", quoted(&key.columns)))
    }

    pub(super) fn unique(&self, table: &Table, unique: &Unique) -> Result<String, Refusal> {
        self.has_keys(table, "unique constraints")?;
        let what = format!("unique constraint `{}`", unique.name);
        if unique.nulls_not_distinct {
            let why = format!(
                "{what} treats NULLs as equal, which {} does not support",
                self.flavor.title()
            );
            let hint = "remove `nulls_not_distinct`, or make the columns NOT NULL";
            return Err(self.refuse(&why, hint));
        }
        for name in &unique.columns {
            self.can_be_unique(table, name, &what)?;
        }
        if !size::is_hashed(self.flavor, table, &unique.columns) {
            self.fits(table, &what, &unique.columns)?;
        }
        Ok(format!("UNIQUE KEY {} ({})", quote(&unique.name), quoted(&unique.columns)))
    }

    /// The clause of an index.
    pub(super) fn index(&self, table: &Table, index: &Index) -> Result<String, Refusal> {
        self.has_keys(table, "indexes")?;
        let title = self.flavor.title();
        let what = format!("index `{}`", index.name);
        if index.is_exclusion() {
            let why = format!("{title} has no exclusion constraints");
            return Err(self.refuse(&why, "remove it from the model: only PostgreSQL supports it"));
        }
        if index.filter.is_some() {
            let why = format!("{what} has a condition, and {title} has no partial indexes");
            let hint = "index all rows, or make the index over a generated column that is NULL in \
                        the other rows";
            return Err(self.refuse(&why, hint));
        }
        let special = special(index);
        let mut parts = Vec::new();
        let room = room(self.flavor, table, &size::columns_of(index));
        for key in &index.columns {
            let mut sql = match &key.term {
                IndexTerm::Column(name) if special.is_some() => {
                    self.can_be_searched(table, key, &what, special)?;
                    quote(name)
                }
                IndexTerm::Column(name) if prefix(self.flavor, table, key).is_some() => {
                    let length = prefix(self.flavor, table, key).unwrap_or_default();
                    self.has_beginning(table, name, &what)?;
                    format!("{}({length})", quote(name))
                }
                IndexTerm::Column(name) => {
                    let mut sql = quote(name);
                    if index.unique {
                        self.can_be_unique(table, name, &what)?;
                    } else if self.is_long(table, key) {
                        sql += &format!("({room})");
                    } else {
                        self.can_be_in_key(table, name, &what)?;
                    }
                    sql
                }
                IndexTerm::Expression(expression) => {
                    self.can_be_indexed(table, expression, &what)?;
                    format!("({})", closed(expression))
                }
            };
            if let Some(collation) = &key.collation {
                let why = format!(
                    "{what} has the collation `{collation}`, and {title} has collations only for \
                     columns"
                );
                return Err(self.refuse(&why, "give the collation to the column"));
            }
            if key.descending {
                sql += " DESC";
            }
            parts.push(sql);
        }
        if special.is_some() && index.unique {
            let why = format!("{what} is unique, which an index with `using` can't be");
            return Err(self.refuse(&why, "remove `unique` or `using`"));
        }
        let is_cut = |key| self.is_long(table, key) && prefix(self.flavor, table, key).is_none();
        let is_whole = !index.columns.iter().any(is_cut) && special.is_none();
        if is_whole && !is_hashed_index(self.flavor, table, index) {
            self.parts_fit(table, &what, &size::parts(self.flavor, table, index))?;
        }
        let unique = match special {
            Some(word) => word,
            None if index.unique => "UNIQUE ",
            None => "",
        };
        Ok(format!("{unique}KEY {} ({})", quote(&index.name), parts.join(", ")))
    }

    /// Refuses columns that an index for texts or places can't have.
    fn can_be_searched(
        &self,
        table: &Table,
        key: &IndexColumn,
        what: &str,
        special: Option<&str>,
    ) -> Result<(), Refusal> {
        let IndexTerm::Column(name) = &key.term else { return Ok(()) };
        let Some(column) = table.find_column(name) else { return Ok(()) };
        let is_text =
            matches!(storage(self.flavor, &column.ty), Storage::Text(_) | Storage::LongText);
        if special == Some(FULLTEXT) && !is_text {
            let why = format!("{what} is a full-text index, and its column `{name}` is no text");
            return Err(self.refuse(&why, "leave the column out of the index"));
        }
        if key.descending || key.prefix.is_some() {
            let why = format!("{what} has no order and no prefixes, since it has `using`");
            return Err(self.refuse(&why, "remove `desc` and `prefix`"));
        }
        Ok(())
    }

    /// Refuses prefixes of numbers and the like.
    fn has_beginning(&self, table: &Table, name: &str, what: &str) -> Result<(), Refusal> {
        let Some(column) = table.find_column(name) else { return Ok(()) };
        if matches!(storage(self.flavor, &column.ty), Storage::Other | Storage::Json) {
            let why = format!(
                "{what} contains only the beginning of column `{name}`, which is neither a text nor \
                 bytes"
            );
            return Err(self.refuse(&why, "remove `prefix`"));
        }
        Ok(())
    }

    /// Refuses an expression for which a column of an unknown type would be needed.
    fn untyped(&self, unknown: &hidden::Unknown) -> Refusal {
        let (why, hint) = unknown.words();
        self.refuse(&why, hint)
    }

    /// A name that can't be quoted in a statement.
    fn word<'w>(&self, word: &'w str, what: &str) -> Result<&'w str, Refusal> {
        let is_word = !word.is_empty()
            && word.chars().all(|sign| sign.is_ascii_alphanumeric() || sign == '_');
        if is_word {
            return Ok(word);
        }
        let why = format!("`{word}` is no {what}");
        Err(self.refuse(&why, "write the name as the server does, such as `InnoDB` or `latin1`"))
    }

    /// Refuses expressions whose results are too long for a key.
    fn can_be_indexed(&self, table: &Table, expression: &str, what: &str) -> Result<(), Refusal> {
        let lexicon = self.flavor.lexicon();
        let is_cast = ["cast", "left", "md5", "sha2", "length", "char_length"]
            .iter()
            .any(|function| lexicon.mentions(expression, function));
        let mut columns = table.columns.iter().map(|column| &column.name);
        let long = columns
            .find(|name| lexicon.mentions(expression, name) && is_long(self.flavor, table, name));
        let Some(name) = long.filter(|_| !is_cast) else { return Ok(()) };
        let why = format!(
            "{what} is over an expression of column `{name}`, which has no limit, and a key of \
             MySQL has at most 3072 bytes"
        );
        let hint = "give the field a length, or limit the expression: `CAST(... AS CHAR(255))`";
        Err(self.refuse(&why, hint))
    }

    fn is_long(&self, table: &Table, key: &crate::schema::IndexColumn) -> bool {
        let IndexTerm::Column(name) = &key.term else { return false };
        is_long(self.flavor, table, name)
    }

    /// Refuses keys whose columns are too long together, or too many.
    fn fits(&self, table: &Table, what: &str, columns: &[String]) -> Result<(), Refusal> {
        let parts: Vec<_> =
            columns.iter().map(|name| (name, size::in_key(self.flavor, table, name))).collect();
        self.parts_fit(table, what, &parts)
    }

    fn parts_fit(
        &self,
        table: &Table,
        what: &str,
        parts: &[(&String, u32)],
    ) -> Result<(), Refusal> {
        match size::too_long(self.flavor, table, what, parts) {
            Some((why, hint)) => Err(self.refuse(&why, &hint)),
            None => Ok(()),
        }
    }

    /// Refuses tables whose rows are too long, and those with too many columns or keys.
    pub(super) fn has_room(&self, table: &Table) -> Result<(), Refusal> {
        match size::misfit(self.flavor, table) {
            Some((why, hint)) => Err(self.refuse(&why, &hint)),
            None => Ok(()),
        }
    }

    /// Refuses columns whose values are too long for a unique key.
    fn can_be_unique(&self, table: &Table, name: &str, what: &str) -> Result<(), Refusal> {
        // MariaDB compares such values by a hash.
        if self.flavor.is_mariadb() && is_long(self.flavor, table, name) {
            return Ok(());
        }
        self.can_be_in_key(table, name, what)
    }

    /// Refuses columns whose values are too long for a key.
    fn can_be_in_key(&self, table: &Table, name: &str, what: &str) -> Result<(), Refusal> {
        let Some(column) = table.find_column(name) else { return Ok(()) };
        if size::in_key(self.flavor, table, name) <= KEY {
            return Ok(());
        }
        let (kind, hint) = match storage(self.flavor, &column.ty) {
            Storage::Text(length) => (
                format!("a text of {length} characters"),
                "give the field at most `#[model(length = 768)]`",
            ),
            Storage::Bytes(length) => {
                (format!("{length} bytes long"), "give the field at most 3072 bytes")
            }
            Storage::LongText => (
                "a text without a limit".to_owned(),
                "give the field a length: `#[model(length = 255)]`",
            ),
            Storage::LongBytes => (
                "bytes without a limit".to_owned(),
                "give the field a length, as in `[u8; 32]` or `type = raw(\"varbinary(255)\")`",
            ),
            Storage::Json => {
                ("a JSON document".to_owned(), "use another column, or a generated column")
            }
            Storage::Other => return Ok(()),
        };
        let why = format!(
            "{what} has the column `{name}`, which is {kind}, and a key of {} has at most 3072 \
             bytes",
            self.flavor.title()
        );
        Err(self.refuse(&why, hint))
    }

    pub(super) fn foreign_key(
        &self,
        table: &Table,
        foreign_key: &ForeignKey,
    ) -> Result<String, Refusal> {
        let title = self.flavor.title();
        let what = format!("foreign key `{}`", foreign_key.name);
        if foreign_key.deferrable.is_some() {
            let why = format!("{what} is deferrable, and {title} checks each row at once");
            return Err(self.refuse(&why, "remove `deferrable`"));
        }
        if !charset::is_innodb(table) {
            let engine = charset::engine(table);
            let why = format!(
                "table `{}` has the engine `{engine}`, which accepts foreign keys but ignores them",
                table.name
            );
            return Err(self.refuse(&why, "remove the foreign key, or use InnoDB"));
        }
        let actions = [foreign_key.on_delete, foreign_key.on_update];
        if actions.contains(&ReferentialAction::SetDefault) {
            let why = format!("{what} uses SET DEFAULT, which {title} accepts but ignores");
            return Err(self.refuse(&why, "use `set_null`, `cascade` or `restrict`"));
        }
        for name in &foreign_key.columns {
            self.can_be_in_key(table, name, &what)?;
        }
        self.fits(table, &what, &foreign_key.columns)?;
        let mut sql = format!(
            "CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {} ({})",
            quote(&foreign_key.name),
            quoted(&foreign_key.columns),
            quote(&foreign_key.references_table),
            quoted(&foreign_key.references_columns)
        );
        for (event, action) in [("DELETE", actions[0]), ("UPDATE", actions[1])] {
            if action != ReferentialAction::NoAction {
                sql += &format!(" ON {event} {}", action.sql());
            }
        }
        Ok(sql)
    }

    /// Refuses the collations that other databases have.
    fn has_collation(&self, collation: &str, what: &str) -> Result<(), Refusal> {
        let is_foreign = ["NOCASE", "RTRIM", "C", "POSIX"]
            .iter()
            .any(|name| collation.eq_ignore_ascii_case(name))
            || !collation.chars().all(|sign| sign.is_ascii_alphanumeric() || sign == '_');
        if !is_foreign {
            return Ok(());
        }
        let why = format!(
            "{what} has the collation `{collation}`, which {} doesn't have",
            self.flavor.title()
        );
        let hint = "texts are compared exactly by default; without regard to case it is \
                    `utf8mb4_0900_ai_ci` on MySQL and `utf8mb4_general_nopad_ci` on MariaDB";
        Err(self.refuse(&why, hint))
    }

    /// Refuses what an older version would silently ignore.
    pub(super) fn can_descend(&self, index: &Index) -> bool {
        !self.flavor.is_mariadb()
            || self.facts.version >= DESCENDING
            || !index.columns.iter().any(|key| key.descending)
    }
}

/// How many characters of each long text an index over these columns contains: as many as fit.
pub(super) fn room(flavor: Flavor, table: &Table, columns: &[&String]) -> u32 {
    let (long, others): (Vec<_>, Vec<_>) =
        columns.iter().partition(|name| is_long(flavor, table, name));
    let bytes = |name: &&&String| {
        let column = table.find_column(name);
        match column.map(|column| storage(flavor, &column.ty)) {
            Some(Storage::Text(length)) => length.saturating_mul(4),
            Some(Storage::Bytes(length)) => length,
            _ => NUMBER,
        }
    };
    let taken: u32 = others.iter().map(bytes).fold(0, u32::saturating_add);
    let n_long = u32::try_from(long.len()).unwrap_or(1).max(1);
    (KEY.saturating_sub(taken) / 4 / n_long).max(1)
}

/// Whether a key can only contain the beginning of a column's values.
pub(super) fn is_long(flavor: Flavor, table: &Table, name: &str) -> bool {
    let column = table.find_column(name);
    column.is_some_and(|column| match storage(flavor, &column.ty) {
        Storage::LongText | Storage::LongBytes => true,
        Storage::Text(_) => size::in_key(flavor, table, name) > KEY,
        Storage::Bytes(_) | Storage::Json | Storage::Other => false,
    })
}

/// Whether MariaDB can keep a unique index only by a hash.
pub(super) fn is_hashed_index(flavor: Flavor, table: &Table, index: &Index) -> bool {
    let has_prefix = index.columns.iter().any(|key| key.prefix.is_some());
    let columns: Vec<String> = size::columns_of(index).into_iter().cloned().collect();
    index.unique && !has_prefix && size::is_hashed(flavor, table, &columns)
}

pub(super) fn check(check: &Check) -> String {
    format!("CONSTRAINT {} CHECK ({})", quote(&check.name), closed(&check.expression))
}

/// How many rows one statement inserts.
const ROWS: usize = 100;

/// The statements that insert rows.
pub(super) fn inserts(
    flavor: Flavor,
    table: &Table,
    columns: &[String],
    rows: &[Vec<Value>],
) -> Vec<String> {
    let types: Vec<Type> = columns
        .iter()
        .map(|name| table.find_column(name).map_or(Type::Text, |column| column.ty.clone()))
        .collect();
    let row = |row: &Vec<Value>| {
        let values = row.iter().zip(&types);
        let values: Vec<_> =
            values.map(|(value, ty)| literal::literal_of(flavor, value, ty)).collect();
        format!("    ({})", values.join(", "))
    };
    rows.chunks(ROWS)
        .map(|rows| {
            let rows: Vec<_> = rows.iter().map(row).collect();
            format!(
                "INSERT INTO {} ({}) VALUES\n{}",
                quote(&table.name),
                quoted(columns),
                rows.join(",\n")
            )
        })
        .collect()
}
