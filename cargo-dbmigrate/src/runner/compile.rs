//! Compiles the runner.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::Message;
use serde::{Deserialize, Serialize};

use super::host::Host;
use super::package;
use crate::context::Context;
use crate::error::{Doing as _, Error, Result};
use crate::project::{Cargo, Exit, host_target};
use crate::revision_files::RevisionFile;
use crate::work_files::{write, write_if_new};

/// Set while a runner is compiled. If a dependency's build script called this tool, it would wait
/// for a lock that its own caller holds.
const COMPILING: &str = "DBMIGRATE_COMPILING";

/// A compiled runner.
#[derive(Debug)]
pub struct Build {
    pub executable: PathBuf,
    /// The modules in it, in order.
    pub modules: Vec<String>,
    /// The files that it was compiled from and that a person may change.
    pub sources: Vec<PathBuf>,
}

/// What the existing executable was compiled from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Built {
    pub key: String,
    pub executable: PathBuf,
    /// The hash of each module's file.
    pub modules: BTreeMap<String, String>,
}

impl Built {
    const FILE: &'static str = "built.json";

    pub fn read(dir: &Path) -> Option<Built> {
        let text = fs::read_to_string(dir.join(Built::FILE)).ok()?;
        serde_json::from_str::<Built>(&text).ok().filter(|built| built.executable.is_file())
    }

    pub fn write(&self, dir: &Path) -> Result<()> {
        let text = serde_json::to_string(self).doing(|| "write a path".to_owned())?;
        write(&dir.join(Built::FILE), &text)
    }
}

/// Compiles the needed modules. If they don't compile by themselves, all modules are compiled, and
/// if a wrong `mod.rs` prevents that, they are compiled without it. The caller holds the lock.
///
/// # Errors
///
/// When the modules don't compile; the compiler's messages have then been shown.
pub fn build(
    cx: &Context,
    host: &Host,
    needed: &[RevisionFile],
    all: &[RevisionFile],
) -> Result<Build> {
    refuse_within()?;
    let _ = fs::remove_file(cx.project.work_dir.join(Built::FILE));
    package::write_manifest(cx, host)?;
    let list_file = fs::read_to_string(package::list_file(cx)).ok();
    let list_file = list_file.as_deref().filter(|text| syn::parse_file(text).is_ok());
    let mut attempts: Vec<(String, &[RevisionFile], bool)> = Vec::new();
    for (list_file, files) in [(list_file, needed), (list_file, all), (None, all)] {
        let program = package::program(cx, host, list_file, files);
        if attempts.iter().all(|(attempt, ..)| *attempt != program) {
            attempts.push((program, files, list_file.is_some()));
        }
    }
    let mut failure: Option<Exit> = None;
    for (program, files, with_list_file) in &attempts {
        // Messages about a partial copy of the modules aren't shown, since the complete one may
        // compile.
        let for_people = files.len() == all.len();
        match attempt(cx, (package::name(cx), "main.rs"), program, for_people)? {
            Ok((executable, sources)) => {
                let modules = files.iter().map(|file| file.module.clone()).collect();
                return Ok(Build { executable, modules, sources });
            }
            Err(exit) if !exit.has_errors() => {
                return Err(exit.error("cargo failed to compile the migrations"));
            }
            // Messages about the modules in their own surroundings are the most useful ones.
            Err(exit) if *with_list_file || failure.is_none() => failure = Some(exit),
            Err(_) => {}
        }
    }
    let exit = failure.ok_or_else(|| Error::new("there is nothing to compile"))?;
    exit.show(cx.out);
    Err(does_not_compile(cx, &exit, all))
}

/// Compiles the program with the project's rewriting function; returns its executable, and the
/// files that it was compiled from and that a person may change. The caller holds the lock.
///
/// # Errors
///
/// When it doesn't compile; the compiler's messages have then been shown.
pub fn build_rewrite(cx: &Context, host: &Host, function: &str) -> Result<(PathBuf, Vec<PathBuf>)> {
    refuse_within()?;
    let path = package::list_file(cx);
    let shown = cx.project.shown(&path);
    let list_file = fs::read_to_string(&path).doing(|| format!("read `{shown}`"))?;
    if let Err(err) = syn::parse_file(&list_file) {
        let at = err.span().start();
        let place = format!("{shown}:{}:{}", at.line, at.column + 1);
        let message =
            format!("failed to find the rewriting function `{function}`: `{place}`: {err}");
        return Err(Error::new(message).hint(REWRITE_HINT));
    }
    package::write_manifest(cx, host)?;
    let program = package::rewrite_program(cx, host, &list_file, function);
    match attempt(cx, package::rewrite_bin(cx), &program, true)? {
        Ok(built) => Ok(built),
        Err(exit) if !exit.has_errors() => {
            Err(exit.error("cargo failed to compile the rewriting function"))
        }
        Err(exit) => {
            exit.show(cx.out);
            let message = format!("the rewriting function `{function}` does not compile");
            Err(Error::new(message).hint(REWRITE_HINT))
        }
    }
}

/// Fails if this process was started while migrations are compiled.
pub fn refuse_within() -> Result<()> {
    match std::env::var_os(COMPILING) {
        None => Ok(()),
        Some(_) => Err(Error::new(
            "a build script of one of the migrations' own dependencies calls cargo dbmigrate",
        )
        .hint("remove the crate from `dependencies` in dbmigrate.toml")),
    }
}

type Attempt = std::result::Result<(PathBuf, Vec<PathBuf>), Exit>;

fn attempt(
    cx: &Context,
    (name, file): (String, &str),
    program: &str,
    for_people: bool,
) -> Result<Attempt> {
    let dir = package::dir(cx);
    write_if_new(&dir.join(file), program)?;
    let target = host_target(&cx.project.workspace_root)?;
    let wanted = Wanted { dir: &dir, name, target, for_people, ..Wanted::default() };
    match wanted.compile(cx)? {
        Ok(path) => {
            let sources = sources(cx, &path);
            Ok(Ok((path, sources)))
        }
        Err(exit) => Ok(Err(exit)),
    }
}

/// A program to compile.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// The directory of its package.
    pub dir: &'a Path,
    pub name: String,
    /// The target triple; `None` for cargo's own default.
    pub target: Option<String>,
    pub is_release: bool,
    /// Further arguments for the compiler.
    pub rustc: &'a [&'a str],
    pub for_people: bool,
    /// What is shown if it takes long.
    pub patience: &'a str,
}

impl Default for Wanted<'_> {
    fn default() -> Self {
        Wanted {
            dir: Path::new(""),
            name: String::new(),
            target: None,
            is_release: false,
            rustc: &[],
            for_people: true,
            patience: "Compiling the migrations",
        }
    }
}

impl Wanted<'_> {
    /// Compiles it; returns the executable, or why cargo failed.
    pub fn compile(self, cx: &Context) -> Result<std::result::Result<PathBuf, Exit>> {
        // From here cargo finds the project's configuration, toolchain and vendored sources.
        let cargo = Cargo::new(&cx.project.workspace_root, cx.out)?;
        // A separate directory, so that a build script may call this tool while cargo holds the lock
        // of the other one. One setting for both of cargo's directories, since a configured
        // `build.build-dir` is locked, too.
        let target_dir = cx.project.target_dir.join("dbmigrate").join("build");
        cargo.set_var("CARGO_TARGET_DIR", &target_dir);
        cargo.set_var("CARGO_BUILD_BUILD_DIR", &target_dir);
        cargo.set_var(COMPILING, "1");
        let mut compile = cargo.compile("rustc", self.for_people);
        let mut args = vec!["--bin".to_owned(), self.name];
        if let Some(target) = self.target {
            args.extend(["--target".to_owned(), target]);
        }
        if self.is_release {
            args.push("--release".to_owned());
        }
        let flags = &cx.global.cargo;
        if flags.offline || flags.frozen {
            args.push("--offline".to_owned());
        }
        let manifest = self.dir.join("Cargo.toml");
        compile.cmd = compile.cmd.env_remove("CARGO_BUILD_TARGET");
        compile.cmd = compile.cmd.arg("--manifest-path").arg(manifest).args(args);
        // Warnings are shown when the modules are compiled within the package.
        compile.cmd = compile.cmd.args(["--", "--cap-lints=allow"]).args(self.rustc);
        let mut executable = None;
        let exit = cargo.build(compile, self.patience, |message| {
            if let Message::CompilerArtifact(artifact) = message {
                executable = artifact.executable.or(executable.take());
            }
        })?;
        match executable {
            Some(path) if exit.success => Ok(Ok(path.into())),
            _ => Ok(Err(exit)),
        }
    }
}

/// The files in cargo's list next to the executable, except for those that this tool wrote.
fn sources(cx: &Context, executable: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(executable.with_extension("d")).unwrap_or_default();
    let own = package::dir(cx);
    crate::models::dep_info(&text).into_iter().filter(|path| !path.starts_with(&own)).collect()
}

/// The error about revisions that don't compile.
pub fn does_not_compile(cx: &Context, exit: &Exit, files: &[RevisionFile]) -> Error {
    let spans = |primary: bool| {
        let spans = exit.errors().flat_map(|error| &error.message.spans);
        let mut spans = spans.filter(move |span| span.is_primary == primary);
        spans.find_map(|span| files.iter().find(|file| file.path == Path::new(&span.file_name)))
    };
    // An error about a whole module, such as a missing constant, is reported at the list.
    let named = || {
        let mut texts = exit.errors().map(|error| error.message.message.as_str());
        texts.find_map(|text| {
            files.iter().find(|file| text.contains(&format!("::{}`", file.module)))
        })
    };
    let file = spans(true).or_else(named).or_else(|| spans(false));
    let err = match file {
        Some(file) => {
            let path = cx.project.shown(&file.path);
            Error::new(format!("the revision `{path}` does not compile"))
        }
        None => Error::new("the migrations do not compile"),
    };
    let err = err.of_revision();
    let codes = exit.errors().filter_map(|error| error.message.code.as_ref());
    if codes.into_iter().any(|code| UNRESOLVED.contains(&code.code.as_str())) {
        return err.hint(
            "revisions are compiled without the package: they can use the runtime, modules beside \
             them, and crates that dbmigrate.toml lists under `dependencies`",
        );
    }
    err
}

/// Rustc's codes for imports and paths that can't be resolved.
const UNRESOLVED: [&str; 2] = ["E0432", "E0433"];

/// The hint about the setting `rewrite`.
pub const REWRITE_HINT: &str = "it is the path from `mod.rs` in the migrations directory to a function of \
                        the type `fn(Vec<Operation>) -> Vec<Operation>`, such as \
                        `rewrite::rewrite` for one in `rewrite.rs`, where `mod.rs` has \
                        `mod rewrite;`; like revisions it is compiled without the package";
