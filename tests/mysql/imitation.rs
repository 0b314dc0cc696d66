//! A server behind which another product is imitated: its statements are changed on their way.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

/// The commands of the protocol that carry a statement: to run it, and to prepare it.
const WITH_SQL: [u8; 2] = [0x03, 0x16];

/// The URL of the same database on a port where each connection's statements are changed. The
/// connections are numbered.
pub fn behind(url: &str, change: fn(u32, &str) -> String) -> String {
    let (_, place) = url.split_once('@').expect("an address");
    let (address, database) = place.split_once('/').expect("a database");
    let address = address.to_owned();
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = listener.local_addr().expect("its port").port();
    thread::spawn(move || {
        for client in listener.incoming() {
            let client = client.expect("a connection");
            let server = TcpStream::connect(&address).expect("the server");
            let (mut to, mut from) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            thread::spawn(move || std::io::copy(&mut from, &mut to));
            thread::spawn(move || forward(client, server, change));
        }
    });
    // Nothing can be changed in what is encrypted.
    format!("mysql://root@127.0.0.1:{port}/{database}?ssl-mode=disabled")
}

/// Hands on what a client sends, packet by packet.
fn forward(mut client: TcpStream, mut server: TcpStream, change: fn(u32, &str) -> String) {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let mut header = [0; 4];
    while client.read_exact(&mut header).is_ok() {
        let [a, b, c, sequence] = header;
        let mut packet = vec![0; u32::from_le_bytes([a, b, c, 0]) as usize];
        if client.read_exact(&mut packet).is_err() {
            break;
        }
        // Only a command begins a sequence.
        if let (0, [command, sql @ ..]) = (sequence, packet.as_slice()) {
            if WITH_SQL.contains(command) {
                let sql = change(number, &String::from_utf8_lossy(sql));
                packet = [&[*command], sql.as_bytes()].concat();
            }
        }
        let [a, b, c, _] = u32::try_from(packet.len()).expect("it is short").to_le_bytes();
        if server.write_all(&[&[a, b, c, sequence], packet.as_slice()].concat()).is_err() {
            break;
        }
    }
    let _ = server.shutdown(Shutdown::Both);
}

/// Gives the named locks of each connection names of their own, as if it led to another node.
pub fn own_locks(number: u32, sql: &str) -> String {
    let is_lock = sql.contains("LOCK(");
    let sql = sql.to_owned();
    if is_lock { sql.replace("dbmigrate:", &format!("node{number}:")) } else { sql }
}
