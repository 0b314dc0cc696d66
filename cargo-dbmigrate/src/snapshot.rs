//! A live database, compared with what the migrations build.

use std::cell::RefCell;
use std::collections::BTreeSet;

use dbmigrate_runtime::engine::dialect::{
    Catalog, Comparing, Dialect, Facts, Kept, ObjectKind, ObjectName, Refusal, Unreadable,
};
use dbmigrate_runtime::engine::drift::{self, Declared, Described, Difference, Drift};
use dbmigrate_runtime::engine::driver::{Driver, LOCK_TABLE};
use dbmigrate_runtime::engine::folding::Folding;
use dbmigrate_runtime::engine::naming::Convention;
use dbmigrate_runtime::engine::{Migrations, ledger, version_table};
use dbmigrate_runtime::schema::{Schema, Table};

use crate::autogenerate::{self, StorageRules};
use crate::connection::{Database, Patience};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::history::History;
use crate::lint::Target;
use crate::output;
use crate::scope::Scope;
use crate::tool_tables;

/// What was read from a database at one point in time.
pub struct Snapshot {
    /// The ids of the applied revisions, in the history from this database's point of view.
    pub applied: BTreeSet<String>,
    /// The facts that statements depend on.
    pub facts: Facts,
    dialect: &'static dyn Dialect,
    /// The connection, for asking how the database would store a table; `None` without a database.
    driver: Option<RefCell<Box<dyn Driver>>>,
    found: Catalog,
    scope: Scope,
    naming: Convention,
}

impl Snapshot {
    /// Reads the project's database, with what the history and the models name in it. A missing
    /// file counts as an empty database.
    ///
    /// # Errors
    ///
    /// When the database can't be opened or read, and when its revisions aren't the project's.
    pub fn find(cx: &Context, history: &History, models: Option<&Schema>) -> Result<Snapshot> {
        match Database::find(cx)?.open_to_read(Patience::reading(cx))? {
            Some(driver) => {
                let mut named = history.migrations()?.qualified();
                named
                    .extend(models.iter().flat_map(|models| models.qualified()).map(str::to_owned));
                Snapshot::versioned(cx, history, driver, &named)
            }
            None => Ok(Snapshot::of(cx, cx.dialect().offline_facts(), Catalog::default())),
        }
    }

    /// The same with what these migrations name, regardless of the version table.
    ///
    /// # Errors
    ///
    /// When the database can't be opened or read.
    pub fn unversioned(
        cx: &Context,
        database: &Database,
        migrations: &Migrations,
    ) -> Result<Snapshot> {
        match database.open_to_read(Patience::reading(cx))? {
            Some(driver) => Snapshot::through(cx, driver, migrations),
            None => Ok(Snapshot::of(cx, cx.dialect().offline_facts(), Catalog::default())),
        }
    }

    /// The same through a connection to the database.
    ///
    /// # Errors
    ///
    /// When the database can't be read.
    pub fn through(
        cx: &Context,
        driver: Box<dyn Driver>,
        migrations: &Migrations,
    ) -> Result<Snapshot> {
        at_once(driver, |driver| Snapshot::contents(cx, driver, &migrations.qualified()))
    }

    /// Reads a database.
    ///
    /// # Errors
    ///
    /// As [`Snapshot::find`].
    pub fn read(cx: &Context, history: &History, driver: Box<dyn Driver>) -> Result<Snapshot> {
        Snapshot::versioned(cx, history, driver, &history.migrations()?.qualified())
    }

    fn versioned(
        cx: &Context,
        history: &History,
        driver: Box<dyn Driver>,
        named: &BTreeSet<String>,
    ) -> Result<Snapshot> {
        at_once(driver, |driver| {
            let applied = version_table::read(driver.as_connection(), cx.config.version_table())?;
            let standing = history.standing(applied)?;
            standing.check(false)?;
            Ok(Snapshot {
                applied: standing.view.applied,
                ..Snapshot::contents(cx, driver, named)?
            })
        })
    }

    fn of(cx: &Context, facts: Facts, found: Catalog) -> Snapshot {
        let (scope, naming) = (cx.scope(), cx.config.naming.0.clone());
        let (applied, dialect) = (BTreeSet::new(), cx.dialect());
        Snapshot { applied, facts, dialect, driver: None, found, scope, naming }
    }

    /// `named` are the tables in schemas other than the connection's own.
    fn contents(
        cx: &Context,
        driver: &mut dyn Driver,
        named: &BTreeSet<String>,
    ) -> Result<Snapshot> {
        let conn = driver.as_connection();
        let mut found = conn.catalog_with(None, named).map_err(failed)?;
        let objects = Some(std::mem::take(&mut found.objects));
        let facts = Facts { objects, ..conn.facts().map_err(failed)? };
        let folding = conn.dialect().comparing(&facts).folding;
        found.schema.tables.retain(|name, _| !is_own(cx, folding, name));
        Ok(Snapshot::of(cx, facts, found))
    }

    /// The database as rules look at it.
    pub fn target(&self) -> Target {
        let driver = self.driver.as_ref();
        let dialect = driver.map_or(self.dialect, |driver| driver.borrow().dialect());
        Target { dialect, facts: self.facts.clone(), has_applied: false }
    }

    /// How the compared part of the database differs from revisions with this schema and these
    /// declarations about their SQL; `all` is the schema of all revisions.
    ///
    /// # Errors
    ///
    /// A table that the database can't have.
    pub fn drift(&self, expected: &Schema, all: &Schema, declared: Declared) -> Result<Drift> {
        let folding = self.comparing().folding;
        let actual = |table: &Table| folding.table(&self.found.schema, &table.name);
        let expected = expected.tables.values().filter(|table| self.scope.has_table(&table.name));
        let expected: Vec<_> = expected.map(|table| (table, actual(table))).collect();
        let expected = self
            .as_kept(&expected)?
            .into_iter()
            .map(|kept| kept.map_err(|refusal| Error::new(refusal.to_string())));
        let expected = expected.collect::<Result<Vec<Kept>>>()?;
        let untold = expected.iter().flat_map(|kept| drift::untold(&kept.untold)).collect();
        let tables = expected.into_iter().map(|kept| kept.table);
        let expected = self.scope.compared(&Schema::from_tables(tables));
        let objects = self.facts.objects.as_deref().unwrap_or_default();
        let found = self.scope.found(&self.found, objects);
        let declared = self.compared(declared);
        let all = self.scope.compared(all);
        let described = Described { expected: &expected, all: &all, declared: &declared };
        Ok(Drift { untold, ..drift::drift(&self.comparing(), described, &found) })
    }

    /// What these revisions declare about the results of their SQL and steps.
    pub fn declared(&self, migrations: &Migrations, applied: &BTreeSet<String>) -> Declared {
        let applied =
            migrations.iter().filter(|migration| applied.contains(&migration.revision.id));
        let operations = applied.flat_map(|migration| &migration.upgrade.operations);
        Declared::of(self.comparing().folding, operations)
    }

    /// Features of a schema's tables in the database that no migration can express.
    pub fn beyond(&self, schema: &Schema, declared: Declared) -> Vec<Difference> {
        let objects = self.facts.objects.as_deref().unwrap_or_default();
        let found = self.scope.found(&self.found, objects);
        drift::beyond(&self.scope.compared(schema), &self.compared(declared), &found)
    }

    /// The tables as the database would store them; unchanged without a database.
    fn as_kept(
        &self,
        tables: &[(&Table, Option<&Table>)],
    ) -> Result<Vec<std::result::Result<Kept, Refusal>>> {
        let Some(driver) = &self.driver else {
            return Ok(tables.iter().map(|(table, _)| Ok(Kept::from((*table).clone()))).collect());
        };
        let mut driver = driver.borrow_mut();
        driver.as_connection().all_as_kept(tables).map_err(failed)
    }

    /// Which spellings the database treats as equal.
    fn comparing(&self) -> Comparing {
        self.dialect.comparing(&self.facts)
    }

    fn compared(&self, mut declared: Declared) -> Declared {
        declared.retain(|table| self.scope.has_table(table));
        declared
    }

    /// The database's tables that these schemas know, in the schemas' terms.
    ///
    /// # Errors
    ///
    /// When such a table can't be parsed.
    pub fn translated(&self, known: &[&Schema]) -> Result<Schema> {
        let comparing = self.comparing();
        let is_known = |name: &str| {
            self.scope.has_table(name)
                && known.iter().any(|known| comparing.folding.table(known, name).is_some())
        };
        let mut unreadable = self.found.unreadable.iter();
        if let Some(Unreadable { name, why, .. }) = unreadable.find(|object| is_known(&object.name))
        {
            return Err(Error::new(format!(
                "the table `{name}` in the database can't be compared: {why}"
            )));
        }
        let stored = |table: &Table, actual: &Table| {
            Some(self.as_kept(&[(table, Some(actual))]).ok()?.pop()?.ok()?.table)
        };
        let rules = StorageRules { stored: &stored, comparing, naming: &self.naming };
        Ok(autogenerate::translate(&self.found.schema, known, &rules))
    }
}

/// Reads in one transaction, so that everything is from the same point in time.
fn at_once(
    mut driver: Box<dyn Driver>,
    read: impl FnOnce(&mut dyn Driver) -> Result<Snapshot>,
) -> Result<Snapshot> {
    driver.batch("BEGIN").map_err(failed)?;
    let res = read(&mut *driver);
    driver.rollback();
    Ok(Snapshot { driver: Some(RefCell::new(driver)), ..res? })
}

/// Whether a table is one of this tool's own, by its name.
pub fn is_own(cx: &Context, folding: Folding, table: &str) -> bool {
    let own = [cx.config.version_table.as_str(), ledger::NAME, LOCK_TABLE];
    own.iter().any(|own| folding.same_table(table, own))
}

/// The error of a schema that can't be read.
pub fn failed(err: dbmigrate_runtime::engine::driver::DatabaseError) -> Error {
    Error::new("failed to read the schema of the database").cause(err)
}

/// The message in place of "agrees".
pub const NOTHING_COMPARED: &str =
    "Nothing in the database was compared: the applied revisions describe nothing in it.";

/// Warns about what the database could not be asked, which doesn't count as a difference.
pub fn warn_of_untold(cx: &Context, untold: &[Difference]) {
    const SHOWN: usize = 5;
    if untold.is_empty() {
        return;
    }
    let shown = if cx.out.verbose { untold.len() } else { untold.len().min(SHOWN) };
    let mut text =
        "not everything could be compared, since that needs a temporary table:".to_owned();
    for difference in &untold[..shown] {
        text += &format!("\n  {difference}");
    }
    if shown < untold.len() {
        text += &format!("\n  and {} more; -v lists them", untold.len() - shown);
    }
    cx.out.warning(text);
}

/// Lists what no migration describes, one object per line. The records of another migration tool
/// are not counted, since the project is not about them.
pub fn list_others(cx: &Context, others: &[ObjectName]) {
    let is_record = |object: &ObjectName| {
        object.kind == ObjectKind::Table && tool_tables::is_of_a_tool(&object.name)
    };
    if cx.out.verbose && !others.is_empty() {
        cx.out.line("Not described by the migrations:");
        for object in others {
            let what =
                if is_record(object) { ", the records of another migration tool" } else { "" };
            cx.out.line(format!("  {} `{}`{what}", object.kind, object.name));
        }
        return;
    }
    let n = others.iter().filter(|object| !is_record(object)).count();
    if n > 0 {
        let objects = output::count(n, "object");
        cx.out.progress(format!(
            "{objects} in the database not described by the migrations; -v lists them"
        ));
    }
}

/// The same for programs.
pub fn json(others: &[ObjectName]) -> serde_json::Value {
    let object = |object: &ObjectName| serde_json::json!({ "kind": object.kind.as_str(), "name": object.name });
    others.iter().map(object).collect()
}
