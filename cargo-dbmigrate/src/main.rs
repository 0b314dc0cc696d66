//! The program `cargo-dbmigrate`, which only calls the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    cargo_dbmigrate::main()
}
