//! The project's rewriting function: compiled into a separate program, cached, and called.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use dbmigrate_runtime::operations::Operation;
use serde::{Deserialize, Serialize};

use super::cache::Shared;
use super::compile;
use super::key::key;
use super::lock::Lock;
use super::process::{Mode, Process};
use super::{package, record};
use crate::config;
use crate::context::Context;
use crate::error::{Doing as _, Error, Result};
use crate::work_files;

/// The existing program, and what it was compiled from.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Built {
    function: String,
    key: String,
    shared: Vec<Shared>,
    executable: PathBuf,
}

impl Built {
    const FILE: &'static str = "rewrite.json";

    fn read(dir: &Path) -> Option<Built> {
        let text = fs::read_to_string(dir.join(Built::FILE)).ok()?;
        serde_json::from_str::<Built>(&text).ok().filter(|built| built.executable.is_file())
    }

    /// Whether it would be compiled from the same inputs now.
    fn is_current(&self, cx: &Context, function: &str) -> bool {
        let shared = record::shared(cx, &self.shared);
        self.function == function && shared.is_ok_and(|shared| key(cx, &shared) == self.key)
    }
}

/// The result of the function for these operations.
///
/// # Errors
///
/// When the function doesn't exist, doesn't compile, panics, or exits the program.
pub fn rewritten(cx: &Context, function: &str, operations: &[Operation]) -> Result<Vec<Operation>> {
    check_path(cx, function)?;
    let dir = &cx.project.work_dir;
    // Held while it runs, since another process might compile it again.
    let _lock = Lock::take(dir, cx.out)?;
    let executable = match Built::read(dir).filter(|built| built.is_current(cx, function)) {
        Some(built) => built.executable,
        None => compiled(cx, function)?,
    };
    let mut process = Process::start(&executable, Mode::Rewrite, cx.out)?;
    process
        .rewrite(operations)
        .map_err(|err| Error::new(format!("the rewriting function `{function}` failed: {err}")))
}

fn compiled(cx: &Context, function: &str) -> Result<PathBuf> {
    let dir = &cx.project.work_dir;
    let _ = fs::remove_file(dir.join(Built::FILE));
    let host = package::host(cx)?;
    let started = SystemTime::now();
    let (executable, sources) = compile::build_rewrite(cx, &host, function)?;
    let mut shared = Vec::new();
    let list = package::list_file(cx);
    for path in sources.iter().filter(|path| **path != list).chain([&list]) {
        shared.push(record::share(path, &list)?);
    }
    let key = key(cx, &shared);
    // If a file was edited during the compilation, the change may be missing.
    if !shared.iter().any(|file| record::is_newer(file, started)) {
        let built =
            Built { function: function.to_owned(), key, shared, executable: executable.clone() };
        let text = serde_json::to_string(&built).doing(|| "write a path".to_owned())?;
        work_files::write(&dir.join(Built::FILE), &text)?;
    }
    Ok(executable)
}

/// Checks the setting, since it becomes part of a program.
fn check_path(cx: &Context, function: &str) -> Result<()> {
    let is_plain = |path: &syn::Path| {
        let is_name = |segment: &syn::PathSegment| {
            let is_keyword = ["crate", "self", "super"].iter().any(|word| segment.ident == *word);
            segment.arguments.is_none() && !is_keyword
        };
        path.leading_colon.is_none() && path.segments.iter().all(is_name)
    };
    if syn::parse_str::<syn::Path>(function).is_ok_and(|path| is_plain(&path)) {
        return Ok(());
    }
    let file = config::path(&cx.project.config_dir);
    let message = format!(
        "`rewrite` in `{}` is not the path of a function: `{function}`",
        cx.project.shown(&file)
    );
    Err(Error::new(message).hint(compile::REWRITE_HINT))
}
