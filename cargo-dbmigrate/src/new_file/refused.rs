//! Warnings about a revision that a database will refuse.

use std::time::Duration;

use dbmigrate_runtime::engine::dialect::{Dialect, Facts, Refusal};
use dbmigrate_runtime::engine::plan;
use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::Schema;

use crate::connection::{Database, Patience};
use crate::context::Context;
use crate::url_source::Source;

/// Which direction will be refused, for each of the history's databases.
pub fn warnings(cx: &Context, directions: [&[Operation]; 2], schema: &Schema) -> Vec<String> {
    let warning = |dialect| {
        let (direction, refusal) = refused(cx, directions, schema, dialect)?;
        let hint = refusal.hint.map_or(String::new(), |hint| format!("\n  hint: {hint}"));
        Some(format!("{direction} will refuse this revision: {}{hint}", refusal.message))
    };
    cx.dialects().filter_map(warning).collect()
}

/// Plans for the version of the server that `--url` names. Without one, a server may be as old as
/// any that is supported, unless the one at hand is newer.
fn refused(
    cx: &Context,
    directions: [&[Operation]; 2],
    schema: &Schema,
    dialect: &'static dyn Dialect,
) -> Option<(&'static str, Refusal)> {
    let offline = planned(directions, schema, dialect, &dialect.offline_facts());
    let is_given = matches!(cx.url(), Ok((_, Source::Flag)));
    if offline.is_none() && !is_given {
        return None;
    }
    match facts_of_server(cx, dialect) {
        Some(facts) => planned(directions, schema, dialect, &facts),
        None => offline,
    }
}

/// The first direction that can't be planned.
fn planned(
    [upgrade, downgrade]: [&[Operation]; 2],
    schema: &Schema,
    dialect: &dyn Dialect,
    facts: &Facts,
) -> Option<(&'static str, Refusal)> {
    // The downgrade starts from the schema that the upgrade leaves.
    let mut schema = schema.clone();
    let directions = [("an upgrade", upgrade), ("a downgrade", downgrade)];
    directions.into_iter().find_map(|(name, operations)| {
        let planned = plan::tasks(operations, &mut schema, dialect, facts);
        planned.err().map(|refusal| (name, refusal))
    })
}

/// What is known of the server, if the project's database is on one that can be reached at once. A
/// file says nothing about the library that a program will open it with.
fn facts_of_server(cx: &Context, dialect: &dyn Dialect) -> Option<Facts> {
    let database = Database::locate(cx).ok()?;
    if !database.is_on_server() {
        return None;
    }
    let patience = Patience { out: cx.out, at_most: Duration::ZERO };
    let mut driver = database.open_to_read(patience).ok()??;
    if driver.dialect().backend() != dialect.backend() {
        return None;
    }
    driver.as_connection().facts().ok()
}
