//! A PostgreSQL server for a test, on a socket and a port of its own.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The user `nobody`: a server refuses to run as root.
const NOBODY: u32 = 65534;

/// A server that is stopped, and its files removed, when it is dropped.
pub struct Server {
    pub dir: PathBuf,
    pub port: u16,
    bin: PathBuf,
}

/// Who may connect to the server that tests share.
const HBA: &str = "
local   all       admin,trusty,ghost,nologin,busy,outside  trust
local   all       ada      scram-sha-256
local   all       peer     peer
host    all       ada      127.0.0.1/32 scram-sha-256
host    all       trusty   127.0.0.1/32 trust
";

static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());

/// A server with roles and databases, which is stopped with the last test that uses it; `None` if
/// no server is installed.
pub fn shared() -> Option<Arc<Server>> {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(server) = shared.upgrade() {
        return Some(server);
    }
    let server = Server::start("shared", HBA, "password_encryption = 'scram-sha-256'")?;
    server.sql(
        "CREATE ROLE ada LOGIN PASSWORD 's3cr@t/'; CREATE ROLE trusty LOGIN; CREATE ROLE peer LOGIN;
         CREATE ROLE nologin; CREATE ROLE busy LOGIN CONNECTION LIMIT 0; CREATE ROLE outside LOGIN",
    );
    server.sql("CREATE DATABASE app");
    server.sql("CREATE DATABASE shut ALLOW_CONNECTIONS false");
    server.sql("REVOKE CONNECT ON DATABASE app FROM PUBLIC; GRANT CONNECT ON DATABASE app TO ada");
    let server = Arc::new(server);
    *shared = Arc::downgrade(&server);
    Some(server)
}

/// The programs of the newest installed server; `None`, with a message, if there is none.
#[expect(clippy::print_stderr, reason = "a test says what it left out")]
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = versions
        .map(|entry| entry.path().join("bin"))
        .filter(|bin| bin.join("initdb").is_file())
        .collect();
    found.sort_by_key(|bin| bin.to_string_lossy().len());
    found.sort();
    if found.is_empty() {
        let is_required = std::env::var("DBMIGRATE_TEST_SERVERS").is_ok_and(|text| text == "1");
        assert!(!is_required, "no PostgreSQL server is installed");
        eprintln!("skipped: no PostgreSQL server is installed");
    }
    found.pop()
}

impl Server {
    /// Starts a new server; `None` if no server is installed.
    pub fn start(name: &str, hba: &str, settings: &str) -> Option<Server> {
        let bin = programs()?;
        // A socket's path has at most 107 bytes.
        let dir = Path::new("/tmp").join(format!("dbmigrate-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).unwrap();
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let server = Server { dir, port, bin };
        server.own(&server.dir);
        server.run(
            "initdb",
            &["-U", "admin", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "-D"],
            &[&server.data()],
        );
        server.write("data/pg_hba.conf", hba);
        let conf = server.data().join("postgresql.conf");
        let mut text = fs::read_to_string(&conf).unwrap();
        text.push_str(&format!(
            "\nport = {port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '{}'\n\
             fsync = off\nshared_buffers = 16MB\nautovacuum = off\n{settings}\n",
            server.dir.display()
        ));
        fs::write(&conf, text).unwrap();
        server.control("start", &[]);
        Some(server)
    }

    /// Starts a standby that follows this server.
    pub fn standby(&self) -> Server {
        let dir = self.dir.with_extension("standby");
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).unwrap();
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let standby = Server { dir, port, bin: self.bin.clone() };
        self.own(&standby.dir);
        let (host, from) = (self.dir.display().to_string(), self.port.to_string());
        let copy = ["-h", &host, "-p", &from, "-U", "admin", "-R", "-c", "fast", "-D"];
        standby.run("pg_basebackup", &copy, &[&standby.data()]);
        let conf = standby.data().join("postgresql.conf");
        let text =
            fs::read_to_string(&conf).unwrap().replace(&host, &standby.dir.display().to_string());
        fs::write(&conf, format!("{text}\nport = {port}\n")).unwrap();
        standby.control("start", &[]);
        standby
    }

    /// The URL of a database, on the socket.
    pub fn url(&self, database: &str) -> String {
        let host = self.dir.display().to_string().replace('/', "%2F");
        format!("postgres://admin@{host}:{}/{database}", self.port)
    }

    pub fn data(&self) -> PathBuf {
        self.dir.join("data")
    }

    /// Writes a file that only the server and the tests may read.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        self.own(&path);
        path
    }

    pub fn own(&self, path: &Path) {
        if is_root() {
            chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }

    /// `pg_ctl`, with flags.
    pub fn control(&self, action: &str, flags: &[&str]) {
        let log = self.dir.join("log");
        let log = log.to_str().unwrap();
        let data = self.data();
        let all: Vec<&str> = ["-s", "-t", "60", "-l", log, action]
            .into_iter()
            .chain(flags.iter().copied())
            .chain(["-D"])
            .collect();
        self.run("pg_ctl", &all, &[&data]);
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        command.current_dir(&self.dir).env("PGDATA", self.data());
        if is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }

    fn run(&self, program: &str, args: &[&str], paths: &[&Path]) {
        let out = self.dir.join("out");
        let file = fs::File::create(&out).unwrap();
        let mut command = self.command(program);
        // A pipe would stay open in the server.
        command.args(args).args(paths).stdout(file.try_clone().unwrap()).stderr(file);
        let status = command.status().unwrap();
        let log = fs::read_to_string(self.dir.join("log")).unwrap_or_default();
        assert!(status.success(), "{program}: {}{log}", fs::read_to_string(out).unwrap());
    }

    /// Runs SQL as the superuser.
    pub fn sql(&self, sql: &str) {
        let host = self.dir.to_str().unwrap();
        let port = self.port.to_string();
        let flags =
            ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", host, "-p", &port, "-U", "admin", "-c"];
        self.run("psql", &[&flags[..], &[sql, "postgres"]].concat(), &[]);
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut command = self.command("pg_ctl");
        let _ = command.args(["-s", "-m", "immediate", "stop"]).status();
        let _ = fs::remove_dir_all(&self.dir);
    }
}
