//! What a recording depends on besides its own file.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use dbmigrate_runtime::engine::recording;
use dbmigrate_runtime::engine::runner::PROTOCOL;

use super::cache::Shared;
use super::{VERSION, stamp};
use crate::context::Context;
use crate::hex::hash;
use crate::project::RUNTIME;

/// A text for the tool, the runtime, the compiler, the edition, the migrations' dependencies, and
/// the files that they use in common.
pub fn key(cx: &Context, shared: &[Shared]) -> String {
    let lock = fs::read_to_string(cx.project.workspace_root.join("Cargo.lock"));
    let lock = lock.as_deref().map_or("", lock_entry);
    let dependencies = toml::to_string(&cx.config.dependencies).unwrap_or_default();
    let format = recording::FORMAT;
    let mut text = format!(
        "{VERSION}\n{PROTOCOL}\n{format}\n{}\n{lock}\n{dependencies}\n{}\n",
        cx.project.edition,
        compiler(&cx.project.cargo_dir),
    );
    for file in shared {
        text += &file.path.to_string_lossy();
        text += "\n";
        text += &file.seen.hash;
        text += "\n";
    }
    hash(text.as_bytes())
}

/// The runtime's entry in the lock file.
fn lock_entry(lock: &str) -> &str {
    let name = format!("\nname = \"{RUNTIME}\"");
    let Some(start) = lock.find(&name) else { return "" };
    let entry = &lock[start..];
    entry.split("\n\n").next().unwrap_or(entry)
}

/// The compiler, identified by its file, without starting it.
fn compiler(dir: &Path) -> String {
    let name = format!("rustc{}", env::consts::EXE_SUFFIX);
    let dirs = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&dirs).map(|path| path.join(&name)).find(|path| path.is_file());
    let Some(path) = found else { return String::new() };
    let described = |path: &Path| {
        let stamp = stamp::of(path).map(|stamp| stamp.to_string());
        format!("{} {}", path.display(), stamp.unwrap_or_default())
    };
    if !path.with_file_name(format!("rustup{}", env::consts::EXE_SUFFIX)).is_file() {
        return described(&path);
    }
    // This is rustup's proxy, which starts another compiler.
    let toolchain = env::var("RUSTUP_TOOLCHAIN").ok().or_else(|| selected_toolchain(dir));
    let toolchain = toolchain.unwrap_or_default();
    match of_rustup(&toolchain, &name) {
        Some(path) => described(&path),
        None => format!("{} {toolchain}", described(&path)),
    }
}

/// The compiler of a toolchain, which may be named without its target.
fn of_rustup(toolchain: &str, name: &str) -> Option<PathBuf> {
    let toolchains = rustup_home()?.join("toolchains");
    let rustc = |toolchain: &OsStr| {
        let path = toolchains.join(toolchain).join("bin").join(name);
        path.is_file().then_some(path)
    };
    if let Some(path) = rustc(toolchain.as_ref()) {
        return Some(path);
    }
    let prefix = format!("{toolchain}-");
    let entries = toolchains.read_dir().ok()?.filter_map(|entry| Some(entry.ok()?.file_name()));
    let mut fitting = entries.filter(|entry| entry.to_string_lossy().starts_with(&prefix));
    match (fitting.next(), fitting.next()) {
        (Some(toolchain), None) => rustc(&toolchain),
        _ => None,
    }
}

/// The toolchain that rustup selects in a directory: by an override, by a file, or by default.
fn selected_toolchain(dir: &Path) -> Option<String> {
    let settings = fs::read_to_string(rustup_home()?.join("settings.toml")).unwrap_or_default();
    let settings: toml::Table = toml::from_str(&settings).unwrap_or_default();
    let overrides = settings.get("overrides").and_then(toml::Value::as_table);
    for dir in dir.ancestors() {
        let set = overrides.and_then(|overrides| overrides.get(dir.to_str()?)?.as_str());
        if let Some(toolchain) = set {
            return Some(toolchain.to_owned());
        }
        for name in ["rust-toolchain", "rust-toolchain.toml"] {
            if let Ok(text) = fs::read_to_string(dir.join(name)) {
                let table: toml::Table = toml::from_str(&text).unwrap_or_default();
                let channel =
                    table.get("toolchain").and_then(|value| value.get("channel")?.as_str());
                return Some(channel.unwrap_or(text.trim()).to_owned());
            }
        }
    }
    Some(settings.get("default_toolchain")?.as_str()?.to_owned())
}

fn rustup_home() -> Option<PathBuf> {
    let var = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    var("RUSTUP_HOME").or_else(|| Some(var("HOME").or_else(|| var("USERPROFILE"))?.join(".rustup")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runtime_in_the_lock_file() {
        let lock = "version = 4\n\n[[package]]\nname = \"dbmigrate-runtime\"\nversion = \"0.1.0\"\n\
                    source = \"registry\"\n\n[[package]]\nname = \"other\"\n";
        let entry = lock_entry(lock).trim();
        assert_eq!(
            entry,
            "name = \"dbmigrate-runtime\"\nversion = \"0.1.0\"\nsource = \"registry\""
        );
        assert_eq!(lock_entry("version = 4\n"), "");
    }
}
