//! The result of `migrate` for a case, without a separate project.

use cargo_dbmigrate::internals::models::check_names;
use cargo_dbmigrate::internals::{
    Cli, Command, Models, NewRevision, Result, Rows, Start, Trial, agree_to_losses, answered,
    autogenerate, render,
};
use clap::Parser as _;
use dbmigrate_runtime::engine::revision;
use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::Schema;

use super::QUIET;
use super::case::Case;
use super::state::SQLITE;

/// A generated revision.
pub struct Revision {
    pub upgrade: Vec<Operation>,
    pub downgrade: Vec<Operation>,
    /// What the answers overrule in the models.
    pub overruled: Vec<String>,
    /// The module's text.
    pub text: String,
}

/// The revision from the migrations to the models.
pub fn revision(case: &Case, before: &Schema, models: &Models) -> Result<Revision> {
    let args = args(case);
    check_names(&models.records, &[SQLITE])?;
    let no_database = Rows::default();
    let changes = answered(&args, before, models, &no_database)?;
    if !args.allow_destructive {
        agree_to_losses(QUIET, &args, &no_database.losses(&changes, before))?;
    }
    let upgrade = changes.commented();
    let downgrade = autogenerate::way_back(&upgrade.operations, before, SQLITE, &models.others)?;
    let trial = Trial {
        revision: &revision::Revision { id: "case".to_owned(), ..revision::Revision::default() },
        upgrade: &upgrade.operations,
        downgrade: &downgrade,
        before,
        models,
        fills: &args.fill,
    };
    if !args.no_try && !upgrade.operations.is_empty() {
        trial.run(Start::replayed(before, "dbmigrate_version")?)?;
    }
    let header = render::Header {
        runtime: "dbmigrate_runtime".to_owned(),
        id: case.name.replace('-', "_"),
        parents: vec!["before".to_owned()],
        message: case.about.trim().to_owned(),
        created: "2026-01-01 00:00:00 UTC".to_owned(),
        ..render::Header::default()
    };
    let contents =
        render::Contents { upgrade: &upgrade, downgrade: &downgrade, is_generated: true };
    let text = render::module(&header, &contents);
    Ok(Revision {
        upgrade: upgrade.operations,
        downgrade: downgrade.operations,
        overruled: changes.overruled,
        text,
    })
}

/// The remaining differences, without any answers.
pub fn second(schema: &Schema, models: &Models) -> Result<Vec<Operation>> {
    autogenerate::plain(schema, models)
}

/// The operations in words.
pub fn words(operations: &[Operation]) -> String {
    let words = operations.iter().map(autogenerate::detected);
    words.map(|word| word.trim_start_matches("Detected ").to_owned() + "\n").collect()
}

/// The flags of the case, one per line, as arguments.
fn args(case: &Case) -> NewRevision {
    let lines = case.answers.as_deref().unwrap_or_default().lines();
    let words = lines.flat_map(|line| line.splitn(2, ' ')).filter(|text| !text.is_empty());
    let own = ["cargo-dbmigrate", "migrate", "--non-interactive"];
    let cli = Cli::try_parse_from(own.into_iter().chain(words));
    match cli.unwrap_or_else(|err| panic!("{}: {err}", case.name)).command {
        Command::Migrate(migrate) => migrate.new,
        other => unreachable!("{other:?} is not `migrate`"),
    }
}
