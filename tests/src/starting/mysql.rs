//! MariaDB of Debian 12 and 13, and MySQL of Debian's unstable release, which has it alone.

use std::fs::{self, File};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::Result;
use super::debian::Unpacked;
use super::place::Place;
use super::server::{Server, free_port};

/// A server's name, the release that has it, and the packages of its client and of itself.
const SERVERS: [(&str, &str, [&str; 2]); 3] = [
    ("mariadb1011", "bookworm", ["mariadb-client-core", "mariadb-server-core"]),
    ("mariadb118", "trixie", ["mariadb-client-core", "mariadb-server-core"]),
    ("mysql9", "sid", ["mysql-client-core", "mysql-server-core"]),
];

/// Settings of both: little memory, and nothing that has to be kept.
const SETTINGS: [&str; 4] = [
    "--bind-address=127.0.0.1",
    "--innodb-buffer-pool-size=64M",
    "--max-connections=300",
    "--performance-schema=ON",
];

/// Starts the server with this name; `None` if there is none.
pub fn start(place: &Place, name: &str) -> Option<Result<Server>> {
    let installed = Installed::new(place, name)?;
    Some(installed.and_then(|installed| installed.run()))
}

/// A server with a data directory, which can be started again on it.
pub struct Installed<'a> {
    place: &'a Place,
    name: String,
    unpacked: Unpacked,
    dir: PathBuf,
    port: u16,
}

impl<'a> Installed<'a> {
    /// Unpacks the server with this name and initializes its data; `None` if there is none.
    pub fn new(place: &'a Place, name: &str) -> Option<Result<Installed<'a>>> {
        let (_, release, [client, server]) =
            SERVERS.into_iter().find(|(server, ..)| *server == name)?;
        let unpacked = Unpacked::new(place, release, &[client, server, "libeatmydata1"]);
        Some(unpacked.and_then(|unpacked| Installed::initialized(place, name, unpacked)))
    }

    fn initialized(place: &'a Place, name: &str, unpacked: Unpacked) -> Result<Installed<'a>> {
        let (name, dir, port) = (name.to_owned(), place.directory(name)?, free_port()?);
        let installed = Installed { place, name, unpacked, dir, port };
        let mut init = installed.command()?;
        if installed.is_mysql() {
            init.arg("--initialize-insecure");
        } else {
            place.directory(&format!("{}/data", installed.name))?;
            let statements = installed.dir.join("bootstrap.sql");
            fs::write(&statements, bootstrap(&installed.share())?)?;
            init.arg("--bootstrap").stdin(File::open(&statements)?);
        }
        if !init.status()?.success() {
            return Err(installed.failed("its initialization"));
        }
        Ok(installed)
    }

    /// Starts the server on its data.
    pub fn run(&self) -> Result<Server> {
        self.run_with(&[])
    }

    /// A directory that the server can read.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Starts the server on its data, with settings of its own.
    pub fn run_with(&self, settings: &[String]) -> Result<Server> {
        let Installed { name, dir, port, .. } = self;
        let mut run = self.command()?;
        run.args(settings);
        run.args(SETTINGS).arg(format!("--port={port}"));
        for (setting, file) in [("socket", "socket"), ("pid-file", "data/server.pid")] {
            run.arg(format!("--{setting}={}", dir.join(file).display()));
        }
        if self.is_mysql() {
            run.args(["--disable-log-bin", "--mysqlx=OFF"]);
        }
        let process = run.stdin(Stdio::null()).spawn()?;
        let url = format!("mysql://root@127.0.0.1:{port}/mysql");
        let client = Some(self.client()?);
        let (name, port) = (name.clone(), *port);
        // Nothing of its data is needed again.
        let mut server = Server { name, url, port, process, signal: "-KILL", client };
        let start = Instant::now();
        while !is_ready(&self.log(), port) {
            if start.elapsed() > Duration::from_secs(60) || server.process.try_wait()?.is_some() {
                return Err(self.failed("the server"));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// A program that runs its own client.
    fn client(&self) -> Result<PathBuf> {
        let program = if self.is_mysql() { "usr/bin/mysql" } else { "usr/bin/mariadb" };
        let client = self.dir.join("client");
        self.unpacked.write_script(program, &client)?;
        Ok(client)
    }

    fn is_mysql(&self) -> bool {
        self.name.starts_with("mysql")
    }

    fn log(&self) -> PathBuf {
        self.dir.join("log")
    }

    /// The directory with messages and with the statements that create the system's tables.
    fn share(&self) -> PathBuf {
        let [own, common] =
            ["usr/share/mariadb", "usr/share/mysql"].map(|share| self.unpacked.path(share));
        if own.exists() { own } else { common }
    }

    /// The program, which writes a new log.
    fn command(&self) -> Result<Command> {
        let program = if self.is_mysql() { "usr/sbin/mysqld" } else { "usr/sbin/mariadbd" };
        let mut command = self.unpacked.command(self.place, program)?;
        command.arg("--no-defaults");
        for (setting, path) in [
            ("datadir", &self.dir.join("data")),
            ("basedir", &self.unpacked.path("usr")),
            ("lc-messages-dir", &self.share()),
            ("plugin-dir", &self.unpacked.path("usr/lib/mysql/plugin")),
            ("tmpdir", &self.dir),
        ] {
            command.arg(format!("--{setting}={}", path.display()));
        }
        if self.is_mysql() {
            command.args(["--secure-file-priv=", "--innodb-redo-log-capacity=32M"]);
        } else {
            command.arg("--innodb-log-file-size=32M");
        }
        let out = File::create(self.log())?;
        command.stdout(out.try_clone()?).stderr(out);
        Ok(command)
    }

    fn failed(&self, what: &str) -> Box<dyn std::error::Error> {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        format!("{what} failed: {log}").into()
    }
}

/// What creates the tables of the system, in which `root` has no password.
fn bootstrap(share: &Path) -> Result<String> {
    let mut text = "CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket = NULL;\n".to_owned();
    for part in ["system_tables", "performance_tables", "system_tables_data"] {
        let names = ["mariadb", "mysql"].map(|name| share.join(format!("{name}_{part}.sql")));
        let [own, common] = &names;
        text += &fs::read_to_string(if own.exists() { own } else { common })?;
    }
    Ok(text)
}

fn is_ready(log: &Path, port: u16) -> bool {
    let is_said = fs::read_to_string(log).is_ok_and(|text| text.contains("ready for connections"));
    is_said && TcpStream::connect(("127.0.0.1", port)).is_ok()
}
