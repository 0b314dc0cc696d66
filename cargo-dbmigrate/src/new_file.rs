//! A new revision's file: its position in the history, its appearance, and what is asked and tried
//! before it is written.

pub mod decimal_warnings;
mod format;
mod hooks;
pub mod parts;
mod position;
pub mod questions;
pub mod refused;
pub mod rewrite;
pub mod rows;
mod try_out;

pub use format::FileFormat;
pub use position::{
    Names, NewFile, Position, Written, check_id, no_head, refuse_splice, write_all, write_beside,
};
