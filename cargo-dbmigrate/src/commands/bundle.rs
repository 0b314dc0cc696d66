//! `bundle`: one executable that contains the migrations, for deployments without cargo.

use std::fs;
use std::path::{Path, PathBuf};

use memchr::memmem;

use super::Answer;
use crate::cli::{BackupBefore, Bundle};
use crate::config::DEFAULT;
use crate::context::Context;
use crate::error::{Doing as _, Error, Result};
use crate::history::History;
use crate::output::count;
use crate::{paths, revision_files, runner};

/// The executable's name.
const NAME: &str = "migrator";

pub fn run(cx: &Context, args: &Bundle) -> Result<Answer> {
    let out = out(cx, args)?;
    refuse_other_file(cx, &out)?;
    // Reports an error in the history before the long build.
    let history = History::load(cx)?;
    let files = revision_files::all(cx)?;
    let target = cx.global.cargo.target.as_deref();
    if cx.config.backup != BackupBefore::Never {
        cx.out.note("the executable makes no backups, whatever `backup` says in dbmigrate.toml");
    }
    let bundle = runner::Bundle { files: &files, target, is_static: args.link_statically };
    let built = runner::build_bundle(cx, &bundle)?;
    let bytes = fs::read(&built).doing(|| format!("read `{}`", built.display()))?;
    let linking = Linking::of(&bytes);
    if args.link_statically && linking == Linking::Dynamic {
        let target = target.unwrap_or("this machine");
        let message = format!("the executable for {target} is not linked statically");
        return Err(Error::new(message)
            .hint("leave --static out, or choose a target such as `x86_64-unknown-linux-musl`"));
    }
    copy(&built, &out)?;
    let shown = cx.project.shown(&out);
    let backends = cx.backends();
    let titles: Vec<&str> = backends.iter().map(|backend| backend.title()).collect();
    cx.out.done(format!("Generating {shown} ... done"));
    cx.out.done(format!(
        "{} for {}, {} bytes, {}",
        count(files.len(), "revision"),
        titles.join(", "),
        bytes.len(),
        linking.text(),
    ));
    if linking == Linking::Dynamic {
        cx.out.progress(
            "It needs a C library that is at least as new as this machine's; --static links it in",
        );
    }
    cx.out.json(
        "bundle",
        serde_json::json!({
            "path": out.display().to_string(),
            "bytes": bytes.len(),
            "static": linking.is_static(),
            "dialects": backends.iter().map(|backend| backend.name()).collect::<Vec<_>>(),
            "revisions": files.len(),
            "heads": history.graph.heads(),
            "target": target,
        }),
    );
    Ok(Answer::Done)
}

/// Where the executable is written.
fn out(cx: &Context, args: &Bundle) -> Result<PathBuf> {
    let out = match &args.out {
        Some(path) => {
            let cwd = std::env::current_dir().doing(|| "find the working directory".to_owned())?;
            paths::clean(&cwd.join(path))
        }
        None => {
            let name = match cx.database_name() {
                DEFAULT => NAME.to_owned(),
                database => format!("{NAME}-{database}"),
            };
            let is_of_windows =
                cx.global.cargo.target.as_ref().map_or(cfg!(windows), |to| to.contains("windows"));
            let suffix = if is_of_windows { ".exe" } else { "" };
            cx.project.target_dir.join("dbmigrate").join(format!("{name}{suffix}"))
        }
    };
    if out.is_dir() {
        let message = format!("`{}` is a directory", out.display());
        return Err(
            Error::new(message).hint(format!("give the file: --out {}/{NAME}", out.display()))
        );
    }
    Ok(out)
}

/// The beginning of what every bundle prints for `--help`.
const OF_BUNDLE: &str = "Applies and undoes the migrations that this executable contains.";

/// Refuses to replace a file that this command has not written.
fn refuse_other_file(cx: &Context, out: &Path) -> Result<()> {
    let Ok(bytes) = fs::read(out) else { return Ok(()) };
    let is_bundle = is_executable(&bytes) && memmem::find(&bytes, OF_BUNDLE.as_bytes()).is_some();
    if bytes.is_empty() || is_bundle {
        return Ok(());
    }
    let message = format!("`{}` exists and is not a bundle", cx.project.shown(out));
    Err(Error::new(message).hint("give another path with --out, or remove the file"))
}

/// Replaces a file atomically by a copy with the permissions of the original.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let doing = || format!("write `{}`", to.display());
    if let Some(dir) = to.parent() {
        fs::create_dir_all(dir).doing(doing)?;
    }
    let new = to.with_extension(format!("{}.tmp", crate::hex::random()?));
    let res = fs::copy(from, &new).and_then(|_| fs::rename(&new, to));
    if res.is_err() {
        let _ = fs::remove_file(&new);
    }
    res.doing(doing)
}

/// How an executable is linked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Linking {
    Static,
    Dynamic,
    /// It isn't for Linux or another system with ELF files.
    Unknown,
}

impl Linking {
    /// An ELF file that names no interpreter needs no library of the system.
    fn of(bytes: &[u8]) -> Linking {
        match elf_segments(bytes) {
            None => Linking::Unknown,
            Some(kinds) if kinds.contains(&PT_INTERP) => Linking::Dynamic,
            Some(_) => Linking::Static,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Linking::Static => "linked statically",
            Linking::Dynamic => "linked dynamically",
            Linking::Unknown => "linked as is usual for its target",
        }
    }

    fn is_static(self) -> Option<bool> {
        match self {
            Linking::Static => Some(true),
            Linking::Dynamic => Some(false),
            Linking::Unknown => None,
        }
    }
}

/// The kind of segment that names the program by which a dynamic executable is loaded.
const PT_INTERP: u32 = 3;

/// The kinds of the segments of a 64-bit ELF file in the byte order that all common targets have.
fn elf_segments(bytes: &[u8]) -> Option<Vec<u32>> {
    const IS_64_BIT: u8 = 2;
    const IS_LITTLE_ENDIAN: u8 = 1;
    let number = |at: usize, n: usize| -> Option<u64> {
        let bytes = bytes.get(at..at + n)?;
        Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    };
    if !bytes.starts_with(b"\x7fELF")
        || bytes.get(4) != Some(&IS_64_BIT)
        || bytes.get(5) != Some(&IS_LITTLE_ENDIAN)
    {
        return None;
    }
    let start = usize::try_from(number(32, 8)?).ok()?;
    let size = usize::try_from(number(54, 2)?).ok()?;
    let n = usize::try_from(number(56, 2)?).ok()?;
    (0..n).map(|nth| u32::try_from(number(start + nth * size, 4)?).ok()).collect()
}

/// Whether these are the bytes of a program for Linux, macOS or Windows.
fn is_executable(bytes: &[u8]) -> bool {
    const MAGIC: [&[u8]; 4] = [b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"MZ"];
    MAGIC.iter().any(|magic| bytes.starts_with(magic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_test_is_an_executable() {
        let bytes = fs::read(std::env::current_exe().unwrap()).unwrap();
        assert!(is_executable(&bytes));
        if cfg!(all(target_os = "linux", target_env = "gnu")) {
            assert_eq!(Linking::of(&bytes), Linking::Dynamic);
        }
        assert_eq!(Linking::of(b"MZ"), Linking::Unknown);
        assert!(!is_executable(b"[package]"));
    }
}
