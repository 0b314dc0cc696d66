//! A plan as a script of SQL, for those who run it elsewhere.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::dialect::{Action, Dialect, Facts, Route};
use crate::migration::{Direction, Migrations};
use crate::operations::UNNAMED;
use crate::plan;
use crate::revision::{Target, View};
use crate::version_table;
use crate::{Error, Options};

/// Inside a transaction SQLite ignores the pragma.
const BEGIN: &str = "PRAGMA foreign_keys = OFF;\nBEGIN IMMEDIATE;\n\n";

/// The statements of a route as a script, with the version rows, in one transaction or in one for
/// each revision.
///
/// What a run would find out before it goes on, the script asks as well, and fails where the answer
/// is the wrong one. Steps are functions and can't be written down: in their place the script
/// fails, and their names are returned with it.
///
/// # Errors
///
/// What planning says.
pub fn script(
    migrations: &Migrations,
    direction: Direction,
    ids: &[String],
    applied: &BTreeSet<String>,
    dialect: &dyn Dialect,
    facts: &Facts,
    options: &Options,
) -> Result<(String, Vec<String>), Error> {
    let version_table = &options.version_table().quoted(dialect)?;
    let view = migrations.view(applied.clone())?;
    let planned = plan::plan(&view.of, direction, ids, &view.applied, dialect, facts)?;
    let mut text = String::new();
    let mut steps = Vec::new();
    if planned.is_empty() {
        return Ok((text, steps));
    }
    [STOP, BEGIN, GUARD].iter().for_each(|it| text.push_str(it));
    if applied.is_empty() && direction == Direction::Upgrade {
        let _ = writeln!(text, "{};\n", dialect.create_version_table(version_table));
    }
    settle(&mut text, &view, dialect, version_table);
    for (idx, it) in planned.iter().enumerate() {
        if options.transaction_each && idx > 0 {
            [KEYS, "COMMIT;\n", BEGIN].iter().for_each(|it| text.push_str(it));
        }
        let revision = &it.migration.revision;
        comment(&mut text, &running(direction, revision));
        let alone = it.migration.recording(direction).no_transaction;
        if alone {
            text.push_str("COMMIT;\n");
        }
        write_actions(&mut text, &it.actions, &mut steps);
        let row = match direction {
            Direction::Upgrade => {
                let operations = &it.migration.upgrade.operations;
                version_table::insert_text(dialect, version_table, revision, operations)
            }
            Direction::Downgrade => {
                version_table::delete_text(dialect, version_table, &revision.id)
            }
        };
        let _ = writeln!(text, "{row};");
        // What ran outside the transaction may have switched them on.
        text.push_str(if alone { BEGIN } else { "\n" });
    }
    [KEYS, TAIL].iter().for_each(|it| text.push_str(it));
    Ok((text, steps))
}

/// Enters what rows count as in the place of these rows.
fn settle(text: &mut String, view: &View<'_, Migrations>, dialect: &dyn Dialect, table: &str) {
    for (id, rows) in &view.counted {
        comment(text, &format!("Revision `{id}` replaces these.",));
        for row in rows {
            let _ = writeln!(text, "{};", version_table::delete_text(dialect, table, row));
        }
        if let Some(it) = view.of.get(id) {
            let operations = &it.upgrade.operations;
            let row = version_table::insert_text(dialect, table, &it.revision, operations);
            let _ = writeln!(text, "{row};\n");
        }
    }
}

const STOP: &str = "\
-- Stop at the first error: with the sqlite3 shell, `sqlite3 -bail`.
-- Whether views and triggers still work isn't tried here; `cargo dbmigrate upgrade` does.
";

const GUARD: &str = "\
-- What is written into this table has to be 0, or the script ends here.
CREATE TEMP TABLE dbmigrate_guard (n CONSTRAINT nothing_wrong CHECK (n = 0));
CREATE TEMP TABLE dbmigrate_violations AS SELECT \"table\", rowid AS n, parent
    FROM pragma_foreign_key_check;

";

const KEYS: &str = "\
-- No row refers to nothing that did not before.
INSERT INTO temp.dbmigrate_guard SELECT count(*) FROM (
    SELECT \"table\", rowid, parent FROM pragma_foreign_key_check
    EXCEPT SELECT * FROM temp.dbmigrate_violations);
";

const TAIL: &str = "\
DROP TABLE temp.dbmigrate_guard;
DROP TABLE temp.dbmigrate_violations;
COMMIT;
";

/// Actions as a script in one transaction, without version rows; empty where there is none.
pub fn statements(actions: &[Action]) -> String {
    if actions.is_empty() {
        return String::new();
    }
    let mut text = [STOP, BEGIN, GUARD].concat();
    write_actions(&mut text, actions, &mut Vec::new());
    text + "\n" + KEYS + TAIL
}

fn write_actions(text: &mut String, actions: &[Action], steps: &mut Vec<String>) {
    for action in actions {
        match action {
            Action::Statement(it) => {
                if it.route == Route::Raw && it.reason != UNNAMED {
                    comment(text, &it.reason);
                }
                let sql = it.sql.trim_end().trim_end_matches(';');
                // A person's text may end in a comment.
                let end = if sql.contains("--") { "\n;" } else { ";" };
                let _ = writeln!(text, "{sql}{end}");
            }
            Action::Check(it) => {
                comment(text, &format!("Fails where {}.", it.failure.replace("{}", "some")));
                let _ = writeln!(text, "INSERT INTO temp.dbmigrate_guard {};", it.sql);
            }
            Action::Note(it) => comment(text, it),
            Action::Step { name, .. } => {
                comment(
                    text,
                    &format!(
                        "Step `{name}` runs only in dbmigrate: do its work here, and take the \
                         next line out."
                    ),
                );
                let _ = writeln!(text, "INSERT INTO temp.dbmigrate_guard VALUES (1);");
                steps.push(name.clone());
            }
        }
    }
}

/// Writes a text that may hold names of people's, and so more than one line.
fn comment(text: &mut String, comment: &str) {
    for line in comment.lines() {
        let _ = writeln!(text, "-- {line}");
    }
}

/// `Running upgrade <base> -> 8048ee3cbab8, initial migration`
pub fn running(direction: Direction, revision: &crate::revision::Revision) -> String {
    let parents = match revision.parents.as_slice() {
        [] => "<base>".to_owned(),
        ids => ids.join(", "),
    };
    let (word, from, to) = match direction {
        Direction::Upgrade => ("upgrade", parents, revision.id.clone()),
        Direction::Downgrade => ("downgrade", revision.id.clone(), parents),
    };
    match revision.message.as_str() {
        "" => format!("Running {word} {from} -> {to}"),
        message => format!("Running {word} {from} -> {to}, {message}"),
    }
}

/// A stamp as a script: the version rows that it enters and takes out.
///
/// # Errors
///
/// A schema that the version table can't be in, and a database that stands where there is no file
/// any more.
pub fn stamp_script(
    migrations: &Migrations,
    target: &Target,
    applied: &BTreeSet<String>,
    dialect: &dyn Dialect,
    version_table: version_table::Name<'_>,
) -> Result<String, Error> {
    let version_table = &version_table.quoted(dialect)?;
    let view = migrations.view_to_stamp(applied.clone(), target)?;
    let graph = view.of.graph();
    let stays = plan::stamped(graph, &view.applied, &graph.translated(target));
    let mut text = format!("BEGIN IMMEDIATE;\n{};\n", dialect.create_version_table(version_table));
    for id in applied.iter().filter(|it| !stays.contains(*it)) {
        let _ = writeln!(text, "{};", version_table::delete_text(dialect, version_table, id));
    }
    let missing = |it: &&crate::Migration| {
        stays.contains(&it.revision.id) && !applied.contains(&it.revision.id)
    };
    for it in view.of.iter().filter(missing) {
        let operations = &it.upgrade.operations;
        let row = version_table::insert_text(dialect, version_table, &it.revision, operations);
        let _ = writeln!(text, "{row};");
    }
    text.push_str("COMMIT;\n");
    Ok(text)
}
