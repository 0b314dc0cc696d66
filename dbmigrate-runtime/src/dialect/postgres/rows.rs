//! The rows of the catalog's queries, as plain values.

use super::POSTGRES;
use crate::Value;
use crate::dialect::{Object, ObjectKind, Trigger, User};
use crate::sql::{Kind, Token};

/// Reads the values of a row from left to right. A value of another kind is read as none, since the
/// queries determine the kinds.
struct Cells(std::vec::IntoIter<Value>);

impl Cells {
    fn text(&mut self) -> Option<String> {
        match self.0.next() {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    fn name(&mut self) -> String {
        self.text().unwrap_or_default()
    }

    fn number(&mut self) -> i64 {
        match self.0.next() {
            Some(Value::Integer(number)) => number,
            _ => 0,
        }
    }

    fn is(&mut self) -> bool {
        self.0.next() == Some(Value::Bool(true))
    }

    fn names(&mut self) -> Vec<String> {
        self.text().map_or_else(Vec::new, |list| names(&list))
    }
}

/// The names in a list that the server quoted and joined with commas.
pub(super) fn names(list: &str) -> Vec<String> {
    let tokens = POSTGRES.significant(list);
    tokens.iter().filter_map(Token::identifier).map(|name| name.into_owned()).collect()
}

/// The texts in a list that the server quoted and joined with commas.
fn texts(list: &str) -> Vec<String> {
    let tokens = POSTGRES.significant(list);
    let texts = tokens.iter().filter(|token| token.kind == Kind::Text);
    texts.filter_map(Token::unquoted).map(|text| text.into_owned()).collect()
}

/// A table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Relation {
    pub(super) oid: i64,
    pub(super) name: String,
    /// The schema that the name begins with.
    pub(super) schema: Option<String>,
    /// `p` for a permanent, `u` for an unlogged and `t` for a temporary table.
    pub(super) persistence: String,
    pub(super) options: Option<String>,
    pub(super) comment: Option<String>,
    /// How a partitioned table is partitioned.
    pub(super) partition_key: Option<String>,
    pub(super) has_row_security: bool,
    pub(super) forces_row_security: bool,
    /// `d` for the default: the primary key.
    pub(super) replica_identity: String,
    pub(super) tablespace: Option<String>,
    /// The access method, if it isn't the usual one.
    pub(super) method: Option<String>,
    /// The tables that it inherits from, quoted.
    pub(super) parents: Option<String>,
    /// The composite type that defines its columns.
    pub(super) of_type: Option<String>,
}

impl Relation {
    pub(super) fn read(row: Vec<Value>) -> Relation {
        let mut row = Cells(row.into_iter());
        Relation {
            oid: row.number(),
            name: row.name(),
            schema: row.text(),
            persistence: row.name(),
            options: row.text().filter(|options| !options.is_empty()),
            comment: row.text(),
            partition_key: row.text(),
            has_row_security: row.is(),
            forces_row_security: row.is(),
            replica_identity: row.name(),
            tablespace: row.text(),
            method: row.text(),
            parents: row.text(),
            of_type: row.text(),
        }
    }
}

/// A column of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ColumnRow {
    pub(super) table: i64,
    pub(super) number: i64,
    pub(super) name: String,
    /// The type as `format_type` writes it.
    pub(super) ty: String,
    pub(super) is_required: bool,
    /// `a` for ALWAYS, `d` for BY DEFAULT.
    pub(super) identity: String,
    /// `s` for a stored, `v` for a virtual expression.
    pub(super) generated: String,
    /// The default, or the expression of a generated column.
    pub(super) expression: Option<String>,
    /// The collation, if it isn't the type's.
    pub(super) collation: Option<String>,
    pub(super) comment: Option<String>,
    /// The enumeration that is the type, or that of the array's elements, if its name needs no
    /// qualifier.
    pub(super) enumeration: Option<String>,
    pub(super) labels: Vec<String>,
    pub(super) is_array: bool,
    /// Whether the default takes values from the column's own sequence.
    pub(super) is_serial: bool,
    /// Unusual options of the column's own sequence, as words; `None` without a sequence.
    pub(super) sequence: Option<String>,
}

impl ColumnRow {
    pub(super) fn read(row: Vec<Value>) -> ColumnRow {
        let mut row = Cells(row.into_iter());
        ColumnRow {
            table: row.number(),
            number: row.number(),
            name: row.name(),
            ty: row.name(),
            is_required: row.is(),
            identity: row.name(),
            generated: row.name(),
            expression: row.text(),
            collation: row.text(),
            comment: row.text(),
            enumeration: row.text(),
            labels: row.text().map_or_else(Vec::new, |list| texts(&list)),
            is_array: row.is(),
            is_serial: row.is(),
            sequence: row.text(),
        }
    }
}

/// A constraint of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ConstraintRow {
    pub(super) table: i64,
    pub(super) name: String,
    /// `p`, `u`, `f`, `c`, `x` for an exclusion, `n` for NOT NULL.
    pub(super) kind: String,
    pub(super) is_deferrable: bool,
    pub(super) is_deferred: bool,
    pub(super) is_validated: bool,
    pub(super) is_not_inherited: bool,
    pub(super) is_enforced: bool,
    /// Whether the last column is a period of time.
    pub(super) has_period: bool,
    pub(super) columns: Vec<String>,
    pub(super) references: Option<String>,
    pub(super) references_columns: Vec<String>,
    pub(super) on_update: String,
    pub(super) on_delete: String,
    /// `s` for the default: MATCH SIMPLE.
    pub(super) matches: String,
    /// The columns that ON DELETE sets, if not all of them.
    pub(super) delete_columns: Vec<String>,
    /// The condition of a check, or the definition of an exclusion.
    pub(super) expression: Option<String>,
    pub(super) index: i64,
    /// The operators of an exclusion.
    pub(super) operators: Vec<String>,
}

impl ConstraintRow {
    pub(super) fn read(row: Vec<Value>) -> ConstraintRow {
        let mut row = Cells(row.into_iter());
        ConstraintRow {
            table: row.number(),
            name: row.name(),
            kind: row.name(),
            is_deferrable: row.is(),
            is_deferred: row.is(),
            is_validated: row.is(),
            is_not_inherited: row.is(),
            is_enforced: row.is(),
            has_period: row.is(),
            columns: row.names(),
            references: row.text(),
            references_columns: row.names(),
            on_update: row.name(),
            on_delete: row.name(),
            matches: row.name(),
            delete_columns: row.names(),
            expression: row.text(),
            index: row.number(),
            operators: row.text().map_or_else(Vec::new, |text| {
                // No operator has a comma in its name.
                text.split(',').map(str::to_owned).collect()
            }),
        }
    }
}

/// A column or an expression of an index.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct IndexRow {
    pub(super) table: i64,
    pub(super) index: i64,
    pub(super) name: String,
    pub(super) method: String,
    pub(super) is_unique: bool,
    pub(super) is_valid: bool,
    pub(super) nulls_not_distinct: bool,
    pub(super) is_of_constraint: bool,
    pub(super) filter: Option<String>,
    pub(super) options: Option<String>,
    pub(super) tablespace: Option<String>,
    /// Whether it belongs to the key; otherwise it is only included.
    pub(super) is_key: bool,
    pub(super) column: Option<String>,
    pub(super) expression: Option<String>,
    /// 1 for DESC, 2 for NULLS FIRST.
    pub(super) order: i64,
    /// The operator class, if it isn't the type's default.
    pub(super) class: Option<String>,
    /// The collation, if it isn't the column's.
    pub(super) collation: Option<String>,
    /// The whole definition, if this is an expression with an unusual collation, which may be its
    /// own.
    pub(super) definition: Option<String>,
}

impl IndexRow {
    pub(super) fn read(row: Vec<Value>) -> IndexRow {
        let mut row = Cells(row.into_iter());
        IndexRow {
            table: row.number(),
            index: row.number(),
            name: row.name(),
            method: row.name(),
            is_unique: row.is(),
            is_valid: row.is(),
            nulls_not_distinct: row.is(),
            is_of_constraint: row.is(),
            filter: row.text(),
            options: row.text().filter(|options| !options.is_empty()),
            tablespace: row.text(),
            is_key: row.is(),
            column: row.text(),
            expression: row.text(),
            order: row.number(),
            class: row.text(),
            collation: row.text(),
            definition: row.text(),
        }
    }
}

/// An object, from a row of [`objects`](super::queries::objects).
pub(super) fn object(row: Vec<Value>) -> Option<Object> {
    let mut row = Cells(row.into_iter());
    let kind = row.text()?;
    let kind = ObjectKind::ALL.into_iter().find(|known| known.as_str() == kind)?;
    let (name, table, sql) = (row.name(), row.name(), row.text());
    Some(Object { kind, name, table, sql, temporary: row.is() })
}

pub(super) fn pair(row: Vec<Value>) -> Option<(String, String)> {
    match <[Value; 2]>::try_from(row) {
        Ok([Value::Text(table), Value::Text(column)]) => Some((table, column)),
        _ => None,
    }
}

/// A row of texts.
pub(super) fn texts_of<const N: usize>(row: Vec<Value>) -> [Option<String>; N] {
    let mut row = Cells(row.into_iter());
    std::array::from_fn(|_| row.text())
}

pub(super) fn trigger(row: Vec<Value>) -> Option<Trigger> {
    match <[Value; 3]>::try_from(row) {
        Ok([Value::Text(table), Value::Text(name), Value::Bool(always)]) => {
            Some(Trigger { table, name, always })
        }
        _ => None,
    }
}

pub(super) fn user([table, column, what, name]: [Option<String>; 4]) -> User {
    let [table, what, name] = [table, what, name].map(Option::unwrap_or_default);
    User { table, column, what, name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_that_the_server_quoted_are_split_again() {
        assert_eq!(names(r#"id,"Odd, ""Name""""#), ["id", "Odd, \"Name\""]);
        assert_eq!(texts(r"'a','it''s, fine',E'a\\b'"), ["a", "it's, fine", r"a\b"]);
    }
}
