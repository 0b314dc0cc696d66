//! Common code of the end-to-end tests: real host crates in temporary directories, and the real
//! tool.
//!
//! All hosts have one target directory in common, so that their dependencies are built once. With
//! `DBMIGRATE_KEEP=1`, a test keeps its directory.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fmt, fs};

pub mod modules;
pub mod servers;
#[cfg(unix)]
pub mod starting;

/// The root directory of this repository.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package is in the repository")
}

/// The target directory of this repository's own builds.
pub fn target_dir() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => repository().join(dir),
        None => repository().join("target"),
    }
}

/// The target directory of all host crates.
pub fn hosts_target_dir() -> PathBuf {
    target_dir().join("fixtures")
}

/// Whether the long mode is on, in which every position is tried and other tools are run.
pub fn is_long() -> bool {
    env::var_os("DBMIGRATE_LONG").is_some_and(|value| value == "1")
}

/// The tool, built by the first test that needs it.
pub fn tool() -> &'static Path {
    static TOOL: OnceLock<PathBuf> = OnceLock::new();
    // With the features that a test run of all packages gives to what they have in common, which has
    // built the tool already: a test of the package comes with it.
    TOOL.get_or_init(|| build_tool(&["--workspace", "--test", "corpus"]))
}

/// Builds the tool with these arguments to `cargo build`, and returns its path.
pub fn build_tool(args: &[&str]) -> PathBuf {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet"]).args(args).current_dir(repository());
    for (key, _) in env::vars_os() {
        if is_of_outer_cargo(&key.to_string_lossy()) {
            cargo.env_remove(key);
        }
    }
    let status = cargo.status().expect("cargo runs");
    assert!(status.success(), "the tool does not build");
    target_dir().join("debug").join(format!("cargo-dbmigrate{}", env::consts::EXE_SUFFIX))
}

/// Variables that the cargo of the test run sets and a person's shell doesn't have.
pub fn is_of_outer_cargo(key: &str) -> bool {
    let prefixes = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "NEXTEST"];
    let names =
        ["CARGO_PRIMARY_PACKAGE", "DATABASE_URL", "LD_LIBRARY_PATH", "RUST_BACKTRACE", "EDITOR"];
    prefixes.iter().any(|prefix| key.starts_with(prefix)) || names.contains(&key)
}

/// A host crate in a temporary directory, which is deleted at the end of the test.
#[derive(Debug)]
pub struct Host {
    root: PathBuf,
    /// The package's directory.
    pub dir: PathBuf,
    env: Vec<(String, String)>,
}

impl Host {
    /// An empty directory; `name` distinguishes tests.
    pub fn empty(name: &str) -> Host {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let nth = COUNT.fetch_add(1, Ordering::Relaxed);
        let unique = format!("dbmigrate-{name}-{}-{nth}", std::process::id());
        let root = env::temp_dir().join(unique);
        let _ = fs::remove_dir_all(&root);
        // One level deeper, so that nothing above it is found by accident.
        let dir = root.join("host");
        fs::create_dir_all(&dir).expect("the directory can be created");
        let target = hosts_target_dir().display().to_string();
        Host { root, dir, env: vec![("CARGO_TARGET_DIR".to_owned(), target)] }
    }

    /// A package that depends on the runtime, with this library.
    pub fn library(name: &str, source: &str) -> Host {
        let host = Host::empty(name);
        host.write("Cargo.toml", &manifest(name, ""));
        host.write("src/lib.rs", source);
        host.lock();
        host
    }

    /// A package that depends on the runtime, with this program.
    pub fn binary(name: &str, source: &str) -> Host {
        let host = Host::empty(name);
        host.write("Cargo.toml", &manifest(name, ""));
        host.write("src/main.rs", source);
        host.lock();
        host
    }

    /// Copies this repository's lock file to the package, so that no version is downloaded twice.
    pub fn lock(&self) {
        fs::copy(repository().join("Cargo.lock"), self.dir.join("Cargo.lock"))
            .expect("the lock file can be copied");
    }

    /// Writes a file of the package.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.dir.join(path);
        fs::create_dir_all(path.parent().expect("a file has a directory")).expect("created");
        fs::write(path, text).expect("the file can be written");
    }

    /// Reads a file of the package.
    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.dir.join(path)).unwrap_or_else(|err| panic!("{path}: {err}"))
    }

    /// Replaces a text that occurs exactly once.
    #[track_caller]
    pub fn replace(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert_eq!(text.matches(from).count(), 1, "`{from}` in {path}:\n{text}");
        self.write(path, &text.replace(from, to));
    }

    /// The names of a directory's files, sorted.
    pub fn list(&self, path: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.dir.join(path)) else { return Vec::new() };
        let names =
            entries.map(|entry| entry.expect("read").file_name().to_string_lossy().into_owned());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    /// The revision files, sorted, as paths relative to the package.
    pub fn revisions(&self) -> Vec<String> {
        let names = self.list("migrations/versions");
        names.into_iter().map(|name| format!("migrations/versions/{name}")).collect()
    }

    /// The revision file whose name has this ending. Files from the same second have no defined
    /// order.
    #[track_caller]
    pub fn revision(&self, slug: &str) -> String {
        let found = self
            .revisions()
            .into_iter()
            .find(|revision| revision.ends_with(&format!("_{slug}.rs")));
        found.unwrap_or_else(|| panic!("no revision `{slug}` among {:?}", self.revisions()))
    }

    /// Sets a variable for the commands that follow.
    pub fn env(&mut self, key: &str, value: &str) {
        self.env.retain(|(text, _)| text != key);
        self.env.push((key.to_owned(), value.to_owned()));
    }

    /// Removes a variable again.
    pub fn env_remove(&mut self, key: &str) {
        self.env.retain(|(text, _)| text != key);
    }

    /// A command in the package's directory, as from a person's shell.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.dir).stdin(Stdio::null());
        for (key, _) in env::vars_os() {
            if is_of_outer_cargo(&key.to_string_lossy()) {
                command.env_remove(key);
            }
        }
        // If it isn't the common one, the package's own configuration determines it.
        command.env_remove("CARGO_TARGET_DIR");
        // No test debugs a host, and without the tables hosts are compiled in half of the time.
        command.env("CARGO_PROFILE_DEV_DEBUG", "0");
        command.envs(self.env.iter().map(|(key, value)| (key, value)));
        command
    }

    /// Runs the tool. Arguments are split at spaces, except within double quotes.
    pub fn dbmigrate(&self, args: &str) -> Run {
        let mut command = self.command(tool());
        command.arg("dbmigrate").args(words(args));
        Run::of(&mut command)
    }

    /// Runs the tool and expects it to succeed.
    #[track_caller]
    pub fn ok(&self, args: &str) -> Run {
        let run = self.dbmigrate(args);
        assert_eq!(run.code, 0, "{args}\n{run}");
        run
    }

    /// Runs the tool and expects it to fail.
    #[track_caller]
    pub fn fails(&self, args: &str) -> Run {
        let run = self.dbmigrate(args);
        assert_eq!(run.code, 3, "{args}\n{run}");
        run
    }

    /// Runs cargo in the package.
    pub fn cargo(&self, args: &str) -> Run {
        let mut command = self.command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(words(args));
        Run::of(&mut command)
    }

    /// Output in which directories, ids and times are replaced, since they differ in each run.
    pub fn plain(&self, text: &str) -> String {
        let text = text
            .replace(&self.dir.display().to_string(), "$HOST")
            .replace(&hosts_target_dir().display().to_string(), "$TARGET")
            .replace(&repository().display().to_string(), "$REPOSITORY");
        plain_ids(&text)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if env::var_os("DBMIGRATE_KEEP").is_some() {
            return;
        }
        let _ = fs::remove_dir_all(&self.root);
    }
}

/// A manifest with the runtime, the crates of all column types in tests, and further lines.
pub fn manifest(name: &str, more: &str) -> String {
    let runtime = repository().join("dbmigrate-runtime");
    format!(
        "[package]\nname = {name:?}\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[workspace]\n\n\
         [features]\nextra = []\n\n\
         [dependencies]\n\
         dbmigrate-runtime = {{ path = {runtime:?}, features = [\"chrono\"] }}\n\
         chrono = {{ version = \"0.4\", default-features = false }}\n{more}"
    )
}

/// A hand-written revision module, with these statements in its functions.
pub fn revision(
    id: &str,
    parents: &[&str],
    message: &str,
    upgrade: &str,
    downgrade: &str,
) -> String {
    format!(
        "//! {message}\n\nuse dbmigrate_runtime::prelude::*;\n\n\
         pub const REVISION: &str = {id:?};\n\
         pub const DOWN_REVISION: &[&str] = &{parents:?};\n\
         pub const BRANCH_LABELS: &[&str] = &[];\n\
         pub const DEPENDS_ON: &[&str] = &[];\n\n\
         pub fn upgrade(op: &mut Operations) {{\n    {upgrade}\n}}\n\n\
         pub fn downgrade(op: &mut Operations) {{\n    {downgrade}\n}}\n"
    )
}

/// The result of a command.
#[derive(Debug, Clone)]
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// The lines of a text, sorted.
pub fn sorted(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines.iter().map(|line| format!("{line}\n")).collect()
}

impl Run {
    pub fn of(command: &mut Command) -> Run {
        let output = command.output().unwrap_or_else(|err| panic!("{command:?}: {err}"));
        Run {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The document on standard output.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|err| panic!("{err}\n{self}"))
    }

    /// The output on standard error, without lines from cargo.
    pub fn errors(&self) -> String {
        let cargo = ["Compiling ", "Checking ", "Finished ", "Blocking ", "Locking ", "Adding "];
        let is_cargo = |text: &&str| cargo.iter().any(|word| text.trim_start().starts_with(word));
        let lines = self.stderr.lines().filter(|line| !is_cargo(line));
        lines.map(|line| format!("{line}\n")).collect()
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Run { code, stdout, stderr } = self;
        write!(f, "exit code {code}\n--- stdout\n{stdout}--- stderr\n{stderr}")
    }
}

/// Splits arguments at spaces, except within double quotes.
pub fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (idx, part) in text.split('"').enumerate() {
        if idx % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// Replaces ids by `$ID1`, `$ID2` in order of occurrence, and times by `$TIME`.
pub fn plain_ids(text: &str) -> String {
    let mut ids: Vec<String> = Vec::new();
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_alphanumeric()) {
        out += &rest[..at];
        rest = &rest[at..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let word = &rest[..end];
        let is_hex = word.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c));
        let is_number =
            |text: &str, n: usize| text.len() == n && text.bytes().all(|b| b.is_ascii_digit());
        if is_hex && word.len() == 12 {
            let idx = ids.iter().position(|text| text == word).unwrap_or_else(|| {
                ids.push(word.to_owned());
                ids.len() - 1
            });
            out += &format!("$ID{}", idx + 1);
        } else if word.strip_prefix('m').is_some_and(|rest| is_number(rest, 8)) {
            out += "m$DAY";
        } else if is_number(word, 6) && out.ends_with("m$DAY_") {
            out += "$TIME";
        } else {
            out += word;
        }
        rest = &rest[end..];
    }
    out + rest
}

/// Whether the sqlite3 shell is installed. Without it, a test that needs it is skipped with a
/// message; with `DBMIGRATE_TEST_SHELL=1` a missing shell is a failure.
pub fn has_sqlite_shell(test: &str) -> bool {
    let found = Command::new("sqlite3").arg("-version").output().is_ok();
    if !found {
        assert!(env::var_os("DBMIGRATE_TEST_SHELL").is_none(), "no sqlite3 shell for `{test}`");
        left_out(test, "the sqlite3 shell");
    }
    found
}

/// Reports a test that is left out because something isn't installed.
pub fn left_out(test: &str, missing: &str) {
    // Not with `eprintln!`, which the test harness captures.
    let _ = writeln!(std::io::stderr(), "left out, for want of {missing}: {test}");
}

/// A database file as text: every object's SQL and every row; the version table without times.
pub fn dump(path: &Path) -> String {
    let conn =
        rusqlite::Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)
            .unwrap_or_else(|err| panic!("{}: {err}", path.display()));
    let objects: Vec<(String, String, Option<String>)> = conn
        .prepare("SELECT type, name, sql FROM sqlite_schema ORDER BY type DESC, name")
        .and_then(|mut statement| {
            statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
        })
        .unwrap_or_else(|err| panic!("{}: {err}", path.display()));
    let mut text = String::new();
    for (kind, name, sql) in objects {
        let is_ours = name == "dbmigrate_version";
        if let (Some(sql), false) = (&sql, is_ours) {
            text += &format!("{sql};\n");
        }
        if kind != "table" {
            continue;
        }
        let columns = if is_ours { "id, parents, message, checksum" } else { "*" };
        let sql = format!("SELECT {columns} FROM \"{name}\"");
        let mut stmt = conn.prepare(&sql).expect("a table can be read");
        let n = stmt.column_count();
        let mut rows = stmt.query([]).expect("a table can be read");
        while let Some(row) = rows.next().expect("a row can be read") {
            let values: Vec<String> = (0..n)
                .map(|found| match row.get_ref(found).expect("a value can be read") {
                    rusqlite::types::ValueRef::Null => "NULL".to_owned(),
                    rusqlite::types::ValueRef::Integer(found) => found.to_string(),
                    rusqlite::types::ValueRef::Real(found) => format!("{found:?}"),
                    rusqlite::types::ValueRef::Text(found) => {
                        format!("{:?}", String::from_utf8_lossy(found))
                    }
                    rusqlite::types::ValueRef::Blob(found) => format!("{found:02x?}"),
                })
                .collect();
            text += &format!("{name}: {}\n", values.join(", "));
        }
    }
    text
}

/// Runs SQL on a database file, as an application would.
pub fn sql(path: &Path, text: &str) {
    let conn = rusqlite::Connection::open(path).expect("the database opens");
    // The line for the shell, which rusqlite doesn't need.
    let text = text.strip_prefix(".bail on\n").unwrap_or(text);
    conn.execute_batch(text).unwrap_or_else(|err| panic!("{text}: {err}"));
}

/// The examples of the guide, which are compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../docs/guides/in-a-program.md")]
pub struct InAProgram;
