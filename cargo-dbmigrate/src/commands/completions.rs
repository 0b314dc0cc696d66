//! `completions`: the completion script for a shell.

pub mod values;

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::Answer;
use crate::cli::{self, Cli};
use crate::output::Output;

/// The program's own name, by which shells select completions.
const PROGRAM: &str = "cargo-dbmigrate";

/// The same for the two words `cargo dbmigrate`.
const BASH_AFTER_CARGO: &str = include_str!("completions/cargo.bash");
const FISH_AFTER_CARGO: &str = include_str!("completions/cargo.fish");

/// The code that asks this program for the values of a project.
const BASH_VALUES: &str = include_str!("completions/values.bash");
const FISH_VALUES: &str = include_str!("completions/values.fish");
const ZSH_VALUES: &str = include_str!("completions/values.zsh");

pub fn run(out: Output, args: &cli::Completions) -> Answer {
    let mut script = Vec::new();
    // In the usual two-word name, the second word would be taken for a subcommand.
    let mut command = Cli::command().bin_name(PROGRAM);
    clap_complete::generate(args.shell, &mut command, PROGRAM, &mut script);
    let mut script = String::from_utf8_lossy(&script).into_owned();
    match args.shell {
        Shell::Bash => {
            // The generator spells a hyphen in the program's name in two ways, so that the options
            // of commands are never found (clap-rs/clap#6421).
            script = script.replace("cargo__subcmd__dbmigrate__", "cargo__dbmigrate__");
            let function = "_cargo__dbmigrate() {";
            script = script.replacen(function, "_cargo__dbmigrate_static() {", 1);
            script = script + BASH_VALUES + BASH_AFTER_CARGO;
        }
        Shell::Fish => {
            // An option with a value completes only what its own line says.
            let with_values = |line: &str| {
                if line.ends_with(" -r") {
                    format!("{line} -a \"(__fish_cargo_dbmigrate_values)\"\n")
                } else {
                    format!("{line}\n")
                }
            };
            script = script.lines().map(with_values).collect();
            script = script + FISH_VALUES + FISH_AFTER_CARGO;
        }
        Shell::Zsh => {
            script = script.replace(":_default'", ":_cargo-dbmigrate_values'");
            let function = "_cargo-dbmigrate() {";
            script = script.replacen(function, &(ZSH_VALUES.to_owned() + function), 1);
        }
        // In Zsh, cargo's own completion calls a function with the program's name, which is what
        // was generated. Other shells have one completion per name, so adding one would replace
        // cargo's.
        _ => {}
    }
    out.text(&script);
    out.json("completions", serde_json::json!({ "script": script }));
    Answer::Done
}
