//! The tables of a schema.

use std::collections::{BTreeMap, btree_map};
use std::iter;
use std::ops::Index;
use std::sync::Arc;

use super::Table;

/// The tables of a schema, in the order of their names.
pub type Values<'a> =
    iter::Map<btree_map::Values<'a, String, Arc<Table>>, fn(&'a Arc<Table>) -> &'a Table>;

/// Tables in the order of their names. Copies share each table until one of them changes it, so a
/// copy of a large schema costs little, and so does comparing it with the original.
#[derive(Debug, Clone, Default)]
pub struct Tables(BTreeMap<String, Arc<Table>>);

impl Tables {
    /// The number of tables.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no table.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The table with this name.
    pub fn get(&self, name: &str) -> Option<&Table> {
        self.0.get(name).map(|table| &**table)
    }

    /// The table with this name, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Table> {
        self.0.get_mut(name).map(Arc::make_mut)
    }

    /// Whether a table has this name.
    pub fn contains_key(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Adds a table under this name, and returns the one that had it.
    pub fn insert(&mut self, name: String, table: Table) -> Option<Table> {
        self.0.insert(name, Arc::new(table)).map(Arc::unwrap_or_clone)
    }

    /// Removes the table with this name, and returns it.
    pub fn remove(&mut self, name: &str) -> Option<Table> {
        self.0.remove(name).map(Arc::unwrap_or_clone)
    }

    /// Keeps only the tables for which the condition holds.
    pub fn retain(&mut self, mut is_kept: impl FnMut(&str, &Table) -> bool) {
        self.0.retain(|name, table| is_kept(name, table));
    }

    /// The names, in order.
    pub fn keys(&self) -> btree_map::Keys<'_, String, Arc<Table>> {
        self.0.keys()
    }

    /// The tables, in the order of their names.
    pub fn values(&self) -> Values<'_> {
        self.0.values().map(AsRef::as_ref)
    }

    /// The tables to be changed, in the order of their names. Each of them stops being shared; see
    /// [`Tables::matching_mut`] for changes of a few.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Table> {
        self.0.values_mut().map(Arc::make_mut)
    }

    /// The tables for which the condition holds, to be changed.
    pub fn matching_mut(
        &mut self,
        is_wanted: impl Fn(&Table) -> bool,
    ) -> impl Iterator<Item = &mut Table> {
        self.0.values_mut().filter(move |table| is_wanted(table)).map(Arc::make_mut)
    }

    /// The tables themselves, in the order of their names.
    pub fn into_values(self) -> impl Iterator<Item = Table> {
        self.0.into_values().map(Arc::unwrap_or_clone)
    }

    /// Takes the table with this name from another schema, and shares it.
    #[doc(hidden)]
    pub fn share(&mut self, from: &Tables, name: &str) {
        if let Some((name, table)) = from.0.get_key_value(name) {
            self.0.insert(name.clone(), Arc::clone(table));
        }
    }
}

impl PartialEq for Tables {
    fn eq(&self, other: &Tables) -> bool {
        let is_same = |a: &Arc<Table>, b: &Arc<Table>| Arc::ptr_eq(a, b) || a == b;
        self.0.keys().eq(other.0.keys())
            && self.0.values().zip(other.0.values()).all(|(a, b)| is_same(a, b))
    }
}

impl Index<&str> for Tables {
    type Output = Table;

    fn index(&self, name: &str) -> &Table {
        &self.0[name]
    }
}

impl Extend<(String, Table)> for Tables {
    fn extend<I: IntoIterator<Item = (String, Table)>>(&mut self, tables: I) {
        self.0.extend(tables.into_iter().map(|(name, table)| (name, Arc::new(table))));
    }
}

impl FromIterator<(String, Table)> for Tables {
    fn from_iter<I: IntoIterator<Item = (String, Table)>>(tables: I) -> Tables {
        let mut collected = Tables::default();
        collected.extend(tables);
        collected
    }
}

/// The names with their tables.
#[derive(Debug, Clone)]
pub struct Iter<'a>(btree_map::Iter<'a, String, Arc<Table>>);

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a String, &'a Table);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(name, table)| (name, &**table))
    }
}

impl<'a> IntoIterator for &'a Tables {
    type Item = (&'a String, &'a Table);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        Iter(self.0.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Column, Schema, Type};

    #[test]
    fn copies_share_each_table_until_it_changes() {
        let table = |name| Table::new(name).column(Column::new("id", Type::Integer));
        let schema = Schema::from_tables(["a", "b"].map(table));
        let mut copy = schema.clone();
        let is_shared = |copy: &Schema, name: &str| {
            std::ptr::eq(schema.table(name).unwrap(), copy.table(name).unwrap())
        };
        assert!(is_shared(&copy, "a") && is_shared(&copy, "b"));
        copy.tables.matching_mut(|table| table.name == "b").for_each(|table| {
            table.columns[0].nullable = false;
        });
        assert!(is_shared(&copy, "a") && !is_shared(&copy, "b"));
        assert_ne!(schema, copy);
        assert!(schema.tables["b"].columns[0].nullable, "the original is as it was");
        copy.tables.share(&schema.tables, "b");
        assert_eq!(schema, copy);
        assert!(is_shared(&copy, "b"));
    }
}
