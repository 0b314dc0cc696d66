//! Tests of the whole product on real crates and real databases, in one program.

mod adopt;
mod answers;
mod isolation;
mod architecture;
mod backup;
mod bad_input;
mod book;
mod branches;
mod build_script;
mod commands;
mod databases;
mod drift;
mod extraction;
mod fanout;
mod fanout_servers;
mod generated;
mod help;
#[cfg(unix)]
mod hooks;
mod hosts;
mod init;
mod inspect;
mod import;
mod json;
mod status;
mod stored_revisions;
mod revision_list;
mod lint;
mod round_trip;
mod locks;
mod long_history;
mod mysql;
mod output;
mod plan;
mod postgres;
mod locations;
mod custom_operations;
#[cfg(unix)]
mod package;
mod questions;
mod readers;
mod rebase;
mod recording;
mod conventions;
mod schemas;
mod scripts;
mod session;
mod settings;
mod team;
mod squash;
#[cfg(target_os = "linux")]
mod failed_commands;
mod doctor;
mod switch;
mod trial;
mod verify;
