//! What is compared and what is left out: `include` and `exclude` in dbmigrate.toml.
//!
//! When two schemas are compared, both are filtered in the same way, so that no difference involves
//! what is left out. Operations still run on complete schemas.

mod pattern;

use dbmigrate_runtime::engine::dialect::{Catalog, Object, ObjectKind, PartKind, Unreadable};
use dbmigrate_runtime::engine::folding::NameRules;
use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::{ForeignKey, Index, IndexTerm, Schema, Sql, Table};

pub use pattern::{Excluded, Included};
use pattern::{Kind, Subject};

use crate::error::{Error, Result};

/// The patterns of a project.
#[derive(Debug, Clone, PartialEq)]
pub struct Scope {
    /// When two names are the same to the database, and how it reads expressions.
    pub names: NameRules,
    /// The compared tables; empty for all.
    pub include: Vec<Included>,
    /// Excluded tables, columns and objects of a certain kind.
    pub exclude: Vec<Excluded>,
}

impl Scope {
    /// The scope that includes everything.
    pub fn all(names: NameRules) -> Scope {
        Scope { names, include: Vec::new(), exclude: Vec::new() }
    }

    /// Whether everything is compared.
    pub fn is_empty(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty()
    }

    /// Whether a table or a view is compared.
    pub fn has_table(&self, name: &str) -> bool {
        let is_in =
            self.include.is_empty() || self.include.iter().any(|included| included.0.matches(name));
        is_in && !self.excludes(&Subject::Table(name))
    }

    /// Whether a column is compared.
    pub fn has_column(&self, table: &str, column: &str) -> bool {
        self.has_table(table) && !self.excludes(&Subject::Column(table, column))
    }

    fn excludes(&self, subject: &Subject<'_>) -> bool {
        self.exclude.iter().any(|excluded| excluded.matches(subject))
    }

    /// The compared part of a schema.
    pub fn compared(&self, schema: &Schema) -> Schema {
        if self.is_empty() {
            return schema.clone();
        }
        let tables = schema.tables.values().filter(|table| self.has_table(&table.name));
        let tables = tables.map(|table| self.compared_table(table));
        // If a table has no columns left, nothing is left to compare.
        let mut tables: Vec<Table> = tables.filter(|table| !table.columns.is_empty()).collect();
        let kept = Schema::from_tables(tables.iter().cloned());
        // A foreign key to a table that is left out is kept, since that table is managed elsewhere.
        let has_target = |key: &ForeignKey| {
            let name = &key.references_table;
            let Some(whole) = schema.table(name).filter(|_| self.has_table(name)) else {
                return true;
            };
            let has = |table: &Table, name: &String| {
                table.columns.iter().any(|column| self.names.folding.same(&column.name, name))
            };
            let is_kept =
                |column: &String| kept.table(name).is_some_and(|table| has(table, column));
            key.references_columns.iter().all(|column| is_kept(column) || !has(whole, column))
        };
        tables.iter_mut().for_each(|table| table.foreign_keys.retain(has_target));
        Schema::from_tables(tables)
    }

    /// A table without what is left out and what depends on it: keys, checks, indexes and generated
    /// columns.
    fn compared_table(&self, table: &Table) -> Table {
        let mut table = table.clone();
        let is_out = |column: &str| self.excludes(&Subject::Column(&table.name, column));
        let names = table.columns.iter().map(|column| &column.name);
        let mut out: Vec<String> = names.filter(|name| is_out(name)).cloned().collect();
        loop {
            let computed = table.columns.iter().find(|column| {
                let mut texts = column.generated.iter().flat_map(|from| from.expression.texts());
                !out.contains(&column.name)
                    && texts
                        .any(|text| out.iter().any(|out| self.names.lexicon.mentions(text, out)))
            });
            match computed {
                Some(column) => out.push(column.name.clone()),
                None => break,
            }
        }
        let is_in = |columns: &[String]| {
            !columns
                .iter()
                .any(|column| out.iter().any(|name| self.names.folding.same(name, column)))
        };
        let is_without = |sql: &Sql| {
            let mentions = |text| out.iter().any(|out| self.names.lexicon.mentions(text, out));
            !sql.texts().any(mentions)
        };
        let has = |kind, name: &str| !self.excludes(&Subject::Object(kind, name));
        table.columns.retain(|column| !out.contains(&column.name));
        table.primary_key = table.primary_key.filter(|primary_key| is_in(&primary_key.columns));
        table.uniques.retain(|unique| {
            is_in(&unique.columns) && is_in(&unique.include) && has(Kind::Unique, &unique.name)
        });
        table.foreign_keys.retain(|foreign_key| {
            is_in(&foreign_key.columns) && has(Kind::ForeignKey, &foreign_key.name)
        });
        table.checks.retain(|check| is_without(&check.expression) && has(Kind::Check, &check.name));
        let is_index_in = |index: &Index| {
            is_in(&index.include)
                && index.filter.as_ref().is_none_or(&is_without)
                && index.columns.iter().all(|column| match &column.term {
                    IndexTerm::Column(column) => is_in(std::slice::from_ref(column)),
                    IndexTerm::Expression(sql) => is_without(sql),
                })
        };
        table.indexes.retain(|index| is_index_in(index) && has(Kind::Index, &index.name));
        table
    }

    /// The compared part of a live database with these objects. Objects that others added are
    /// filtered by the same patterns: views like tables, triggers with their tables.
    pub fn found(&self, found: &Catalog, objects: &[Object]) -> Catalog {
        if self.is_empty() {
            return found.clone();
        }
        let table_of = |name: &str, kind: ObjectKind| {
            let mut objects = objects.iter().filter(|object| object.kind == kind);
            let object = objects.find(|object| object.name == name);
            object.map_or_else(|| name.to_owned(), |object| object.table.clone())
        };
        let mut kept = Catalog { schema: self.compared(&found.schema), ..found.clone() };
        kept.unreadable.retain(|Unreadable { name, .. }| {
            let table = table_of(name, ObjectKind::Index);
            let is_index_in = !self.excludes(&Subject::Object(Kind::Index, name));
            self.has_table(&table) && (table == *name || is_index_in)
        });
        kept.others.retain(|object| self.has_table(&table_of(&object.name, object.kind)));
        kept.beyond.retain(|feature| {
            let unique = feature.part.as_ref().filter(|part| part.kind == PartKind::Unique);
            let is_in = |name: &str| !self.excludes(&Subject::Object(Kind::Unique, name));
            self.has_table(&feature.table)
                && feature.columns.iter().all(|column| self.has_column(&feature.table, column))
                && unique.and_then(|part| part.name.as_deref()).is_none_or(is_in)
        });
        kept
    }

    /// Fails if operations that were derived from the compared part don't fit the complete schema.
    ///
    /// # Errors
    ///
    /// The first operation that doesn't fit, with the patterns that cause it.
    pub fn refuse_unfit(&self, operations: &[Operation], on: &Schema) -> Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        let mut schema = on.clone();
        for operation in operations {
            let Err(err) = operation.apply(&mut schema) else { continue };
            let message = "this change conflicts with what `include` and `exclude` leave out of \
                           the comparison";
            return Err(Error::new(message).cause(err).hint(self.causes(operation, &schema)));
        }
        Ok(())
    }

    /// Fails if a new table would lose its primary key.
    ///
    /// # Errors
    ///
    /// The first such table, with the pattern that leaves out its key.
    pub fn refuse_keyless(&self, operations: &[Operation], models: &Schema) -> Result<()> {
        for operation in operations {
            let Operation::CreateTable(new) = operation else { continue };
            let Some(model) = models.table(&new.name) else { continue };
            if model.primary_key.is_some() && new.primary_key.is_none() {
                let message = format!(
                    "the new table `{}` can't be created, since a column of its primary key is \
                     left out of the comparison",
                    new.name
                );
                return Err(Error::new(message).hint(self.causes(operation, models)));
            }
        }
        Ok(())
    }

    /// The settings that leave something out of the tables that an operation changes, or of those
    /// that refer to them.
    fn causes(&self, operation: &Operation, schema: &Schema) -> String {
        let changed = operation.tables();
        let is_changed =
            |name: &str| changed.iter().any(|other| self.names.folding.same_table(other, name));
        let is_near = |table: &&Table| {
            is_changed(&table.name)
                || table
                    .foreign_keys
                    .iter()
                    .any(|foreign_key| is_changed(&foreign_key.references_table))
        };
        let mut causes: Vec<String> = Vec::new();
        for table in schema.tables.values().filter(is_near) {
            let name = &table.name;
            if !self.include.is_empty()
                && !self.include.iter().any(|included| included.0.matches(name))
            {
                causes.push(format!("`include` doesn't match the table `{name}`"));
            }
            for rule in &self.exclude {
                let objects = subjects(table).into_iter().filter(|subject| rule.matches(subject));
                causes.extend(
                    objects
                        .map(|subject| format!("`exclude` has `{rule}`, which matches {subject}")),
                );
            }
        }
        causes.dedup();
        if causes.is_empty() {
            "check `include` and `exclude` in dbmigrate.toml".to_owned()
        } else {
            format!("in dbmigrate.toml {}", causes.join("; "))
        }
    }
}

/// The parts of a table that a pattern can name.
fn subjects(table: &Table) -> Vec<Subject<'_>> {
    let mut subjects = vec![Subject::Table(&table.name)];
    subjects.extend(table.columns.iter().map(|column| Subject::Column(&table.name, &column.name)));
    let object = |kind| move |name| Subject::Object(kind, name);
    subjects
        .extend(table.uniques.iter().map(|unique| unique.name.as_str()).map(object(Kind::Unique)));
    let keys = table.foreign_keys.iter().map(|foreign_key| foreign_key.name.as_str());
    subjects.extend(keys.map(object(Kind::ForeignKey)));
    subjects.extend(table.checks.iter().map(|check| check.name.as_str()).map(object(Kind::Check)));
    subjects.extend(table.indexes.iter().map(|index| index.name.as_str()).map(object(Kind::Index)));
    subjects
}

#[cfg(test)]
mod tests;
