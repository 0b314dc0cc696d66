//! `upgrade`: applies revisions.

use std::mem::ManuallyDrop;

use dbmigrate_runtime::Direction;

use super::{Answer, plan};
use crate::cli::Upgrade;
use crate::connection::{Database, Source};
use crate::context::Context;
use crate::error::Result;
use crate::history::{self, History};
use crate::url_source;
use crate::{config, project, revision_files, run};

pub fn run(cx: &Context, args: &Upgrade) -> Result<Answer> {
    let run = args.run();
    if let Some(client) = args.run.script.client() {
        run::write_script(cx, Direction::Upgrade, &args.revision, (&run, client))?;
        return Ok(Answer::Done);
    }
    if args.dry_run {
        let to = (Direction::Upgrade, args.revision.as_str());
        return plan::dry_run(cx, "upgrade", to, &run);
    }
    let database = Database::find(cx)?;
    build_script_hints(cx, &database)?;
    // Freeing it would take a tenth of the time, and the process is about to end.
    let history = ManuallyDrop::new(History::load(cx)?);
    let up = run::Up { to: &args.revision, run: &run };
    let ran = run::upgrade(cx, &database, &history, &up)?;
    let mut json = serde_json::json!({ "ran": ran.ids, "backup": ran.backup });
    if !ran.barriers.is_empty() {
        json["barriers"] = history::barriers_json(&ran.barriers);
    }
    cx.out.json("upgrade", json);
    Ok(Answer::Done)
}

/// In a build script, tells cargo which files the database depends on, except the database itself:
/// the package would then be rebuilt every time.
fn build_script_hints(cx: &Context, database: &Database) -> Result<()> {
    if !project::in_build_script() || cx.out.is_json() {
        return Ok(());
    }
    let dir = &cx.project.migrations_dir;
    cx.out.line(format!("cargo:rerun-if-changed={}", dir.display()));
    for location in
        revision_files::locations(cx)?.iter().filter(|location| !location.dir.starts_with(dir))
    {
        cx.out.line(format!("cargo:rerun-if-changed={}", location.dir.display()));
    }
    if !cx.project.config_dir.starts_with(dir) {
        let settings = config::path(&cx.project.config_dir);
        cx.out.line(format!("cargo:rerun-if-changed={}", settings.display()));
    }
    let dotenv = match &database.source {
        Source::DotEnv(path) => path.clone(),
        _ => cx.project.package_dir.join(".env"),
    };
    if dotenv.exists() {
        cx.out.line(format!("cargo:rerun-if-changed={}", dotenv.display()));
    }
    cx.out.line(format!("cargo:rerun-if-env-changed={}", url_source::variable(&cx.lookup())));
    Ok(())
}
