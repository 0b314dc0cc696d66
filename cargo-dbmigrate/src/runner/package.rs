//! The runner's crate: its manifest and its program.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::host::Host;
use crate::context::Context;
use crate::error::{Doing as _, Result};
use crate::hex::short_hash;
use crate::project::RUNTIME;
use crate::revision_files::RevisionFile;
use crate::work_files::write_if_new;

/// The crate's directory.
pub fn dir(cx: &Context) -> PathBuf {
    cx.project.work_dir.join("runner")
}

/// The crate's name. Builds of several projects use the same directory.
pub fn name(cx: &Context) -> String {
    let dir = cx.project.work_dir.as_os_str().as_encoded_bytes();
    format!("dbmigrate-runner-{}", short_hash(dir))
}

/// The program of the crate with the project's rewriting function: its name and its file.
pub fn rewrite_bin(cx: &Context) -> (String, &'static str) {
    (name(cx).replace("-runner-", "-rewrite-"), "rewrite.rs")
}

/// The file with the list of revisions and their common code.
pub fn list_file(cx: &Context) -> PathBuf {
    cx.project.migrations_dir.join("mod.rs")
}

/// The project's runtime. When it has changed, the runner's lock file is replaced by a copy of the
/// host's.
pub fn host(cx: &Context) -> Result<Host> {
    if let Some(host) = Host::known(cx) {
        return Ok(host);
    }
    let host = Host::find(cx)?;
    seed_lock(cx, &dir(cx))?;
    host.keep(cx)?;
    Ok(host)
}

/// Makes cargo use the project's versions for the package in a directory. Cargo removes the entries
/// that don't apply.
pub fn seed_lock(cx: &Context, dir: &Path) -> Result<()> {
    fs::create_dir_all(dir).doing(|| format!("create the directory `{}`", dir.display()))?;
    match fs::read_to_string(cx.project.workspace_root.join("Cargo.lock")) {
        Ok(text) => write_if_new(&dir.join("Cargo.lock"), &text),
        Err(_) => Ok(()),
    }
}

/// Writes the runner's manifest.
pub fn write_manifest(cx: &Context, host: &Host) -> Result<()> {
    let mut bins = vec![(name(cx), "main.rs")];
    if !cx.config.rewrite.is_empty() {
        bins.push(rewrite_bin(cx));
    }
    // The runner is small and compiled completely each time, so neither debug information nor
    // incremental compilation is useful.
    let profile = table(vec![("debug", 0.into()), ("incremental", false.into())]);
    let package = Package {
        name: name(cx),
        bins,
        profile: ("dev", profile),
        features: vec!["runner".to_owned()],
    };
    package.write(cx, host, &dir(cx))
}

/// A generated package around the project's revisions.
pub struct Package {
    pub name: String,
    /// The names of its programs, with their files.
    pub bins: Vec<(String, &'static str)>,
    /// A profile's name and its settings.
    pub profile: (&'static str, toml::Value),
    /// The features of the runtime that it needs.
    pub features: Vec<String>,
}

impl Package {
    /// Writes its manifest into a directory.
    pub fn write(self, cx: &Context, host: &Host, dir: &Path) -> Result<()> {
        let package = table(vec![
            ("name", self.name.into()),
            ("version", "0.0.0".into()),
            ("edition", cx.project.edition.as_str().into()),
            ("publish", false.into()),
        ]);
        let bin = |(name, path): (String, &str)| {
            table(vec![("name", name.into()), ("path", path.into())])
        };
        let bins: Vec<toml::Value> = self.bins.into_iter().map(bin).collect();
        let mut features: Vec<toml::Value> = self.features.into_iter().map(Into::into).collect();
        let mut runtime = host.dependency.clone();
        let mut dependencies = toml::Table::new();
        for (key, dependency) in &cx.config.dependencies {
            let package = dependency.get("package").and_then(toml::Value::as_str).unwrap_or(key);
            if package == RUNTIME {
                let more = dependency.get("features").and_then(toml::Value::as_array);
                features.extend(more.cloned().unwrap_or_default());
                continue;
            }
            let dependency = absolute(dependency, &cx.project.config_dir);
            dependencies.insert(key.clone(), dependency);
        }
        runtime.insert("default-features".to_owned(), false.into());
        runtime.insert("features".to_owned(), features.into());
        dependencies.insert(host.name.clone(), runtime.into());

        let mut manifest = toml::Table::new();
        let mut set = |key: &str, value: toml::Value| manifest.insert(key.to_owned(), value);
        set("package", package);
        set("bin", bins.into());
        set("workspace", table(Vec::new()));
        set("profile", table(vec![self.profile]));
        set("dependencies", dependencies.into());
        set("patch", patches(cx, host)?.into());
        let text =
            toml::to_string(&manifest).doing(|| "write the manifest of a program".to_owned())?;
        write_if_new(&dir.join("Cargo.toml"), &text)
    }
}

/// A TOML table.
pub fn table(items: Vec<(&str, toml::Value)>) -> toml::Value {
    let items = items.into_iter().map(|(key, value)| (key.to_owned(), value));
    toml::Value::Table(items.collect())
}

/// The project's `[patch]` tables, without those that the runner can't use.
fn patches(cx: &Context, host: &Host) -> Result<toml::Table> {
    let root = &cx.project.workspace_root;
    let path = root.join("Cargo.toml");
    let text = fs::read_to_string(&path).doing(|| format!("read `{}`", path.display()))?;
    let manifest: toml::Table =
        toml::from_str(&text).doing(|| format!("read `{}`", path.display()))?;
    let tables = manifest.get("patch").and_then(toml::Value::as_table).cloned();
    let mut patches = toml::Table::new();
    for (source, table) in tables.unwrap_or_default() {
        let toml::Value::Table(table) = table else { continue };
        let mut kept = toml::Table::new();
        for (key, patch) in table {
            let name = patch.get("package").and_then(toml::Value::as_str).unwrap_or(&key);
            if !cx.config.dependencies.is_empty() || host.crates.contains(name) {
                let patch = absolute(&patch, root);
                kept.insert(key, patch);
            }
        }
        if !kept.is_empty() {
            patches.insert(source, kept.into());
        }
    }
    Ok(patches)
}

/// The dependency with an absolute path, if it has a path.
pub fn absolute(dependency: &toml::Value, dir: &Path) -> toml::Value {
    let mut dependency = dependency.clone();
    if let Some(toml::Value::String(path)) = dependency.get_mut("path") {
        *path = dir.join(&*path).to_string_lossy().into_owned();
    }
    dependency
}

/// The runner's program for these revisions.
pub fn program(
    cx: &Context,
    host: &Host,
    list_file: Option<&str>,
    files: &[RevisionFile],
) -> String {
    let name = &host.name;
    let main = format!("::{name}::engine::runner::main(migrations::migrator())");
    program_with(cx, host, &main, (list_file, files))
}

/// The program with this expression in its main function. It contains the project's `mod.rs` with
/// these revisions as the list, in a module whose files are in the project's directory; without a
/// `mod.rs` it contains only the list.
pub fn program_with(
    cx: &Context,
    host: &Host,
    main: &str,
    (list_file, files): (Option<&str>, &[RevisionFile]),
) -> String {
    let list: String = files
        .iter()
        .map(|file| {
            let word = if file.listed.is_some() { "=" } else { "in" };
            format!("\n    {} {word} {:?};", file.module, file.path.to_string_lossy())
        })
        .collect();
    let name = &host.name;
    let whole = format!("::{name}::migrations! {{{list}\n}}");
    let list_file = list_file.map(|text| text.trim_start_matches('\u{feff}'));
    let module = match list_file.map(|text| (text, list_range(text))) {
        None => whole,
        Some((text, None)) => format!("{text}\n{whole}"),
        Some((text, Some(range))) => {
            format!("{}{list}\n{}", &text[..range.start], &text[range.end..])
        }
    };
    let dir = cx.project.migrations_dir.to_string_lossy();
    format!(
        "// Written by cargo-dbmigrate, which writes it again.\n\
         extern crate {name};\n\n\
         fn main() -> std::process::ExitCode {{\n    {main}\n}}\n\n\
         #[path = {dir:?}]\nmod migrations {{\n{module}\n}}\n"
    )
}

/// The program for a rewriting function, given the project's `mod.rs`; without any revisions.
pub fn rewrite_program(cx: &Context, host: &Host, list_file: &str, function: &str) -> String {
    let name = &host.name;
    let module = without_list(list_file.trim_start_matches('\u{feff}').as_bytes());
    let dir = cx.project.migrations_dir.to_string_lossy();
    format!(
        "// Written by cargo-dbmigrate, which writes it again.\n\
         extern crate {name};\n\n\
         fn main() -> std::process::ExitCode {{\n    \
         ::{name}::engine::runner::rewrite(migrations::DBMIGRATE_REWRITE)\n}}\n\n\
         #[path = {dir:?}]\nmod migrations {{\n{module}\n\
         pub const DBMIGRATE_REWRITE: ::{name}::operations::Rewrite = self::{function};\n}}\n"
    )
}

/// The file without its list of revisions, or unchanged if the list can't be found.
pub fn without_list(bytes: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(bytes).into_owned();
    if let Some(range) = list_range(&text) {
        text.replace_range(range, "");
    }
    text
}

/// The position of the list: the arguments of the `migrations!` macro.
fn list_range(text: &str) -> Option<Range<usize>> {
    let file = syn::parse_file(text).ok()?;
    let mut macros = file.items.iter().filter_map(|item| match item {
        syn::Item::Macro(item) => Some(&item.mac),
        _ => None,
    });
    let list = macros.find(|call| {
        call.path.segments.last().is_some_and(|segment| segment.ident == "migrations")
    })?;
    let span = list.delimiter.span();
    let range = span.open().byte_range().end..span.close().byte_range().start;
    text.is_char_boundary(range.start).then_some(range).filter(|range| range.end <= text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_in_a_file_with_other_things() {
        let text = "//! Ünïcode.\nmod helpers;\n\n::dbmigrate_runtime::migrations! {\n    m1;\n}\n";
        let expected = "//! Ünïcode.\nmod helpers;\n\n::dbmigrate_runtime::migrations! {}\n";
        assert_eq!(without_list(text.as_bytes()), expected);
        assert_eq!(without_list(b"<<<<<<< ours"), "<<<<<<< ours");
    }
}
