//! The pages "Coming from ...", played on databases that those tools made.

use dbmigrate_tests::{Host, left_out, sql};

use super::played::{Player, is_installed, is_long};

/// A package without models, as a person has it who used another tool.
const LIBRARY: &str = "//! The shop.\n";

#[test]
fn histories_of_sql_files_are_taken_over_as_the_pages_show() {
    for tool in ["diesel", "sqlx", "refinery"] {
        if is_long() && !is_installed(tool) {
            left_out("histories_of_sql_files_are_taken_over_as_the_pages_show", tool);
            continue;
        }
        play(tool, true);
    }
}

/// `import` runs these tools, so that there is nothing to play without them.
#[test]
fn histories_of_programs_are_taken_over_as_the_pages_show() {
    let name = "histories_of_programs_are_taken_over_as_the_pages_show";
    for (tool, program) in [("alembic", "alembic"), ("django", "django-admin")] {
        if !is_long() || !is_installed(program) {
            left_out(name, &format!("DBMIGRATE_LONG=1 and {program}"));
            continue;
        }
        play(tool, false);
    }
}

fn play(tool: &str, is_kept: bool) {
    let host = Host::library("shop", LIBRARY);
    Player {
        host: &host,
        page: &format!("coming-from/{tool}.md"),
        is_kept,
        is_played: &|_| true,
        database: &|text| sql(&host.dir.join("app.db"), text),
        shown_as: &[],
    }
    .play();
}
