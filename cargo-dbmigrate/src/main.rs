//! `cargo dbmigrate`: the subcommand's doorway.

use std::process::ExitCode;

fn main() -> ExitCode {
    cargo_dbmigrate::main()
}
