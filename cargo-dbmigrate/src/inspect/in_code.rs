//! The names of tables and columns in the code of the models.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Index;

use dbmigrate_runtime::schema::{self, ForeignKey, Type};

use super::code::Style;
use super::declare::Declared;
use super::names;
use crate::render::text;

/// What the generated code needs to know about all tables, by their names.
pub(super) struct Names<'a>(BTreeMap<&'a str, Table<'a>>);

/// What the generated code needs to know about a table.
pub(super) struct Table<'a> {
    /// The path of its struct.
    pub(super) model: String,
    /// The fields, by their columns.
    fields: BTreeMap<&'a str, String>,
    /// The types that Rust has for the columns.
    pub(super) natural: BTreeMap<&'a str, &'a Type>,
    /// The columns whose enumeration is in the database's own words.
    pub(super) worded: &'a BTreeSet<String>,
    /// The values that checks list for columns of text.
    pub(super) listed: &'a BTreeMap<String, Vec<String>>,
    /// The columns of the primary key.
    pub(super) key: Option<&'a Vec<String>>,
}

impl<'a> Names<'a> {
    /// The names for these tables; those of new structs are added to `used`.
    pub(super) fn of(
        tables: &'a [Declared],
        style: &Style<'_>,
        used: &mut BTreeSet<String>,
    ) -> Names<'a> {
        let one = |table: &schema::Table| {
            let bare = table.bare_name();
            if style.singular { names::singular(bare) } else { bare.to_owned() }
        };
        // Plain names are for the tables of the connection's own schema.
        let (elsewhere, own): (Vec<_>, Vec<_>) =
            tables.iter().partition(|declared| declared.table.schema.is_some());
        let mut named = BTreeMap::new();
        for declared in own.into_iter().chain(elsewhere) {
            let table = &declared.table;
            let short = names::of_type(&one(table));
            let model = match (style.existing.get(&table.name), &table.schema) {
                (Some(model), _) => model.path.clone(),
                (None, Some(schema)) if used.contains(&short) => {
                    names::unused(names::of_type(&format!("{schema}_{}", one(table))), used)
                }
                (None, _) => names::unused(short, used),
            };
            named.insert(table.name.as_str(), Table::of(declared, style, model));
        }
        let mut names = Names(named);
        names.follow_keys(tables);
        names
    }

    /// Gives the columns of foreign keys the Rust types of the columns that they refer to, since
    /// the compiler wants them to be the same.
    fn follow_keys(&mut self, tables: &'a [Declared]) {
        // A chain of keys is at most as long as there are tables.
        for _ in 0..tables.len() {
            let mut is_done = true;
            for Declared { table, .. } in tables {
                for key in &table.foreign_keys {
                    for (column, target_name) in key.columns.iter().zip(&key.references_columns) {
                        let target = self.of_table(&key.references_table);
                        let ty = target.and_then(|target| target.natural.get(target_name.as_str()));
                        let Some(ty) = ty.copied() else { continue };
                        let Some(own) = self.0.get_mut(table.name.as_str()) else { continue };
                        if own.natural.get(column.as_str()) != Some(&ty) {
                            own.natural.insert(column, ty);
                            is_done = false;
                        }
                    }
                }
            }
            if is_done {
                return;
            }
        }
    }

    pub(super) fn of_table(&self, name: &str) -> Option<&Table<'a>> {
        self.0.get(name)
    }

    pub(super) fn has_model(&self, key: &ForeignKey) -> bool {
        self.0.contains_key(key.references_table.as_str())
    }
}

impl<'a> Index<&String> for Names<'a> {
    type Output = Table<'a>;

    fn index(&self, name: &String) -> &Table<'a> {
        &self.0[name.as_str()]
    }
}

impl<'a> Table<'a> {
    fn of(declared: &'a Declared, style: &Style<'_>, model: String) -> Table<'a> {
        let table = &declared.table;
        let existing = style.existing.get(&table.name);
        let mut used = existing.map(|model| model.names.clone()).unwrap_or_default();
        let fields = table.columns.iter().map(|column| {
            let own = existing.and_then(|model| model.fields.get(&column.name)).cloned();
            let field =
                own.unwrap_or_else(|| names::unused(names::of_field(&column.name), &mut used));
            (column.name.as_str(), field)
        });
        let fields = fields.collect();
        let columns = table.columns.iter().map(|column| column.name.as_str());
        Table {
            model,
            fields,
            natural: columns.zip(&declared.natural).collect(),
            worded: &declared.worded,
            listed: &declared.listed,
            key: table.primary_key.as_ref().map(|key| &key.columns),
        }
    }

    /// The field of a column.
    pub(super) fn field(&self, column: &str) -> &str {
        self.fields.get(column).map_or("", String::as_str)
    }

    /// A column as attributes name it: by its own name, unless a field of another column has that
    /// name, since attributes look for a field first.
    pub(super) fn column(&self, column: &str) -> String {
        let is_field = self.fields.values().any(|field| field == column);
        if is_field { self.field(column).to_owned() } else { text(column) }
    }

    /// The same of several columns, as a list.
    pub(super) fn columns(&self, columns: &[String]) -> String {
        let columns: Vec<_> = columns.iter().map(|column| self.column(column)).collect();
        columns.join(", ")
    }
}
