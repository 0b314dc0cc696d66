//! Runs cargo.

use std::ffi::OsString;
use std::io::{BufReader, IsTerminal as _, Read as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use cargo_metadata::diagnostic::DiagnosticLevel;
use cargo_metadata::{CompilerMessage, Message};
use xshell::{Cmd, Shell};

use super::{Project, in_build_script};
use crate::error::{Doing as _, Error, Result};
use crate::output::{self, Output};

/// The environment variables that set the target directory; the first one that is set counts.
pub const TARGET_DIR_VARIABLES: [&str; 2] = ["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR"];

/// How long a build runs before it is reported, if cargo doesn't show its own progress.
const PATIENCE: Duration = Duration::from_secs(1);

/// The variables that cargo sets for a build script. They would make a nested cargo do the outer
/// one's work.
const OF_BUILD_SCRIPTS: [&str; 21] = [
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_MAKEFLAGS",
    "CARGO_PRIMARY_PACKAGE",
    "DEBUG",
    "HOST",
    "MAKEFLAGS",
    "MFLAGS",
    "NUM_JOBS",
    "OPT_LEVEL",
    "OUT_DIR",
    "PROFILE",
    "RUSTC",
    "RUSTC_LINKER",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_WRAPPER",
    "RUSTDOC",
    "RUSTDOCFLAGS",
    "RUSTFLAGS",
    "TARGET",
    "CARGO_BUILD_RUSTC_WRAPPER",
    "CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER",
];

/// The prefixes of variables that cargo sets for a build script.
const GROUPS_OF_BUILD_SCRIPTS: [&str; 5] =
    ["CARGO_CFG_", "CARGO_FEATURE_", "CARGO_MANIFEST_", "CARGO_PKG_", "DEP_"];

/// Cargo, run in a directory with its configuration.
pub struct Cargo {
    sh: Shell,
    program: OsString,
    out: Output,
}

/// A cargo command that compiles.
pub struct Compile<'a> {
    /// The command; arguments may be added.
    pub cmd: Cmd<'a>,
    /// Whether cargo's own progress is shown.
    watched: bool,
}

/// The result of running cargo.
#[derive(Debug)]
pub struct Exit {
    pub success: bool,
    /// Cargo's messages, unless they were shown.
    pub stderr: String,
    /// The compiler's messages, including warnings.
    pub diagnostics: Vec<CompilerMessage>,
}

impl Exit {
    /// Whether the compiler found an error, so that cargo itself didn't fail.
    pub fn has_errors(&self) -> bool {
        self.errors().next().is_some()
    }

    pub fn errors(&self) -> impl Iterator<Item = &CompilerMessage> {
        self.diagnostics.iter().filter(|message| is_error(message))
    }

    /// Shows the compiler's messages as cargo does.
    pub fn show(&self, out: Output) {
        if out.is_brief {
            return self.show_briefly(out);
        }
        for diagnostic in &self.diagnostics {
            if is_error(diagnostic) || !out.quiet {
                if let Some(text) = &diagnostic.message.rendered {
                    out.diagnostic(text);
                }
            }
        }
    }

    /// Shows the first errors in one line each.
    fn show_briefly(&self, out: Output) {
        const SHOWN: usize = 3;
        for error in self.errors().take(SHOWN) {
            let message = &error.message;
            let place = message.spans.iter().find(|span| span.is_primary).map(|span| {
                format!("{}:{}:{}: ", span.file_name, span.line_start, span.column_start)
            });
            out.diagnostic(&format!("{}{}", place.unwrap_or_default(), message.message));
        }
        // The compiler's last errors say how many there were.
        let n_more = self.errors().filter(|error| !error.message.spans.is_empty()).count();
        if n_more > SHOWN {
            out.diagnostic(&format!("and {} more", n_more - SHOWN));
        }
    }

    /// An error with cargo's own message, without its `error: `.
    pub fn error(&self, message: impl Into<String>) -> Error {
        let err = Error::new(message);
        let text = self.stderr.trim();
        if text.is_empty() { err } else { err.cause(text.trim_start_matches("error: ")) }
    }
}

fn is_error(diagnostic: &CompilerMessage) -> bool {
    matches!(diagnostic.message.level, DiagnosticLevel::Error | DiagnosticLevel::Ice)
}

impl Cargo {
    /// Cargo as it builds the project.
    pub fn of_host(project: &Project, out: Output) -> Result<Cargo> {
        let cargo = Cargo::new(&project.cargo_dir, out)?;
        // A relative directory is relative to where this process was started.
        if TARGET_DIR_VARIABLES.iter().any(|variable| std::env::var_os(variable).is_some()) {
            cargo.sh.set_var("CARGO_TARGET_DIR", &project.target_dir);
        }
        Ok(cargo)
    }

    /// Cargo in this directory, without the variables from an outer cargo, in case this process was
    /// started by a build script.
    pub fn new(dir: &Path, out: Output) -> Result<Cargo> {
        let sh = Shell::new().doing(|| "find the working directory".to_owned())?;
        sh.change_dir(dir);
        let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        Ok(Cargo { sh, program, out })
    }

    pub fn set_var(&self, name: &str, value: impl AsRef<std::ffi::OsStr>) {
        self.sh.set_var(name, value);
    }

    /// A subcommand; arguments can be added.
    pub fn cmd(&self, subcommand: &str) -> Cmd<'_> {
        let cmd = self.sh.cmd(&self.program).arg(subcommand).quiet();
        if !in_build_script() {
            return cmd;
        }
        let of_build_script = |name: &str| {
            OF_BUILD_SCRIPTS.contains(&name)
                || GROUPS_OF_BUILD_SCRIPTS.iter().any(|prefix| name.starts_with(prefix))
        };
        let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        names.filter(|name| of_build_script(name)).fold(cmd, |cmd, name| cmd.env_remove(name))
    }

    /// Runs cargo and returns its output.
    pub fn read(&self, cmd: Cmd<'_>) -> Result<String> {
        let output = Command::from(cmd).output().map_err(|err| self.not_started(&err))?;
        if output.status.success() {
            return String::from_utf8(output.stdout).doing(|| "read cargo's answer".to_owned());
        }
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let exit = Exit { success: false, stderr, diagnostics: Vec::new() };
        Err(exit.error("cargo failed"))
    }

    /// A subcommand that compiles. Cargo's own progress is shown if somebody watches and cargo's
    /// messages are for people.
    pub fn compile(&self, subcommand: &str, for_people: bool) -> Compile<'_> {
        let watched = for_people && !self.out.quiet && std::io::stderr().is_terminal();
        // Colours are removed where they can't be seen.
        let cmd = self.cmd(subcommand).arg("--message-format=json-diagnostic-rendered-ansi");
        Compile { cmd: if watched { cmd } else { cmd.arg("--quiet") }, watched }
    }

    /// Compiles, and passes on cargo's messages except for the compiler's. The text is shown on a
    /// terminal if compiling takes long and cargo's own progress isn't shown.
    pub fn build(
        &self,
        compile: Compile<'_>,
        patience: &str,
        mut on_message: impl FnMut(Message),
    ) -> Result<Exit> {
        let Compile { cmd, watched } = compile;
        let mut command = Command::from(cmd);
        let stderr = if watched { Stdio::inherit() } else { Stdio::piped() };
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr);
        command.envs(output::color().map(|color| ("CARGO_TERM_COLOR", color)));
        let mut child = command.spawn().map_err(|err| self.not_started(&err))?;
        let stdout = child.stdout.take();
        let stderr = child.stderr.take();
        let (sender, receiver) = channel();
        let reading = thread::spawn(move || {
            let messages = stdout.into_iter().flat_map(|stdout| {
                Message::parse_stream(BufReader::with_capacity(1 << 16, stdout))
            });
            messages.map_while(std::io::Result::ok).all(|message| sender.send(message).is_ok())
        });
        let keeping = thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = stderr.map(|mut stderr| stderr.read_to_end(&mut bytes));
            String::from_utf8_lossy(&bytes).into_owned()
        });
        let mut exit = Exit { success: false, stderr: String::new(), diagnostics: Vec::new() };
        let reports_waiting = !watched && std::io::stderr().is_terminal();
        let mut wait = if reports_waiting { PATIENCE } else { Duration::MAX };
        loop {
            match receiver.recv_timeout(wait) {
                Ok(Message::CompilerMessage(diagnostic)) => exit.diagnostics.push(diagnostic),
                Ok(message) => on_message(message),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    self.out.progress(patience);
                    wait = Duration::MAX;
                }
            }
        }
        let status = child.wait().doing(|| "wait for cargo".to_owned())?;
        let _ = reading.join();
        exit.success = status.success();
        exit.stderr = keeping.join().unwrap_or_default();
        Ok(exit)
    }

    fn not_started(&self, err: &std::io::Error) -> Error {
        let program = self.program.to_string_lossy();
        Error::new(format!("failed to start `{program}`: {err}"))
            .hint("cargo has to be on the PATH, or in the environment variable CARGO")
    }
}

/// Cargo's configuration files and variables for a directory.
pub(super) fn config(dir: &Path) -> Result<cargo_config2::Config> {
    cargo_config2::Config::load_with_cwd(dir).map_err(|err| {
        let mut message = format!("failed to read cargo's configuration: {err}");
        let mut source = std::error::Error::source(&err);
        while let Some(err) = source {
            message += &format!(": {err}");
            source = err.source();
        }
        Error::new(message)
    })
}

/// The target to pass to cargo so that it builds for this machine; `None` unless the environment or
/// the configuration sets another one.
pub fn host_target(dir: &Path) -> Result<Option<String>> {
    let config = config(dir)?;
    if config.build.target.as_ref().is_none_or(Vec::is_empty) {
        return Ok(None);
    }
    let triple = config.host_triple().doing(|| "ask rustc for its target".to_owned())?;
    Ok(Some(triple.to_owned()))
}
