//! Runs a history on a scratch database, to see what it does, and once more as revisions.

use std::collections::BTreeMap;
use std::path::Path;

use dbmigrate_runtime::Direction;
use dbmigrate_runtime::engine::driver::Driver;
use dbmigrate_runtime::engine::executor::Observer;
use dbmigrate_runtime::engine::revision::{Revision, Target};
use dbmigrate_runtime::engine::{Migration, Migrations};
use dbmigrate_runtime::operations::{Execute, Operation, Sql};
use indicatif::ProgressBar;

use super::applied::{ENDS, with_checksum};
use super::layout::{Foreign, Script};
use super::recorded::Recorder;
use super::running::Running;
use super::scratch::Scratch;
use super::script::{has_statements, without_delimiters, without_transaction};
use super::terms::{State, Terms};
use super::tool;
use crate::autogenerate::Commented;
use crate::cli::Tool;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::trial::{enforce_foreign_keys, has_violations, run_observed};

/// A migration of another tool as a revision.
pub struct Revised {
    pub id: String,
    pub foreign: Foreign,
    pub upgrade: Commented,
    pub downgrade: Commented,
    /// How its way back differs from what was there before, if it does.
    pub leaves: Vec<String>,
}

/// A history that is being tried.
pub struct Trying<'a> {
    pub cx: &'a Context,
    pub scratch: &'a Scratch<'a>,
    pub terms: Terms<'a>,
    pub tool: Tool,
    /// What the migrations built by themselves, if they are programs that were run.
    pub original: Option<State>,
    /// Whether all tables are read after each migration, and not only those that it can have
    /// changed.
    pub reads_all: bool,
    /// What the migrations built as they stand.
    pub built: State,
}

impl<'a> Trying<'a> {
    /// Records the migrations of sea-orm-migration in this directory. `url` is that of the scratch
    /// database, if it is on a server.
    ///
    /// # Errors
    ///
    /// When the crate can't be compiled, and when a migration fails.
    pub fn recorded(&mut self, dir: &Path, url: Option<&str>) -> Result<Vec<Foreign>> {
        let recorder = Recorder { cx: self.cx, scratch: self.scratch, dir, url };
        let recorded = recorder.read(&mut self.terms)?;
        self.original = Some(recorded.state);
        Ok(recorded.foreign)
    }

    /// Runs each migration as it stands, there, back and there again, and describes what it does.
    ///
    /// # Errors
    ///
    /// A migration that fails.
    pub fn revised(&mut self, foreign: Vec<Foreign>, bar: &ProgressBar) -> Result<Vec<Revised>> {
        let (revised, ends_as_read) = self.revised_once(foreign.clone(), bar)?;
        if ends_as_read {
            return Ok(revised);
        }
        // SQL has changed what it doesn't name.
        self.reads_all = true;
        bar.set_position(0);
        Ok(self.revised_once(foreign, bar)?.0)
    }

    /// The revisions, and whether the database is in the end what was read of it step by step.
    fn revised_once(
        &mut self,
        foreign: Vec<Foreign>,
        bar: &ProgressBar,
    ) -> Result<(Vec<Revised>, bool)> {
        let lexicon = self.cx.dialect().lexicon();
        let width = foreign.iter().map(|one| one.version.width()).max().unwrap_or_default();
        refuse_same_ids(&foreign, width)?;
        let running = self.running();
        let mut driver = self.empty()?;
        let mut before = self.state(&mut *driver)?;
        let mut revised: Vec<Revised> = Vec::new();
        for mut foreign in foreign {
            let texts = [Some(&foreign.up), foreign.down.as_ref()];
            let texts = texts.map(|script| {
                let script = script?;
                let sql = without_delimiters(self.cx.dialect(), &script.sql);
                let sql = without_transaction(lexicon, &sql);
                let texts = [&*script.sql, &*sql];
                let sql = with_checksum(self.tool, &foreign.version, &foreign.name, texts);
                // A checksum is of the whole text.
                let trimmed = sql.trim_end();
                let is_kept =
                    tool::has_checksums(self.tool) && !ENDS.contains(&&sql[trimmed.len()..]);
                let sql = if is_kept { sql } else { trimmed.to_owned() };
                has_statements(lexicon, &sql).then_some(sql)
            });
            let [up, down] = &texts;
            let script = foreign.up.clone();
            let first = (&script, up.as_deref());
            let after = self.first(&mut *driver, &mut foreign, first, &before)?;
            let mut downgrade = Commented::default();
            let mut leaves = Vec::new();
            match foreign.down.clone() {
                None if up.is_none() => {}
                None if foreign.unprinted_down => {
                    downgrade.irreversible =
                        Some(format!("{} could not print its way back as SQL", self.tool));
                }
                None => downgrade.irreversible = Some("it has no way back".to_owned()),
                Some(script) => {
                    let first = (&script, down.as_deref());
                    let back = self.first(&mut *driver, &mut foreign, first, &after)?;
                    downgrade.operations =
                        executed(down.as_ref(), self.terms.described(&after, &back));
                    leaves = self.terms.differences(&before, &back);
                    if leaves.is_empty() {
                        running.run(&mut *driver, &foreign, (&foreign.up, up.as_deref()))?;
                    } else {
                        downgrade.irreversible = Some(format!(
                            "its way back does not restore what was there before: {}",
                            leaves.join(", ")
                        ));
                        driver = self.empty()?;
                        for done in &revised {
                            let sql = text(&done.upgrade.operations);
                            running.run(&mut *driver, &done.foreign, (&done.foreign.up, sql))?;
                        }
                        running.run(&mut *driver, &foreign, (&foreign.up, up.as_deref()))?;
                    }
                }
            }
            let operations = executed(up.as_ref(), self.terms.described(&before, &after));
            let upgrade = Commented { operations, ..Commented::default() };
            let id = foreign.version.id(width);
            let no_transaction = foreign.no_transaction;
            revised.push(Revised {
                id,
                foreign,
                upgrade: Commented { no_transaction, ..upgrade },
                downgrade: Commented { no_transaction, ..downgrade },
                leaves,
            });
            before = after;
            bar.inc(1);
        }
        let ends_as_read = self.reads_all || {
            let end = self.state(&mut *driver)?;
            self.terms.differences(&before, &end).is_empty()
        };
        self.built = before;
        Ok((revised, ends_as_read))
    }

    /// An empty database with the settings of the tool's connection.
    pub(super) fn empty(&self) -> Result<Box<dyn Driver>> {
        let mut driver = self.scratch.empty()?;
        if self.may_change_rows() {
            enforce_foreign_keys(&mut *driver)?;
        }
        Ok(driver)
    }

    fn running(&self) -> Running<'a> {
        Running { cx: self.cx, scratch: self.scratch, tool: self.tool }
    }

    /// Runs one direction of a migration for the first time; returns what the database contains
    /// then.
    fn first(
        &mut self,
        driver: &mut dyn Driver,
        foreign: &mut Foreign,
        (script, sql): (&Script, Option<&str>),
        before: &State,
    ) -> Result<State> {
        // A transaction less for a server that would need another one to read.
        let is_read_inside = !self.reads_all
            && sql.is_some_and(|sql| self.terms.can_be_read_inside(driver.dialect(), sql, before));
        let mut read = None;
        let terms = &mut self.terms;
        let mut reading = |driver: &mut dyn Driver| {
            if let Some(sql) = sql.filter(|_| is_read_inside) {
                read = Some(terms.state_after(driver, sql, before)?);
            }
            Ok(())
        };
        let running = Running { cx: self.cx, scratch: self.scratch, tool: self.tool };
        running.run_first(driver, foreign, (script, sql), &mut reading)?;
        match read {
            Some(read) => Ok(read),
            None => self.state_after(driver, sql, before),
        }
    }

    fn state(&mut self, driver: &mut dyn Driver) -> Result<State> {
        self.terms.state(driver)
    }

    /// What the database contains after this SQL.
    fn state_after(
        &mut self,
        driver: &mut dyn Driver,
        sql: Option<&str>,
        before: &State,
    ) -> Result<State> {
        match sql {
            None => Ok(before.clone()),
            Some(_) if self.reads_all => self.terms.state(driver),
            Some(sql) => self.terms.state_after(driver, sql, before),
        }
    }

    /// Runs the revisions, and fails if they don't build what the migrations built, or if undoing
    /// them leaves anything. Says in which rows they differ.
    ///
    /// # Errors
    ///
    /// A revision that fails, and a difference.
    pub fn prove(&mut self, revised: &[Revised], bar: &ProgressBar) -> Result<Option<String>> {
        let mut observer = Counting(bar);
        let migrations = migrations(revised)?;
        let as_it_stands = std::mem::take(&mut self.built);
        if let Some(by_themselves) = &self.original {
            self.refuse_different("recorded", by_themselves, &as_it_stands)?;
        }
        let mut driver = self.scratch.empty()?;
        let empty = self.state(&mut *driver)?;
        let version_table = &self.cx.config.version_table;
        let all = revised.last().map(|last| last.id.clone()).into_iter().collect();
        let up = (Direction::Upgrade, &Target::Revisions(all));
        run_observed(&mut *driver, &migrations, version_table, up, &mut observer)
            .map_err(|err| self.of_file(revised, err.into()))?;
        let as_revisions = self.state(&mut *driver)?;
        self.refuse_different("applied", &as_it_stands, &as_revisions)?;
        let replayed = migrations.replay(None)?;
        // What the settings leave out is not described.
        let scope = self.cx.scope();
        let of_replay = as_revisions.with_schema(scope.compared(&replayed));
        let compared = as_revisions.with_schema(scope.compared(&as_revisions.schema));
        self.refuse_different("replayed", &compared, &of_replay)?;
        let other_rows = self.other_rows(revised, &as_it_stands.schema, (&mut *driver, bar))?;
        let is_final = |one: &&Revised| one.downgrade.irreversible.is_some();
        let down_to = match revised.iter().rev().find(is_final) {
            Some(last) => Target::Revisions(vec![last.id.clone()]),
            None => Target::Base,
        };
        let down = (Direction::Downgrade, &down_to);
        run_observed(&mut *driver, &migrations, version_table, down, &mut observer)
            .map_err(|err| self.of_file(revised, err.into()))?;
        if down_to == Target::Base {
            let back = self.state(&mut *driver)?;
            self.refuse_different("undone", &empty, &back)?;
        }
        Ok(other_rows)
    }

    /// Runs a migration that ran before.
    pub(super) fn run_again(&self, driver: &mut dyn Driver, one: &Revised) -> Result<()> {
        let sql = text(&one.upgrade.operations);
        self.running().run(driver, &one.foreign, (&one.foreign.up, sql))
    }

    /// The error of a revision, with the file that it comes from.
    fn of_file(&self, revised: &[Revised], err: Error) -> Error {
        let text = err.to_string();
        let named = revised.iter().find(|one| text.contains(&format!("`{}`", one.id)));
        let below = |err: Error, one: &Revised| {
            let file = one.foreign.up.file.display();
            err.below(format!("`{file}` can't be taken over as it stands"))
        };
        match (named, self.violating(revised)) {
            (Some(one), _) => below(err, one),
            (None, Some(one)) => below(err, one).hint("correct the rows in it, and import again"),
            (None, None) => err,
        }
    }

    /// The first migration from which on there are always rows that violate foreign keys. On
    /// SQLite a tool may not notice.
    fn violating<'b>(&self, revised: &'b [Revised]) -> Option<&'b Revised> {
        let mut driver = self.cx.has_trial().then(|| self.empty().ok())??;
        let mut first = None;
        for one in revised {
            self.run_again(&mut *driver, one).ok()?;
            first = has_violations(&mut *driver).ok()?.then(|| first.unwrap_or(one));
        }
        first
    }

    fn refuse_different(&self, how: &str, expected: &State, actual: &State) -> Result<()> {
        let differences = self.terms.differences(expected, actual);
        if differences.is_empty() {
            return Ok(());
        }
        let message = format!("the revisions, {how}, do not give the same schema as the files:");
        let lines = differences.iter().map(|difference| format!("\n  {difference}"));
        Err(Error::new(message + &lines.collect::<String>())
            .hint("nothing was written; please report this with the files that it is about"))
    }
}

/// Counts the revisions that run.
struct Counting<'a>(&'a ProgressBar);

impl Observer for Counting<'_> {
    fn running(&mut self, _: Direction, _: &Revision) {
        self.0.inc(1);
    }
}

/// The text that a revision runs.
pub fn text(operations: &[Operation]) -> Option<&str> {
    operations.iter().find_map(|operation| match operation {
        Operation::Execute(execute) => execute.sql.any.as_deref(),
        _ => None,
    })
}

/// SQL as an operation that says what it does.
fn executed(sql: Option<&String>, describes: Vec<Operation>) -> Vec<Operation> {
    let execute = |sql: &String| {
        Operation::Execute(Execute {
            sql: Sql::from(sql.as_str()),
            describes: describes.clone(),
            ..Execute::default()
        })
    };
    sql.map(execute).into_iter().collect()
}

fn migrations(revised: &[Revised]) -> Result<Migrations> {
    let mut before: Option<&str> = None;
    let mut migrations = Vec::new();
    for one in revised {
        let revision = Revision {
            id: one.id.clone(),
            parents: before.map(str::to_owned).into_iter().collect(),
            ..Revision::default()
        };
        let directions = (one.upgrade.recording(), one.downgrade.recording());
        migrations.push(Migration::new(revision, directions.0, directions.1));
        before = Some(&one.id);
    }
    Ok(Migrations::new(migrations)?)
}

/// Fails if two migrations would become the same revision.
fn refuse_same_ids(foreign: &[Foreign], width: usize) -> Result<()> {
    let mut files: BTreeMap<String, &Path> = BTreeMap::new();
    for one in foreign {
        let id = one.version.id(width);
        if let Some(other) = files.insert(id.clone(), &one.up.file) {
            let (other, file) = (other.display(), one.up.file.display());
            let message = format!("`{other}` and `{file}` would both become revision `{id}`");
            return Err(Error::new(message).hint(
                "an id has only letters, digits and `_`: import a copy of the directory in which \
                 one of them has another name",
            ));
        }
    }
    Ok(())
}
