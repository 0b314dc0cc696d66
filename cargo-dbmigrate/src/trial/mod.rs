//! Tries a revision before it is written: up, down and up again, on a database in memory.
//!
//! The database is what the migrations before the revision build. Steps aren't run for it, since
//! they may have effects outside of the database. What SQLite refuses is traced back to the
//! attribute or the flag that caused it. What only an application provides, such as a function of
//! its own, can't be tried here, which is reported.
//!
//! `merge` and `rebase` are not tried. A merge is empty. Revisions that `rebase` moves are replayed
//! in their new order, but `upgrade` is the first to run what replay doesn't see, such as raw SQL.

mod missing;
mod parts;
mod rows;
mod start;
mod values;

use std::collections::BTreeSet;

use dbmigrate_runtime::Direction;
use dbmigrate_runtime::engine::Migration;
use dbmigrate_runtime::engine::record::ModelRecord;
use dbmigrate_runtime::engine::recording::{self, Recording};
use dbmigrate_runtime::engine::revision::Revision;
use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::{Schema, Table};

pub use parts::BACKEND;
pub use rows::neutral;
pub use start::{
    History, NoSteps, Start, enforce_foreign_keys, has_violations, in_file, in_memory,
    reaches_outside, run_observed, run_with,
};

use crate::autogenerate::Commented;
use crate::error::{Error, Result};
use crate::models::{self, Models};
use missing::Missing;
use start::Trying;

/// The hint about a refusal for which nothing better is known.
const HINT: &str = "correct it in the model; `--no-try` writes the revision anyway";

/// A revision that is about to be written.
pub struct Trial<'a> {
    pub revision: &'a Revision,
    pub upgrade: &'a [Operation],
    pub downgrade: &'a Commented,
    /// The schema that the migrations before it build.
    pub before: &'a Schema,
    pub models: &'a Models,
    /// The answers that were given as flags.
    pub fills: &'a [String],
}

impl Trial<'_> {
    /// Tries the revision. Returns sentences about what could not be tried, and about what works on
    /// some rows only.
    ///
    /// # Errors
    ///
    /// What SQLite refuses, with the location of its cause.
    pub fn run(&self, start: Start) -> Result<Vec<String>> {
        let mut after = self.before.clone();
        recording::replay(&mut after, self.upgrade).map_err(|err| Error::new(err.to_string()))?;
        after.settle(parts::BACKEND);
        let touched = self.touched(&after);
        let mut untried = values::check(self, &after)?;
        if let Some((table, why)) = start.left_out(self.upgrade) {
            untried.push(format!("the revision was not tried, since table `{table}` {why}"));
            return Ok(untried);
        }
        // SQL that the project's own `rewrite` adds may do more than derived operations ever do.
        if reaches_outside(self.upgrade) || reaches_outside(&self.downgrade.operations) {
            let why = "its SQL accesses files other than the database";
            untried.push(format!("the revision was not tried, since {why}"));
            return Ok(untried);
        }
        let mut trying = start.with(self.migration())?;
        if let Err(err) = trying.run(Direction::Upgrade) {
            return match Missing::of_run(&err) {
                Some(missing) => {
                    let whose = self.whose(&touched, &missing);
                    untried.push(format!(
                        "the revision was not tried to the end: {}",
                        missing.describe(&whose)
                    ));
                    Ok(untried)
                }
                None => Err(self.refused(&touched, err.into())),
            };
        }
        for table in &touched {
            if let Err(why) = rows::try_insert(&mut *trying.driver, table) {
                match Missing::of(&why) {
                    Some(missing) => {
                        let whose = self.whose(&[table], &missing);
                        let what =
                            format!("no row can be inserted into table `{}` here", table.name);
                        untried.push(format!("{what}: {}", missing.describe(&whose)));
                    }
                    None if rows::is_of_definition(&why) => {
                        let err = Error::new(format!(
                            "no row can be inserted into table `{}`",
                            table.name
                        ));
                        return Err(self.refused(&[table], err.cause(&why)));
                    }
                    // For example, a check that the row of neutral values violates.
                    None => {}
                }
            }
        }
        if self.downgrade.irreversible.is_none() {
            self.back_and_forth(&mut trying, &touched)?;
        }
        untried.dedup();
        Ok(untried)
    }

    /// Undoes the revision and applies it again with a row in each table that changes.
    fn back_and_forth(&self, trying: &mut Trying, touched: &[&Table]) -> Result<()> {
        match trying.run(Direction::Downgrade) {
            Ok(()) => {}
            // A refusal before anything runs is reported when the revision is written.
            Err(err) if err.is_unsupported() || Missing::of_run(&err).is_some() => {
                return Ok(());
            }
            Err(err) => {
                let err = Error::from(err);
                let message = "the revision's downgrade fails right after its upgrade";
                return Err(Error::new(message)
                    .cause(err)
                    .hint("`--no-try` writes it anyway; then correct `downgrade` in the file"));
            }
        }
        let names: BTreeSet<&str> = self.upgrade.iter().flat_map(Operation::tables).collect();
        let existing = names.iter().filter_map(|name| self.before.table(name));
        let mut n_rows = 0;
        for table in existing {
            n_rows += usize::from(rows::insert(&mut *trying.driver, table).is_ok());
        }
        if let Err(err) = trying.run(Direction::Upgrade) {
            // Real rows may satisfy what the row of neutral values violates.
            let is_of_definition =
                missing::database_error(&err).is_some_and(rows::is_of_definition);
            let is_certain = n_rows == 0 || is_of_definition;
            if is_certain && Missing::of_run(&err).is_none() {
                return Err(self.refused(touched, err.into()));
            }
        }
        Ok(())
    }

    fn migration(&self) -> Migration {
        let upgrade = Recording { operations: self.upgrade.to_vec(), ..Recording::default() };
        let downgrade = Recording {
            operations: self.downgrade.operations.clone(),
            irreversible: self.downgrade.irreversible.clone(),
            ..Recording::default()
        };
        Migration::new(self.revision.clone(), upgrade, downgrade)
    }

    /// The tables that the revision creates or changes, as they are afterwards.
    fn touched<'s>(&self, after: &'s Schema) -> Vec<&'s Table> {
        let names: BTreeSet<&str> = self.upgrade.iter().flat_map(Operation::tables).collect();
        names.into_iter().filter_map(|name| after.table(name)).collect()
    }

    /// The refusal, with the part of a model that caused it, if it is found.
    fn refused(&self, tables: &[&Table], err: Error) -> Error {
        let found = tables.iter().find_map(|table| Some((*table, parts::refused(table, self)?)));
        let Some((table, part)) = found else {
            let tables: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
            let places: Vec<String> = tables
                .iter()
                .filter_map(|table| Some(models::location(self.model(table)?)))
                .collect();
            let of = match places.as_slice() {
                [place] => format!(", in the model {place}"),
                _ => String::new(),
            };
            let hint = err.get_hint().unwrap_or(HINT).to_owned();
            return err.below(format!("the new revision can't run on SQLite{of}")).hint(hint);
        };
        let place = self.place(&table.name, part.column.as_deref());
        let message = format!("SQLite refuses {} of {place}", part.what);
        let hint = part.hint(table).unwrap_or_else(|| HINT.to_owned());
        Error::new(message).cause(&part.why).hint(hint)
    }

    /// The part of a table that uses what is missing.
    fn whose(&self, tables: &[&Table], missing: &Missing) -> String {
        let found = tables.iter().find_map(|table| Some((*table, parts::using(table, missing)?)));
        match found {
            Some((table, part)) => {
                format!("{} of {}", part.what, self.place(&table.name, part.column.as_deref()))
            }
            None => "the revision".to_owned(),
        }
    }

    fn model(&self, table: &str) -> Option<&ModelRecord> {
        self.models.records.iter().find(|model| !model.unmanaged && model.table.name == table)
    }

    /// `the field `age` of `app::User` at src/lib.rs:12`, or the struct if no column is given.
    fn place(&self, table: &str, column: Option<&str>) -> String {
        let Some(model) = self.model(table) else { return format!("table `{table}`") };
        let field =
            column.and_then(|column| model.fields.iter().find(|field| field.column == column));
        match field {
            Some(field) if field.line != 0 => {
                format!("`{}::{}` at {}:{}", model.path, field.field, model.file, field.line)
            }
            _ => models::location(model),
        }
    }
}
