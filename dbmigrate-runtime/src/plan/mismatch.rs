//! Foreign keys to columns that are neither the primary key nor unique together.
//!
//! Most databases refuse to create such a foreign key. Some accept it and then fail whenever they
//! have to follow it, even without any row; their dialects implement
//! [`referable`](Dialect::referable). Only the result of the whole route is judged, since the order
//! of operations is free and a later revision may add what an earlier one lacks. If the revisions
//! don't settle the question, it is left to the database, whose foreign keys are checked before the
//! commit.

use std::collections::BTreeSet;

use super::route::Route;
use crate::Error;
use crate::dialect::{Dialect, Refusal};
use crate::direction::Direction;
use crate::folding::Folding;
use crate::migration::Migrations;
use crate::operations::Operation;
use crate::schema::{ForeignKey, Schema, Table};

/// A foreign key that the database can't follow after a route has run.
pub(crate) struct Mismatch<'d> {
    dialect: &'d dyn Dialect,
    /// The revision that leaves the foreign key in this state.
    revision: String,
    /// The table with the foreign key.
    table: String,
    key: ForeignKey,
    /// A referenced column that doesn't exist.
    missing: Option<String>,
    /// The schema that the applied revisions build.
    before: Schema,
    /// Whether the route renames a table or column of the foreign key.
    renamed: bool,
    /// Whether SQL or a step of an applied revision may have made changes that the revisions don't
    /// describe.
    unclear: bool,
}

/// The first foreign key whose referenced columns aren't unique after a route, judged by the
/// revisions alone.
///
/// # Errors
///
/// When the revisions don't fit together.
pub(crate) fn mismatch<'d>(
    route: &Route<'_>,
    dialect: &'d dyn Dialect,
) -> Result<Option<Mismatch<'d>>, Error> {
    let Route { migrations, direction, ids, applied } = *route;
    let before = migrations.replay(Some(applied))?;
    let mismatches = |schema: &Schema| mismatches(schema, dialect);
    // A database may report only one mismatch of a table at a time, so an old one may hide a new
    // one.
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
    let concerns = |operation: &Operation| may_concern(operation, names, dialect);
    if run.iter().any(|operation| concerns(operation)) {
        return Ok(None);
    }
    let mut applied_migrations = applied.iter().filter_map(|id| migrations.get(id));
    let unclear =
        applied_migrations.any(|migration| migration.upgrade.operations.iter().any(concerns));
    let renamed = run.iter().any(|operation| match operation {
        Operation::RenameTable { to, .. } => names.contains(&to.as_str()),
        Operation::RenameColumn { table, .. } => names.contains(&table.as_str()),
        _ => false,
    });
    // The first revision after which the foreign key stays in this state.
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
    let missing = missing_column(&end, &key, dialect);
    Ok(Some(Mismatch { dialect, revision, table, key, missing, before, renamed, unclear }))
}

/// The schema after these revisions have run.
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

/// Whether an operation may change these tables in a way that it doesn't describe. The whole text
/// is searched for their names in any case, including string literals and comments, since a
/// function may build a statement from them.
fn may_concern(operation: &Operation, tables: [&str; 2], dialect: &dyn Dialect) -> bool {
    match operation {
        Operation::Run(_) => true,
        Operation::Execute(execute) => execute.sql.text(dialect.backend()).is_some_and(|sql| {
            let text = sql.to_lowercase();
            let names = |word: &str| text.contains(&word.to_lowercase());
            dialect.lexicon().may_change_objects(sql)
                && (names("unique") || tables.into_iter().any(names))
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

/// The foreign keys that can't be followed, with their tables. A foreign key to a table outside of
/// the schema is not judged.
fn mismatches(schema: &Schema, dialect: &dyn Dialect) -> Vec<(String, ForeignKey)> {
    let mut found = Vec::new();
    for table in schema.tables.values() {
        for key in &table.foreign_keys {
            let target = find(schema, &key.references_table, dialect);
            if target.is_some_and(|target| !is_key(target, key, dialect)) {
                found.push((table.name.clone(), key.clone()));
            }
        }
    }
    found
}

fn folding(dialect: &dyn Dialect) -> Folding {
    dialect.names(&dialect.offline_facts()).folding
}

fn find<'s>(schema: &'s Schema, name: &str, dialect: &dyn Dialect) -> Option<&'s Table> {
    folding(dialect).table(schema, name)
}

/// Whether the foreign key can refer to its columns in this table.
fn is_key(target: &Table, key: &ForeignKey, dialect: &dyn Dialect) -> bool {
    dialect.referable(target, &key.references_columns).is_none_or(|found| found.is_any())
}

impl Mismatch<'_> {
    /// The tables on both sides of the foreign key.
    pub(crate) fn tables(&self) -> BTreeSet<String> {
        [self.table.clone(), self.key.references_table.clone()].into()
    }

    /// Whether the revisions alone settle the question. A database decides more precisely, see
    /// [`Mismatch::is_open`].
    pub(crate) fn is_certain(&self) -> bool {
        !self.unclear
    }

    /// Whether the database before the run differs from the schema that the revisions build in a
    /// way that may make the foreign key valid.
    pub(crate) fn is_open(&self, found: &Schema) -> bool {
        if self.renamed {
            return true;
        }
        let (key, dialect) = (&self.key, self.dialect);
        let find_target = |schema| find(schema, &key.references_table, dialect);
        let (target, built) = (find_target(found), find_target(&self.before));
        let uniques = |table: Option<&Table>| {
            let found = table.and_then(|target| dialect.referable(target, &key.references_columns));
            found.unwrap_or_default().uniques
        };
        let known = uniques(built);
        // Something other than the revisions created a unique index.
        let of_others = uniques(target).iter().any(|name| !known.contains(name));
        if of_others || (built.is_some() && target.is_none()) {
            return true;
        }
        let folding = folding(dialect);
        let refers = |schema: &Schema| {
            let keys = find(schema, &self.table, dialect).map(|table| &table.foreign_keys);
            keys.into_iter().flatten().any(|own| {
                own.columns == key.columns
                    && folding.same_table(&own.references_table, &key.references_table)
            })
        };
        refers(&self.before)
            && (!refers(found) || target.is_some_and(|target| !is_key(target, key, dialect)))
    }

    pub(crate) fn error(&self) -> Error {
        let key = &self.key;
        let target = &key.references_table;
        let message = format!(
            "foreign key `{}` of table `{}` refers to {}",
            key.name,
            self.table,
            refers_to(key, self.missing.as_deref())
        );
        let hint = match (&self.missing, key.references_columns.is_empty()) {
            (Some(_), _) => "correct the foreign key, or drop it with the column".to_owned(),
            (None, true) => format!("name the columns of `{target}` that it refers to"),
            (None, false) => format!(
                "add a unique constraint, `op.add_unique({target:?}, Unique::new(\"...\", \
                 [{}]))`, or a unique index without a condition; or drop the foreign key",
                quoted(&key.references_columns, "\"")
            ),
        };
        Error::unplannable(&self.revision, Refusal { message, hint: Some(hint) })
    }
}

/// What a foreign key refers to, and why no database can follow it.
fn refers_to(key: &ForeignKey, missing: Option<&str>) -> String {
    let columns = quoted(&key.references_columns, "`");
    let (what, why) = match (missing, key.references_columns.len()) {
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
    format!("{what}table `{}`, {why}", key.references_table)
}

fn quoted(names: &[String], quote: &str) -> String {
    let quoted = names.iter().map(|name| format!("{quote}{name}{quote}"));
    quoted.collect::<Vec<_>>().join(", ")
}

/// A foreign key of a schema that a database can't follow.
#[derive(Debug)]
pub struct Unfollowable {
    /// The table with the foreign key.
    pub table: String,
    /// The foreign key.
    pub key: ForeignKey,
    /// A description of what it refers to, and why that doesn't work.
    pub refers_to: String,
}

/// The first foreign key of a schema that the dialect's database can't follow. A foreign key to a
/// table outside of the schema is not judged.
pub fn unfollowable(schema: &Schema, dialect: &dyn Dialect) -> Option<Unfollowable> {
    let (table, key) = mismatches(schema, dialect).into_iter().next()?;
    let missing = missing_column(schema, &key, dialect);
    let refers_to = refers_to(&key, missing.as_deref());
    Some(Unfollowable { table, key, refers_to })
}

/// The first column that a foreign key refers to and that doesn't exist in its table.
fn missing_column(schema: &Schema, key: &ForeignKey, dialect: &dyn Dialect) -> Option<String> {
    let target = find(schema, &key.references_table, dialect)?;
    let folding = folding(dialect);
    let lacks = |name: &&String| !target.columns.iter().any(|own| folding.same(&own.name, name));
    key.references_columns.iter().find(lacks).cloned()
}
