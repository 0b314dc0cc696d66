//! `completions`: the completion script for a shell.

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
            script += BASH_AFTER_CARGO;
        }
        Shell::Fish => script += FISH_AFTER_CARGO,
        // In Zsh, cargo's own completion calls a function with the program's name, which is what
        // was generated. Other shells have one completion per name, so adding one would replace
        // cargo's.
        _ => {}
    }
    out.text(&script);
    out.json("completions", serde_json::json!({ "script": script }));
    Answer::Done
}
