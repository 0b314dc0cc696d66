//! Foreign keys to columns that are neither the primary key nor unique together.
//!
//! SQLite creates such a key, and then fails wherever it has to follow it: "foreign key mismatch",
//! even without a row. Only what a whole route leaves is judged, since the order of operations is
//! free and a later revision may add what an earlier one lacks. What the route leaves unclear is
//! left to SQLite, which checks all foreign keys before the commit.

use std::collections::BTreeSet;

use crate::Error;
use crate::backend::Backend;
use crate::dialect::Refusal;
use crate::migration::{Direction, Migrations};
use crate::operations::Operation;
use crate::schema::{ForeignKey, IndexTerm, Schema, Table};
use crate::sql::may_change_objects;

/// A foreign key that no SQLite can follow once a route has run.
pub(crate) struct Mismatch {
    /// The revision that leaves it so.
    revision: String,
    /// The table with the foreign key.
    table: String,
    key: ForeignKey,
    /// A column that it refers to and that isn't there.
    missing: Option<String>,
    /// What the applied revisions build.
    before: Schema,
    /// Whether the route renames what the foreign key is about.
    renamed: bool,
}

/// The first foreign key that a route leaves without the unique columns that it needs, judged by
/// the revisions alone.
///
/// # Errors
///
/// When the revisions don't fit together.
pub(crate) fn mismatch(
    migrations: &Migrations,
    direction: Direction,
    ids: &[String],
    applied: &BTreeSet<String>,
    backend: Backend,
) -> Result<Option<Mismatch>, Error> {
    let before = migrations.replay(Some(applied))?;
    // SQLite complains of one mismatch in a table at a time, so an old one may hide a new one.
    if !mismatches(&before).is_empty() {
        return Ok(None);
    }
    let end = after(migrations, direction, ids, applied)?;
    let Some((table, key)) = mismatches(&end).into_iter().next() else { return Ok(None) };
    let run: Vec<&Operation> = ids
        .iter()
        .filter_map(|id| migrations.get(id))
        .flat_map(|migration| &migration.recording(direction).operations)
        .collect();
    let names = [table.as_str(), key.references_table.as_str()];
    if run.iter().any(|operation| may_concern(operation, names, backend)) {
        return Ok(None);
    }
    let renamed = run.iter().any(|operation| match operation {
        Operation::RenameTable { to, .. } => names.contains(&to.as_str()),
        Operation::RenameColumn { table, .. } => names.contains(&table.as_str()),
        _ => false,
    });
    // The revision from which on the foreign key stays so.
    let found = (table, key);
    let mut revision = ids.last().cloned().unwrap_or_default();
    for end in (1..ids.len()).rev() {
        let schema = after(migrations, direction, &ids[..end], applied)?;
        if !mismatches(&schema).contains(&found) {
            break;
        }
        revision.clone_from(&ids[end - 1]);
    }
    let (table, key) = found;
    let target = find(&end, &key.references_table);
    let lacks = |name: &&String| {
        target.is_some_and(|it| !it.columns.iter().any(|own| own.name.eq_ignore_ascii_case(name)))
    };
    let missing = key.references_columns.iter().find(lacks).cloned();
    Ok(Some(Mismatch { revision, table, key, missing, before, renamed }))
}

/// The schema when these revisions have run.
fn after(
    migrations: &Migrations,
    direction: Direction,
    ids: &[String],
    applied: &BTreeSet<String>,
) -> Result<Schema, Error> {
    let mut applied = applied.clone();
    match direction {
        Direction::Upgrade => applied.extend(ids.iter().cloned()),
        Direction::Downgrade => applied.retain(|id| !ids.contains(id)),
    }
    migrations.replay(Some(&applied))
}

/// Whether an operation may do to these tables what it doesn't describe.
fn may_concern(operation: &Operation, tables: [&str; 2], backend: Backend) -> bool {
    match operation {
        Operation::Run(_) => true,
        Operation::Execute(execute) => execute.sql.text(backend).is_some_and(|sql| {
            let text = sql.to_ascii_lowercase();
            let names = |word: &str| text.contains(&word.to_ascii_lowercase());
            may_change_objects(sql) && (names("unique") || tables.into_iter().any(names))
        }),
        Operation::CreateTable(_)
        | Operation::DropTable { .. }
        | Operation::RenameTable { .. }
        | Operation::AlterTable { .. }
        | Operation::AddColumn { .. }
        | Operation::DropColumn { .. }
        | Operation::AlterColumn { .. }
        | Operation::RenameColumn { .. }
        | Operation::AddPrimaryKey { .. }
        | Operation::DropPrimaryKey { .. }
        | Operation::AddUnique { .. }
        | Operation::DropUnique { .. }
        | Operation::AddForeignKey { .. }
        | Operation::DropForeignKey { .. }
        | Operation::AddCheck { .. }
        | Operation::DropCheck { .. }
        | Operation::CreateIndex { .. }
        | Operation::DropIndex { .. }
        | Operation::RenameIndex { .. }
        | Operation::BulkInsert { .. }
        | Operation::Makes(_)
        | Operation::Drops(_) => false,
    }
}

/// The foreign keys that can't be followed, with their tables. One whose table isn't in the schema
/// is not judged.
fn mismatches(schema: &Schema) -> Vec<(String, ForeignKey)> {
    let mut found = Vec::new();
    for table in schema.tables.values() {
        for key in &table.foreign_keys {
            let target = find(schema, &key.references_table);
            if target.is_some_and(|target| !is_key(target, &key.references_columns)) {
                found.push((table.name.clone(), key.clone()));
            }
        }
    }
    found
}

fn find<'s>(schema: &'s Schema, name: &str) -> Option<&'s Table> {
    let any_case = || schema.tables.values().find(|table| table.name.eq_ignore_ascii_case(name));
    schema.table(name).or_else(any_case)
}

/// Whether a foreign key may refer to these columns.
fn is_key(table: &Table, columns: &[String]) -> bool {
    // Without columns it refers to the primary key.
    let is_primary = table
        .primary_key
        .as_ref()
        .is_some_and(|key| columns.is_empty() || same_columns(&key.columns, columns));
    is_primary || unique_over(table, columns).next().is_some()
}

/// The names of the unique constraints and indexes over exactly these columns, in any order.
fn unique_over<'t>(table: &'t Table, columns: &'t [String]) -> impl Iterator<Item = &'t str> {
    let uniques = table.uniques.iter().filter(|unique| same_columns(&unique.columns, columns));
    let indexes = table.indexes.iter().filter(|index| {
        let by_columns: Option<Vec<String>> = index
            .columns
            .iter()
            .map(|indexed| match &indexed.term {
                IndexTerm::Column(name) => {
                    let column = table.columns.iter().find(|column| column.name == *name)?;
                    let own = column.collation.as_deref().unwrap_or("BINARY");
                    let used = indexed.collation.as_deref().unwrap_or(own);
                    used.eq_ignore_ascii_case(own).then(|| name.clone())
                }
                IndexTerm::Expression(_) => None,
            })
            .collect();
        let fits = by_columns.is_some_and(|indexed| same_columns(&indexed, columns));
        index.unique && index.filter.is_none() && fits
    });
    uniques.map(|unique| unique.name.as_str()).chain(indexes.map(|index| index.name.as_str()))
}

fn same_columns(one: &[String], other: &[String]) -> bool {
    let holds = |name: &String| one.iter().any(|own| own.eq_ignore_ascii_case(name));
    one.len() == other.len() && other.iter().all(holds)
}

impl Mismatch {
    /// The tables that it is about.
    pub(crate) fn tables(&self) -> BTreeSet<String> {
        [self.table.clone(), self.key.references_table.clone()].into()
    }

    /// Whether the database before the run differs from what the revisions build in such a way
    /// that SQLite may have nothing to complain of.
    pub(crate) fn is_open(&self, found: &Schema) -> bool {
        if self.renamed {
            return true;
        }
        let (key, target) = (&self.key, find(found, &self.key.references_table));
        let built = find(&self.before, &key.references_table);
        let is_built = |name: &str| {
            built.is_some_and(|it| unique_over(it, &key.references_columns).any(|own| own == name))
        };
        // Others made what is unique.
        let of_others =
            |target| unique_over(target, &key.references_columns).any(|name| !is_built(name));
        if target.is_some_and(of_others) || (built.is_some() && target.is_none()) {
            return true;
        }
        let refers = |schema: &Schema| {
            let keys = find(schema, &self.table).map(|table| &table.foreign_keys);
            keys.into_iter().flatten().any(|own| {
                own.columns == key.columns
                    && own.references_table.eq_ignore_ascii_case(&key.references_table)
            })
        };
        refers(&self.before)
            && (!refers(found)
                || target.is_some_and(|target| !is_key(target, &key.references_columns)))
    }

    pub(crate) fn error(&self) -> Error {
        let key = &self.key;
        let names = |quote: &str| {
            let quoted = key.references_columns.iter().map(|name| format!("{quote}{name}{quote}"));
            quoted.collect::<Vec<_>>().join(", ")
        };
        let (target, columns) = (&key.references_table, names("`"));
        let (what, why) = match (self.missing.as_ref(), key.references_columns.len()) {
            (Some(missing), _) => (String::new(), format!("which has no column `{missing}`")),
            (None, 0) => (String::new(), "which has no primary key".to_owned()),
            (None, 1) => (
                format!("column {columns} of "),
                "which is neither the primary key nor unique".to_owned(),
            ),
            (None, _) => (
                format!("columns {columns} of "),
                "which are neither the primary key nor unique together".to_owned(),
            ),
        };
        let message = format!(
            "foreign key `{}` of table `{}` refers to {what}table `{target}`, {why}",
            key.name, self.table
        );
        let hint = match (&self.missing, key.references_columns.is_empty()) {
            (Some(_), _) => "correct the foreign key, or drop it with the column".to_owned(),
            (None, true) => format!("name the columns of `{target}` that it refers to"),
            (None, false) => format!(
                "add a unique constraint, `op.add_unique({target:?}, Unique::new(\"...\", \
                 [{}]))`, or a unique index without a condition; or drop the foreign key",
                names("\"")
            ),
        };
        Error::unplannable(&self.revision, Refusal { message, hint: Some(hint) })
    }
}
