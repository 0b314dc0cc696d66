//! The channel that carries a runner's frames to the tool, and answers to the runner.
//!
//! Standard input isn't used, so that steps can read it. On Unix, a socket in place of standard
//! output carries both directions. Elsewhere, standard output carries the frames, and the runner
//! connects to a local port for the answers, where it identifies itself.

use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

/// The environment variable that makes the runner use a port on Unix as well, with the value
/// `port`.
#[cfg(unix)]
const CHANNEL: &str = "DBMIGRATE_RUNNER_CHANNEL";

/// Where answers are written.
#[derive(Debug)]
pub enum Answers {
    #[cfg(unix)]
    Socket(UnixStream),
    Port(TcpStream),
}

/// Where frames are read.
#[derive(Debug)]
pub enum Received {
    #[cfg(unix)]
    Socket(UnixStream),
    Pipe(ChildStdout),
}

/// Starts a runner with this mark.
pub fn spawn(command: Command, mark: &str) -> io::Result<(Child, Answers, Received)> {
    #[cfg(unix)]
    if std::env::var_os(CHANNEL).is_none_or(|channel| channel != "port") {
        return spawn_on_socket(command);
    }
    spawn_on_port(command, mark)
}

/// The command holds the runner's end of the socket. It is dropped here, or else the end of the
/// runner wouldn't be noticed.
#[cfg(unix)]
fn spawn_on_socket(mut command: Command) -> io::Result<(Child, Answers, Received)> {
    let (ours, theirs) = UnixStream::pair()?;
    let answers = ours.try_clone()?;
    let child = command.stdout(std::os::fd::OwnedFd::from(theirs)).spawn()?;
    Ok((child, Answers::Socket(answers), Received::Socket(ours)))
}

fn spawn_on_port(mut command: Command, mark: &str) -> io::Result<(Child, Answers, Received)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let mut child = command.arg(address.to_string()).stdout(Stdio::piped()).spawn()?;
    let connected = accept(&listener, &mut child, mark);
    match (connected, child.stdout.take()) {
        (Ok(answers), Some(output)) => Ok((child, Answers::Port(answers), Received::Pipe(output))),
        (connected, _) => {
            let _ = child.kill();
            let _ = child.wait();
            Err(connected.err().unwrap_or_else(|| io::Error::other("it has no standard output")))
        }
    }
}

/// Waits for the runner, and rejects other connections to the port.
fn accept(listener: &TcpListener, child: &mut Child, mark: &str) -> io::Result<TcpStream> {
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                if begins_with(&stream, mark).unwrap_or(false) {
                    stream.set_nodelay(true)?;
                    return Ok(stream);
                }
            }
            Err(err) if err.kind() == io::ErrorKind::WouldBlock => {
                if child.try_wait()?.is_some() {
                    return Err(io::Error::other("it ended before it was ready"));
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            Err(err) => return Err(err),
        }
    }
}

/// Whether the first line on a connection is the mark, which only the runner knows.
fn begins_with(stream: &TcpStream, mark: &str) -> io::Result<bool> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    let mut line = String::new();
    let longest = mark.len() as u64 + 1;
    BufReader::new(stream.take(longest)).read_line(&mut line)?;
    Ok(line.strip_suffix('\n') == Some(mark))
}

impl Answers {
    /// Tells the runner that there are no more answers.
    pub fn close(self) {
        let _ = match self {
            #[cfg(unix)]
            Answers::Socket(stream) => stream.shutdown(Shutdown::Write),
            Answers::Port(stream) => stream.shutdown(Shutdown::Write),
        };
    }
}

impl Write for Answers {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            #[cfg(unix)]
            Answers::Socket(stream) => stream.write(bytes),
            Answers::Port(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            #[cfg(unix)]
            Answers::Socket(stream) => stream.flush(),
            Answers::Port(stream) => stream.flush(),
        }
    }
}

impl Read for Received {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            #[cfg(unix)]
            Received::Socket(stream) => stream.read(bytes),
            Received::Pipe(pipe) => pipe.read(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_knows_the_mark_is_taken_for_the_runner() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        for (line, expected) in
            [("mark\n", true), ("mark", false), ("other\n", false), ("marks\n", false), ("", false)]
        {
            let mut other = TcpStream::connect(address).unwrap();
            other.write_all(line.as_bytes()).unwrap();
            other.shutdown(Shutdown::Write).unwrap();
            let (stream, _) = listener.accept().unwrap();
            assert_eq!(begins_with(&stream, "mark").unwrap(), expected, "{line:?}");
        }
    }
}
