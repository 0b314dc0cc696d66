//! The program `cargo-dbmigrate`, which only calls the library.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// Much of what the tool does with many tables is to allocate small texts.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    cargo_dbmigrate::main()
}
