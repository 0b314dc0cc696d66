//! What a database contains, in the terms of models.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use dbmigrate_runtime::engine::Backend;
use dbmigrate_runtime::engine::dialect::{Catalog, Comparing, Dialect, ObjectKind};
use dbmigrate_runtime::engine::driver::Driver;
use dbmigrate_runtime::operations::{Operation, OtherObject};
use dbmigrate_runtime::schema::{Schema, Table};

use super::definitions::definitions;
use super::touched;
use crate::autogenerate::{self, StorageRules};
use crate::context::Context;
use crate::error::Result;
use crate::inspect;
use crate::models::Models;
use crate::scope::Scope;
use crate::snapshot::{failed, is_own};

/// What a database contains at one point of a history.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Its tables in the terms of models.
    pub schema: Schema,
    /// Views and the like, each with the table that it belongs to and the text that created it.
    objects: BTreeMap<(ObjectKind, String), (String, Option<String>)>,
    /// What no schema can represent, in words.
    beyond: BTreeSet<String>,
    /// The definitions of functions and the like.
    definitions: BTreeMap<String, String>,
    /// What was read, in the database's own terms.
    found: Rc<Catalog>,
}

impl State {
    /// The same with these tables.
    pub fn with_schema(&self, schema: Schema) -> State {
        State { schema, ..self.clone() }
    }
}

/// Translates what a database contains; each table once, as long as it stays the same.
pub struct Terms<'a> {
    cx: &'a Context,
    /// The project's models, whose terms come first.
    models: &'a Models,
    scope: Scope,
    /// Tables as they were found, and their translations; by name, since a way back leads to an
    /// earlier one.
    known: HashMap<String, Vec<(Table, Option<Table>)>>,
    /// How the database compares names and texts, once it was asked.
    comparing: Option<Comparing>,
    /// Whether a transaction takes no query after a change of a definition.
    one_definition: bool,
}

impl<'a> Terms<'a> {
    pub fn new(cx: &'a Context, models: &'a Models) -> Terms<'a> {
        let known = HashMap::new();
        Terms { cx, models, scope: cx.scope(), known, comparing: None, one_definition: false }
    }

    /// The same for another database, of which nothing is known yet.
    pub fn fresh(&self) -> Terms<'a> {
        Terms { known: HashMap::new(), scope: self.cx.scope(), comparing: None, ..*self }
    }

    /// The contents of a database, without the tables of this tool.
    ///
    /// # Errors
    ///
    /// The database's errors.
    pub fn state(&mut self, driver: &mut dyn Driver) -> Result<State> {
        let found = driver.as_connection().catalog(None).map_err(failed)?;
        self.with_definitions(driver, found)
    }

    /// The same after this SQL, given what the database contained before it. Reads only the tables
    /// that the SQL can have changed, if that can be told.
    ///
    /// # Errors
    ///
    /// The database's errors.
    pub fn state_after(
        &mut self,
        driver: &mut dyn Driver,
        sql: &str,
        before: &State,
    ) -> Result<State> {
        let dialect = driver.dialect();
        let Some(tables) = touched::tables(dialect, sql, &before.found) else {
            return self.state(driver);
        };
        let conn = driver.as_connection();
        if before.definitions.is_empty() && touched::are_alone(dialect, &tables, &before.found) {
            let read = conn.tables(&tables).map_err(failed)?;
            let found = touched::replaced(&before.found, read, &tables);
            return self.of_catalog(driver, found, BTreeMap::new());
        }
        let read = conn.catalog(Some(&tables)).map_err(failed)?;
        match touched::merged(&before.found, read, &tables) {
            Some(found) => self.with_definitions(driver, found),
            None => self.state(driver),
        }
    }

    /// Whether what this SQL changes can be read in its own transaction, as after it. Deferred
    /// triggers run at its end, and values of an enumeration can't be used before; where either can
    /// be, not only what the SQL names is read.
    pub fn can_be_read_inside(&self, dialect: &dyn Dialect, sql: &str, before: &State) -> bool {
        dialect.backend() == Backend::Postgres
            && !self.one_definition
            && touched::tables(dialect, sql, &before.found).is_some()
    }

    fn with_definitions(&mut self, driver: &mut dyn Driver, found: Catalog) -> Result<State> {
        let definitions = definitions(driver.as_connection()).map_err(failed)?;
        self.of_catalog(driver, found, definitions)
    }

    fn of_catalog(
        &mut self,
        driver: &mut dyn Driver,
        mut found: Catalog,
        definitions: BTreeMap<String, String>,
    ) -> Result<State> {
        let comparing = match self.comparing {
            Some(comparing) => comparing,
            None => {
                let conn = driver.as_connection();
                let facts = conn.facts().map_err(failed)?;
                self.one_definition = facts.one_definition;
                *self.comparing.insert(conn.dialect().comparing(&facts))
            }
        };
        found.schema.tables.retain(|name, _| !is_own(self.cx, comparing.folding, name));
        let is_new = |table: &&Table| translation(&self.known, table).is_none();
        let new: Vec<Table> = found.schema.tables.values().filter(is_new).cloned().collect();
        if !new.is_empty() {
            let translated = self.translated(driver, &found, &new, comparing)?;
            for table in new {
                let terms = translated.table(&table.name).cloned();
                self.known.entry(table.name.clone()).or_default().push((table, terms));
            }
        }
        let tables = found.schema.tables.values();
        let tables = tables.filter_map(|table| translation(&self.known, table)?.clone());
        let text = |kind: ObjectKind, name: &str| {
            let mut objects = found.objects.iter();
            let object = objects.find(|object| {
                object.name == name && { object.kind == kind || kind == ObjectKind::VirtualTable }
            });
            object.map_or((String::new(), None), |object| {
                let sql = object.sql.as_deref().map(|sql| plain(&comparing, sql));
                (object.table.clone(), sql)
            })
        };
        let others = found.others.iter().filter(|other| other.kind != ObjectKind::ShadowTable);
        let objects =
            others.map(|other| ((other.kind, other.name.clone()), text(other.kind, &other.name)));
        let beyond = found.beyond.iter().map(inspect::feature);
        let unreadable = found.unreadable.iter().map(inspect::unreadable);
        Ok(State {
            schema: Schema::from_tables(tables),
            objects: objects.collect(),
            beyond: beyond.chain(unreadable).collect(),
            definitions,
            found: Rc::new(found),
        })
    }

    fn translated(
        &self,
        driver: &mut dyn Driver,
        found: &Catalog,
        new: &[Table],
        comparing: Comparing,
    ) -> Result<Schema> {
        let sayable: Vec<Table> =
            new.iter().map(|table| inspect::sayable(table.clone(), &found.beyond)).collect();
        let declared =
            inspect::tables(driver.as_connection(), sayable, &comparing).map_err(failed)?;
        let naming = &self.cx.config.naming.0;
        let named = declared.into_iter().map(|mut table| {
            autogenerate::name_unnamed(&mut table, naming);
            table
        });
        let declared = Schema::from_tables(named);
        let new = Schema::from_tables(new.iter().cloned());
        let driver = RefCell::new(driver);
        let stored = |table: &Table, actual: &Table| {
            let mut driver = driver.borrow_mut();
            let conn = driver.as_connection();
            Some(conn.all_as_kept(&[(table, Some(actual))]).ok()?.pop()?.ok()?.table)
        };
        let rules = StorageRules { stored: &stored, comparing, naming };
        Ok(autogenerate::translate(&new, &[&self.models.schema, &declared], &rules))
    }

    /// What SQL did that led from one state to another.
    pub fn described(&self, before: &State, after: &State) -> Vec<Operation> {
        let mut operations: Vec<Operation> = Vec::new();
        for (object, (table, _)) in &before.objects {
            if !after.objects.contains_key(object) {
                operations.extend(note(object, table).map(Operation::Drops));
            }
        }
        let [from, to] = changed(&before.schema, &after.schema);
        operations.extend(autogenerate::compared(&from, &to, &self.scope));
        for (object, (table, _)) in &after.objects {
            if !before.objects.contains_key(object) {
                operations.extend(note(object, table).map(Operation::Makes));
            }
        }
        operations
    }

    /// How a state differs from another one, in words.
    pub fn differences(&self, one: &State, other: &State) -> Vec<String> {
        let [from, to] = changed(&one.schema, &other.schema);
        let operations = autogenerate::between(&from, &to);
        let mut differences: Vec<String> = operations.iter().map(autogenerate::found).collect();
        let keys: BTreeSet<_> = one.objects.keys().chain(other.objects.keys()).collect();
        for key @ (kind, name) in keys {
            let what = match (one.objects.get(key), other.objects.get(key)) {
                (Some(one), Some(other)) if one == other => continue,
                (Some(_), Some(_)) => "is another",
                (Some(_), None) => "is gone",
                (None, _) => "is left",
            };
            differences.push(format!("{kind} `{name}` {what}"));
        }
        for (what, text) in &one.definitions {
            let is_another = other.definitions.get(what).is_some_and(|other| other != text);
            differences.extend(is_another.then(|| format!("{what} is another")));
        }
        let beyond = one.beyond.symmetric_difference(&other.beyond);
        differences.extend(beyond.cloned());
        differences.dedup();
        differences
    }
}

/// The translation of a table as it was found, the newest one first.
fn translation<'k>(
    known: &'k HashMap<String, Vec<(Table, Option<Table>)>>,
    table: &Table,
) -> Option<&'k Option<Table>> {
    let mut of_name = known.get(&table.name)?.iter().rev();
    of_name.find(|(found, _)| found == table).map(|(_, terms)| terms)
}

/// The tables of two schemas that differ, and those that they refer to or are referred to by: the
/// others would be compared in vain after each migration.
fn changed(one: &Schema, other: &Schema) -> [Schema; 2] {
    let names = one.tables.keys().chain(other.tables.keys());
    let differing: BTreeSet<&str> =
        names.filter(|name| one.table(name) != other.table(name)).map(String::as_str).collect();
    let targets = |table: &'_ Table| -> Vec<String> {
        table.foreign_keys.iter().map(|key| key.references_table.clone()).collect()
    };
    let of_differing = [one, other].map(|schema| {
        differing.iter().filter_map(|name| schema.table(name)).flat_map(targets).collect()
    });
    let referred: BTreeSet<String> =
        of_differing.into_iter().flat_map(|names: Vec<_>| names).collect();
    let is_near = |table: &&Table| {
        differing.contains(table.name.as_str())
            || referred.contains(&table.name)
            || targets(table).iter().any(|target| differing.contains(target.as_str()))
    };
    [one, other].map(|schema| Schema::from_tables(schema.tables.values().filter(is_near).cloned()))
}

/// SQL in one spelling: a rename puts names into quotes.
fn plain(comparing: &Comparing, sql: &str) -> String {
    let tokens = comparing.lexicon.significant(sql);
    let texts = tokens.iter().map(|token| match token.identifier() {
        Some(name) => name.to_lowercase(),
        None => token.text.to_owned(),
    });
    texts.collect::<Vec<_>>().join(" ")
}

/// A view or the like as a revision declares it; `None` if it can't.
fn note((kind, name): &(ObjectKind, String), table: &str) -> Option<OtherObject> {
    let object = OtherObject::new(kind.as_str(), name);
    match kind {
        ObjectKind::View | ObjectKind::MaterializedView | ObjectKind::VirtualTable => Some(object),
        ObjectKind::Trigger => Some(OtherObject { table: Some(table.to_owned()), ..object }),
        _ => None,
    }
}
