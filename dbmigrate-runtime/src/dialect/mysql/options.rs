//! Changes of a table's engine and of what its texts are stored and compared by.

use super::charset;
use super::class::{self, Class};
use super::clause::Clause;
use super::column::Definition;
use super::effect::Effect;
use super::guards;
use super::planner::Planner;
use super::types;
use crate::dialect::Refusal;
use crate::schema::Table;

impl Planner<'_> {
    /// Changes the options of a table. The texts of columns without a collation of their own are
    /// converted in the same statement.
    pub(super) fn alter_options(
        &mut self,
        idx: usize,
        [before, after]: [&Table; 2],
    ) -> Result<(), Refusal> {
        let table = &after.name;
        // What a table of this engine can't have is refused.
        self.ddl(idx).create_table(after, |_| true)?;
        if charset::is_innodb(before) && !charset::is_innodb(after) && self.is_referred_to(table) {
            let why = "a foreign key of another table refers to it, and only InnoDB has them";
            return Err(self.ddl(idx).refuse(why, "drop that foreign key first"));
        }
        let mut clauses = Vec::new();
        let engine = charset::engine(after);
        if !charset::engine(before).eq_ignore_ascii_case(engine) {
            let sql = format!("ENGINE={engine}");
            clauses.push(Clause::new(sql, Class::Open, "", Effect::Unseen));
        }
        let collation = charset::of_table(self.flavor, after);
        if charset::of_table(self.flavor, before) != collation {
            let name = charset::of(&collation);
            let sql = format!("DEFAULT CHARSET={name} COLLATE={collation}");
            clauses.push(Clause::new(sql, class::small(self.flavor), "", Effect::Unseen));
            for column in &after.columns {
                let Some(was) = before.find_column(&column.name) else { continue };
                if !types::is_collated(self.flavor, &column.ty) {
                    continue;
                }
                let own = charset::of_column(self.flavor, after, column);
                let from = charset::of_column(self.flavor, before, was);
                if own == from {
                    // What it leaves out, it has taken from the table so far.
                    if let Some(part) = self.own_part(table, &column.name) {
                        part.definition.collate.get_or_insert(own);
                    }
                    continue;
                }
                self.guard_characters(table, &column.name, [&from, &own]);
                self.set_keys_aside(idx, table, &column.name);
                let ddl = self.ddl(idx);
                let (was, is) = (ddl.definition(before, was)?, ddl.definition(after, column)?);
                let target = self.whole(idx, (table, &column.name), [&was, &is])?;
                let target = Definition { charset: None, collate: Some(own), ..target };
                clauses.push(self.modify_column(table, &column.name, &target, Class::Open));
            }
        }
        self.alter(idx, table, clauses);
        Ok(())
    }

    /// Looks for characters that another character set lacks.
    pub(super) fn guard_characters(&mut self, table: &str, column: &str, [from, to]: [&str; 2]) {
        let (from, to) = (charset::of(from), charset::of(to));
        if from != to && !charset::has_all(to) {
            let guard = guards::characters((table, column), to);
            self.guard_existing(table, guard);
        }
    }

    /// Whether a foreign key of another table refers to this one.
    fn is_referred_to(&self, table: &str) -> bool {
        let mut others = self.schema.tables.values().filter(|other| other.name != table);
        others.any(|other| other.foreign_keys.iter().any(|key| key.references_table == table))
    }
}
