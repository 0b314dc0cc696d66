//! Brings the database up to date before the crate is compiled against it.

#[path = "migrations/mod.rs"]
mod migrations;

fn main() {
    println!("cargo::rerun-if-changed=migrations");
    println!("cargo::rerun-if-changed=.env");
    // A build script runs in the package's directory.
    match migrations::migrator().upgrade_url("sqlite:app.db") {
        Ok(ran) => ran.iter().for_each(|ran| println!("applied {ran}")),
        Err(err) => {
            for line in err.report().lines() {
                println!("cargo::error={line}");
            }
        }
    }
}
