//! Starts database servers, each with a data directory of its own.

mod debian;
pub mod mysql;
pub mod pgbouncer;
pub mod place;
pub mod postgres;
pub mod server;

/// An error of a program for developers: its text is all that matters.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;
