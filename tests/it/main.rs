//! Tests of the whole product on real crates and real databases, in one program.

mod architecture;
mod bad_input;
mod branches;
mod build_script;
mod commands;
mod drift;
mod extraction;
mod fanout;
mod generated;
mod help;
mod hosts;
mod kept;
#[cfg(unix)]
mod questions;
mod recording;
mod session;
mod settings;
mod squash;
