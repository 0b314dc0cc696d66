//! `completions`: what a shell completes after the tool's name.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::Answer;
use crate::cli::{self, Cli};
use crate::output::Output;

/// The program's own name: shells complete by it.
const PROGRAM: &str = "cargo-dbmigrate";

pub fn run(out: Output, args: &cli::Completions) -> Answer {
    let mut script = Vec::new();
    // The two words of its usual name would be a command and its subcommand.
    let mut command = Cli::command().bin_name(PROGRAM);
    clap_complete::generate(args.shell, &mut command, PROGRAM, &mut script);
    let mut script = String::from_utf8_lossy(&script).into_owned();
    if args.shell == Shell::Bash {
        // The generator spells a hyphen of the program's name in two ways, and what a command
        // takes is never found (clap-rs/clap#6421).
        script = script.replace("cargo__subcmd__dbmigrate__", "cargo__dbmigrate__");
    }
    out.text(&script);
    out.json("completions", serde_json::json!({ "script": script }));
    Answer::Done
}
