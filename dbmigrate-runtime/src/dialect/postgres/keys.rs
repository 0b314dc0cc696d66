//! Primary keys, foreign keys and unique constraints, and the columns that generate keys.

use super::ddl;
use super::planner::Planner;
use super::{cost, guards, sequence};
use crate::dialect::{Refusal, Work};
use crate::operations::Operation;
use crate::schema::{
    Column, ForeignKey, Identity, Index, IndexColumn, IndexTerm, Table, Type, Unique,
};
use crate::sql::quote;

fn column_of(part: &IndexColumn) -> Option<String> {
    match &part.term {
        IndexTerm::Column(column) => Some(column.clone()),
        IndexTerm::Expression(_) => None,
    }
}

fn same_columns(a: &[String], b: &[String]) -> bool {
    a.len() == b.len() && a.iter().all(|name| b.contains(name))
}

/// Whether a type can generate values.
pub(super) fn can_generate(ty: &Type) -> bool {
    ty.is_integer() && *ty != Type::BigUnsigned
}

impl Planner<'_> {
    /// The column of a table that generates its values in the database; the table may be as it was
    /// before the current operation.
    pub(super) fn generating(&self, table: &Table) -> Option<String> {
        match self.generating.get(&table.name) {
            Some(generating) => generating.clone(),
            None => table.generated_key().map(|column| column.name.clone()),
        }
    }

    /// Whether a later operation makes a new column the key that generates values.
    pub(super) fn will_generate(&self, idx: usize, after: &Table, column: &Column) -> bool {
        let is_free = after.primary_key.is_none() && self.generating(after).is_none();
        let is_key = self.later(idx).any(|(_, operation)| {
            matches!(operation, Operation::AddPrimaryKey { table, primary_key }
                if *table == after.name && primary_key.columns == [column.name.as_str()])
        });
        let is_replaced = after.primary_key.is_some()
            && self.later(idx).any(|(_, operation)| {
                matches!(operation, Operation::DropPrimaryKey { table, .. } if *table == after.name)
            });
        let may = column.autoincrement != Some(false)
            && column.generated.is_none()
            && column.ty.is_integer();
        // A table can have any number of columns that generate values.
        may && is_key && (is_free || is_replaced || after.primary_key.is_none())
    }

    /// Has the database generate values for the column that the schema says, unless a later
    /// operation makes the column that does so now the key again.
    pub(super) fn settle_generating(&mut self, idx: usize) -> Result<(), Refusal> {
        let operation = &self.operations[idx];
        let names: Vec<String> = operation.tables().into_iter().map(str::to_owned).collect();
        for name in names {
            let Some(Some(column)) = self.generating.get(&name) else {
                self.settle_generating_of(idx, &name)?;
                continue;
            };
            let is_key_again = self.operations[idx + 1..].iter().any(|operation| {
                matches!(operation, Operation::AddPrimaryKey { table, primary_key }
                    if *table == name && primary_key.columns == [column.as_str()])
            });
            if !is_key_again {
                self.settle_generating_of(idx, &name)?;
            }
        }
        Ok(())
    }

    pub(super) fn settle_all_generating(&mut self) -> Result<(), Refusal> {
        let Some(last) = self.operations.len().checked_sub(1) else { return Ok(()) };
        let names: Vec<String> = self.generating.keys().cloned().collect();
        names.iter().try_for_each(|name| self.settle_generating_of(last, name))
    }

    fn settle_generating_of(&mut self, idx: usize, name: &str) -> Result<(), Refusal> {
        let Some(is) = self.generating.get(name).cloned() else { return Ok(()) };
        let Some(table) = self.schema.table(name).cloned() else { return Ok(()) };
        let wanted = table.generated_key().cloned();
        self.generating.remove(name);
        if is.as_deref() == wanted.as_ref().map(|column| column.name.as_str()) {
            return Ok(());
        }
        if let Some(column) = is {
            self.stop_generating(idx, name, &column);
        }
        if let Some(column) = wanted {
            self.generate(idx, name, &column)?;
        }
        Ok(())
    }

    /// Whether the database has a column as serial, whatever the schema says: where other tools
    /// created the table, keys often are.
    fn is_serial(&self, table: &str, column: &str) -> bool {
        let before = self.name_before(table);
        let is_it = |(of, name): &(String, String)| of == before && name == column;
        self.facts.existing.serial.iter().any(is_it)
    }

    /// Has a column generate no more values.
    pub(super) fn stop_generating(&mut self, idx: usize, table: &str, column: &str) {
        let declared = self.schema.table(table).and_then(|table| table.find_column(column));
        let is_declared = declared.is_some_and(|own| own.identity == Some(Identity::Serial));
        if is_declared || self.is_serial(table, column) {
            let sql = sequence::of_serial(table, column, None);
            self.push(idx, sql, Some(cost::alter(table, Work::None)));
        } else {
            let drop = format!("ALTER COLUMN {} DROP IDENTITY", quote(column));
            self.alter(idx, table, &drop, Work::None);
        }
    }

    /// Changes how a column generates its values.
    pub(super) fn alter_identity(
        &mut self,
        idx: usize,
        table: &Table,
        was: &Column,
        identity: Option<Identity>,
    ) -> Result<(), Refusal> {
        let is_key = table.generated_key().is_some_and(|key| key.name == was.name);
        let of = |identity: Option<Identity>| identity.or(is_key.then_some(Identity::ByDefault));
        let name = quote(&was.name);
        let is_serial = self.is_serial(&table.name, &was.name);
        let before = if is_serial { Some(Identity::Serial) } else { of(was.identity) };
        let change = match (before, of(identity)) {
            (was, to) if was == to => return Ok(()),
            (_, Some(Identity::Serial)) => {
                let ty = self.ddl(idx).serial_type(&table.name, was, is_key)?;
                let sql = sequence::to_serial(&table.name, &was.name, ty);
                self.push(idx, sql, Some(cost::alter(&table.name, Work::None)));
                return Ok(());
            }
            (Some(Identity::Serial), to) => {
                let column = Column { identity: to, ..was.clone() };
                let clause =
                    to.map(|_| self.ddl(idx).identity(&table.name, &column)).transpose()?;
                let sql = sequence::of_serial(&table.name, &was.name, clause);
                self.push(idx, sql, Some(cost::alter(&table.name, Work::None)));
                return Ok(());
            }
            (Some(_), Some(to)) => {
                let how = if to == Identity::Always { "ALWAYS" } else { "BY DEFAULT" };
                format!("ALTER COLUMN {name} SET GENERATED {how}")
            }
            (Some(_), None) => format!("ALTER COLUMN {name} DROP IDENTITY"),
            (None, _) => {
                let column = Column { identity, ..was.clone() };
                return self.generate(idx, &table.name, &column);
            }
        };
        self.alter(idx, &table.name, &change, Work::None);
        Ok(())
    }

    /// Makes an existing column generate values.
    pub(super) fn generate(
        &mut self,
        idx: usize,
        table: &str,
        column: &Column,
    ) -> Result<(), Refusal> {
        let clause = self.ddl(idx).identity(table, column)?;
        let name = quote(&column.name);
        let default = ddl::default_of(column)
            .map_or(String::new(), |_| format!("ALTER COLUMN {name} DROP DEFAULT, "));
        let add = format!("{default}ALTER COLUMN {name} ADD {clause}");
        self.alter(idx, table, &add, Work::None);
        self.push(idx, sequence::continued(table, &column.name), None);
        Ok(())
    }

    pub(super) fn drop_primary_key(
        &mut self,
        idx: usize,
        before: Option<&Table>,
        table: &str,
        name: &str,
    ) {
        let Some(before) = before else { return };
        let columns = before.primary_key.as_ref().map(|key| key.columns.clone());
        let columns = columns.unwrap_or_default();
        let again = self.later(idx).find_map(|(later, operation)| match operation {
            Operation::AddPrimaryKey { table: other, primary_key }
                if other == table && primary_key.columns == columns =>
            {
                Some((later, primary_key.name.as_str()))
            }
            _ => None,
        });
        if again.is_none() {
            self.set_aside_keys_to(idx, table, &columns);
        }
        if self.drop_constraint_or_rename(idx, table, name, again) {
            return;
        }
        // PostgreSQL leaves the columns NOT NULL.
        let Some(after) = self.schema.table(table) else { return };
        let is_null =
            |name: &&String| after.find_column(name).is_some_and(|column| column.nullable);
        let nullable: Vec<_> = columns
            .iter()
            .filter(is_null)
            .map(|name| format!("ALTER COLUMN {} DROP NOT NULL", quote(name)))
            .collect();
        if !nullable.is_empty() {
            self.alter(idx, table, &nullable.join(", "), Work::None);
        }
    }

    pub(super) fn drop_unique(
        &mut self,
        idx: usize,
        before: Option<&Table>,
        table: &str,
        name: &str,
    ) {
        let was = before
            .and_then(|table| table.uniques.iter().find(|unique| unique.name == *name))
            .cloned();
        let like_it = |unique: &Unique| {
            was.as_ref()
                .is_some_and(|was| Unique { name: unique.name.clone(), ..was.clone() } == *unique)
        };
        let again = self.later(idx).find_map(|(later, operation)| match operation {
            Operation::AddUnique { table: other, unique } if other == table && like_it(unique) => {
                Some((later, unique.name.as_str()))
            }
            _ => None,
        });
        if again.is_none() {
            let columns = was.as_ref().map(|unique| unique.columns.as_slice());
            self.set_aside_keys_to(idx, table, columns.unwrap_or_default());
        }
        self.drop_constraint_or_rename(idx, table, name, again);
    }

    pub(super) fn set_aside_keys_over_index(
        &mut self,
        idx: usize,
        before: Option<&Table>,
        name: &str,
    ) {
        let column = |index: &Index| -> Option<Vec<String>> {
            index.columns.iter().map(column_of).collect()
        };
        let index = before.and_then(|table| table.find_index(name));
        let is_target = |index: &&Index| index.unique && index.filter.is_none();
        if let (Some(table), Some(columns)) = (before, index.filter(is_target).and_then(column)) {
            self.set_aside_keys_to(idx, &table.name, &columns);
        }
    }

    pub(super) fn add_foreign_key(&mut self, idx: usize, table: &str, key: &ForeignKey) {
        if !self.is_referable(key) {
            self.pending.push((table.to_owned(), key.name.clone(), idx));
            return;
        }
        self.push_key(idx, table, key);
    }

    /// Whether the table and the key that a foreign key refers to are there. Later operations may
    /// create them.
    pub(super) fn is_referable(&self, key: &ForeignKey) -> bool {
        let Some(target) = self.schema.table(&key.references_table) else { return false };
        let is_it = |columns: &[String]| same_columns(columns, &key.references_columns);
        let is_index = |index: &Index| {
            let columns: Option<Vec<String>> = index.columns.iter().map(column_of).collect();
            index.unique && index.filter.is_none() && columns.is_some_and(|columns| is_it(&columns))
        };
        target.primary_key.as_ref().is_some_and(|primary_key| is_it(&primary_key.columns))
            || target.uniques.iter().any(|unique| is_it(&unique.columns))
            || target.indexes.iter().any(is_index)
    }

    pub(super) fn drop_foreign_key(
        &mut self,
        idx: usize,
        before: Option<&Table>,
        table: &str,
        name: &str,
    ) {
        let is_it = |(of, pending, _): &(String, String, usize)| of == table && pending == name;
        if self.pending.iter().any(is_it) {
            self.pending.retain(|pending| !is_it(pending));
            return;
        }
        if self.absent.remove(&(table.to_owned(), name.to_owned())) {
            return;
        }
        let key = before.and_then(|table| table.foreign_keys.iter().find(|key| key.name == *name));
        let Some(key) = key else { return };
        let again = self.later(idx).find_map(|(later, operation)| match operation {
            Operation::AddForeignKey { table: other, foreign_key } if other == table => {
                let same = ForeignKey { name: key.name.clone(), ..foreign_key.clone() } == *key;
                same.then_some((later, foreign_key.name.as_str()))
            }
            _ => None,
        });
        let is_used_between = again.is_some_and(|(later, _)| {
            self.operations[idx + 1..later].iter().any(|operation| {
                matches!(
                    operation,
                    Operation::DropTable { .. }
                        | Operation::DropPrimaryKey { .. }
                        | Operation::DropUnique { .. }
                        | Operation::AlterColumn { .. }
                        | Operation::RenameColumn { .. }
                        | Operation::RenameTable { .. }
                        | Operation::Execute(_)
                        | Operation::Run(_)
                        | Operation::BulkInsert { .. }
                )
            })
        });
        if let (Some(again), false) = (again, is_used_between) {
            self.drop_constraint_or_rename(idx, table, name, Some(again));
            return;
        }
        self.push_drop_of_key(idx, table, key);
    }

    fn push_drop_of_key(&mut self, idx: usize, table: &str, key: &ForeignKey) {
        let name = self.taken_name(table, &key.name);
        let sql = format!("ALTER TABLE {} DROP CONSTRAINT {}", ddl::relation(table), quote(&name));
        self.push(idx, sql, Some(cost::alter_both(table, &key.references_table)));
    }

    /// The foreign keys in the database that meet a condition, with their tables.
    fn keys(&self, is_it: impl Fn(&Table, &ForeignKey) -> bool) -> Vec<(String, ForeignKey)> {
        let mut found = Vec::new();
        for table in self.schema.tables.values() {
            for key in table.foreign_keys.iter().filter(|key| is_it(table, key)) {
                let is_pending =
                    self.pending.iter().any(|(of, name, _)| *of == table.name && *name == key.name);
                let place = (table.name.clone(), key.name.clone());
                if !is_pending && !self.absent.contains(&place) {
                    found.push((table.name.clone(), key.clone()));
                }
            }
        }
        found
    }

    /// Drops foreign keys, to create them again at the end.
    fn set_aside_keys(&mut self, idx: usize, keys: Vec<(String, ForeignKey)>) {
        for (table, key) in keys {
            self.push_drop_of_key(idx, &table, &key);
            self.pending.push((table, key.name, idx));
        }
    }

    /// Sets aside the foreign keys that refer to a key of a table.
    fn set_aside_keys_to(&mut self, idx: usize, table: &str, columns: &[String]) {
        let keys = self.keys(|_, key| {
            key.references_table == table && same_columns(&key.references_columns, columns)
        });
        self.set_aside_keys(idx, keys);
    }

    /// Sets aside the foreign keys from and to a column.
    pub(super) fn set_aside_keys_of(&mut self, idx: usize, table: &str, column: &str) {
        let has = |columns: &[String]| columns.iter().any(|name| name == column);
        let keys = self.keys(|of, key| {
            of.name == table && has(&key.columns)
                || key.references_table == table && has(&key.references_columns)
        });
        self.set_aside_keys(idx, keys);
    }

    /// Drops the foreign keys that refer to a table which is dropped.
    pub(super) fn free_of_keys(&mut self, idx: usize, table: &str) -> Result<(), Refusal> {
        let keys = self.keys(|of, key| key.references_table == table && of.name != table);
        for (of, key) in keys {
            let goes = self.later(idx).find(|(_, operation)| match operation {
                Operation::DropTable { table: other } => *other == of,
                Operation::DropForeignKey { table: other, name } => {
                    *other == of && *name == key.name
                }
                Operation::CreateTable(new) => new.name == table,
                _ => false,
            });
            match goes {
                Some((_, Operation::CreateTable(_))) => {
                    self.set_aside_keys(idx, vec![(of, key)]);
                }
                Some((later, _)) => {
                    self.push_drop_of_key(later, &of, &key);
                    self.absent.insert((of, key.name));
                }
                None => {
                    let why = format!("foreign key `{}` of table `{of}` refers to it", key.name);
                    let hint = "drop the foreign key, or that table, in the same revision";
                    return Err(self.ddl(idx).refuse(&why, hint));
                }
            }
        }
        Ok(())
    }

    /// Creates the foreign keys that had to wait.
    pub(super) fn add_pending_keys(&mut self) -> Result<(), Refusal> {
        for (name, key, idx) in std::mem::take(&mut self.pending) {
            let table = self.schema.table(&name);
            let key = table.and_then(|table| table.foreign_keys.iter().find(|own| own.name == key));
            let Some(key) = key.cloned() else { continue };
            if self.schema.table(&key.references_table).is_none() {
                let why = format!(
                    "foreign key `{}` refers to table `{}`, which does not exist",
                    key.name, key.references_table
                );
                let hint = "create that table in the same revision, or add the foreign key in the \
                            revision that creates it";
                return Err(self.ddl(idx).refuse(&why, hint));
            }
            self.push_key(idx, &name, &key);
        }
        Ok(())
    }

    /// Checks that a column has no NULL before it is required.
    pub(super) fn guard_not_null(&mut self, table: &str, column: &Column) {
        self.guard_rows(guards::not_null(table, &column.name, Some(&column.ty)));
    }
}
