//! The schemas of tables: created before their first table, and tables that move between them.

use super::planner::Planner;
use super::{cost, ddl};
use crate::dialect::{Refusal, Work};
use crate::operations::Operation;
use crate::schema::Table;
use crate::schema::qualified::split;
use crate::sql::quote;

/// The schemas that operations may have to create.
pub(super) fn needed(operations: &[Operation]) -> impl Iterator<Item = &str> {
    let tables = operations.iter().filter_map(|operation| match operation {
        Operation::CreateTable(table) => Some(table.name.as_str()),
        Operation::RenameTable { to, .. } => Some(to.as_str()),
        _ => None,
    });
    tables.filter_map(|table| split(table).0)
}

/// The names of a table's indexes, those of its constraints among them.
fn names(table: &Table) -> impl Iterator<Item = &str> {
    let key = table.primary_key.iter().map(|key| key.name.as_str());
    let uniques = table.uniques.iter().map(|unique| unique.name.as_str());
    key.chain(uniques).chain(table.indexes.iter().map(|index| index.name.as_str()))
}

impl Planner<'_> {
    /// Creates the schema of a new table, unless it is there. It is never dropped: others may use
    /// it as well.
    pub(super) fn provide_schema(&mut self, idx: usize, table: &str) -> Result<(), Refusal> {
        let (Some(schema), _) = split(table) else { return Ok(()) };
        let mut others = self.schema.tables.keys().filter(|other| *other != table);
        if others.any(|other| split(other).0 == Some(schema)) {
            return Ok(());
        }
        if let Some(found) = &self.facts.existing.schemas {
            if found.names.contains(schema) {
                return Ok(());
            }
            if !found.may_create {
                let why = format!(
                    "the schema `{schema}` does not exist, and the role `{}` may not create schemas \
                     in the database `{}`",
                    found.role, found.database
                );
                let hint = format!(
                    "have the owner of the database run `CREATE SCHEMA {} AUTHORIZATION {}`",
                    quote(schema),
                    quote(&found.role)
                );
                return Err(self.ddl(idx).refuse(&why, &hint));
            }
        }
        self.push(idx, format!("CREATE SCHEMA IF NOT EXISTS {}", quote(schema)), None);
        Ok(())
    }

    /// Gives a table another name, another schema, or both. Its indexes, constraints and sequences
    /// move along.
    fn push_rename(&mut self, idx: usize, from: &str, to: &str) -> Result<(), Refusal> {
        let ((was, old), (now, new)) = (split(from), split(to));
        if was == now {
            self.alter(idx, from, &format!("RENAME TO {}", quote(new)), Work::None);
            return Ok(());
        }
        self.provide_schema(idx, to)?;
        self.refuse_taken_names(idx, to)?;
        let named = |schema: Option<&str>, table: &str| {
            schema.map_or_else(|| table.to_owned(), |schema| format!("{schema}.{table}"))
        };
        // A table of the new schema may have the old name.
        let moved = named(now, old);
        let is_taken = moved != to && self.schema.table(&moved).is_some();
        let renamed = named(was, new);
        let rename = format!("RENAME TO {}", quote(new));
        if is_taken {
            self.alter(idx, from, &rename, Work::None);
            self.push_move(idx, &renamed, now);
            return Ok(());
        }
        self.push_move(idx, from, now);
        if old != new {
            self.alter(idx, &moved, &rename, Work::None);
        }
        Ok(())
    }

    /// Refuses to move a table to a schema that has another index with the name of one of its own.
    fn refuse_taken_names(&self, idx: usize, to: &str) -> Result<(), Refusal> {
        let Some(table) = self.schema.table(to) else { return Ok(()) };
        let mut others = self.schema.tables.values();
        let taken = others.find_map(|other| {
            let is_other = other.name != table.name && other.schema == table.schema;
            let name =
                is_other.then(|| names(table).find(|own| names(other).any(|name| name == *own)));
            Some((other, name.flatten()?))
        });
        let Some((other, name)) = taken else { return Ok(()) };
        let why = format!(
            "both it and table `{}`, which is in that schema, have an index `{name}`",
            other.name
        );
        let hint = "give one of them another name first, in an earlier revision: `op.rename_index`, \
                    or for a key or a unique constraint drop it and add it under another name, \
                    which only renames it";
        Err(self.ddl(idx).refuse(&why, hint))
    }

    /// Moves a table to a schema; without one, to the connection's own.
    fn push_move(&mut self, idx: usize, table: &str, schema: Option<&str>) {
        if let Some(schema) = schema {
            self.alter(idx, table, &format!("SET SCHEMA {}", quote(schema)), Work::None);
            return;
        }
        // Only the connection knows the name.
        let alter = format!("ALTER TABLE {} SET SCHEMA ", ddl::relation(table));
        let sql = format!(
            "DO $dbmigrate$ BEGIN EXECUTE {} || quote_ident(current_schema()); END $dbmigrate$",
            ddl::text(&alter)
        );
        self.push(idx, sql, Some(cost::alter(table, Work::None)));
    }

    pub(super) fn rename_table(&mut self, idx: usize, from: &str, to: &str) -> Result<(), Refusal> {
        self.refuse_enumeration_named(idx, to)?;
        self.push_rename(idx, from, to)?;
        if self.created.remove(from) {
            self.created.insert(to.to_owned());
        }
        if let Some(generating) = self.generating.remove(from) {
            self.generating.insert(to.to_owned(), generating);
        }
        let renamed = |(table, name): (String, String)| {
            (if table == from { to.to_owned() } else { table }, name)
        };
        self.absent = std::mem::take(&mut self.absent).into_iter().map(renamed).collect();
        let other_names = std::mem::take(&mut self.other_names);
        self.other_names =
            other_names.into_iter().map(|(place, name)| (renamed(place), name)).collect();
        let before = self.names_before.remove(from).unwrap_or_else(|| from.to_owned());
        self.names_before.insert(to.to_owned(), before);
        for (table, ..) in self.pending.iter_mut().filter(|(table, ..)| table == from) {
            to.clone_into(table);
        }
        Ok(())
    }
}
