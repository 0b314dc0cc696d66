//! The history of another migration tool, as revisions.

mod applied;
mod client;
mod definitions;
mod layout;
mod outside;
mod printed;
mod recorded;
mod rows;
mod running;
mod scratch;
mod script;
mod terms;
mod tool;
mod touched;
mod trying;
mod version;

pub use applied::{Applied, Entry, read as applied};
use std::path::Path;

use dbmigrate_runtime::engine::sql::Lexicon;

use crate::cli::Tool;
use crate::error::Result;
use layout::Foreign;

pub use definitions::own_schema;
pub use outside::{beginning, reaches_outside};
pub use scratch::Scratch;
pub use terms::{State, Terms};
pub use trying::{Revised, Trying, text};

/// Reads the history of a tool, in its order.
///
/// # Errors
///
/// What can't be taken over, with the file that it is in.
pub fn read(tool: Tool, dir: &Path, lexicon: &'static Lexicon) -> Result<Vec<Foreign>> {
    if printed::is_program(tool) {
        printed::read(tool, dir, lexicon)
    } else {
        layout::read(tool, dir)
    }
}
