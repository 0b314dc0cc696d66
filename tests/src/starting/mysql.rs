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
    /// What the log says when the server can be used.
    ready: &'static str,
    /// Further settings.
    settings: Vec<String>,
    /// Where the server finds programs.
    path: Option<PathBuf>,
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
        let installed = Installed::empty(place, name, unpacked)?;
        installed.initialize()?;
        Ok(installed)
    }

    /// A server whose data directory is still to be filled.
    fn empty(place: &'a Place, name: &str, unpacked: Unpacked) -> Result<Installed<'a>> {
        let (name, dir, port) = (name.to_owned(), place.directory(name)?, free_port()?);
        if !name.starts_with("mysql") {
            place.directory(&format!("{name}/data"))?;
        }
        let (ready, settings, path) = ("ready for connections", Vec::new(), None);
        Ok(Installed { place, name, unpacked, dir, port, ready, settings, path })
    }

    /// Creates the tables of the system.
    fn initialize(&self) -> Result<()> {
        let mut init = self.command()?;
        if self.is_mysql() {
            init.arg("--initialize-insecure");
        } else {
            let statements = self.dir.join("bootstrap.sql");
            fs::write(&statements, bootstrap(&self.share())?)?;
            init.arg("--bootstrap").stdin(File::open(&statements)?);
        }
        if !init.status()?.success() {
            return Err(self.failed("its initialization"));
        }
        Ok(())
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
        run.args(&self.settings);
        if let Some(path) = &self.path {
            let own = std::env::var_os("PATH").unwrap_or_default();
            let paths = std::iter::once(path.clone()).chain(std::env::split_paths(&own));
            run.env("PATH", std::env::join_paths(paths)?);
        }
        let process = run.stdin(Stdio::null()).spawn()?;
        let url = format!("mysql://root@127.0.0.1:{port}/mysql");
        let client = Some(self.client()?);
        let (name, port) = (name.clone(), *port);
        // Nothing of its data is needed again.
        let mut server = Server { name, url, port, process, signal: "-KILL", client };
        let start = Instant::now();
        while !self.is_ready() {
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

    fn is_ready(&self) -> bool {
        let is_said = fs::read_to_string(self.log()).is_ok_and(|text| text.contains(self.ready));
        is_said && TcpStream::connect(("127.0.0.1", self.port)).is_ok()
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

/// Starts the three nodes of a Galera cluster, which copy the data of the first by rsync.
pub fn start_cluster(place: &Place) -> Result<Vec<Server>> {
    for (package, program) in [("rsync", "rsync"), ("lsof", "lsof"), ("procps", "ps")] {
        place.install(package, &Path::new("/usr/bin").join(program))?;
    }
    let packages = ["galera-4", "mariadb-server", "mariadb-client-core"];
    let galera = Unpacked::alone(place, "bookworm", &packages)?;
    let (_, release, [client, server]) = SERVERS[0];
    let mut first = None;
    let mut nodes = Vec::new();
    for name in ["galera1", "galera2", "galera3"] {
        let unpacked = Unpacked::new(place, release, &[client, server, "libeatmydata1"])?;
        let mut node = Installed::empty(place, name, unpacked)?;
        if first.is_none() {
            node.initialize()?;
        }
        let [own, state, copy] = [free_port()?, free_port()?, free_port()?];
        let others = first.map_or_else(String::new, |port| format!("127.0.0.1:{port}"));
        first = first.or(Some(own));
        let provider = galera.path("usr/lib/galera/libgalera_smm.so");
        node.settings = vec![
            "--binlog-format=ROW".to_owned(),
            "--innodb-autoinc-lock-mode=2".to_owned(),
            "--wsrep-on=ON".to_owned(),
            format!("--wsrep-provider={}", provider.display()),
            "--wsrep-cluster-name=dbmigrate".to_owned(),
            format!("--wsrep-cluster-address=gcomm://{others}"),
            format!("--wsrep-node-name={name}"),
            format!("--wsrep-node-address=127.0.0.1:{own}"),
            "--wsrep-sst-method=rsync".to_owned(),
            format!("--wsrep-sst-receive-address=127.0.0.1:{copy}"),
            format!(
                "--wsrep-provider-options=gmcast.listen_addr=tcp://127.0.0.1:{own};\
                 ist.recv_addr=127.0.0.1:{state};gcache.size=16M"
            ),
        ];
        node.ready = "Synchronized with group";
        node.path = Some(galera.path("usr/bin"));
        nodes.push(node.run()?);
    }
    Ok(nodes)
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
