//! Upgrades that are killed, starved of disk space, and raced: the database is as before or after
//! a transaction, never in between.
//!
//! `DBMIGRATE_LONG=1` tries every position instead of some, and prints what it counted.
#![cfg(unix)]

mod bench;
#[cfg(target_os = "linux")]
mod faults;
#[cfg(target_os = "linux")]
mod galera;
mod kills;
#[cfg(target_os = "linux")]
mod lease;
mod once;
mod mysql;
mod pieces;
mod postgres;
mod read_only;
#[allow(dead_code, reason = "not everything is used here")]
#[path = "../../dbmigrate-runtime/tests/postgres/server.rs"]
mod server;
