//! `diff`: the difference between two schemas.

use std::collections::BTreeSet;

use dbmigrate_runtime::engine::dialect::Facts;
use dbmigrate_runtime::engine::revision::is_from_database;
use dbmigrate_runtime::engine::{Migrations, plan, script};
use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::Schema;

use super::Answer;
use crate::autogenerate;
use crate::cli::Diff;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::history::History;
use crate::models::{self, Models};
use crate::output::style;
use crate::run;
use crate::scaffold;
use crate::scope::Scope;
use crate::snapshot::{self, Snapshot};

/// One side of the comparison.
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

    /// Whether the side can only be resolved with a database.
    fn needs_database(&self) -> bool {
        match self {
            Side::Database => true,
            Side::Revision(text) => is_from_database(text),
            Side::Models | Side::Migrations => false,
        }
    }
}

pub fn run(cx: &Context, args: &Diff) -> Result<Answer> {
    let (from, to) = (Side::parse(&args.from), Side::parse(&args.to));
    let models = if [&from, &to].contains(&&Side::Models) {
        Some(models::load(cx).map_err(|err| scaffold::stale_list(cx, err))?)
    } else {
        None
    };
    let history = History::load(cx)?;
    let mut snapshot = if from.needs_database() || to.needs_database() {
        Some(Snapshot::find(cx, &history, models.as_ref().map(|models| &models.schema))?)
    } else {
        None
    };
    let (history, _) = match &snapshot {
        Some(snapshot) => history.at(snapshot.applied.clone())?,
        None => history.at(BTreeSet::new())?,
    };
    let history = history.naming(&[&args.from, &args.to])?;
    if let Some(snapshot) = &mut snapshot {
        // A revision that is applied in place of the named ones counts as all of them here.
        let graph = &history.graph;
        let hidden = snapshot.applied.iter().filter(|id| graph.get(id).is_none());
        let ends: Vec<&str> =
            hidden.filter_map(|id| graph.find(id)).map(|revision| &*revision.id).collect();
        let replaced = graph.with_ancestors(&ends).into_iter().map(str::to_owned);
        snapshot.applied.extend(replaced.collect::<Vec<_>>());
    }
    let (migrations, scope) = (history.migrations()?, cx.scope());
    let sources = Sources {
        migrations: &migrations,
        models: models.as_ref(),
        snapshot: snapshot.as_ref(),
        scope: &scope,
    };
    let (before, after) = (sources.schema(&from, &to)?, sources.schema(&to, &from)?);
    let operations = match sources.renames(&from, &to, &before)? {
        Some((renames, renamed)) => {
            [renames, autogenerate::compared(&renamed, &after, &scope)].concat()
        }
        None => operations(models.as_ref(), (&from, &before), (&to, &after), &scope)?,
    };
    let mut lines: Vec<String> = operations.iter().map(autogenerate::found).collect();
    let compared = [&before, &after].map(|schema| scope.compared(schema).tables.len());
    let n_compared = compared.into_iter().max().unwrap_or_default();
    let (mut others, mut beyond) = (Vec::new(), Vec::new());
    if let Some(snapshot) = snapshot.as_ref().filter(|_| [&from, &to].contains(&&Side::Database)) {
        let known = sources.known(&from, &to)?;
        let all =
            Schema::from_tables(known.iter().flat_map(|schema| schema.tables.values().cloned()));
        let declared = snapshot.declared(&migrations, &snapshot.applied);
        others = snapshot.drift(&all, &all, declared.clone())?.others;
        beyond = snapshot.beyond(&all, declared).iter().map(ToString::to_string).collect();
    }
    lines.extend(beyond.iter().cloned());
    let facts =
        snapshot.as_ref().filter(|_| from == Side::Database).map(|snapshot| snapshot.facts.clone());
    let sql = match args.script.client() {
        Some(client) => {
            scope.refuse_unfit(&operations, &before)?;
            let notes = notes(&operations, &before, &beyond);
            let text = notes + &statements(cx, &operations, before, facts)?;
            Some(script::for_client(&text, cx.dialect(), client))
        }
        None => None,
    };
    match &sql {
        Some(sql) => cx.out.text(sql),
        None if lines.is_empty() && n_compared == 0 && !others.is_empty() => {
            cx.out.line(nothing_compared(models.as_ref()));
        }
        None if lines.is_empty() => cx.out.line("No differences."),
        None => lines.iter().for_each(|line| cx.out.line(style::found(line))),
    }
    if sql.is_none() {
        snapshot::list_others(cx, &others);
    }
    cx.out.json(
        "diff",
        serde_json::json!({
            "from": args.from,
            "to": args.to,
            "differences": lines,
            "sql": sql,
            "others": snapshot::json(&others),
        }),
    );
    let is_same = lines.is_empty() && (n_compared > 0 || others.is_empty());
    Ok(if args.exit_code && !is_same { Answer::No } else { Answer::Done })
}

/// The message for a database that neither models nor migrations describe.
fn nothing_compared(models: Option<&Models>) -> &'static str {
    match models {
        Some(models) if models.found_none => {
            "Nothing was compared: the package has no models, and the migrations no tables."
        }
        _ => {
            "Nothing was compared: neither models nor migrations describe a table of the database."
        }
    }
}

/// Where schemas come from.
struct Sources<'a> {
    migrations: &'a Migrations,
    models: Option<&'a Models>,
    snapshot: Option<&'a Snapshot>,
    scope: &'a Scope,
}

impl Sources<'_> {
    /// The schema of a side. A database's schema is in the terms of the other side's, where
    /// possible.
    fn schema(&self, side: &Side, other: &Side) -> Result<Schema> {
        match side {
            Side::Models => Ok(self.models.map(|models| models.schema.clone()).unwrap_or_default()),
            Side::Migrations | Side::Revision(_) => {
                Ok(self.migrations.replay(self.wanted(side)?.as_ref())?)
            }
            Side::Database => {
                let known = self.known(side, other)?;
                let known: Vec<&Schema> = known.iter().collect();
                self.snapshot
                    .map_or_else(|| Ok(Schema::default()), |snapshot| snapshot.translated(&known))
            }
        }
    }

    /// For two revisions where one follows the other: the renames that the migrations record, and
    /// the schema after them.
    fn renames(
        &self,
        from: &Side,
        to: &Side,
        before: &Schema,
    ) -> Result<Option<(Vec<Operation>, Schema)>> {
        let (Some(from), Some(to)) = (self.wanted(from)?, self.wanted(to)?) else {
            return Ok(None);
        };
        let between = |more: &BTreeSet<String>, less: &BTreeSet<String>| {
            let ids: BTreeSet<String> = more.difference(less).cloned().collect();
            let between = self
                .migrations
                .iter()
                .filter(move |migration| ids.contains(&migration.revision.id));
            between.flat_map(|migration| migration.upgrade.operations.clone()).collect::<Vec<_>>()
        };
        let operations = match () {
            () if to.is_superset(&from) => between(&to, &from),
            () if from.is_superset(&to) => between(&from, &to)
                .iter()
                .rev()
                .filter_map(|operation| operation.reverse(before).ok())
                .flatten()
                .collect(),
            () => return Ok(None),
        };
        let mut schema = before.clone();
        let is_rename = |operation: &Operation| match operation {
            Operation::RenameTable { from, to } => {
                self.scope.has_table(from) && self.scope.has_table(to)
            }
            Operation::RenameColumn { table, from, to } => {
                self.scope.has_column(table, from) && self.scope.has_column(table, to)
            }
            _ => false,
        };
        // A rename of something that is created or dropped in between doesn't fit.
        let fits =
            |operation: &Operation| is_rename(operation) && operation.apply(&mut schema).is_ok();
        let renames = operations.into_iter().filter(fits).collect();
        Ok(Some((renames, schema)))
    }

    /// The revisions that make up a side of the migrations.
    fn wanted(&self, side: &Side) -> Result<Option<BTreeSet<String>>> {
        let graph = self.migrations.graph();
        Ok(match side {
            Side::Models | Side::Database => None,
            Side::Migrations => {
                Some(graph.revisions().iter().map(|revision| revision.id.clone()).collect())
            }
            Side::Revision(identifier) => {
                let target =
                    graph.target(identifier, self.snapshot.map(|snapshot| &snapshot.applied))?;
                let wanted = graph.with_ancestors(&target.ids());
                Some(wanted.into_iter().map(str::to_owned).collect())
            }
        })
    }

    /// The schemas that tell which tables of a database are the project's, starting with the other
    /// side's.
    fn known(&self, one: &Side, other: &Side) -> Result<Vec<Schema>> {
        let sides = [one, other].into_iter().filter(|side| **side != Side::Database);
        let mut known =
            sides.map(|side| self.schema(side, &Side::Database)).collect::<Result<Vec<_>>>()?;
        if let Some(snapshot) = self.snapshot {
            known.push(self.migrations.replay(Some(&snapshot.applied))?);
        }
        known.push(self.migrations.replay(None)?);
        Ok(known)
    }
}

fn operations(
    models: Option<&Models>,
    (from, before): (&Side, &Schema),
    (to, after): (&Side, &Schema),
    scope: &Scope,
) -> Result<Vec<Operation>> {
    let is_live = [from, to].contains(&&Side::Database);
    Ok(match models {
        Some(models) if *to == Side::Models => autogenerate::plain(before, models)?,
        Some(models) if *from == Side::Models && !is_live => autogenerate::back(models, after),
        Some(models) => {
            autogenerate::compared(before, &autogenerate::managed(after, models), scope)
        }
        None => autogenerate::compared(before, after, scope),
    })
}

/// Comments on what the statements discard, and on the differences that they leave.
fn notes(operations: &[Operation], schema: &Schema, beyond: &[String]) -> String {
    let discards =
        operations.iter().filter_map(|operation| autogenerate::discarded(operation, schema));
    let discards = discards.map(|what| format!("-- Discards the data in {what}.\n"));
    let stays = beyond.iter().map(|text| format!("-- Unchanged: {text}.\n"));
    discards.chain(stays).collect()
}

/// The statements for the difference; for a live database, based on its current state.
fn statements(
    cx: &Context,
    operations: &[Operation],
    mut schema: Schema,
    facts: Option<Facts>,
) -> Result<String> {
    let facts =
        run::facts_for_script(cx.dialect(), facts.unwrap_or_else(|| cx.dialect().offline_facts()));
    let tasks = plan::tasks(operations, &mut schema, cx.dialect(), &facts).map_err(|err| {
        let hint = err.hint.clone();
        hint.into_iter().fold(Error::new(err.message), Error::hint)
    })?;
    Ok(script::statements(&tasks, cx.dialect()))
}
