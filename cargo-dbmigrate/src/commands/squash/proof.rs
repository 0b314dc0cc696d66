//! Proves that a squash revision does the same as the revisions that it replaces, before it is
//! written.

use std::collections::BTreeSet;

use dbmigrate_runtime::engine::dialect::{Catalog, Comparing, Object, ObjectKind};
use dbmigrate_runtime::engine::driver::AsConnection as _;
use dbmigrate_runtime::engine::driver::sqlite::SqliteDriver;
use dbmigrate_runtime::engine::executor::{Executor, OwnSteps};
use dbmigrate_runtime::engine::recording::Recording;
use dbmigrate_runtime::engine::revision::{Revision, Target};
use dbmigrate_runtime::engine::{Migration, Migrations};
use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::Schema;
use dbmigrate_runtime::{Direction, Options};

use super::contents::Contents;
use super::range::Squashed;
use crate::autogenerate;
use crate::error::{Error, Result};
use crate::trial;

/// Replays both histories, runs both on databases in memory, and compares the results. If they
/// can't be run here, the returned text says so.
///
/// # Errors
///
/// The differences.
pub fn prove(
    old: &Migrations,
    squashed: &Squashed,
    revision: &Revision,
    contents: &Contents,
) -> Result<Option<String>> {
    let recording = |operations: &[Operation]| Recording {
        operations: operations.to_vec(),
        ..Recording::default()
    };
    let one = Migration::new(
        revision.clone(),
        recording(&contents.upgrade.operations),
        recording(&contents.downgrade.operations),
    );
    let new = Migrations::new(old.every().chain([&one]).cloned().collect())?;
    let up_to = |migrations: &Migrations, id: &str| -> BTreeSet<String> {
        let ids = migrations.graph().with_ancestors(&[id]);
        ids.into_iter().map(str::to_owned).collect()
    };
    let (ids, new_ids) = (up_to(old, squashed.last()), up_to(&new, &revision.id));
    refuse_difference(&old.replay(Some(&ids))?, &new.replay(Some(&new_ids))?)?;
    refuse_difference(&old.replay(None)?, &new.replay(None)?)?;
    let replaced = || old.iter().filter(|migration| ids.contains(&migration.revision.id));
    if replaced().any(|migration| migration.upgrade.has_steps()) {
        return Ok(Some(format!("{ONLY_REPLAYED}: there are steps in it or before it")));
    }
    if replaced().any(|migration| trial::reaches_outside(&migration.upgrade.operations)) {
        let why = "SQL in it or before it accesses files other than the database";
        return Ok(Some(format!("{ONLY_REPLAYED}: {why}")));
    }
    let (old_result, comparing) = match run(old, squashed.last()) {
        Ok(result) => result,
        // For example, a function may be missing that the application registers on its own
        // connections.
        Err(err) => return Ok(Some(format!("{ONLY_REPLAYED}: {err}"))),
    };
    let (new_result, _) = run(&new, &revision.id)
        .map_err(|err| Error::new("the new revision fails on an empty database").cause(err))?;
    refuse_other_objects(&comparing, &old_result, &new_result)?;
    Ok(None)
}

const ONLY_REPLAYED: &str = "the range was compared by its operations only, and not on a database";

fn refuse_difference(old: &Schema, new: &Schema) -> Result<()> {
    if old == new {
        return Ok(());
    }
    let different: Vec<String> = autogenerate::between(old, new)
        .iter()
        .map(|operation| format!("\n  {}", autogenerate::found(operation)))
        .collect();
    Err(not_equal(&different.concat()))
}

fn not_equal(different: &str) -> Error {
    let message =
        "the new revision would not build the same schema as the old ones, so nothing was written:";
    Error::new(format!("{message}{different}"))
        .hint("squash a shorter range; this is a bug in dbmigrate, so please report it")
}

/// The result of running a history on an empty database up to a revision, and how to compare it.
fn run(migrations: &Migrations, id: &str) -> Result<(Catalog, Comparing)> {
    let failed = |err| Error::new("failed to try it on an in-memory database").cause(err);
    let mut driver = SqliteDriver::open_in_memory().map_err(failed)?;
    let (options, observer, steps) = (&Options::default(), &mut (), &mut OwnSteps);
    let mut executor = Executor { driver: &mut driver, migrations, options, observer, steps };
    executor.run_to(Direction::Upgrade, &Target::Revisions(vec![id.to_owned()]))?;
    let conn = driver.as_connection();
    let comparing = conn.dialect().comparing(&conn.facts().map_err(failed)?);
    Ok((conn.catalog(None).map_err(failed)?, comparing))
}

fn refuse_other_objects(comparing: &Comparing, old: &Catalog, new: &Catalog) -> Result<()> {
    let (old_tables, new_tables) = (&old.schema.tables, &new.schema.tables);
    let names: BTreeSet<&String> = old_tables.keys().chain(new_tables.keys()).collect();
    let mut different = String::new();
    for name in names {
        match (old_tables.get(name), new_tables.get(name)) {
            (Some(old), Some(new)) => {
                for difference in comparing.differences(old, new) {
                    different += &format!("\n  {difference}");
                }
            }
            _ => different += &format!("\n  table `{name}` is in only one of the two databases"),
        }
    }
    let others = |catalog: &Catalog| -> BTreeSet<(ObjectKind, String, Option<String>)> {
        let is_other =
            |object: &&Object| matches!(object.kind, ObjectKind::View | ObjectKind::Trigger);
        let objects = catalog.objects.iter().filter(is_other);
        objects.map(|object| (object.kind, object.name.clone(), object.sql.clone())).collect()
    };
    for (kind, name, _) in others(old).symmetric_difference(&others(new)) {
        different += &format!("\n  {kind} `{name}` is not the same in both databases");
    }
    if different.is_empty() { Ok(()) } else { Err(not_equal(&different)) }
}

#[cfg(test)]
mod tests {
    use dbmigrate_runtime::operations::Operations;
    use dbmigrate_runtime::schema::{Column, Table, Type};

    use super::*;
    use crate::autogenerate::Commented;

    fn recorded(record: fn(&mut Operations)) -> Vec<Operation> {
        let mut op = Operations::new();
        record(&mut op);
        op.finish().operations
    }

    const VIEW: &str = "CREATE VIEW v AS SELECT id FROM t";

    /// The result of replacing two revisions, which create a table and a column, by this one.
    fn outcome(record: fn(&mut Operations)) -> String {
        outcome_of(record, |op| {
            op.add_column("t", column());
            op.execute(VIEW);
        })
    }

    /// The same with another second revision.
    fn outcome_of(record: fn(&mut Operations), second: fn(&mut Operations)) -> String {
        let migration = |id: &str, parents: &[&str], record| {
            let parents = parents.iter().map(|parent| (*parent).to_owned()).collect();
            let revision = Revision { id: id.to_owned(), parents, ..Revision::default() };
            let upgrade = Recording { operations: recorded(record), ..Recording::default() };
            Migration::new(revision, upgrade, Recording::default())
        };
        let old = Migrations::new(vec![
            migration("a1", &[], |op| op.create_table(table())),
            migration("b2", &["a1"], second),
        ]);
        let ids = vec!["a1".to_owned(), "b2".to_owned()];
        let revision =
            Revision { id: "c3".to_owned(), replaces: ids.clone(), ..Revision::default() };
        let squashed = Squashed {
            ids,
            parents: Vec::new(),
            depends_on: Vec::new(),
            branch_labels: Vec::new(),
        };
        let upgrade = Commented { operations: recorded(record), ..Commented::default() };
        let contents = Contents { upgrade, downgrade: Commented::default(), elided: Vec::new() };
        match prove(&old.unwrap(), &squashed, &revision, &contents) {
            Ok(note) => note.unwrap_or_default(),
            Err(err) => err.message().to_owned(),
        }
    }

    fn table() -> Table {
        Table::new("t").column(Column::new("id", Type::BigInteger))
    }

    fn column() -> Column {
        Column::new("n", Type::Integer)
    }

    #[test]
    fn what_differs_is_found_by_replay_and_on_a_database() {
        let same = outcome(|op| {
            op.create_table(table().column(column()));
            op.execute(VIEW);
        });
        assert_eq!(same, "");
        let lacks = outcome(|op| {
            op.create_table(table());
            op.execute(VIEW);
        });
        assert!(lacks.contains("would not build") && lacks.contains("`t.n`"), "{lacks}");
        // Only a database can tell what SQL does.
        let other = outcome(|op| op.create_table(table().column(column())));
        assert!(other.contains("view `v` is not the same in both databases"), "{other}");
        let fails = outcome(|op| {
            op.create_table(table().column(column()));
            op.execute("CREATE VIEW v AS SELECT");
        });
        assert_eq!(fails, "the new revision fails on an empty database");
    }

    #[test]
    fn sql_that_reaches_other_files_is_not_run() {
        let note = outcome_of(
            |op| {
                op.create_table(table());
                op.execute("ATTACH 'dbmigrate-proof.db' AS other");
                op.execute("CREATE TABLE other.seen (id)");
            },
            |op| {
                op.execute("ATTACH 'dbmigrate-proof.db' AS other");
                op.execute("CREATE TABLE other.seen (id)");
            },
        );
        assert!(note.contains("accesses files other than the database"), "{note}");
        assert!(!std::path::Path::new("dbmigrate-proof.db").exists());
    }
}
