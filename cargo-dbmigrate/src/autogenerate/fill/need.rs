//! The need of one column for values, in words and in SQL.

use std::collections::BTreeMap;
use std::fmt;

use dbmigrate_runtime::Value;
use dbmigrate_runtime::engine::dialect::Dialect;
pub use dbmigrate_runtime::engine::losses::rows;
use dbmigrate_runtime::engine::sql::{self, OwnColumn, quote};
use dbmigrate_runtime::schema::{Column, Type};

use super::super::convert::{self, neutral};
use super::mapping::{Mapping, Unlisted};
use super::{closed, default_literal};

/// A column whose rows need a value, or a different one.
#[derive(Debug, Clone, PartialEq)]
pub struct Need {
    pub table: String,
    /// The column after the change.
    pub column: Column,
    /// The column before the change, unless it is new.
    pub was: Option<Column>,
    /// What rows with `NULL` get, if the model's default settles that.
    pub null: Option<String>,
    /// The reasons for the need.
    pub why: Vec<Why>,
    /// The tables that have a column of this name: in a subquery that reads one of them, the name
    /// isn't this column's.
    pub tables: Vec<String>,
    /// The dialect of the database that answers are for.
    pub dialect: &'static dyn Dialect,
    /// Whether only the database of this dialect needs the answer.
    pub is_of_one: bool,
}

/// Why a column's rows need a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The column is new and required, and has no default.
    New,
    /// The column becomes required.
    NotNull,
    /// The column is an enumeration that lost some of its values.
    Values,
    /// The new type may not hold the existing values.
    Narrower,
}

/// How many rows of a database need a value.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Held {
    pub by_why: Vec<(Why, i64)>,
    /// By each value that the column no longer accepts.
    pub by_value: BTreeMap<String, i64>,
}

impl Held {
    /// ` (2 rows)`, if the number is known.
    fn why(&self, why: Why) -> String {
        let n = self.by_why.iter().find(|(of, _)| *of == why).map(|(_, n)| *n);
        in_parentheses(n)
    }

    /// The same for the rows with one value.
    pub fn value(&self, value: &str) -> String {
        in_parentheses(self.by_value.get(value).copied())
    }
}

fn in_parentheses(n: Option<i64>) -> String {
    n.map_or(String::new(), |n| format!(" ({})", rows(n)))
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.question(&Held::default()))
    }
}

impl Need {
    /// The question about what rows get, with the number of rows if it is known.
    pub fn question(&self, held: &Held) -> String {
        let whys: Vec<_> = (self.why.iter())
            .map(|why| format!("{}{}", self.reason(*why), held.why(*why)))
            .collect();
        let mut column = format!("`{}`", self.place());
        if self.is_of_one {
            column += &format!(" on {}", self.dialect.backend());
        }
        format!("column {column} {}?", whys.join(", and it "))
    }

    fn reason(&self, why: Why) -> String {
        match why {
            Why::New => {
                "is new, NOT NULL and without a default: what value do existing rows get".to_owned()
            }
            Why::NotNull => "becomes NOT NULL: what value do rows with NULL get".to_owned(),
            Why::Values if !self.removed().is_empty() => {
                let removed = literals(&self.removed());
                format!("no longer allows {removed}: what value do rows that hold it get")
            }
            Why::Values => {
                let values = literals(self.values());
                format!("allows only {values}: what value do other rows get")
            }
            Why::Narrower => {
                let was = self.was.as_ref().map_or(String::new(), |column| column.ty.to_string());
                let was = if was.is_empty() { "no declared type" } else { &was };
                let now = &self.column.ty;
                format!("changes from {was} to {now}: what should values that don't fit become")
            }
        }
    }

    /// For each reason, the condition for the rows that need a value, or `None` if all rows do. The
    /// column may have another name in the database.
    pub fn conditions(&self, dialect: &dyn Dialect, column: &str) -> Vec<(Why, Option<String>)> {
        let condition = |why: &Why| match why {
            Why::New => Some((*why, None)),
            Why::NotNull => Some((*why, Some(format!("{} IS NULL", dialect.quote(column))))),
            Why::Values | Why::Narrower => {
                let was = self.was.as_ref()?;
                let misfit = dialect.misfit(column, &was.ty, &self.column.ty)?;
                Some((*why, Some(misfit)))
            }
        };
        self.why.iter().filter_map(condition).collect()
    }

    /// For each value that the column no longer accepts, the condition for the rows that hold it.
    pub fn removed_conditions(&self, dialect: &dyn Dialect, column: &str) -> Vec<(String, String)> {
        let column = dialect.quote(column);
        let condition = |value: String| {
            let condition = format!("{column} = {}", text(&value));
            (value, condition)
        };
        self.removed().into_iter().map(condition).collect()
    }

    /// The values that the column accepts, if it is an enumeration.
    pub fn values(&self) -> &[String] {
        match &self.column.ty {
            Type::Enum(_, values) => values,
            _ => &[],
        }
    }

    fn old_values(&self) -> &[String] {
        match self.was.as_ref().map(|column| &column.ty) {
            Some(Type::Enum(_, values)) => values,
            _ => &[],
        }
    }

    /// The values that the column no longer accepts.
    pub fn removed(&self) -> Vec<String> {
        let now = self.values();
        self.old_values().iter().filter(|old_value| !now.contains(old_value)).cloned().collect()
    }

    /// The values that the column accepts, starting with the new ones.
    pub fn choices(&self) -> Vec<String> {
        let (mut new, kept): (Vec<_>, Vec<_>) =
            self.values().iter().cloned().partition(|value| !self.old_values().contains(value));
        new.extend(kept);
        new
    }

    pub fn is(&self, why: Why) -> bool {
        self.why.contains(&why)
    }

    /// The `--fill` that gives this answer.
    pub fn flag(&self, expression: &str) -> String {
        let place = self.place();
        if self.is_of_one {
            format!("{}:{place}={expression}", self.dialect.backend().name())
        } else {
            format!("{place}={expression}")
        }
    }

    /// `table.column`
    pub fn place(&self) -> String {
        format!("{}.{}", self.table, self.column.name)
    }

    /// Whether it is known that the new type can't hold some values, and not only unknown whether
    /// it can.
    pub fn is_certain(&self) -> bool {
        let misfits = |was: &Column| {
            self.dialect.misfit(&self.column.name, &was.ty, &self.column.ty).is_some()
        };
        !self.is(Why::Narrower) || self.was.as_ref().is_none_or(misfits)
    }

    /// An expression that maps some values to others and keeps the rest.
    pub fn mapped(&self, pairs: &[(String, String)]) -> String {
        let column = self.plain_name();
        let whens: String = pairs
            .iter()
            .map(|(old, new)| format!(" WHEN {} THEN {}", text(old), text(new)))
            .collect();
        format!("CASE {column}{whens} ELSE {column} END")
    }

    /// The suggested answer.
    pub fn suggestion(&self) -> String {
        let column = &self.column;
        let is_not_null = self.is(Why::NotNull);
        if self.is(Why::Values) {
            let (removed, choices) = (self.removed(), self.choices());
            let is_new = choices.first().filter(|choice| !self.old_values().contains(choice));
            if let (&[old], Some(new), false) = (&removed.as_slice(), is_new, is_not_null) {
                return self.mapped(&[(old.clone(), new.clone())]);
            }
            return default_literal(column, self.dialect)
                .unwrap_or_else(|| neutral(column, self.dialect));
        }
        if self.is(Why::Narrower) {
            return self.counterpart().unwrap_or_else(|| self.kept());
        }
        neutral(column, self.dialect)
    }

    /// The answer by which rows keep their values, and an upgrade refuses those that don't fit.
    pub fn kept(&self) -> String {
        let name = self.plain_name();
        if self.is(Why::NotNull) {
            format!("coalesce({name}, {})", neutral(&self.column, self.dialect))
        } else {
            name
        }
    }

    /// The answer that gives each value what it is in the new type, where there is one. Where the
    /// column becomes NOT NULL as well, what can't be converted would be taken for NULL.
    pub fn counterpart(&self) -> Option<String> {
        let was = self.was.as_ref().filter(|_| !self.is(Why::NotNull) && self.null.is_none())?;
        convert::counterpart(&self.column.name, &was.ty, &self.column, self.dialect)
    }

    /// The column's name as a person writes it in SQL.
    pub fn plain_name(&self) -> String {
        let name = &self.column.name;
        let is_word = |name: &str| {
            name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                && !name.starts_with(|c: char| c.is_ascii_digit())
        };
        // Whether the name needs quotes depends on the keywords.
        if is_word(name) && self.dialect.lexicon().same_expression(name, &quote(name)) {
            name.clone()
        } else {
            quote(name)
        }
    }

    fn own_column(&self) -> OwnColumn<'_> {
        OwnColumn { table: &self.table, column: &self.column.name, tables: &self.tables }
    }

    /// Whether an answer names the column, and so applies to all rows.
    fn is_named_by(&self, answer: &str) -> bool {
        self.dialect.lexicon().names_own_column(answer, self.own_column())
    }

    /// What an answer reads that may have a column of the same name, since it is no known table.
    pub fn unclear_source(&self, answer: &str, is_known: impl Fn(&str) -> bool) -> Option<String> {
        // A new column has no values that an answer could replace.
        self.was.as_ref()?;
        self.dialect.lexicon().unclear_source(answer, self.own_column(), is_known)
    }

    /// A description of the rows that may lose their value by an answer.
    pub fn loss(&self, answer: &str) -> String {
        if self.is_named_by(answer) {
            let mapping = Mapping::of(answer, &self.column.name, self.dialect.lexicon());
            let replaced = mapping.as_ref().and_then(Mapping::replaced);
            return match replaced.as_deref() {
                Some(values @ [_, ..]) => format!("where it is {}", values.join(" or ")),
                _ => "in all rows that the expression changes".to_owned(),
            };
        }
        if self.is(Why::Values) {
            format!("where it is not one of {}", literals(self.values()))
        } else {
            format!("where it doesn't fit {}", self.column.ty)
        }
    }

    /// The expression for only those rows whose value doesn't fit the new type, if the answer
    /// doesn't name the column.
    pub fn fill(&self, answer: &str) -> Option<String> {
        let name = &self.column.name;
        if self.was.is_none() || !self.is(Why::Narrower) || self.is_named_by(answer) {
            return None;
        }
        Some(match &self.null {
            // The model's default applies to NULL, the answer to the rest.
            Some(null) => {
                let (name, answer) = (quote(name), closed(answer));
                format!("CASE WHEN {name} IS NULL THEN {null} ELSE {answer} END")
            }
            None => answer.to_owned(),
        })
    }

    /// The expression for the rows, from an answer or from the model's default. An answer that
    /// names the column applies to all rows; any other answer applies to rows with NULL or with
    /// a value that the column no longer accepts.
    pub fn using(&self, answer: Option<&str>) -> Option<String> {
        let column = quote(&self.column.name);
        let value = match answer {
            None => column,
            Some(answer) if self.dialect.lexicon().same_expression(answer, &column) => {
                answer.to_owned()
            }
            Some(answer) if self.was.is_none() || self.is_named_by(answer) => answer.to_owned(),
            Some(answer) if self.is(Why::Values) => {
                let values = literals(self.values());
                let null = if self.column.nullable || self.null.is_some() {
                    format!("{column} IS NULL OR ")
                } else {
                    String::new()
                };
                let answer = closed(answer);
                format!("CASE WHEN {null}{column} IN ({values}) THEN {column} ELSE {answer} END")
            }
            Some(answer) => format!("coalesce({column}, {})", closed(answer)),
        };
        // If there is no other reason, the answer applies to NULL.
        match self.null.as_ref().filter(|_| answer.is_none() || !self.why.is_empty()) {
            Some(null) => Some(format!("coalesce({}, {null})", closed(&value))),
            None => answer.map(|_| value),
        }
    }

    /// Whether the answer is `coalesce(column, ...)`, which keeps all existing values.
    pub fn fills_null(&self, expression: &str) -> bool {
        let tokens = self.dialect.lexicon().significant(expression);
        let [coalesce, open, column, comma, rest @ .., close] = tokens.as_slice() else {
            return false;
        };
        coalesce.is_word("coalesce")
            && open.is_symbol("(")
            && column.is_name(&self.column.name)
            && comma.is_symbol(",")
            && close.is_symbol(")")
            && sql::is_balanced(rest)
    }

    /// Whether the answer maps each value that rows may hold to a different one, which loses
    /// nothing.
    ///
    /// The values of an enumeration and of a boolean are known. Of integers and texts, those are
    /// known that the expression lists, and the rest must be kept, or be refused because a required
    /// column gets NULL. What other expressions make of them isn't known without the rows, so
    /// they may lose something.
    pub fn renames_values(&self, expression: &str) -> bool {
        let Some(was) = self.was.as_ref() else { return false };
        let Some(mapping) = Mapping::of(expression, &self.column.name, self.dialect.lexicon())
        else {
            return false;
        };
        let known: Vec<String> = match &was.ty {
            Type::Enum(_, values) => values.iter().map(|value| text(value)).collect(),
            Type::Boolean => vec!["0".to_owned(), "1".to_owned()],
            ty if ty.is_integer()
                || matches!(ty, Type::Text | Type::String(_)) && was.collation.is_none() =>
            {
                let now = &self.column;
                return mapping.is_one_to_one_for_any(Unlisted {
                    are_integers: ty.is_integer(),
                    // SQLite numbers the rows of an integer key that get NULL.
                    is_null_refused: !now.nullable && self.null.is_none() && !now.ty.is_integer(),
                });
            }
            _ => return false,
        };
        mapping.is_one_to_one(&known)
    }
}

fn text(text: &str) -> String {
    literal(&Value::Text(text.to_owned()))
}

fn literals(values: &[String]) -> String {
    let values: Vec<_> = values.iter().map(|value| text(value)).collect();
    values.join(", ")
}

/// A value as an SQL literal.
pub fn literal(value: &Value) -> String {
    match value {
        Value::Real(value) if value.is_nan() => "NULL".to_owned(),
        // SQL has no literal for infinity.
        Value::Real(value) if value.is_infinite() => {
            (if *value > 0.0 { "9e999" } else { "-9e999" }).to_owned()
        }
        Value::Null
        | Value::Bool(_)
        | Value::Integer(_)
        | Value::Real(_)
        | Value::Text(_)
        | Value::Blob(_) => value.to_string(),
    }
}
