//! `completions`: what a shell completes after the tool's name.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::Answer;
use crate::cli::{self, Cli};
use crate::output::Output;

/// The program's own name: shells complete by it.
const PROGRAM: &str = "cargo-dbmigrate";

/// The same for the two words `cargo dbmigrate`.
const BASH_AFTER_CARGO: &str = include_str!("completions/cargo.bash");
const FISH_AFTER_CARGO: &str = include_str!("completions/cargo.fish");

pub fn run(out: Output, args: &cli::Completions) -> Answer {
    let mut script = Vec::new();
    // The two words of its usual name would be a command and its subcommand.
    let mut command = Cli::command().bin_name(PROGRAM);
    clap_complete::generate(args.shell, &mut command, PROGRAM, &mut script);
    let mut script = String::from_utf8_lossy(&script).into_owned();
    match args.shell {
        Shell::Bash => {
            // The generator spells a hyphen of the program's name in two ways, and what a command
            // takes is never found (clap-rs/clap#6421).
            script = script.replace("cargo__subcmd__dbmigrate__", "cargo__dbmigrate__");
            script += BASH_AFTER_CARGO;
        }
        Shell::Fish => script += FISH_AFTER_CARGO,
        // For Zsh, cargo's own completion asks a function of the program's name, as is written.
        // In the others a name has one completion, and cargo's would be taken away.
        _ => {}
    }
    out.text(&script);
    out.json("completions", serde_json::json!({ "script": script }));
    Answer::Done
}
