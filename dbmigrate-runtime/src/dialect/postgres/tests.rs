//! Runs statements on the servers that the environment names, and compares texts without one.

mod server;
mod texts;
