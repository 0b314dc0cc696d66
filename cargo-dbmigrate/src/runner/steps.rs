//! Runs steps in the runner, and executes their statements here.

use std::collections::BTreeSet;
use std::path::PathBuf;

use dbmigrate_runtime::engine::runner::Request;
use dbmigrate_runtime::engine::{Migration, executor};
use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::{BatchRange, Db, Direction, StepResult};

use super::cache::Cache;
use super::compile::{self, Built};
use super::lock::Lock;
use super::package;
use super::process::{Mode, Process};
use crate::context::Context;
use crate::error::{Doing as _, Error, Result};
use crate::hex::random;
use crate::revision_files;

/// Runs the steps of the project's revisions; see [`executor::Steps`]. The runner is started for
/// the first step.
#[derive(Debug)]
pub struct Steps<'a> {
    cx: &'a Context,
    /// The recordings, read once: they must not change while a command runs.
    cache: Option<Cache>,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    process: Process,
    modules: BTreeSet<String>,
    /// A copy of the executable, on systems where a running one can't be replaced by the next
    /// build.
    copy: Option<PathBuf>,
}

impl<'a> Steps<'a> {
    /// The steps of a project whose revisions have been recorded.
    pub fn new(cx: &'a Context) -> Steps<'a> {
        Steps { cx, cache: None, running: None }
    }

    /// The runner that contains the revision as it is recorded; started if necessary.
    fn runner_of(&mut self, revision: &str) -> Result<&mut Running> {
        let cache = self.cache.get_or_insert_with(|| Cache::read(&self.cx.project.work_dir));
        let mut entries = cache.entries.iter().map(|entry| &entry.recording);
        let Some(module) = entries
            .find(|recording| recording.revision.id == revision)
            .map(|recording| &recording.recorded.module)
        else {
            let message = format!("the revision `{revision}` is not among the recorded ones");
            return Err(Error::new(message));
        };
        let running = match self.running.take() {
            Some(running) if running.modules.contains(module) => running,
            _ => Running::start(self.cx, cache, module)?,
        };
        Ok(self.running.insert(running))
    }

    /// Has the runner run a step, or the piece of it in this range.
    fn serve(
        &mut self,
        (migration, direction): (&Migration, Direction),
        operation: usize,
        range: Option<&BatchRange>,
        db: &mut Db<'_>,
    ) -> StepResult {
        let Some(Operation::Run(step)) = migration.recording(direction).operations.get(operation)
        else {
            return Err("no step is recorded at its place".into());
        };
        let request = Request {
            revision: &migration.revision.id,
            direction,
            operation,
            step: &step.name,
            checksum: &migration.checksum,
            range,
        };
        let running = self.runner_of(request.revision).map_err(|err| err.to_string())?;
        let res = running.process.serve(request, db);
        if res.is_err() {
            // The runner may have exited or be in an unknown state, so the next step gets another
            // one.
            self.running = None;
        }
        res
    }
}

impl executor::Steps for Steps<'_> {
    fn prepare(&mut self, migrations: &[&Migration]) -> StepResult {
        for migration in migrations.iter().filter(|migration| has_steps(migration)) {
            self.runner_of(&migration.revision.id).map_err(|err| err.to_string())?;
        }
        Ok(())
    }

    fn run(
        &mut self,
        migration: &Migration,
        direction: Direction,
        operation: usize,
        db: &mut Db<'_>,
    ) -> StepResult {
        self.serve((migration, direction), operation, None, db)
    }

    fn run_piece(
        &mut self,
        recorded: (&Migration, Direction),
        operation: usize,
        range: &BatchRange,
        db: &mut Db<'_>,
    ) -> StepResult {
        self.serve(recorded, operation, Some(range), db)
    }
}

impl Running {
    /// Starts the existing executable if it contains the current module; otherwise compiles all
    /// modules with steps.
    fn start(cx: &Context, cache: &Cache, module: &str) -> Result<Running> {
        let dir = &cx.project.work_dir;
        let _lock = Lock::take(dir, cx.out)?;
        let is_current = |built: &Built, module: &str| {
            let now = cache.find(module).map(|entry| &entry.seen.hash);
            now.is_some() && built.modules.get(module) == now
        };
        let built =
            Built::read(dir).filter(|built| built.key == cache.key && is_current(built, module));
        let built = match built {
            Some(built) => built,
            None => compile(cx, cache)?,
        };
        // Several threads may have a runner each.
        let copy =
            if cfg!(windows) { Some(dir.join(format!("steps-{}.exe", random()?))) } else { None };
        if let Some(copy) = &copy {
            std::fs::copy(&built.executable, copy)
                .doing(|| format!("write `{}`", copy.display()))?;
        }
        let executable = copy.as_ref().unwrap_or(&built.executable);
        let process = Process::start(executable, Mode::Steps, cx.out)?;
        let modules =
            built.modules.keys().filter(|module| is_current(&built, module)).cloned().collect();
        Ok(Running { process, modules, copy })
    }
}

fn compile(cx: &Context, cache: &Cache) -> Result<Built> {
    let mut all = revision_files::all(cx)?;
    all.retain(|file| cache.find(&file.module).is_some());
    let mut needed = Vec::new();
    for file in &all {
        let Some(entry) = cache.find(&file.module) else { continue };
        if has_steps(&entry.recording.recorded.migration()?) {
            needed.push(file.clone());
        }
    }
    let host = package::host(cx)?;
    let build = compile::build(cx, &host, &needed, &all)?;
    let hash = |module: &String| Some((module.clone(), cache.find(module)?.seen.hash.clone()));
    let built = Built {
        key: cache.key.clone(),
        executable: build.executable,
        modules: build.modules.iter().filter_map(hash).collect(),
    };
    built.write(&cx.project.work_dir)?;
    Ok(built)
}

fn has_steps(migration: &Migration) -> bool {
    migration.upgrade.has_steps() || migration.downgrade.has_steps()
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(copy) = &self.copy {
            // The file can only be removed after the program has ended; if it remains, it is small.
            let _ = std::fs::remove_file(copy);
        }
    }
}
