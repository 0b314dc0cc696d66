//! Programs of Debian's packages, also of another release, unpacked without being installed.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Result;
use super::place::Place;

/// Packages of a release with all that they depend on, down to the C library.
pub struct Unpacked {
    root: PathBuf,
    /// The directories with libraries.
    libraries: Vec<PathBuf>,
}

impl Unpacked {
    /// Downloads packages of a release and unpacks them, unless this was done before.
    pub fn new(place: &Place, release: &str, packages: &[&str]) -> Result<Unpacked> {
        let install = ["install", "-q", "-y", "--no-install-recommends", "--download-only"];
        Unpacked::by(place, release, packages, &install)
    }

    /// The same, without what they depend on.
    pub fn alone(place: &Place, release: &str, packages: &[&str]) -> Result<Unpacked> {
        Unpacked::by(place, release, packages, &["download", "-q"])
    }

    fn by(place: &Place, release: &str, packages: &[&str], get: &[&str]) -> Result<Unpacked> {
        let root = place.programs.join(format!("{}-{release}", packages[0]));
        if !root.exists() {
            download(&root, release, &[get, packages].concat())?;
        }
        let multiarch = format!("{}-linux-gnu", std::env::consts::ARCH);
        let libraries = ["usr/lib", "lib"].map(|lib| root.join(lib).join(&multiarch));
        let libraries = libraries.into_iter().filter(|lib| lib.exists()).collect();
        Ok(Unpacked { root, libraries })
    }

    /// A path inside the packages.
    pub fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    fn library(&self, prefix: &str) -> Result<PathBuf> {
        for dir in &self.libraries {
            for entry in fs::read_dir(dir)?.flatten() {
                if entry.file_name().to_string_lossy().starts_with(prefix) {
                    return Ok(entry.path());
                }
            }
        }
        Err(format!("`{}` has no `{prefix}`", self.root.display()).into())
    }

    fn library_path(&self) -> String {
        let libraries: Vec<_> = self.libraries.iter().map(|lib| lib.to_string_lossy()).collect();
        libraries.join(":")
    }

    /// Writes a shell script that runs a program with the packages' own libraries.
    pub fn write_script(&self, program: &str, script: &Path) -> Result<()> {
        let text = format!(
            "#!/bin/sh\nexec {} --library-path {} {} \"$@\"\n",
            self.library("ld-linux")?.display(),
            self.library_path(),
            self.path(program).display(),
        );
        fs::write(script, text)?;
        fs::set_permissions(script, fs::Permissions::from_mode(0o755))?;
        Ok(())
    }

    /// A command that runs a program with the packages' own libraries, and doesn't wait for disks.
    pub fn command(&self, place: &Place, program: &str) -> Result<Command> {
        let mut command = place.command(&self.library("ld-linux")?);
        command.arg("--library-path").arg(self.library_path());
        command.arg("--preload").arg(self.library("libeatmydata.so")?).arg(self.path(program));
        Ok(command)
    }
}

/// Has `apt-get` download packages, by these arguments, and unpacks them.
fn download(root: &Path, release: &str, args: &[&str]) -> Result<()> {
    // Unpacked beside its place, so that what was interrupted is not taken for complete.
    let part = root.with_extension("part");
    let _ = fs::remove_dir_all(&part);
    let apt = part.join("apt");
    for dir in ["lists/partial", "cache/archives/partial", "parts"] {
        fs::create_dir_all(apt.join(dir))?;
    }
    File::create(apt.join("status"))?;
    let source = format!(
        "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] \
         http://deb.debian.org/debian {release} main\n"
    );
    fs::write(apt.join("sources.list"), source)?;
    // Lists and a status of its own: nothing is known of what this system has.
    let settings = [
        ("Dir::State::lists", "lists"),
        ("Dir::State::status", "status"),
        ("Dir::Cache", "cache"),
        ("Dir::Etc::sourcelist", "sources.list"),
        ("Dir::Etc::sourceparts", "parts"),
    ];
    let run = |args: &[&str]| -> Result<()> {
        let mut get = Command::new("apt-get");
        for (setting, path) in settings {
            get.arg("-o").arg(format!("{setting}={}", apt.join(path).display()));
        }
        // The list of an unstable release may be past its date.
        for setting in [
            "Acquire::Check-Valid-Until=false",
            "Acquire::Languages=none",
            "Acquire::Retries=5",
            "APT::Sandbox::User=root",
        ] {
            get.args(["-o", setting]);
        }
        // What is downloaded alone ends up in the current directory.
        get.current_dir(apt.join("cache/archives"));
        let out = get.args(args).output()?;
        if out.status.success() {
            return Ok(());
        }
        let err = String::from_utf8_lossy(&out.stderr);
        Err(format!("`apt-get {}` failed: {err}", args.join(" ")).into())
    };
    let get = || {
        run(&["update", "-q"])?;
        run(args)
    };
    // A mirror may be in the middle of an update.
    get().or_else(|_| get())?;
    for entry in fs::read_dir(apt.join("cache").join("archives"))? {
        let archive = entry?.path();
        if archive.extension().is_some_and(|extension| extension == "deb") {
            let status = Command::new("dpkg-deb").arg("-x").arg(&archive).arg(&part).status()?;
            if !status.success() {
                return Err(format!("`{}` can't be unpacked", archive.display()).into());
            }
        }
    }
    fs::remove_dir_all(&apt)?;
    for unused in ["usr/share/doc", "usr/share/man", "usr/share/perl"] {
        let _ = fs::remove_dir_all(part.join(unused));
    }
    Command::new("chmod").args(["-R", "a+rX"]).arg(&part).status()?;
    fs::rename(part, root)?;
    Ok(())
}
