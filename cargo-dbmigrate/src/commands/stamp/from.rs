//! `stamp --from`: marks the revisions that another tool has applied.

use std::collections::BTreeSet;

use dbmigrate_runtime::engine::revision::Target;
use dbmigrate_runtime::engine::{Migration, Migrations};

use super::{each, enter, heads_text, verify};
use crate::cli::{Stamp, Tool};
use crate::commands::Answer;
use crate::commands::upgrade_all::targets;
use crate::connection::{Database, Patience};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::history::{self, History};
use crate::import::{self, Applied, Entry};
use crate::{output, tool_tables};

pub(super) fn run(cx: &Context, args: &Stamp, tool: Tool) -> Result<Answer> {
    let history = History::load(cx)?;
    let migrations = history.migrations()?;
    let table = args.table.as_deref().or(tool_tables::of(tool));
    if args.table.is_some() && tool_tables::of(tool).is_none() {
        return Err(Error::new(format!("{tool} keeps no table"))
            .hint("leave out `--table`: what it has applied is a setting of the file"));
    }
    let taking = Taking { cx, tool, table, migrations: &migrations, drop: args.drop };
    if args.all.is_empty() {
        let database = Database::find(cx)?;
        let entered = taking.stamp(&database)?;
        let applied = history::applied_ids(cx, &database)?;
        let (_, pending) = history.pending(&applied);
        let to = if entered.is_empty() {
            "the revisions are marked already".to_owned()
        } else {
            let ids = entered.iter().cloned().collect();
            format!(
                "marking {} revision(s) as applied, up to {}",
                entered.len(),
                heads_text(&migrations.graph().current(&ids))
            )
        };
        let pending = match pending.len() {
            0 => String::new(),
            n => format!("; {} pending", output::count(n, "revision")),
        };
        cx.out.done(format!("Reading what {tool} has applied: {to}{pending}"));
        cx.out.json("stamp", serde_json::json!({ "revisions": entered, "entered": entered }));
        return Ok(Answer::Done);
    }
    let found = targets::databases(cx, &args.all)?;
    Ok(each(cx, found, |database| taking.stamp(database)).end())
}

/// Takes over what a tool has recorded.
struct Taking<'a> {
    cx: &'a Context,
    tool: Tool,
    /// The tool's own table, if it has one.
    table: Option<&'a str>,
    migrations: &'a Migrations,
    /// Whether the tool's own table is dropped.
    drop: bool,
}

impl Taking<'_> {
    /// Marks the revisions in a database; returns those that were not marked before.
    fn stamp(&self, database: &Database) -> Result<Vec<String>> {
        let (cx, tool) = (self.cx, self.tool);
        let opened = database.open_to_read(Patience::reading(cx))?;
        let mut driver = opened.ok_or_else(|| database.missing())?;
        let applied = import::applied(tool, self.table, driver.as_connection())?;
        drop(driver);
        let ids = self.corresponding(&applied)?;
        let marked = history::applied_ids(cx, database)?;
        // What was applied since then is marked as well.
        let is_marked = marked.is_superset(&ids);
        if is_marked && !self.drop {
            return Ok(Vec::new());
        }
        if !marked.is_empty() && !is_marked {
            let graph = self.migrations.graph();
            let message = format!(
                "the database is marked as being at {}, and {tool} has it at {}",
                heads_text(&graph.current(&marked)),
                heads_text(&graph.current(&ids))
            );
            return Err(Error::new(message)
                .hint("`stamp --verify REV` marks the revision whose schema the database has"));
        }
        let heads = self.migrations.graph().current(&ids);
        let target = Target::Revisions(heads.into_iter().map(str::to_owned).collect());
        let (entered, mut driver) = if is_marked {
            (Vec::new(), database.open_to_write(Patience::reading(cx))?)
        } else {
            verify(cx, database, self.migrations, &ids)?;
            enter(cx, database, self.migrations, (&target, false))?
        };
        if let Some(table) = self.table.filter(|_| self.drop) {
            let dialect = driver.dialect();
            let sql = format!("DROP TABLE {}", dialect.relation(table));
            driver.batch(&sql).map_err(|err| {
                Error::new(format!("failed to drop `{table}`, the table of {tool}"))
                    .cause(err)
                    .hint("the revisions are marked; drop it by hand")
            })?;
        }
        Ok(entered)
    }

    /// The revisions of what is applied.
    fn corresponding(&self, applied: &Applied) -> Result<BTreeSet<String>> {
        let tool = self.tool;
        let imported = || self.migrations.iter();
        let found: Vec<&Migration> = match applied {
            Applied::These(entries) => {
                entries.iter().map(|entry| self.of_entry(entry)).collect::<Result<_>>()?
            }
            Applied::UpTo(versions) => {
                let mut ends: Vec<&str> = Vec::new();
                for version in versions {
                    let end = imported().find(|one| version.has_id(&one.revision.id));
                    let end = end.ok_or_else(|| self.unknown(&version.text))?;
                    ends.push(&end.revision.id);
                }
                let ids = self.migrations.graph().with_ancestors(&ends);
                imported().filter(|one| ids.contains(&*one.revision.id)).collect()
            }
            Applied::First(n) => {
                if imported().count() < *n {
                    return Err(self.unknown(&n.to_string()));
                }
                imported().take(*n).collect()
            }
        };
        if found.is_empty() {
            return Err(Error::new(format!("{tool} has applied nothing in this database"))
                .hint("`cargo dbmigrate upgrade` applies the revisions"));
        }
        let ids: BTreeSet<String> = found.iter().map(|one| one.revision.id.clone()).collect();
        let needed: Vec<&str> = ids.iter().map(String::as_str).collect();
        let needed = self.migrations.graph().with_ancestors(&needed);
        let gap = imported()
            .find(|one| needed.contains(&*one.revision.id) && !ids.contains(&one.revision.id));
        match gap {
            None => Ok(ids),
            Some(one) => Err(Error::new(format!(
                "{tool} has not applied `{}`, in {}, but has applied revisions after it",
                one.revision.id, one.revision.file
            ))
            .hint(format!("apply it with {tool} first"))),
        }
    }

    fn of_entry(&self, entry: &Entry) -> Result<&Migration> {
        let version = &entry.version;
        let mut imported = self.migrations.iter();
        let found = imported.find(|one| version.has_id(&one.revision.id));
        let found = found.ok_or_else(|| self.unknown(&version.text))?;
        let sql = import::text(&found.upgrade.operations);
        // A file without statements is not in the revision.
        if sql.is_some_and(|sql| entry.is_of_another_text(self.tool, &found.revision.message, sql))
        {
            let (tool, id) = (self.tool, &found.revision.id);
            let message = format!(
                "{tool} applied migration `{}` with another text than revision `{id}` has, in {}",
                version.text, found.revision.file
            );
            return Err(Error::new(message).hint(
                "if the database has the revision's schema all the same, mark it with `stamp \
                 --verify`",
            ));
        }
        Ok(found)
    }

    fn unknown(&self, version: &str) -> Error {
        let tool = self.tool;
        Error::new(format!("{tool} has applied migration `{version}`, and no revision is from it"))
            .hint(format!(
                "the database is ahead of the revisions: import the directory that has all of its \
                 migrations, or undo the later ones with {tool}"
            ))
    }
}
