//! What tables of a storage engine can't have.

use super::charset;
use super::ddl::Ddl;
use crate::dialect::Refusal;
use crate::schema::{Column, Table};

/// Stores a table as a file of texts.
const CSV: &str = "CSV";

const HINT: &str = "use another engine, such as InnoDB";

impl Ddl<'_> {
    /// Refuses a key or an index, described by `what`, where the engine has none.
    pub(super) fn has_keys(&self, table: &Table, what: &str) -> Result<(), Refusal> {
        if !is_csv(table) {
            return Ok(());
        }
        let why = format!("table `{}` has the engine `{CSV}`, which has no {what}", table.name);
        Err(self.refuse(&why, HINT))
    }

    /// Refuses a column that can be NULL where the engine has no such columns.
    pub(super) fn has_nulls(&self, table: &Table, column: &Column) -> Result<(), Refusal> {
        if !is_csv(table) || !column.nullable {
            return Ok(());
        }
        let why = format!(
            "column `{}` can be NULL, and table `{}` has the engine `{CSV}`, which has no such \
             columns",
            column.name, table.name
        );
        Err(self.refuse(&why, "make the column NOT NULL, or use another engine, such as InnoDB"))
    }
}

fn is_csv(table: &Table) -> bool {
    charset::engine(table).eq_ignore_ascii_case(CSV)
}
