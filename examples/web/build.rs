//! Migrates the database that the queries are then checked against, and tells the program which
//! kind of database it is.

use std::env;

#[path = "migrations/mod.rs"]
mod migrations;

fn main() {
    println!("cargo::rerun-if-changed=migrations");
    println!("cargo::rerun-if-env-changed=DATABASE_URL");
    println!("cargo::rustc-check-cfg=cfg(postgres, mysql)");
    // Without the variable, sqlx takes the same from `.env`.
    let url = env::var("DATABASE_URL").unwrap_or_else(|_| "sqlite:app.db".to_owned());
    if url.starts_with("postgres") {
        println!("cargo::rustc-cfg=postgres");
    } else if url.starts_with("mysql") || url.starts_with("mariadb") {
        println!("cargo::rustc-cfg=mysql");
    }
    if let Err(err) = migrations::migrator().upgrade(&url) {
        for line in err.report().lines() {
            println!("cargo::error={line}");
        }
    }
}
