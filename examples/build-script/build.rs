//! Brings the database up to date before the crate is compiled against it.

use std::env;
use std::process::Command;

fn main() {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let is_installed = Command::new(&cargo)
        .args(["dbmigrate", "--version"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !is_installed {
        println!(
            "cargo::error=this crate needs `cargo dbmigrate` to create its database; install it \
             with `cargo install --path cargo-dbmigrate` in a clone of dbmigrate"
        );
        return;
    }
    let output = Command::new(&cargo).args(["dbmigrate", "upgrade"]).output().expect("cargo runs");
    // It tells cargo itself what to watch: the migrations, `.env` and DATABASE_URL.
    print!("{}", String::from_utf8_lossy(&output.stdout));
    if !output.status.success() {
        for line in String::from_utf8_lossy(&output.stderr).lines() {
            println!("cargo::error={line}");
        }
    }
}
