//! PgBouncer of Debian's package, with transaction pooling.

use std::fs::{self, File};
use std::net::TcpStream;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::Result;
use super::place::Place;
use super::server::{Server, free_port};

const PROGRAM: &str = "/usr/sbin/pgbouncer";

/// Starts a pooler of the server with this port.
pub fn start(place: &Place, behind: u16) -> Result<Server> {
    place.install("pgbouncer", Path::new(PROGRAM))?;
    let name = "pgbouncer".to_owned();
    let dir = place.directory(&name)?;
    let port = free_port()?;
    let settings = dir.join("pgbouncer.ini");
    let text = format!(
        "[databases]\n* = host=127.0.0.1 port={behind} user=postgres\n\n[pgbouncer]\n\
         listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n\
         pool_mode = transaction\nmax_client_conn = 200\ndefault_pool_size = 20\n"
    );
    fs::write(&settings, text)?;
    let log = dir.join("log");
    let out = File::create(&log)?;
    let mut pgbouncer = place.command(Path::new(PROGRAM));
    let process = pgbouncer.arg(&settings).stdout(out.try_clone()?).stderr(out).spawn()?;
    let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
    let mut server = Server { name, url, port, process, signal: "-INT", client: None };
    let start = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if start.elapsed() > Duration::from_secs(10) || server.process.try_wait()?.is_some() {
            return Err(format!("pgbouncer failed: {}", fs::read_to_string(&log)?).into());
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(server)
}
