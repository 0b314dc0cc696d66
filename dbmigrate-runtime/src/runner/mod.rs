//! The runner: a small program that the command-line tool builds from a project's migrations, to
//! learn what they record and to run their steps.
//!
//! It has no database. Its side of the conversation is [`main`], the tool's side is [`Frames`],
//! [`read_recorded`], [`serve_step`] and [`ask_rewrite`]. A project's rewriting function has a
//! program of its own, whose side is [`rewrite`]. Both speak in frames: lines of the program's standard
//! output that begin with a mark which the tool chose for this run, so that whatever a migration
//! prints is told apart; answers come the other way, one a line: on Unix standard output is a socket,
//! elsewhere they are fetched from a port of this computer. Standard input is left to what a step
//! reads.

mod program;
mod recorded;
mod tool;

pub use program::{main, rewrite};
pub use recorded::{Recorded, read_recorded};
pub use tool::{Frames, Hello, Request, ask_rewrite, serve_step};

/// The version of the frames.
pub const PROTOCOL: i64 = 2;

/// Begins a frame; the tool's mark follows.
const FRAME: char = '\u{1e}';
