//! A server that is running.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command};

use super::Result;

/// A server that is stopped when it is dropped.
pub struct Server {
    /// `postgres15`
    pub name: String,
    /// The URL of a database on it.
    pub url: String,
    /// Its port on the loopback address.
    pub port: u16,
    pub process: Child,
    /// What stops it.
    pub signal: &'static str,
    /// The program that runs its own client, if that isn't installed.
    pub client: Option<PathBuf>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let pid = self.process.id().to_string();
        let _ = Command::new("kill").args([self.signal, &pid]).status();
        let _ = self.process.wait();
    }
}

/// A port on the loopback address that nobody uses.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
