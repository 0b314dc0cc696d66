//! The pages "Coming from ...", played on databases that those tools made.

use dbmigrate_tests::{Host, is_long, left_out, sql};

use super::played::{Left, Player, is_installed, statements};
use super::{blocks, page};
use crate::import::sea_orm;

/// A package without models, as a person has it who used another tool.
const LIBRARY: &str = "//! The shop.\n";

const RUSQLITE_MIGRATION: &str = r#"[package]
name = "shop"
version = "0.1.0"
edition = "2024"

[dependencies]
include_dir = "0.7"
rusqlite = { version = "0.40", features = ["bundled"] }
rusqlite_migration = { version = "2", features = ["from-directory"] }

[workspace]
"#;

#[test]
fn histories_of_sql_files_are_taken_over_as_the_pages_show() {
    for tool in ["diesel", "sqlx", "refinery", "dbmate", "golang-migrate", "goose"] {
        let program = if tool == "golang-migrate" { "migrate" } else { tool };
        if is_long() && !is_installed(program) {
            left_out("histories_of_sql_files_are_taken_over_as_the_pages_show", program);
            continue;
        }
        play(tool, Left::Kept);
    }
}

/// These are not run, so what they leave was written as their source says.
#[test]
fn histories_of_tools_that_are_not_run_are_taken_over_as_the_pages_show() {
    for tool in ["flyway", "rusqlite_migration"] {
        play(tool, Left::Written);
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
        play(tool, Left::Nothing);
    }
}

/// `import` compiles the crate, so this is of the long mode.
#[test]
fn histories_of_sea_orm_are_taken_over_as_the_page_shows() {
    if !is_long() {
        left_out("histories_of_sea_orm_are_taken_over_as_the_page_shows", "DBMIGRATE_LONG=1");
        return;
    }
    let host = Host::library("shop", LIBRARY);
    host.write("migration/Cargo.toml", sea_orm::CARGO);
    host.write("migration/src/main.rs", sea_orm::MAIN);
    play_in(&host, "sea-orm", Left::Nothing);
}

/// The crate is compiled with the program of its page, so this is of the long mode.
#[test]
fn rusqlite_migration_leaves_what_its_page_begins_with() {
    if !is_long() {
        left_out("rusqlite_migration_leaves_what_its_page_begins_with", "DBMIGRATE_LONG=1");
        return;
    }
    let host = Host::empty("rusqlite-migration");
    host.write("Cargo.toml", RUSQLITE_MIGRATION);
    let blocks = blocks(&page("coming-from/rusqlite_migration.md"));
    for block in blocks.iter().filter(|block| block.kind == "sql,file") {
        let (first, rest) = block.text.split_once('\n').expect("a file's block has lines");
        host.write(first.trim_start_matches("-- "), rest);
    }
    let program = blocks.iter().find(|block| block.kind == "rust,ignore").expect("a program");
    host.write("src/main.rs", &program.text);
    let run = host.cargo("run --quiet");
    assert_eq!(run.code, 0, "{run}");
    let kept = include_str!("left/rusqlite_migration.sql");
    assert_eq!(statements(&host.dir.join("app.db")), kept);
}

fn play(tool: &str, left: Left) {
    play_in(&Host::library("shop", LIBRARY), tool, left);
}

fn play_in(host: &Host, tool: &str, left: Left) {
    Player {
        host,
        page: &format!("coming-from/{tool}.md"),
        left,
        is_played: &|_| true,
        database: &|text| sql(&host.dir.join("app.db"), text),
        shown_as: &[],
    }
    .play();
}
