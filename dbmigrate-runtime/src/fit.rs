//! Whether a program's models and migrations fit, asked in a test or a build script of the program.
//!
//! The models are only known to the compiler, so the tool is asked, as a person would ask it:
//! `cargo dbmigrate check --no-database`. No database is opened, and nothing is downloaded.

use std::env;
use std::path::Path;
use std::process::{Command, Output};

/// Set for the builds that a build script asks for. They run the same build script again, which then
/// has nothing to ask.
const ASKING: &str = "DBMIGRATE_ASSERT";

/// Fails a test or a build script unless the models of its package and the migrations fit, as
/// `cargo dbmigrate check --no-database` finds out. The message says what differs.
///
/// The command-line tool has to be installed; a database isn't needed, and neither is the network.
/// In a test this takes as long as `cargo check` of the package. In a build script the package and
/// its dependencies are checked in a directory of their own, which takes longer the first time; it
/// happens whenever cargo runs the build script, by default after each change of a file of the
/// package.
///
/// # Panics
///
/// When models and migrations differ, and when they can't be compared.
///
/// # Example
///
/// ```no_run
/// // In a program, this is a `#[test]`.
/// fn models_and_migrations_fit() {
///     dbmigrate_runtime::assert_migrated!();
/// }
/// ```
#[macro_export]
macro_rules! assert_migrated {
    () => {
        $crate::__private::assert_migrated(env!("CARGO_MANIFEST_DIR"))
    };
}

/// What the macro calls, with the directory of the package.
///
/// # Panics
///
/// See [`assert_migrated!`](crate::assert_migrated).
#[track_caller]
pub fn assert_migrated(package_dir: &str) {
    if env::var_os(ASKING).is_some() {
        return;
    }
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["dbmigrate", "check", "--no-database", "--offline", "--color", "never"]);
    command.arg("--manifest-path").arg(Path::new(package_dir).join("Cargo.toml"));
    if let Some(dir) = of_build_script() {
        // The outer cargo has locked its own directories.
        let dir = dir.join("dbmigrate-assert");
        command.env(ASKING, "1").env("CARGO_TARGET_DIR", &dir).env("CARGO_BUILD_BUILD_DIR", &dir);
    }
    if let Some(failure) = failure(package_dir, command.current_dir(package_dir).output()) {
        panic!("{failure}");
    }
}

/// The directory for a build script's files, if this is one.
fn of_build_script() -> Option<std::path::PathBuf> {
    let is_set = |name| env::var_os(name).is_some();
    if ["HOST", "TARGET", "NUM_JOBS"].into_iter().all(is_set) {
        env::var_os("OUT_DIR").map(Into::into)
    } else {
        None
    }
}

/// Why a program may not be as its migrations are, given what the tool said about it.
fn failure(package_dir: &str, output: std::io::Result<Output>) -> Option<String> {
    let install = concat!(
        "\n  hint: the check needs the command-line tool: `cargo install cargo-dbmigrate@",
        env!("CARGO_PKG_VERSION"),
        "`",
    );
    let unknown = format!("failed to compare the models and the migrations of `{package_dir}`");
    let output = match output {
        Ok(output) => output,
        Err(err) => return Some(format!("{unknown}: {err}{install}")),
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
    let (found, remarks) = (text(&output.stdout), text(&output.stderr));
    match output.status.code() {
        Some(0) => None,
        Some(1) => {
            let remarks = if remarks.is_empty() { remarks } else { format!("\n{remarks}") };
            let what = format!("the models and the migrations of `{package_dir}` do not fit");
            Some(format!("{what}:\n{found}{remarks}"))
        }
        _ => {
            let is_missing = remarks.contains("no such command: `dbmigrate`");
            let hint = if is_missing { install } else { "" };
            Some(format!("{unknown}:\n{remarks}{hint}"))
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::ExitStatus;

    use super::*;

    #[test]
    fn the_message_says_what_differs_or_why_it_is_not_known() {
        let said = |code: i32, stdout: &str, stderr: &str| {
            let status = ExitStatus::from_raw(code << 8);
            let (stdout, stderr) = (stdout.into(), stderr.into());
            failure("/app", Ok(Output { status, stdout, stderr }))
        };
        assert_eq!(said(0, "Models and migrations agree.\n", ""), None);
        assert_eq!(
            said(1, "Models and migrations differ:\n  added table `post`\n", "").unwrap(),
            "the models and the migrations of `/app` do not fit:\nModels and migrations differ:\n  \
             added table `post`"
        );
        let text = said(101, "", "error: no such command: `dbmigrate`\n").unwrap();
        assert!(text.contains("cargo install cargo-dbmigrate@"), "{text}");
        let text = said(3, "", "error: the package does not compile\n").unwrap();
        assert_eq!(
            text,
            "failed to compare the models and the migrations of `/app`:\nerror: the package does \
             not compile"
        );
    }
}
