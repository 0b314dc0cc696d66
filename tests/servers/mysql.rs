//! MariaDB of Debian 12 and 13, and MySQL of Debian's unstable release, which has it alone.

use std::fs::{self, File};
use std::net::TcpStream;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use crate::Result;
use crate::debian::Unpacked;
use crate::place::Place;
use crate::server::{Server, free_port};

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
    let (_, release, [client, server]) =
        SERVERS.into_iter().find(|(server, ..)| *server == name)?;
    let packages = [client, server, "libeatmydata1"];
    let unpacked = Unpacked::new(place, release, &packages);
    Some(unpacked.and_then(|unpacked| start_unpacked(place, name, &unpacked)))
}

fn start_unpacked(place: &Place, name: &str, unpacked: &Unpacked) -> Result<Server> {
    let is_mysql = name.starts_with("mysql");
    let share = ["usr/share/mariadb", "usr/share/mysql"].map(|share| unpacked.path(share));
    let [own, common] = &share;
    let share = if own.exists() { own } else { common };
    let dir = place.directory(name)?;
    let (data, log) = (dir.join("data"), dir.join("log"));
    let out = File::create(&log)?;
    let failed = |what: &str| -> Result<Server> {
        Err(format!("{what} failed: {}", fs::read_to_string(&log)?).into())
    };
    let program = if is_mysql { "usr/sbin/mysqld" } else { "usr/sbin/mariadbd" };
    let command = || -> Result<_> {
        let mut command = unpacked.command(place, program)?;
        command.arg("--no-defaults");
        for (setting, path) in [
            ("datadir", &data),
            ("basedir", &unpacked.path("usr")),
            ("lc-messages-dir", share),
            ("plugin-dir", &unpacked.path("usr/lib/mysql/plugin")),
            ("tmpdir", &dir),
        ] {
            command.arg(format!("--{setting}={}", path.display()));
        }
        if is_mysql {
            command.args(["--secure-file-priv=", "--innodb-redo-log-capacity=32M"]);
        } else {
            command.arg("--innodb-log-file-size=32M");
        }
        command.stdout(out.try_clone()?).stderr(out.try_clone()?);
        Ok(command)
    };
    let mut init = command()?;
    if is_mysql {
        init.arg("--initialize-insecure");
    } else {
        place.directory(&format!("{name}/data"))?;
        let statements = dir.join("bootstrap.sql");
        fs::write(&statements, bootstrap(share)?)?;
        init.arg("--bootstrap").stdin(File::open(&statements)?);
    }
    if !init.status()?.success() {
        return failed("its initialization");
    }
    let port = free_port()?;
    let mut run = command()?;
    run.args(SETTINGS).arg(format!("--port={port}"));
    for (setting, file) in [("socket", "socket"), ("pid-file", "data/server.pid")] {
        run.arg(format!("--{setting}={}", dir.join(file).display()));
    }
    if is_mysql {
        run.args(["--disable-log-bin", "--mysqlx=OFF"]);
    }
    let process = run.stdin(Stdio::null()).spawn()?;
    let url = format!("mysql://root@127.0.0.1:{port}/mysql");
    let client = dir.join("client");
    let program = if is_mysql { "usr/bin/mysql" } else { "usr/bin/mariadb" };
    unpacked.write_script(program, &client)?;
    let (name, client) = (name.to_owned(), Some(client));
    // Nothing of its data is needed again.
    let mut server = Server { name, url, port, process, signal: "-KILL", client };
    let start = Instant::now();
    while !is_ready(&log, port) {
        if start.elapsed() > Duration::from_secs(60) || server.process.try_wait()?.is_some() {
            return failed(program);
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(server)
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
