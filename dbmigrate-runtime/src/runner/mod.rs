//! The runner: a small program that the command-line tool builds from a project's migrations, in
//! order to record their operations and to run their steps.
//!
//! The runner has no database. [`main`] is its side of the protocol; the tool's side is [`Frames`],
//! [`read_recorded`] and [`Conversation`]. A project's rewriting function is built
//! into a separate program, whose side is [`rewrite`]. Both programs write frames to standard
//! output: lines that begin with a mark which the tool chose for this run, so that they can be told
//! apart from whatever a migration prints. The tool answers with one line per answer: on Unix
//! through standard output itself, which is a socket, and elsewhere through a local port. Standard
//! input remains available to steps.

mod program;
mod recorded;
mod tool;

pub use program::{main, rewrite};
pub use recorded::{Recorded, read_recorded};
pub use tool::{Conversation, Frames, Hello, Request};

/// The version of the frames.
pub const PROTOCOL: i64 = 2;

/// The first character of a frame; the tool's mark follows.
const FRAME: char = '\u{1e}';
