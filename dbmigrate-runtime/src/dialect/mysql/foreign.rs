//! Foreign keys, and the indexes that they have for themselves.

use super::class::{self, Class};
use super::clause::Clause;
use super::effect::Effect;
use super::flavor::quote;
use super::keys;
use super::planner::{Pending, Planner};
use crate::dialect::Refusal;
use crate::operations::Operation;
use crate::schema::{ForeignKey, Table};

impl Planner<'_> {
    pub(super) fn drop_key(&self, table: &str, name: &str) -> Clause {
        let effect = Effect::Constraint(table.to_owned(), name.to_owned(), false);
        let sql = format!("DROP FOREIGN KEY {}", quote(name));
        Clause::new(sql, class::small(self.flavor), name, effect)
    }

    /// Whether a column is in a foreign key, or one refers to it.
    pub(super) fn is_in_key(&self, table: &str, column: &str) -> bool {
        let has = |columns: &[String]| columns.iter().any(|name| name == column);
        self.schema.tables.values().any(|other| {
            other.foreign_keys.iter().any(|key| {
                other.name == table && has(&key.columns)
                    || key.references_table == table && has(&key.references_columns)
            })
        })
    }

    /// A table without the foreign keys that the database lacks for now.
    fn present(&self, table: &Table) -> Table {
        let mut present = table.clone();
        present.foreign_keys.retain(|key| {
            let place = (table.name.clone(), key.name.clone());
            !self.is_pending(&place) && !self.absent.contains(&place)
        });
        present
    }

    /// Makes a change, and with it the indexes that foreign keys need because of it, or no longer.
    pub(super) fn with_own_indexes(
        &mut self,
        idx: usize,
        [before, after]: [&Table; 2],
        mut clauses: Vec<Clause>,
    ) {
        let (before, after) = (self.present(before), self.present(after));
        let (was, is) = (keys::own_names(&before), keys::own_names(&after));
        for foreign_key in keys::without_index(&after) {
            if !was.contains(&foreign_key.name) {
                let effect = Effect::Index(after.name.clone(), foreign_key.name.clone(), true);
                let sql = format!("ADD {}", keys::own_index(foreign_key));
                let clause = Clause::new(sql, Class::NoCopy, &foreign_key.name, effect);
                clauses.push(clause.with_names(&foreign_key.columns));
            }
        }
        for name in was.iter().filter(|name| !is.contains(*name)) {
            clauses.push(self.drop_index(&after.name, name));
        }
        self.alter(idx, &after.name, clauses);
    }

    pub(super) fn add_foreign_key(
        &mut self,
        idx: usize,
        [before, after]: [&Table; 2],
        table: &str,
        foreign_key: &ForeignKey,
    ) -> Result<(), Refusal> {
        let sql = format!("ADD {}", self.ddl(idx).foreign_key(after, foreign_key)?);
        let target = &foreign_key.references_table;
        let is_later = self.schema.table(target).is_none();
        // The columns at both ends may get their types in later operations.
        let changes = self.operations[idx + 1..].iter().any(|later| match later {
            Operation::AlterColumn { table: of, change, .. } => {
                change.ty.is_some() && (of == table || of == target)
            }
            _ => false,
        });
        if is_later || changes {
            let name = foreign_key.name.clone();
            self.pending.push(Pending { table: table.to_owned(), name, idx });
            return Ok(());
        }
        if let Some(guard) = self.key_guard(table, foreign_key) {
            self.guard(guard);
        }
        let effect = Effect::Constraint(table.to_owned(), foreign_key.name.clone(), true);
        let clause = Clause::new(sql, Class::Copy, &foreign_key.name, effect)
            .with_needs(&foreign_key.columns);
        self.with_own_indexes(idx, [before, after], vec![clause]);
        // Under one name, a key can't be dropped and added in one statement.
        self.flush();
        Ok(())
    }

    pub(super) fn drop_foreign_key(
        &mut self,
        idx: usize,
        [before, after]: [&Table; 2],
        table: &str,
        name: &str,
    ) {
        let place = (table.to_owned(), name.to_owned());
        if self.is_pending(&place) {
            // Its own index is still there if the key was only set aside.
            self.pending.retain(|pending| pending.table != table || pending.name != name);
            return;
        }
        let was_absent = self.absent.remove(&place);
        let clause = (!was_absent).then(|| self.drop_key(table, name));
        if was_absent {
            // Only its index is left.
            let mut with_key = self.present(after);
            let key = before.foreign_keys.iter().find(|key| key.name == name).cloned();
            with_key.foreign_keys.extend(key);
            let after = self.present(after);
            let (was, is) = (keys::own_names(&with_key), keys::own_names(&after));
            let gone: Vec<_> = was.difference(&is).cloned().collect();
            let clauses = gone.iter().map(|name| self.drop_index(table, name)).collect();
            self.alter(idx, table, clauses);
            return;
        }
        self.with_own_indexes(idx, [before, after], clause.into_iter().collect());
        self.flush();
    }

    /// Drops the foreign keys of a column, or those that refer to it, until the end.
    pub(super) fn set_keys_aside(&mut self, idx: usize, table: &str, column: &str) {
        let concerns = |other: &Table, key: &ForeignKey| {
            let has = |columns: &[String]| columns.iter().any(|name| name == column);
            other.name == table && has(&key.columns)
                || key.references_table == table && has(&key.references_columns)
        };
        let places: Vec<(String, String)> = self
            .schema
            .tables
            .values()
            .flat_map(|other| other.foreign_keys.iter().map(move |key| (other, key)))
            .filter(|(other, key)| concerns(other, key))
            .map(|(other, key)| (other.name.clone(), key.name.clone()))
            .filter(|place| !self.absent.contains(place) && !self.is_pending(place))
            .collect();
        for (of, name) in places {
            self.flush();
            let clause = self.drop_key(&of, &name);
            self.alter(idx, &of, vec![clause]);
            self.flush();
            self.pending.push(Pending { table: of, name, idx });
        }
    }

    /// Adds the foreign keys that had to wait.
    pub(super) fn add_pending(&mut self) -> Result<(), Refusal> {
        for Pending { table, name, idx } in std::mem::take(&mut self.pending) {
            let Some(of) = self.schema.table(&table).cloned() else { continue };
            let Some(key) = of.foreign_keys.iter().find(|key| key.name == name) else { continue };
            if self.schema.table(&key.references_table).is_none() {
                let why = format!(
                    "foreign key `{name}` refers to table `{}`, which does not exist",
                    key.references_table
                );
                return Err(self.ddl(idx).refuse(&why, "create that table in the same revision"));
            }
            self.flush();
            if let Some(guard) = self.key_guard(&table, key) {
                self.guard_existing(&table, guard);
            }
            let sql = format!("ADD {}", self.ddl(idx).foreign_key(&of, key)?);
            let effect = Effect::Constraint(table.clone(), name.clone(), true);
            let clause = Clause::new(sql, Class::Copy, &name, effect).with_names(&key.columns);
            let mut without = of.clone();
            without.foreign_keys.retain(|other| other.name != name);
            let mut clauses = vec![clause];
            // A key that was set aside has left its index.
            let is_set_aside = !matches!(
                &self.operations[idx],
                Operation::CreateTable(_) | Operation::AddForeignKey { .. }
            );
            let own = keys::without_index(&of).find(|own| own.name == name);
            if let Some(own) = own.filter(|_| !is_set_aside) {
                let effect = Effect::Index(table.clone(), name.clone(), true);
                let sql = format!("ADD {}", keys::own_index(own));
                clauses.insert(0, Clause::new(sql, Class::NoCopy, &name, effect));
            }
            self.alter(idx, &table, clauses);
        }
        self.flush();
        Ok(())
    }
}
