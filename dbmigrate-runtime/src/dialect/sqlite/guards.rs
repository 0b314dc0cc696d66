//! The conditions that rows must meet before or after a change of their table.

use std::collections::BTreeMap;

use super::super::Guard;
use super::affinity::{Server, Stored};
use super::ddl::{Ddl, any};
use super::definition::ColumnItem;
use super::edit::same_name;
use super::{convert, filled, hint};
use crate::dialect::sqlite::lexicon::LEXICON;
use crate::schema::{Table, Type};
use crate::sql::quote;

pub(super) fn not_null(table: &str, column: &str, ty: Option<&Type>) -> Guard {
    let (table_sql, column_sql) = (quote(table), quote(column));
    let sql = any(&format!("{table_sql} WHERE {column_sql} IS NULL"));
    Guard::not_null(sql, table, column, hint::for_null(column, ty))
}

pub(super) fn no_rows(table: &str, column: &str) -> Guard {
    let table_sql = quote(table);
    let sql = any(&format!("{table_sql} NOT INDEXED"));
    Guard::no_rows(sql, table, column)
}

/// What expressions give to the columns of a table that is rebuilt.
pub(super) struct Given<'a> {
    pub ddl: &'a Ddl<'a>,
    pub before: &'a Table,
    pub after: &'a Table,
    /// By column, what all rows take.
    pub values: &'a BTreeMap<String, Option<String>>,
    /// By column, what the rows take whose value doesn't fit.
    pub fills: &'a BTreeMap<String, filled::Fill>,
}

impl Given<'_> {
    /// Finds values that the column was given and that don't fit it, in the table under the name
    /// that it has meanwhile.
    pub(super) fn check(&self, names: (&str, &str), item: &ColumnItem) -> Option<Guard> {
        let name = &item.name;
        let is_its = |column: &String| same_name(column, name);
        let set = self.values.iter().find(|(column, _)| is_its(column));
        let fill = || self.fills.iter().find(|(column, _)| is_its(column));
        let expression = match set {
            Some((_, value)) => value.as_deref()?,
            None => &fill()?.1.expression,
        };
        let column = self.after.columns.iter().find(|column| is_its(&column.name))?;
        // What stays was looked at before, or is what it was.
        let was = self.before.find_column(name).filter(|was| was.ty == column.ty);
        let stays = LEXICON.same_expression(expression, &quote(name))
            || was.is_some() && convert::fills_null(expression, name);
        if stays {
            return None;
        }
        let stored = Stored { declared: &item.ty, column };
        convert::check_given(names, &stored, expression, Server::of(self.ddl.facts))
    }
}
