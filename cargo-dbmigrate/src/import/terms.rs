//! What a database contains, in the terms of models.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use dbmigrate_runtime::engine::dialect::{Catalog, Comparing, ObjectKind};
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
    /// Tables as they were found, and their translations.
    known: HashMap<String, (Table, Option<Table>)>,
    /// How the database compares names and texts, once it was asked.
    comparing: Option<Comparing>,
}

impl<'a> Terms<'a> {
    pub fn new(cx: &'a Context, models: &'a Models) -> Terms<'a> {
        Terms { cx, models, scope: cx.scope(), known: HashMap::new(), comparing: None }
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
                *self.comparing.insert(conn.dialect().comparing(&facts))
            }
        };
        found.schema.tables.retain(|name, _| !is_own(self.cx, comparing.folding, name));
        let is_new =
            |table: &&Table| self.known.get(&table.name).is_none_or(|(stored, _)| stored != *table);
        let new: Vec<Table> = found.schema.tables.values().filter(is_new).cloned().collect();
        if !new.is_empty() {
            let translated = self.translated(driver, &found, &new, comparing)?;
            for table in new {
                let terms = translated.table(&table.name).cloned();
                self.known.insert(table.name.clone(), (table, terms));
            }
        }
        let tables = found.schema.tables.keys();
        let tables = tables.filter_map(|name| self.known.get(name)?.1.clone());
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
            new.iter().map(|table| inspect::sayable(table, &found.beyond)).collect();
        let declared =
            inspect::tables(driver.as_connection(), &sayable, &comparing).map_err(failed)?;
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
        operations.extend(autogenerate::compared(&before.schema, &after.schema, &self.scope));
        for (object, (table, _)) in &after.objects {
            if !before.objects.contains_key(object) {
                operations.extend(note(object, table).map(Operation::Makes));
            }
        }
        operations
    }

    /// How a state differs from another one, in words.
    pub fn differences(&self, one: &State, other: &State) -> Vec<String> {
        let operations = autogenerate::between(&one.schema, &other.schema);
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
