//! `cargo dbmigrate`: the subcommand's doorway.

mod autogenerate;
#[cfg(test)]
mod cases;
mod cli;
mod commands;
mod config;
mod connection;
mod context;
mod edits;
mod error;
mod files;
mod headers;
mod history;
mod live;
mod models;
mod output;
mod project;
mod prompt;
mod render;
mod rules;
mod runner;
mod scaffold;
mod trial;

use std::process::ExitCode;

fn main() -> ExitCode {
    match models::run_wrapper() {
        Some(code) => code,
        None => commands::run(std::env::args_os()),
    }
}
