//! Runs plans on the servers that the environment names, and compares their texts without one.

#[cfg(feature = "postgres")]
mod server;
mod texts;
#[cfg(feature = "postgres")]
mod types;
#[cfg(feature = "postgres")]
mod ways;
