//! A live database, beside what the migrations build.

use std::collections::BTreeSet;

use dbmigrate_runtime::engine::dialect::{
    Catalog, Comparing, Dialect, Facts, ObjectName, Unreadable,
};
use dbmigrate_runtime::engine::drift::{self, Described, Difference, Drift, Told};
use dbmigrate_runtime::engine::driver::Driver;
use dbmigrate_runtime::engine::naming::Convention;
use dbmigrate_runtime::engine::{Migrations, version_table};
use dbmigrate_runtime::schema::{Schema, Table};

use crate::autogenerate::{self, Keeping};
use crate::connection::{Database, Patience};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::history::History;
use crate::scope::Scope;

/// What was read of a database at one time.
pub struct Live {
    /// The ids of the applied revisions, in the history as this database has it.
    pub applied: BTreeSet<String>,
    /// What statements depend on.
    pub facts: Facts,
    dialect: &'static dyn Dialect,
    found: Catalog,
    scope: Scope,
    naming: Convention,
}

impl Live {
    /// Reads the project's database; where there is no file yet, there is nothing in it.
    ///
    /// # Errors
    ///
    /// When it can't be opened or read, and when its revisions aren't the project's.
    pub fn find(cx: &Context, history: &History) -> Result<Live> {
        match Database::find(cx)?.open_to_read(Patience::reading(cx))? {
            Some(mut driver) => Live::read(cx, history, &mut *driver),
            None => Ok(Live::of(cx, cx.dialect().offline_facts(), Catalog::default())),
        }
    }

    /// The same, whatever the version table says.
    ///
    /// # Errors
    ///
    /// When it can't be opened or read.
    pub fn unversioned(cx: &Context, database: &Database) -> Result<Live> {
        match database.open_to_read(Patience::reading(cx))? {
            Some(mut driver) => at_once(&mut *driver, |driver| Live::contents(cx, driver)),
            None => Ok(Live::of(cx, cx.dialect().offline_facts(), Catalog::default())),
        }
    }

    /// Reads a database.
    ///
    /// # Errors
    ///
    /// As [`Live::find`].
    pub fn read(cx: &Context, history: &History, driver: &mut dyn Driver) -> Result<Live> {
        at_once(driver, |driver| {
            let applied = version_table::read(driver.as_connection(), cx.config.version_table())?;
            let standing = history.standing(applied)?;
            standing.check(false)?;
            Ok(Live { applied: standing.view.applied, ..Live::contents(cx, driver)? })
        })
    }

    fn of(cx: &Context, facts: Facts, found: Catalog) -> Live {
        let (scope, naming) = (cx.config.scope(), cx.config.naming.0.clone());
        Live { applied: BTreeSet::new(), facts, dialect: cx.dialect(), found, scope, naming }
    }

    fn contents(cx: &Context, driver: &mut dyn Driver) -> Result<Live> {
        let conn = driver.as_connection();
        let mut found = conn.catalog(None).map_err(failed)?;
        let objects = Some(std::mem::take(&mut found.objects));
        let facts = Facts { objects, ..conn.facts().map_err(failed)? };
        let folding = conn.dialect().comparing(&facts).folding;
        let is_own = |name: &str| folding.same_table(name, &cx.config.version_table);
        found.schema.tables.retain(|name, _| !is_own(name));
        Ok(Live::of(cx, facts, found))
    }

    /// How it differs, in what is compared, from the revisions whose schema this is and that tell
    /// this of their SQL; `all` is the schema of all revisions.
    ///
    /// # Errors
    ///
    /// A table that the database can't have.
    pub fn drift(&self, expected: &Schema, all: &Schema, told: Told) -> Result<Drift> {
        let folding = self.comparing().folding;
        let stored = |table: &Table| {
            let mut actual = self.found.schema.tables.values();
            let declared = actual
                .find(|it| folding.same_table(&it.name, &table.name))
                .map_or_else(|| table.clone(), |actual| self.dialect.as_declared(table, actual));
            let stored = self.dialect.as_stored(&declared, &self.facts);
            stored.map_err(|err| Error::new(err.to_string()))
        };
        let expected = expected.tables.values().filter(|it| self.scope.has_table(&it.name));
        let expected = expected.map(stored).collect::<Result<Vec<_>>>()?;
        let expected = self.scope.compared(&Schema::from_tables(expected));
        let objects = self.facts.objects.as_deref().unwrap_or_default();
        let found = self.scope.found(&self.found, objects);
        let told = self.compared(told);
        let all = self.scope.compared(all);
        let described = Described { expected: &expected, all: &all, told: &told };
        Ok(drift::drift(&self.comparing(), described, &found))
    }

    /// What these revisions say of what their SQL and steps make.
    pub fn told(&self, migrations: &Migrations, applied: &BTreeSet<String>) -> Told {
        let applied = migrations.iter().filter(|it| applied.contains(&it.revision.id));
        let operations = applied.flat_map(|migration| &migration.upgrade.operations);
        Told::of(self.comparing().folding, operations)
    }

    /// What it says of the tables of a schema that no migration can say.
    pub fn beyond(&self, schema: &Schema, told: Told) -> Vec<Difference> {
        let objects = self.facts.objects.as_deref().unwrap_or_default();
        let found = self.scope.found(&self.found, objects);
        drift::beyond(&self.scope.compared(schema), &self.compared(told), &found)
    }

    /// What the database reads alike.
    fn comparing(&self) -> Comparing {
        self.dialect.comparing(&self.facts)
    }

    fn compared(&self, mut told: Told) -> Told {
        told.retain(|table| self.scope.has_table(table));
        told
    }

    /// What it has of these schemas, in their words.
    ///
    /// # Errors
    ///
    /// When a table of theirs is there that can't be understood.
    pub fn adopted(&self, known: &[&Schema]) -> Result<Schema> {
        let comparing = self.comparing();
        let of_known = |name: &str| {
            let mut names = known.iter().flat_map(|it| it.tables.keys());
            self.scope.has_table(name)
                && names.any(|known| comparing.folding.same_table(known, name))
        };
        let mut unreadable = self.found.unreadable.iter();
        if let Some(Unreadable { name, why }) = unreadable.find(|object| of_known(&object.name)) {
            return Err(Error::new(format!(
                "the table `{name}` of the database can't be compared: {why}"
            )));
        }
        let stored = |table: &Table, actual: &Table| {
            self.dialect.as_stored(&self.dialect.as_declared(table, actual), &self.facts).ok()
        };
        let keeping = Keeping { stored: &stored, comparing, naming: &self.naming };
        Ok(autogenerate::adopt(&self.found.schema, known, &keeping))
    }
}

/// Reads in one transaction, so that all of it is of one time.
fn at_once(
    driver: &mut dyn Driver,
    read: impl FnOnce(&mut dyn Driver) -> Result<Live>,
) -> Result<Live> {
    driver.batch("BEGIN").map_err(failed)?;
    let res = read(driver);
    driver.rollback();
    res
}

fn failed(err: dbmigrate_runtime::engine::driver::DatabaseError) -> Error {
    Error::new("failed to read what the database has").cause(err)
}

/// What is said in the place of "agrees".
pub const NOTHING_COMPARED: &str =
    "Nothing of the database was compared: the applied revisions describe nothing of it.";

/// What no migration describes, a line each.
pub fn list_others(cx: &Context, others: &[ObjectName]) {
    if !cx.out.verbose && !others.is_empty() {
        let n = others.len();
        let objects = if n == 1 { "1 object".to_owned() } else { format!("{n} objects") };
        cx.out.progress(format!(
            "{objects} of the database not described by the migrations; -v lists them"
        ));
    }
    if cx.out.verbose && !others.is_empty() {
        cx.out.line("Not described by the migrations:");
        for ObjectName { kind, name } in others {
            cx.out.line(format!("  {kind} `{name}`"));
        }
    }
}

/// The same for programs.
pub fn json(others: &[ObjectName]) -> serde_json::Value {
    let object = |object: &ObjectName| serde_json::json!({ "kind": object.kind.as_str(), "name": object.name });
    others.iter().map(object).collect()
}
