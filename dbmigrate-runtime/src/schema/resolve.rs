//! Leaves one text of SQL: the one of a database.
//!
//! Dialects get tables and operations in this form only, so that they don't choose among texts.

use std::borrow::Cow;

use super::{Column, DefaultValue, Index, IndexColumn, IndexTerm, Schema, Sql, Table};
use crate::backend::Backend;

/// SQL that has texts for other databases only: what it is for, such as ``check `ck_age` ``.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NoText(pub(crate) String);

/// Something that contains SQL.
pub(crate) trait HasSql: Clone {
    /// Calls the function with each SQL and a description of what it is for.
    fn each_sql(&mut self, each: &mut dyn FnMut(&dyn Fn() -> String, &mut Sql));

    /// Whether any of its SQL has different texts for different databases.
    fn differs(&self) -> bool;

    /// The same with the texts of one database.
    fn resolved(&self, backend: Backend) -> Result<Cow<'_, Self>, NoText> {
        if !self.differs() {
            return Ok(Cow::Borrowed(self));
        }
        let mut resolved = self.clone();
        let mut missing = None;
        resolved.each_sql(&mut |what, sql| match sql.text(backend) {
            Some(text) => *sql = Sql::from(text),
            None => missing = missing.take().or_else(|| Some(NoText(what()))),
        });
        missing.map_or(Ok(Cow::Owned(resolved)), Err)
    }

    /// The same, where SQL without a text for the database keeps those that it has.
    fn settle(&mut self, backend: Backend) {
        if self.differs() {
            self.each_sql(&mut |_, sql| {
                if let Some(text) = sql.text(backend) {
                    *sql = Sql::from(text);
                }
            });
        }
    }
}

impl Sql {
    fn differs(&self) -> bool {
        !self.by_dialect.is_empty()
    }
}

impl HasSql for Column {
    fn each_sql(&mut self, each: &mut dyn FnMut(&dyn Fn() -> String, &mut Sql)) {
        let name = &self.name;
        if let Some(DefaultValue::Sql(sql)) = &mut self.default {
            each(&|| format!("the default of column `{name}`"), sql);
        }
        if let Some(generated) = &mut self.generated {
            each(&|| format!("the expression of column `{name}`"), &mut generated.expression);
        }
    }

    fn differs(&self) -> bool {
        let generated = self.generated.as_ref();
        matches!(&self.default, Some(DefaultValue::Sql(sql)) if sql.differs())
            || generated.is_some_and(|generated| generated.expression.differs())
    }
}

impl HasSql for Index {
    fn each_sql(&mut self, each: &mut dyn FnMut(&dyn Fn() -> String, &mut Sql)) {
        let name = &self.name;
        for column in &mut self.columns {
            if let IndexTerm::Expression(sql) = &mut column.term {
                each(&|| format!("an expression of index `{name}`"), sql);
            }
        }
        if let Some(sql) = &mut self.filter {
            each(&|| format!("the condition of index `{name}`"), sql);
        }
    }

    fn differs(&self) -> bool {
        let of_column = |column: &IndexColumn| matches!(&column.term, IndexTerm::Expression(sql) if sql.differs());
        self.columns.iter().any(of_column) || self.filter.as_ref().is_some_and(Sql::differs)
    }
}

impl HasSql for super::Check {
    fn each_sql(&mut self, each: &mut dyn FnMut(&dyn Fn() -> String, &mut Sql)) {
        let name = &self.name;
        each(&|| format!("check `{name}`"), &mut self.expression);
    }

    fn differs(&self) -> bool {
        self.expression.differs()
    }
}

impl HasSql for Table {
    fn each_sql(&mut self, each: &mut dyn FnMut(&dyn Fn() -> String, &mut Sql)) {
        self.columns.iter_mut().for_each(|column| column.each_sql(each));
        self.checks.iter_mut().for_each(|check| check.each_sql(each));
        self.indexes.iter_mut().for_each(|index| index.each_sql(each));
    }

    fn differs(&self) -> bool {
        self.columns.iter().any(HasSql::differs)
            || self.checks.iter().any(HasSql::differs)
            || self.indexes.iter().any(HasSql::differs)
    }
}

impl Table {
    /// Leaves each text that is for one database: that of this one. SQL without such a text is left
    /// as it is.
    #[doc(hidden)]
    pub fn settle(&mut self, backend: Backend) {
        HasSql::settle(self, backend);
    }
}

impl Schema {
    /// Does the same to all tables.
    #[doc(hidden)]
    pub fn settle(&mut self, backend: Backend) {
        let is_open = |table: &Table| {
            let mut settled = table.clone();
            settled.settle(backend);
            settled != *table
        };
        self.tables.matching_mut(is_open).for_each(|table| table.settle(backend));
    }
}
