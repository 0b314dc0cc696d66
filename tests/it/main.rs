//! Tests of the whole product on real crates and real databases, in one program.

mod answers;
mod apart;
mod architecture;
mod bad_input;
mod book;
mod branches;
mod build_script;
mod commands;
mod databases;
mod drift;
mod extraction;
mod fanout;
mod generated;
mod help;
#[cfg(unix)]
mod hooks;
mod hosts;
mod init;
mod json;
mod kept;
mod list;
mod locks;
mod looks;
mod locations;
mod own;
#[cfg(unix)]
mod package;
mod questions;
mod rebase;
mod recording;
mod rules;
mod scripts;
mod session;
mod settings;
mod team;
mod squash;
#[cfg(target_os = "linux")]
mod undone;
mod trial;
