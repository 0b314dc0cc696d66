//! Where servers are kept: their programs for the next time, their data for as long as they run.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Result;

/// The user `nobody` of most systems, who runs the servers if root starts them.
const NOBODY: u32 = 65_534;

/// Directories for servers.
pub struct Place {
    /// Programs that were downloaded.
    pub programs: PathBuf,
    /// Data directories and sockets of this run.
    pub run: PathBuf,
    is_root: bool,
}

impl Place {
    /// Creates the directories, and removes what killed runs have left.
    pub fn new() -> Result<Place> {
        let is_root = fs::metadata("/proc/self").is_ok_and(|meta| owner(&meta) == 0);
        let target = crate::target_dir().join("servers");
        fs::create_dir_all(&target)?;
        // Nobody may enter a home directory of root's.
        let programs = if is_root && !enters(&target) {
            PathBuf::from("/var/tmp/dbmigrate-servers")
        } else {
            target
        };
        fs::create_dir_all(&programs)?;
        // The path of a socket has to be short.
        let runs = std::env::temp_dir();
        for entry in fs::read_dir(&runs)?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let rest = name.strip_prefix("dbmigrate-servers-");
            let pid = rest.and_then(|rest| rest.split('-').next());
            if pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
                remove(&entry.path());
            }
        }
        // Tests of one process have their own, since each removes it at its end.
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let nth = COUNT.fetch_add(1, Ordering::Relaxed);
        let run = runs.join(format!("dbmigrate-servers-{}-{nth}", std::process::id()));
        fs::create_dir_all(&run)?;
        fs::set_permissions(&run, fs::Permissions::from_mode(0o755))?;
        let place = Place { programs, run, is_root };
        place.give(&place.run)?;
        Ok(place)
    }

    /// A command that is run by a user who may run a server.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        if self.is_root {
            command.uid(NOBODY).gid(NOBODY);
        }
        command.current_dir(&self.run);
        command
    }

    /// A new directory for a server.
    pub fn directory(&self, name: &str) -> Result<PathBuf> {
        let dir = self.run.join(name);
        fs::create_dir_all(&dir)?;
        self.give(&dir)?;
        Ok(dir)
    }

    /// Installs a package of Debian's if a file of it is missing.
    pub fn install(&self, package: &str, file: &Path) -> Result<()> {
        if file.exists() {
            return Ok(());
        }
        if !self.is_root {
            return Err(format!("`{}` is missing; install `{package}`", file.display()).into());
        }
        let log = self.run.join("apt.log");
        let run = |args: &[&str]| -> Result<bool> {
            let out = fs::File::create(&log)?;
            let mut apt = Command::new("apt-get");
            apt.args(args).env("DEBIAN_FRONTEND", "noninteractive");
            Ok(apt.stdout(out.try_clone()?).stderr(out).status()?.success())
        };
        let install = ["install", "-q", "-y", "--no-install-recommends", package];
        // The list of packages may be old.
        if run(&install)? || (run(&["update", "-q"])? && run(&install)?) {
            return Ok(());
        }
        Err(format!("`apt-get install {package}` failed: {}", fs::read_to_string(log)?).into())
    }

    fn give(&self, path: &Path) -> Result<()> {
        if self.is_root {
            chown(path, Some(NOBODY), Some(NOBODY))?;
        }
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.run);
    }
}

fn owner(meta: &fs::Metadata) -> u32 {
    std::os::unix::fs::MetadataExt::uid(meta)
}

fn enters(dir: &Path) -> bool {
    let mut ls = Command::new("ls");
    ls.arg(dir)
        .uid(NOBODY)
        .gid(NOBODY)
        .current_dir("/")
        .output()
        .is_ok_and(|out| out.status.success())
}

/// Stops the servers of a run that was killed, and removes its directory.
fn remove(run: &Path) {
    for entry in fs::read_dir(run).into_iter().flatten().flatten() {
        for file in ["postmaster.pid", "server.pid"] {
            let pid = fs::read_to_string(entry.path().join("data").join(file));
            if let Some(pid) = pid.ok().as_deref().and_then(|text| text.lines().next()) {
                let _ = Command::new("kill").args(["-QUIT", pid]).status();
            }
        }
    }
    let _ = fs::remove_dir_all(run);
}
