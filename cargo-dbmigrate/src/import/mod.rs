//! The history of another migration tool, as revisions.

mod applied;
mod layout;
mod scratch;
mod script;
mod terms;
mod tool;
mod trying;
mod version;

pub use applied::{Applied, Entry, read as applied};
pub use layout::read;
pub use scratch::Scratch;
pub use terms::Terms;
pub use tool::{is_of_a_tool, no_transaction, table as table_of};
pub use trying::{Revised, Trying};
