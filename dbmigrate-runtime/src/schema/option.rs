//! What a table as a whole is, beside its columns and keys, on databases that know it.

use std::collections::BTreeSet;

/// Something that a table is or isn't, on databases that know it. Others ignore it.
///
/// Their order is the one in which they are written, in a database's words and in ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TableOption {
    /// SQLite's `STRICT`: a column takes only values of its type.
    Strict,
    /// SQLite's `WITHOUT ROWID`.
    WithoutRowid,
}

impl TableOption {
    /// All that there are, in their order.
    pub const ALL: [TableOption; 2] = [TableOption::Strict, TableOption::WithoutRowid];

    /// Its name in attributes, in revisions, and wherever operations are stored.
    pub fn key(self) -> &'static str {
        match self {
            TableOption::Strict => "strict",
            TableOption::WithoutRowid => "without_rowid",
        }
    }

    /// The option of that key.
    pub fn by_key(key: &str) -> Option<TableOption> {
        TableOption::ALL.into_iter().find(|option| option.key() == key)
    }

    /// What people call it.
    pub fn words(self) -> &'static str {
        match self {
            TableOption::Strict => "STRICT",
            TableOption::WithoutRowid => "WITHOUT ROWID",
        }
    }
}

/// The options that a table has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableOptions(BTreeSet<TableOption>);

impl TableOptions {
    /// Whether the table has this option.
    pub fn has(&self, option: TableOption) -> bool {
        self.0.contains(&option)
    }

    /// Gives the table this option, or takes it away.
    pub fn set(&mut self, option: TableOption, on: bool) {
        if on {
            self.0.insert(option);
        } else {
            self.0.remove(&option);
        }
    }

    /// The options in their order.
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
