//! A run as an SQL script.

use dbmigrate_runtime::Direction;
use dbmigrate_runtime::engine::dialect::{Dialect, Facts};
use dbmigrate_runtime::engine::plan::Route;
use dbmigrate_runtime::engine::script::{self, Client};

use super::loaded::{Loaded, Wanted};
use super::options;
use crate::cli::Run;
use crate::context::Context;
use crate::error::Result;

/// Prints the statements that a run would execute. With a range this needs no database.
pub fn write_script(
    cx: &Context,
    direction: Direction,
    identifier: &str,
    (run, client): (&Run, Client),
) -> Result<()> {
    let loaded = Loaded::load(cx, Wanted { direction, identifier, run, facts: facts_for_script })?;
    let (dialect, options) = (loaded.dialect, options(cx, run));
    let route = Route { applied: &loaded.rows, ..loaded.route() };
    let (text, steps) = script::script(&route, dialect, &loaded.facts, &options)?;
    for step in steps {
        cx.out.warning(format!(
            "step `{step}` is a function and is not in the script; only `cargo dbmigrate` runs it"
        ));
    }
    for barrier in &loaded.barriers {
        cx.out.note(format!("the script stops before {barrier}; --past-barriers includes it"));
    }
    let text = script::for_client(&text, dialect, client);
    cx.out.text(&text);
    let name = direction.name();
    cx.out.json(name, serde_json::json!({ "sql": text, "revisions": loaded.ids }));
    Ok(())
}

/// These facts, restricted for a script: it may be run by an older version of SQLite than the one
/// that is compiled into this tool.
pub fn facts_for_script(dialect: &dyn Dialect, facts: Facts) -> Facts {
    Facts { version: facts.version.min(dialect.offline_facts().version), ..facts }
}
