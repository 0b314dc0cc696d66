//! Upgrades that are killed, starved and raced: the file is before or after, never between.
//!
//! `DBMIGRATE_LONG=1` tries every place instead of some, and prints what it counted.
#![cfg(unix)]

mod bench;
#[cfg(target_os = "linux")]
mod faults;
mod kills;
mod once;
mod read_only;
