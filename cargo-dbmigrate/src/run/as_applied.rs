//! Revisions as they were applied, if their files were edited afterwards.

use std::collections::{BTreeMap, BTreeSet};

use dbmigrate_runtime::engine::driver::Driver;
use dbmigrate_runtime::engine::recording::{self, Recording};
use dbmigrate_runtime::engine::revision::View;
use dbmigrate_runtime::engine::standing::{self, Standing};
use dbmigrate_runtime::engine::version_table::{self, VersionRow};
use dbmigrate_runtime::engine::{Migration, Migrations};
use dbmigrate_runtime::operations::{Operation, Step};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::history::History;

/// Why only the revision's file can run this downgrade, if so.
pub fn needs_file(downgrade: &Recording) -> Option<String> {
    let of_step = |operation: &Operation| match operation {
        Operation::Run(Step { name, .. }) => {
            Some(format!("its downgrade runs the step `{name}`, whose code is in its file"))
        }
        _ => None,
    };
    let step = || downgrade.operations.iter().find_map(of_step);
    downgrade.irreversible.clone().or_else(step)
}

/// The migrations for undoing these revisions. `counted` is what is applied in the history from the
/// database's point of view. A revision that was edited after it was applied is undone as the
/// database recorded it, and not as its file is now. So a revision that is being written can be
/// tried out repeatedly.
///
/// # Errors
///
/// An applied revision that was edited and isn't undone, and one for whose operations no reverse
/// can be derived.
pub fn migrations(
    cx: &Context,
    driver: &mut dyn Driver,
    standing: &Standing<'_, History>,
    down: &[String],
) -> Result<Migrations> {
    let Standing { rows: applied, view: View { of: history, applied: counted, .. } } = standing;
    let graph = &history.graph;
    let differs = |row: &VersionRow| {
        let checksum = |id: &str| history.checksum(id);
        standing::check_applied(graph, checksum, std::slice::from_ref(row), true).is_err()
    };
    let is_edited = |row: &&VersionRow| down.contains(&row.id) && differs(row);
    let edited: BTreeSet<&str> = applied.iter().filter(is_edited).map(|row| &*row.id).collect();
    let checksum = |id: &str| history.checksum(id).filter(|_| !edited.contains(id));
    standing::check_applied(graph, checksum, applied, false)?;
    let mut migrations = history.migrations()?;
    if edited.is_empty() {
        return Ok(migrations);
    }
    let entries = version_table::entries(driver.as_connection(), cx.config.version_table())?;
    let mut written = BTreeMap::new();
    for entry in entries.iter().filter(|entry| edited.contains(&*entry.id)) {
        let was = entry.decode()?;
        written.extend(entry.decode_downgrade()?.map(|downgrade| (entry.id.as_str(), downgrade)));
        migrations = replaced(migrations, &entry.id, |migration| {
            let upgrade = Recording { operations: was, ..migration.upgrade };
            Migration::new(migration.revision, upgrade, migration.downgrade)
        });
    }
    for id in edited {
        let ids =
            graph.revisions().iter().map(|revision| &revision.id).take_while(|other| *other != id);
        let before = ids.filter(|other| counted.contains(*other)).cloned().collect();
        let schema = migrations.replay(Some(&before))?;
        let Some(was) = migrations.get(id) else { continue };
        let derived = || match recording::reverse_all(&was.upgrade.operations, &schema) {
            Ok(operations) => Recording { operations, ..Recording::default() },
            Err(err) => Recording { irreversible: Some(err.to_string()), ..Recording::default() },
        };
        let back = written.remove(id).unwrap_or_else(derived);
        if let Some(why) = needs_file(&back) {
            let text = format!(
                "revision `{id}` was edited after it was applied, and what was applied can't be \
                 reversed automatically"
            );
            let hint = "revert the edit, and downgrade before you edit it";
            return Err(Error::new(text).cause(why).hint(hint));
        }
        cx.out.note(format!(
            "revision `{id}` was edited after it was applied; what was applied is undone, not what \
             the file says now"
        ));
        migrations =
            replaced(migrations, id, |migration| Migration { downgrade: back, ..migration });
    }
    Ok(migrations)
}

fn replaced(
    migrations: Migrations,
    id: &str,
    with: impl FnOnce(Migration) -> Migration,
) -> Migrations {
    match migrations.get(id).cloned() {
        Some(migration) => migrations.with(with(migration)),
        None => migrations,
    }
}
