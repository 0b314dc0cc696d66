//! The changes of one table in one statement.

use std::collections::BTreeSet;

use super::class::{self, Class};
use super::clause::{Alter, Clause, Reason, merged};
use super::column::Definition;
use super::effect::Effect;
use super::flavor::quote;
use super::limits::{self, Limits};
use super::parse::{self, Parsed};
use super::planner::Planner;
use super::{charset, ddl, index, size};
use crate::dialect::{Alone, Cost, Statement, StatementKind, Task};
use crate::operations::Operation;
use crate::schema::{Index, Table};

impl Planner<'_> {
    /// Adds clauses that have to be in one statement.
    pub(super) fn alter(&mut self, idx: usize, table: &str, clauses: Vec<Clause>) {
        let Some(class) = merged(clauses.iter().map(|clause| clause.class)) else { return };
        // What is possible there depends on more than the change.
        let class = self.limits(table).of_change(class);
        let is_new = self.created.contains(table);
        let joins = self.open.as_ref().is_some_and(|open| {
            let class = open.class.merged(class);
            let is_known = |clause: &Clause| {
                let mut names = clause.names.iter().map(|name| name.to_lowercase());
                let mut needs = clause.needs.iter().map(|name| name.to_lowercase());
                names.any(|name| open.names.contains(&name))
                    || needs
                        .any(|name| open.names.contains(&name) && !open.new_columns.contains(&name))
            };
            open.table == table && (is_new || class.is_some()) && !clauses.iter().any(is_known)
        });
        if !joins {
            self.flush();
        }
        let (text, operation) = (self.reason(idx), self.named(idx).to_string());
        let open = self.open.get_or_insert_with(|| Alter {
            table: table.to_owned(),
            clauses: Vec::new(),
            class,
            names: BTreeSet::new(),
            new_columns: BTreeSet::new(),
            reasons: Vec::new(),
        });
        open.class = open.class.merged(class).unwrap_or(Class::Open);
        for clause in clauses {
            open.names.extend(clause.names.iter().map(|name| name.to_lowercase()));
            if clause.is_new_column {
                open.new_columns.extend(clause.names.iter().map(|name| name.to_lowercase()));
            }
            open.names.extend(clause.needs.iter().map(|name| name.to_lowercase()));
            for name in &clause.names {
                self.touched.insert(name.to_lowercase());
            }
            open.clauses.push(clause);
        }
        match open.reasons.iter_mut().find(|known| known.text == text) {
            Some(known) => known.class = class.max(known.class),
            None => open.reasons.push(Reason { text, operation, class }),
        }
    }

    /// What tables have before anything changes.
    pub(super) fn look_at_tables(&mut self) {
        for name in self.operations.iter().flat_map(Operation::tables) {
            if let Some(table) = self.schema.table(name) {
                let limits = Limits::of(self.flavor, table).lasting();
                self.limits.insert(table.name.clone(), limits);
            }
        }
        for (name, sql) in &self.facts.existing.definitions {
            let unread = || Parsed { unread: Some(sql.clone()), ..Parsed::default() };
            let parsed = parse::parse(self.flavor, sql).unwrap_or_else(unread);
            self.limits.entry(name.clone()).or_default().extend(Limits::of_existing(&parsed));
            self.definitions.insert(name.clone(), parsed);
        }
    }

    /// What a table has, or had before this plan, that makes changes more expensive.
    pub(super) fn limits(&self, table: &str) -> Limits {
        let mut limits = self.limits.get(table).cloned().unwrap_or_default();
        if let Some(own) = self.schema.table(table) {
            limits.extend(Limits::of(self.flavor, own));
        }
        limits
    }

    /// The class of a new unique constraint.
    pub(super) fn unique_class(&self, table: &Table, columns: &[String]) -> Class {
        if size::is_hashed(self.flavor, table, columns) {
            return Class::Copy;
        }
        if self.flavor.is_mariadb() && limits::may_order_rows(table, columns) {
            return self.limits(&table.name).of_rebuild(self.flavor, Class::Rebuild);
        }
        Class::NoCopy
    }

    /// The class of a new index.
    pub(super) fn index_class(&self, table: &Table, index: &Index) -> Class {
        let columns: Vec<String> = size::columns_of(index).into_iter().cloned().collect();
        let has_expression = columns.len() < index.columns.len();
        if ddl::is_hashed_index(self.flavor, table, index) || (has_expression && index.unique) {
            Class::Copy
        } else if has_expression || index::special(index).is_some() {
            Class::Shared
        } else if index.unique {
            self.unique_class(table, &columns)
        } else {
            Class::NoCopy
        }
    }

    /// The class of an index that is dropped in the same statement.
    pub(super) fn index_again_class(&self, table: &Table, index: &Index) -> Class {
        let has_expression = size::columns_of(index).len() < index.columns.len();
        if has_expression { Class::Copy } else { self.index_class(table, index) }
    }

    /// How a column gets another definition.
    pub(super) fn modified(&self, table: &str, was: &Definition, to: &Definition) -> Class {
        // What a definition leaves out, it takes from the table.
        let of_table = self.schema.table(table).map(|own| charset::of_table(self.flavor, own));
        let resolved = |definition: &Definition| {
            let own = definition.charset.as_deref().map(charset::default_of);
            let collate = definition.collate.clone().or(own).or_else(|| of_table.clone());
            Definition { charset: None, collate, ..definition.clone() }
        };
        let class = class::modify(self.flavor, &resolved(was), &resolved(to));
        self.limits(table).of_rebuild(self.flavor, class)
    }

    /// Ends the statement that changes are added to.
    pub(super) fn flush(&mut self) {
        let Some(open) = self.open.take() else { return };
        let effect = open.effect();
        let Alter { table, clauses, class, reasons, .. } = open;
        let clauses: Vec<String> = clauses.into_iter().map(|clause| clause.sql).collect();
        let is_new = self.created.contains(&table);
        let mut sql = format!("ALTER TABLE {}", quote(&table));
        sql += &match clauses.as_slice() {
            [clause] => format!(" {clause}"),
            clauses => format!("\n    {}", clauses.join(",\n    ")),
        };
        if !is_new && self.facts.asserts_classes {
            sql += class.asserted(self.flavor);
        }
        let cost_of = |class: Class| class.cost(&table, self.flavor, self.facts);
        let cost = (!is_new).then(|| {
            let whole = cost_of(class);
            let blocks = |cost: &Cost| cost.locks.iter().map(|(_, lock)| lock.blocks).max();
            let is_cause = |own: Class| {
                let own = cost_of(own);
                (own.work, blocks(&own)) == (whole.work, blocks(&whole))
            };
            let causes = reasons.iter().filter(|reason| is_cause(reason.class));
            let causes: Vec<String> = causes.map(|reason| reason.operation.clone()).collect();
            let is_whole = causes.len() == reasons.len();
            Cost { causes: if is_whole { Vec::new() } else { causes }, ..whole }
        });
        let reasons: Vec<String> = reasons.into_iter().map(|reason| reason.text).collect();
        self.push_alone(sql, reasons.join(", "), effect, cost);
    }

    /// Adds a statement that commits by itself.
    pub(super) fn define(&mut self, idx: usize, sql: String, effect: Effect, cost: Option<Cost>) {
        self.flush();
        self.push_alone(sql, self.reason(idx), effect, cost);
    }

    fn push_alone(&mut self, sql: String, reason: String, effect: Effect, cost: Option<Cost>) {
        let (kind, cost) = (StatementKind::Native, class::of_definition(cost, self.facts));
        let statement = Statement { sql, reason, kind, scratch: None, cost };
        let is_done = effect.query();
        self.tasks.push(Task::Alone(Alone { statement, is_done, remnant: None }));
    }

    /// Adds a statement that changes rows.
    pub(super) fn change_rows(&mut self, idx: usize, sql: String) {
        self.push_rows(idx, sql);
        self.has_changed_rows = true;
    }

    /// Adds a statement that changes the values of one column.
    pub(super) fn change_column(&mut self, idx: usize, sql: String, column: &str) {
        self.push_rows(idx, sql);
        self.touched.insert(column.to_lowercase());
    }

    fn push_rows(&mut self, idx: usize, sql: String) {
        self.flush();
        let reason = self.reason(idx);
        let (kind, cost) = (StatementKind::Native, Some(class::of_rows()));
        self.tasks.push(Task::Statement(Statement { sql, reason, kind, scratch: None, cost }));
    }
}
