//! Changes of rows.

use super::flavor::{closed, quote, quoted};
use super::guards;
use super::planner::Planner;
use crate::dialect::Refusal;
use crate::schema::Table;

impl Planner<'_> {
    /// Gives rows a value.
    pub(super) fn update(
        &mut self,
        idx: usize,
        (table, column): (&Table, &str),
        value: &str,
        condition: Option<&str>,
    ) -> Result<(), Refusal> {
        if !self.created.contains(&table.name) {
            let what = self.named(idx).to_string();
            self.guard(guards::no_update_trigger(&what, &table.name));
        }
        let column_name = column;
        let (own, column) = (quote(&table.name), quote(column));
        let place = condition.map_or(String::new(), |condition| format!(" WHERE {condition}"));
        // Columns that each change sets to the current time stay as they are.
        let times: String = (table.columns.iter())
            .filter(|other| other.on_update_now && other.name != column_name)
            .map(|other| format!(", {own}.{0} = {own}.{0}", quote(&other.name)))
            .collect();
        let sql = if self.is_read_by(&table.name, value) {
            let Some(key) = &table.primary_key else {
                let name = &table.name;
                let why = format!(
                    "the expression `{value}` reads table `{name}`, whose rows it changes, which \
                     MySQL can't do in a table without a primary key"
                );
                let hint = "give the rows their values in a step: `op.run(\"...\", |db| ...)`";
                return Err(self.ddl(idx).refuse(&why, hint));
            };
            let is_same: Vec<_> = key
                .columns
                .iter()
                .map(|name| format!("{own}.{0} = dbmigrate_value.{0}", quote(name)))
                .collect();
            // With a limit, the values are found before the first of them is stored.
            format!(
                "UPDATE {own} JOIN (SELECT {}, {} AS dbmigrate_new FROM {own}{place} LIMIT {}) AS \
                 dbmigrate_value ON {} SET {own}.{column} = \
                 dbmigrate_value.dbmigrate_new{times}",
                quoted(&key.columns),
                closed(value),
                u64::MAX,
                is_same.join(" AND ")
            )
        } else {
            format!("UPDATE {own} SET {column} = {}{times}{place}", closed(value))
        };
        self.change_column(idx, sql, column_name);
        Ok(())
    }

    /// Whether an expression has a query over the table. MySQL refuses to change rows that it reads.
    fn is_read_by(&self, table: &str, value: &str) -> bool {
        let lexicon = self.flavor.lexicon();
        !self.flavor.is_mariadb()
            && lexicon.mentions(value, table)
            && lexicon.significant(value).iter().any(|token| token.is_word("SELECT"))
    }
}
