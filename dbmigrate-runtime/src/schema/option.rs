//! Options of a table as a whole, besides its columns and keys, on databases that have them.

use std::collections::BTreeSet;

use crate::backend::Backend;

/// An option of a table, on databases that have it. Other databases ignore it.
///
/// Options are always written in the order of the variants, in SQL as well as in revisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TableOption {
    /// SQLite's `STRICT`: a column accepts only values of its type.
    Strict,
    /// SQLite's `WITHOUT ROWID`.
    WithoutRowid,
    /// PostgreSQL's `UNLOGGED`.
    Unlogged,
}

impl TableOption {
    /// All options, in order.
    pub const ALL: [TableOption; 3] =
        [TableOption::Strict, TableOption::WithoutRowid, TableOption::Unlogged];

    /// The key in attributes, in revisions, and wherever operations are stored.
    pub fn key(self) -> &'static str {
        match self {
            TableOption::Strict => "strict",
            TableOption::WithoutRowid => "without_rowid",
            TableOption::Unlogged => "unlogged",
        }
    }

    /// The option with this key.
    pub fn by_key(key: &str) -> Option<TableOption> {
        TableOption::ALL.into_iter().find(|option| option.key() == key)
    }

    /// The database that has the option.
    pub fn backend(self) -> Backend {
        match self {
            TableOption::Strict | TableOption::WithoutRowid => Backend::Sqlite,
            TableOption::Unlogged => Backend::Postgres,
        }
    }

    /// The options that this database has.
    pub fn of(backend: Backend) -> impl Iterator<Item = TableOption> {
        TableOption::ALL.into_iter().filter(move |option| option.backend() == backend)
    }

    /// The option's name for people.
    pub fn words(self) -> &'static str {
        match self {
            TableOption::Strict => "STRICT",
            TableOption::WithoutRowid => "WITHOUT ROWID",
            TableOption::Unlogged => "UNLOGGED",
        }
    }
}

/// The options of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableOptions(BTreeSet<TableOption>);

impl TableOptions {
    /// Whether the table has this option.
    pub fn has(&self, option: TableOption) -> bool {
        self.0.contains(&option)
    }

    /// Adds this option to the table, or removes it.
    pub fn set(&mut self, option: TableOption, on: bool) {
        if on {
            self.0.insert(option);
        } else {
            self.0.remove(&option);
        }
    }

    /// The options, in order.
    pub fn iter(&self) -> impl Iterator<Item = TableOption> + '_ {
        self.0.iter().copied()
    }
}

impl FromIterator<TableOption> for TableOptions {
    fn from_iter<I: IntoIterator<Item = TableOption>>(options: I) -> TableOptions {
        TableOptions(options.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_is_found_by_its_key_and_all_are_listed_in_order() {
        assert!(TableOption::ALL.is_sorted());
        for option in TableOption::ALL {
            assert_eq!(TableOption::by_key(option.key()), Some(option));
        }
        assert_eq!(TableOption::by_key("STRICT"), None);
        let mut options: TableOptions = TableOption::ALL.into_iter().rev().collect();
        assert!(options.iter().eq(TableOption::ALL));
        options.set(TableOption::Strict, false);
        assert!(!options.has(TableOption::Strict) && options.has(TableOption::WithoutRowid));
    }
}
