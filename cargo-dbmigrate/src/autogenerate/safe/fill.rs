//! Gives existing rows their values in steps of their own.

use dbmigrate_runtime::engine::recording::{Allowed, NO_WAY_BACK};
use dbmigrate_runtime::engine::sql;
use dbmigrate_runtime::operations::{Batch, Operation, Sql, Step};

use super::{Divider, Phase};
use crate::autogenerate::closed;

/// The number of rows in a piece of a fill.
const PIECE: usize = 1000;

/// A step that fills a column.
pub(super) struct Fill {
    phase: Phase,
    step: Operation,
    /// The code of its function.
    code: String,
    column: String,
}

impl Divider<'_> {
    pub(super) fn push_fill(&mut self, fill: Option<Fill>) {
        let Some(Fill { phase, step, code, column }) = fill else { return };
        let part = self.parts.entry(phase).or_default();
        if part.upgrade.allowed.is_empty() {
            part.upgrade.allowed.push(Allowed {
                operation: 0,
                rule: NO_WAY_BACK.to_owned(),
                reason: "filled values stay, or go with their column".to_owned(),
            });
        }
        part.upgrade.code.insert(part.upgrade.operations.len(), code);
        self.push(phase, step, Some(format!("column `{column}`")));
    }

    /// A step that fills a column in pieces, with the code of its function, if the table has a key
    /// by which it can be divided and the expression is the same on every database.
    pub(super) fn fill(&self, table: &str, column: &str, value: &Sql) -> Option<Fill> {
        let phase = if self.copies(table, value) { Phase::Copy } else { Phase::Fill };
        let value = value.any.as_deref().filter(|_| value.by_dialect.is_empty())?;
        let found = self.schema.table(table)?;
        let [key] = found.primary_key.as_ref()?.columns.as_slice() else { return None };
        let is_integer = found.find_column(key).is_some_and(|key| key.ty.is_integer());
        let is_simple = !table.contains('.') && !key.contains('.') && !value.contains('?');
        if !is_integer || !is_simple || self.new.contains(table) {
            return None;
        }
        let [of_table, of_column, of_key] = [table, column, key].map(sql::quote);
        let value = closed(value);
        let code = format!(
            "UPDATE {of_table} SET {of_column} = {value} WHERE {of_column} IS NULL AND {of_key} \
             BETWEEN ?1 AND ?2"
        );
        let column = format!("{table}.{column}");
        let name = format!("fill {column}");
        let batch = Batch {
            table: table.to_owned(),
            columns: vec![key.clone()],
            size: PIECE,
            action: None,
        };
        let step = Operation::Run(Step { name, action: None, batch: Some(batch) });
        Some(Fill { phase, step, code, column })
    }

    /// Whether a value comes from columns, which the previous release may change after it was
    /// copied, and not from literals alone.
    fn copies(&self, table: &str, value: &Sql) -> bool {
        let Some(found) = self.schema.table(table) else { return true };
        let own = table.rsplit('.').next().unwrap_or(table);
        let columns = found.columns.iter().map(|column| column.name.as_str());
        let mut names = columns.chain([own, "select"]);
        names.any(|name| value.texts().any(|text| self.mentions(text, name)))
    }

    /// Whether a text contains a name, as one of the databases reads it.
    pub(super) fn mentions(&self, text: &str, name: &str) -> bool {
        self.dialects.iter().any(|dialect| dialect.lexicon().mentions(text, name))
    }

    /// Names a new column whose value is copied at once, since it can't be filled later.
    pub(super) fn warn_of_copy(&mut self, table: &str, column: &str, value: Option<&Sql>) {
        if value.is_some_and(|value| self.copies(table, value)) {
            self.unsafe_changes
                .push(format!("column `{table}.{column}` is copied from other columns at once"));
        }
    }
}
