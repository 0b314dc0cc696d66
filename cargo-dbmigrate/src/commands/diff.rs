//! `diff`: what leads from one schema to another.

use std::collections::BTreeSet;

use dbmigrate_runtime::dialect::{Dialect as _, Facts, Sqlite};
use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::Schema;
use dbmigrate_runtime::{Migrations, plan, script};

use super::{Answer, new_revision};
use crate::autogenerate;
use crate::cli::Diff;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::history::History;
use crate::live::{self, Live};
use crate::models::{self, Models};

/// What is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Side {
    Models,
    Migrations,
    Database,
    /// The schema after a revision and all that it needs.
    Revision(String),
}

impl Side {
    fn parse(text: &str) -> Side {
        match text {
            "models" => Side::Models,
            "migrations" => Side::Migrations,
            "database" => Side::Database,
            revision => Side::Revision(revision.to_owned()),
        }
    }

    /// Whether nobody can say what it is without a look at the database.
    fn needs_database(&self) -> bool {
        match self {
            Side::Database => true,
            Side::Revision(it) => it.starts_with(['+', '-']) || it.starts_with("current"),
            Side::Models | Side::Migrations => false,
        }
    }
}

pub fn run(cx: &Context, args: &Diff) -> Result<Answer> {
    let (from, to) = (Side::parse(&args.from), Side::parse(&args.to));
    let models = match [&from, &to].contains(&&Side::Models) {
        true => Some(models::load(cx).map_err(|it| new_revision::stale_list(cx, it))?),
        false => None,
    };
    let history = History::load(cx)?;
    let live = match from.needs_database() || to.needs_database() {
        true => Some(Live::find(cx, &history)?),
        false => None,
    };
    let migrations = history.migrations()?;
    let sources = Sources { migrations: &migrations, models: models.as_ref(), live: live.as_ref() };
    let (before, after) = (sources.schema(&from, &to)?, sources.schema(&to, &from)?);
    let operations = operations(models.as_ref(), (&from, &before), (&to, &after))?;
    let lines: Vec<String> = operations.iter().map(autogenerate::found).collect();
    let facts = live.as_ref().filter(|_| from == Side::Database).map(|it| it.facts.clone());
    let sql = if args.sql { Some(statements(&operations, before, facts)?) } else { None };
    match &sql {
        Some(sql) => cx.out.text(sql),
        None if lines.is_empty() => cx.out.line("No differences."),
        None => lines.iter().for_each(|it| cx.out.line(it)),
    }
    let mut others = Vec::new();
    if let Some(live) = live.as_ref().filter(|_| [&from, &to].contains(&&Side::Database)) {
        let known = sources.known(&from, &to)?;
        let all = Schema::from_tables(known.iter().flat_map(|it| it.tables.values().cloned()));
        others = live.drift(&all, &all)?.others;
        if sql.is_none() {
            live::list_others(cx, &others);
        }
    }
    cx.out.json(
        "diff",
        serde_json::json!({
            "from": args.from,
            "to": args.to,
            "differences": lines,
            "sql": sql,
            "others": live::json(&others),
        }),
    );
    Ok(if args.exit_code && !operations.is_empty() { Answer::No } else { Answer::Done })
}

/// Where schemas come from.
struct Sources<'a> {
    migrations: &'a Migrations,
    models: Option<&'a Models>,
    live: Option<&'a Live>,
}

impl Sources<'_> {
    /// The schema of a side; a database's is in the words of the other one's, where it can be.
    fn schema(&self, side: &Side, other: &Side) -> Result<Schema> {
        match side {
            Side::Models => Ok(self.models.map(|it| it.schema.clone()).unwrap_or_default()),
            Side::Migrations => Ok(self.migrations.replay(None)?),
            Side::Revision(identifier) => {
                let applied = self.live.map(|it| &it.applied);
                let graph = self.migrations.graph();
                let target = graph.target(identifier, applied)?;
                let wanted = graph.with_ancestors(&target.ids());
                let wanted: BTreeSet<_> = wanted.into_iter().map(str::to_owned).collect();
                Ok(self.migrations.replay(Some(&wanted))?)
            }
            Side::Database => {
                let known = self.known(side, other)?;
                let known: Vec<&Schema> = known.iter().collect();
                self.live.map_or_else(|| Ok(Schema::default()), |it| it.adopted(&known))
            }
        }
    }

    /// The schemas that say what is ours in a database: the other side's first.
    fn known(&self, one: &Side, other: &Side) -> Result<Vec<Schema>> {
        let sides = [one, other].into_iter().filter(|it| **it != Side::Database);
        let mut known =
            sides.map(|it| self.schema(it, &Side::Database)).collect::<Result<Vec<_>>>()?;
        if let Some(live) = self.live {
            known.push(self.migrations.replay(Some(&live.applied))?);
        }
        known.push(self.migrations.replay(None)?);
        Ok(known)
    }
}

fn operations(
    models: Option<&Models>,
    (from, before): (&Side, &Schema),
    (to, after): (&Side, &Schema),
) -> Result<Vec<Operation>> {
    let is_live = [from, to].contains(&&Side::Database);
    Ok(match models {
        Some(models) if *to == Side::Models && is_live => {
            autogenerate::from_database(before, models)?
        }
        Some(models) if *to == Side::Models => autogenerate::plain(before, models)?,
        Some(models) if *from == Side::Models && !is_live => autogenerate::back(models, after),
        Some(models) => autogenerate::between(before, &autogenerate::managed(after, models)),
        None => autogenerate::between(before, after),
    })
}

/// The statements that lead there; on a live database, as it is.
fn statements(
    operations: &[Operation],
    mut schema: Schema,
    facts: Option<Facts>,
) -> Result<String> {
    let facts = facts.unwrap_or_else(|| Sqlite.offline_facts());
    let actions = plan::actions(operations, &mut schema, &Sqlite, &facts).map_err(|err| {
        let hint = err.hint.clone();
        hint.into_iter().fold(Error::new(err.message), Error::hint)
    })?;
    Ok(script::statements(&actions))
}
