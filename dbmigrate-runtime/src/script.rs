//! A plan as an SQL script, to be run by other means.

mod committed;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::dialect::{Alone, Dialect, Facts, Script, Task};
use crate::direction::Direction;
use crate::migration::Migrations;
use crate::plan::{self, Route};
use crate::revision::{Target, View};
use crate::sql::Kind;
use crate::version_table;
use crate::{Error, Options};

/// The client that a script is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Client {
    /// The database's own shell. The first line tells it to stop at the first error; every other
    /// client fails at that line before anything runs.
    #[default]
    Shell,
    /// Any client that runs SQL. It has to stop at the first error by itself.
    Any,
}

/// Adds a header for the client to a script: a line that makes the client stop at the first error,
/// or a comment that says it has to. SQL alone can't do this: after a failed copy, a client that
/// continued would drop the table and commit. An empty script stays empty.
pub fn for_client(text: &str, dialect: &dyn Dialect, client: Client) -> String {
    let shell = dialect.script().shell;
    let commits = dialect.capabilities().commits_definitions;
    let head = match client {
        _ if text.is_empty() => return String::new(),
        Client::Shell => format!(
            "{stop}\
             -- For the {name} shell, as in `{run}`: it stops at the first error{rolls_back}.\n\
             -- Do not paste this into an interactive shell, which goes on after an error. Other \
             clients: `--sql=plain`.\n",
            stop = match shell.stop {
                "" => String::new(),
                stop => format!("{stop}\n"),
            },
            name = shell.name,
            run = shell.run,
            rolls_back = if commits { "" } else { ", and rolls back" },
        ),
        Client::Any if commits => format!(
            "-- This script does not stop by itself. Run it with a client that stops at the first \
             error,\n\
             -- such as `{}`: one that goes on {}.\n",
            shell.run_stopping, shell.going_on
        ),
        Client::Any => format!(
            "-- This script does not stop by itself. Run it with a client that stops at the first \
             error and rolls\n\
             -- back, such as `{}`: one that goes on {}.\n",
            shell.run_stopping, shell.going_on
        ),
    };
    let text = (shell.exact)(text);
    match client {
        Client::Shell => head + &(shell.lines)(&text),
        Client::Any => head + &text,
    }
}

/// The statements of a route and its version rows as a script, in one transaction or in one for
/// each revision.
///
/// The script makes the same checks as a run: that the database is where the script starts, that
/// rows fit, and that each version row is written once. It relies on its client to stop at the
/// first error; see [`for_client`]. Steps are functions and can't be written as SQL: the script
/// fails at their position, and their names are returned with it. The caller checks the route for
/// foreign keys to columns that aren't unique: with [`plan::refuse_mismatch_offline`], or with
/// [`refuse_mismatch`](crate::executor::refuse_mismatch) if there is a database.
///
/// # Errors
///
/// The errors of planning.
pub fn script(
    route: &Route<'_>,
    dialect: &dyn Dialect,
    facts: &Facts,
    options: &Options,
) -> Result<(String, Vec<String>), Error> {
    let version_table = &options.version_table().quoted(dialect)?;
    let Route { migrations, direction, applied, .. } = *route;
    let view = migrations.view(applied.clone())?;
    let route = &Route { migrations: &view.of, applied: &view.applied, ..*route };
    if dialect.capabilities().commits_definitions {
        let from = committed::From { route, view: &view, rows: applied, facts };
        return committed::script(from, dialect, options.version_table());
    }
    let planned = plan::plan(route, dialect, facts)?;
    let mut text = String::new();
    let mut steps = Vec::new();
    if planned.is_empty() {
        return Ok((text, steps));
    }
    let parts = dialect.script();
    [parts.untried, parts.begin, parts.prepare].iter().for_each(|part| text.push_str(part));
    if applied.is_empty() && direction == Direction::Upgrade {
        let create = version_table::create_text(dialect, options.version_table())?;
        let _ = writeln!(text, "{create};\n");
    }
    text.push_str(&starts_at(&view, applied, dialect, version_table));
    settle(&mut text, &view, dialect, version_table);
    for (idx, planned) in planned.iter().enumerate() {
        if idx > 0 && (options.transaction_each || planned.is_apart) {
            end(&mut text, parts);
            [parts.begin, parts.prepare].iter().for_each(|part| text.push_str(part));
        }
        let revision = &planned.migration.revision;
        comment(&mut text, &running(direction, revision));
        barrier(&mut text, planned.migration, direction);
        let alone = planned.migration.recording(direction).no_transaction;
        if alone {
            let has_work = idx > 0 && !options.transaction_each;
            text.push_str(if has_work { parts.check_keys } else { "" });
            text.push_str(parts.commit);
        }
        write_tasks(&mut text, &planned.tasks, dialect, &mut steps);
        match direction {
            Direction::Upgrade => {
                let row = version_table::insert_text(dialect, version_table, planned.migration);
                let _ = writeln!(text, "{row};");
            }
            Direction::Downgrade => delete_row(&mut text, dialect, version_table, &revision.id),
        }
        // What ran outside the transaction may have enabled foreign keys.
        text.push_str(if alone { parts.begin } else { "\n" });
    }
    end(&mut text, parts);
    Ok((text, steps))
}

/// A guard that fails unless the database is at the revisions that the script was written for. If
/// there are none, the inserted version rows are check enough: they have a primary key.
fn starts_at(
    view: &View<'_, Migrations>,
    rows: &BTreeSet<String>,
    dialect: &dyn Dialect,
    table: &str,
) -> String {
    let mut text = String::new();
    let heads = view.of.graph().current(&view.applied).into_iter();
    let rows_of = |id: &str| match view.counted.get(id) {
        Some(counted) => counted.clone(),
        None => vec![id.to_owned()],
    };
    let wanted: Vec<String> = heads.flat_map(rows_of).filter(|id| rows.contains(id)).collect();
    if wanted.is_empty() {
        return text;
    }
    let at = wanted.join("`, `");
    comment(&mut text, &format!("Abort unless the database is at `{at}`."));
    let literals: Vec<String> =
        wanted.iter().map(|id| dialect.literal(&id.as_str().into())).collect();
    let query = format!(
        "SELECT count(*) <> {}\n    FROM {table} WHERE id IN ({})",
        wanted.len(),
        literals.join(", ")
    );
    let failure = format!("the database is not at `{at}`");
    let _ = writeln!(text, "{}", (dialect.script().guard)(&query, &failure));
    text
}

/// Deletes a version row, and fails if it doesn't exist: the revision has already been undone by
/// then.
fn delete_row(text: &mut String, dialect: &dyn Dialect, table: &str, id: &str) {
    let delete = version_table::delete_text(dialect, table, id);
    let failure = format!("revision `{id}` is not applied");
    text.push_str(&(dialect.script().changing_one)(&delete, &failure));
}

/// Replaces the rows of replaced revisions by the row of the revision that replaces them.
fn settle(text: &mut String, view: &View<'_, Migrations>, dialect: &dyn Dialect, table: &str) {
    for (id, rows) in &view.counted {
        comment(text, &format!("Revision `{id}` replaces these.",));
        for row in rows {
            delete_row(text, dialect, table, row);
        }
        if let Some(migration) = view.of.get(id) {
            let row = version_table::insert_text(dialect, table, migration);
            let _ = writeln!(text, "{row};\n");
        }
    }
}

/// Tasks as a script in one transaction, without version rows; empty if there are no tasks.
pub fn statements(tasks: &[Task], dialect: &dyn Dialect) -> String {
    if tasks.is_empty() {
        return String::new();
    }
    let parts = dialect.script();
    let mut text = [parts.untried, parts.session, parts.begin, parts.prepare].concat();
    write_tasks(&mut text, tasks, dialect, &mut Vec::new());
    text.push('\n');
    end(&mut text, parts);
    text
}

fn end(text: &mut String, parts: &Script) {
    [parts.check_keys, parts.clean_up, parts.commit].iter().for_each(|part| text.push_str(part));
}

fn write_tasks(text: &mut String, tasks: &[Task], dialect: &dyn Dialect, steps: &mut Vec<String>) {
    let parts = dialect.script();
    for task in tasks {
        match task {
            Task::Statement(statement) => {
                if let Some(name) = statement.given_name() {
                    comment(text, name);
                }
                if let Some(cost) = &statement.cost {
                    comment(text, &cost.to_string());
                }
                text.push_str(&ended(&statement.sql, dialect));
            }
            Task::Guard(guard) => {
                comment(text, &format!("Abort if {}.", guard.condition()));
                text.push_str(&(parts.guard)(&guard.sql, &guard.failure));
            }
            Task::Note(task) => comment(text, task),
            Task::Border => between(text, parts, None, dialect),
            Task::Alone(alone) => between(text, parts, Some(alone), dialect),
            Task::Step { name, batch, .. } => {
                if let Some(batch) = batch {
                    between(text, parts, None, dialect);
                    comment(text, &format!("It runs {batch}, each in a transaction of its own."));
                }
                comment(
                    text,
                    &format!(
                        "Step `{name}` runs only in dbmigrate: do its work here, and remove the \
                         next line."
                    ),
                );
                let failure = format!("step `{name}` runs only in dbmigrate");
                text.push_str(&(parts.guard)(parts.fails, &failure));
                steps.push(name.clone());
            }
        }
    }
}

/// Ends a transaction and begins the next one; a statement that no transaction can hold is between
/// them.
fn between(text: &mut String, parts: &Script, alone: Option<&Alone>, dialect: &dyn Dialect) {
    text.push('\n');
    end(text, parts);
    if let Some(alone) = alone {
        comment(text, "Outside a transaction: if this fails, what came before it stays.");
        if let Some(cost) = &alone.statement.cost {
            comment(text, &cost.to_string());
        }
        text.push_str(&ended(&alone.statement.sql, dialect));
    }
    [parts.begin, parts.prepare].iter().for_each(|part| text.push_str(part));
}

/// A statement with its terminator. Hand-written SQL may end in a comment, which would hide the
/// semicolon; an unclosed comment would hide the rest of the script, and a client would roll all of
/// it back and report success.
fn ended(sql: &str, dialect: &dyn Dialect) -> String {
    let sql = sql.trim_end().trim_end_matches(';');
    let end = match dialect.lexicon().tokens(sql).last() {
        Some(token) if token.kind == Kind::Comment && !token.is_closed() => " */",
        Some(token) if token.is_line_comment() => "\n",
        _ => "",
    };
    (dialect.script().whole)(&format!("{sql}{end}"))
}

/// Writes a comment that may contain names from people, and so more than one line.
fn comment(text: &mut String, comment: &str) {
    for line in comment.lines() {
        let _ = writeln!(text, "-- {line}");
    }
}

/// Says that there is a barrier before a revision, and why.
fn barrier(text: &mut String, migration: &crate::migration::Migration, direction: Direction) {
    if let Some(reason) = &migration.recording(direction).barrier {
        comment(text, &format!("There is a barrier before it: {reason}"));
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

/// What a stamp should do to a database.
#[derive(Debug, Clone, Copy)]
pub struct Stamp<'a> {
    /// The target of the stamp.
    pub target: &'a Target,
    /// The applied revisions before the stamp.
    pub applied: &'a BTreeSet<String>,
    /// The applied revisions that were edited afterwards, and are marked as applied in their new
    /// form.
    pub edited: &'a BTreeSet<String>,
}

/// A stamp as a script: the version rows that it inserts and deletes. Like the command itself, it
/// changes nothing when it is run again.
///
/// # Errors
///
/// A schema that can't contain the version table, and a database at a revision whose file no longer
/// exists.
pub fn stamp_script(
    migrations: &Migrations,
    stamp: Stamp<'_>,
    dialect: &dyn Dialect,
    version_table: version_table::Name<'_>,
) -> Result<String, Error> {
    let Stamp { target, applied, edited } = stamp;
    let create = version_table::create_text(dialect, version_table)?;
    let version_table = &version_table.quoted(dialect)?;
    let view = migrations.view_to_stamp(applied.clone(), target)?;
    let graph = view.of.graph();
    let target = graph.translated(target);
    let stays = plan::stamped(graph, &view.applied, &target);
    let wanted = graph.with_ancestors(&target.ids());
    let parts = dialect.script();
    let mut text = format!("{}{}{create};\n", parts.session, parts.begin_rows);
    for id in applied.iter().filter(|id| !stays.contains(*id)) {
        let _ = writeln!(text, "{};", version_table::delete_text(dialect, version_table, id));
    }
    let is_edited = |id: &String| edited.contains(id) && wanted.contains(id.as_str());
    for migration in view.of.iter().filter(|migration| stays.contains(&migration.revision.id)) {
        let id = &migration.revision.id;
        if is_edited(id) {
            let row = version_table::delete_text(dialect, version_table, id);
            let checksum = dialect.literal(&migration.checksum.as_str().into());
            let _ = writeln!(text, "{row} AND checksum <> {checksum};");
        }
        if is_edited(id) || !applied.contains(id) {
            let row = version_table::ensure_text(dialect, version_table, migration);
            let _ = writeln!(text, "{row};");
        }
    }
    text.push_str(parts.commit);
    Ok(text)
}
