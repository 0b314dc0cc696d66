//! The promises in figures, each measured together with its alternative in the same run.
//!
//! `cargo run --release -p dbmigrate-tests --bin bench [--runs N] [ROW...]`; `README.md` explains
//! what each row compares. The program only reports, and asserts nothing about time.

mod figures;
mod hosts;
mod measure;
mod report;
mod rivals;
mod rows;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What all rows receive.
pub struct Bench {
    /// The tool, built with the release profile.
    tool: PathBuf,
    /// The directory for hosts, databases and the output of commands.
    dir: PathBuf,
    /// How often each command is run. Commands that take milliseconds are run more often, and those
    /// that take seconds less often.
    n_runs: usize,
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(err) => {
            report::progress(&format!("error: {err}"));
            ExitCode::FAILURE
        }
    }
}

/// Measures the requested rows; `false` if one of them could not be measured.
fn run(args: &[String]) -> Result<bool> {
    let (mut n_runs, mut names) = (15, Vec::new());
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "-h" | "--help" => {
                report::show(&usage());
                return Ok(true);
            }
            "--runs" => {
                let value = args.next().ok_or("`--runs` needs a number")?;
                n_runs = value.parse().map_err(|err| format!("`--runs {value}`: {err}"))?;
            }
            name if rows::ALL.iter().any(|row| row.name == name) => names.push(name),
            other => return Err(format!("unexpected `{other}`\n\n{}", usage()).into()),
        }
    }
    if n_runs == 0 {
        return Err("`--runs` needs at least one".into());
    }
    let dir = dbmigrate_tests::target_dir().join("bench");
    std::fs::create_dir_all(&dir)?;
    report::progress("building the tool");
    let bench = Bench { tool: hosts::release_tool()?, dir, n_runs };
    report::show(&report::machine());
    let mut lines = Vec::new();
    let mut complete = true;
    for row in rows::ALL.iter().filter(|row| names.is_empty() || names.contains(&row.name)) {
        let before = report::load();
        report::progress(&format!("measuring {}: {}", row.name, row.what));
        match (row.run)(&bench) {
            Ok(measured) => lines.extend(measured.into_iter().map(|line| line.in_row(row.name))),
            Err(err) => {
                complete = false;
                lines.push(report::Line::failed(&err.to_string()).in_row(row.name));
            }
        }
        report::progress(&format!("  load {before} before, {} after", report::load()));
    }
    report::show(&report::table(&lines));
    Ok(complete)
}

fn usage() -> String {
    let mut text = "usage: bench [--runs N] [ROW...]\n\nrows:\n".to_owned();
    for row in rows::ALL {
        text += &format!("  {:10}{}\n", row.name, row.what);
    }
    text
}
