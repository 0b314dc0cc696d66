//! When a database considers two names to be the same.

use crate::schema::{Schema, Table};
use crate::sql::Lexicon;

/// How a database compares the names in its catalog with the names in statements.
///
/// Two settings, one for tables and one for everything else, are the least that covers three
/// databases. In SQLite, no names differ by the case of ASCII letters alone. In PostgreSQL all
/// names are exact, since statements are written with quoted names. In MySQL and MariaDB the names
/// of columns, indexes and constraints fold, and the names of tables fold unless the server's
/// `lower_case_table_names` is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Folding {
    /// The names of tables and of objects that share their name space, such as views.
    pub tables: Case,
    /// All other names.
    pub others: Case,
}

/// Whether names that differ only in letter case are different names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// `A` and `a` are the same; letters outside of ASCII are compared as they are.
    Ascii,
    /// `A` and `a` are different.
    Exact,
}

impl Case {
    /// Whether both are the same name.
    pub fn same(self, a: &str, b: &str) -> bool {
        match self {
            Case::Ascii => a.eq_ignore_ascii_case(b),
            Case::Exact => a == b,
        }
    }

    /// The name in a canonical spelling: equal names have equal results.
    pub fn folded(self, name: &str) -> String {
        match self {
            Case::Ascii => name.to_ascii_lowercase(),
            Case::Exact => name.to_owned(),
        }
    }
}

impl Folding {
    /// Names never differ by the case of ASCII letters alone.
    pub const ASCII: Folding = Folding { tables: Case::Ascii, others: Case::Ascii };

    /// Whether both name the same table.
    pub fn same_table(self, a: &str, b: &str) -> bool {
        self.tables.same(a, b)
    }

    /// The table of a schema with this name.
    pub fn table<'s>(self, schema: &'s Schema, name: &str) -> Option<&'s Table> {
        let alike = || schema.tables.values().find(|table| self.same_table(&table.name, name));
        match self.tables {
            Case::Exact => schema.table(name),
            Case::Ascii => schema.table(name).or_else(alike),
        }
    }

    /// A table's name in a canonical spelling: equal names have equal results.
    pub fn folded_table(self, name: &str) -> String {
        self.tables.folded(name)
    }

    /// Whether both name the same column, index or constraint.
    pub fn same(self, a: &str, b: &str) -> bool {
        self.others.same(a, b)
    }

    /// Whether two lists have the same names, in the same order.
    pub fn same_names(self, a: &[String], b: &[String]) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| self.same(a, b))
    }
}

/// What the names in a database's expressions can refer to, as plain data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NameRules {
    /// When two names are the same.
    pub folding: Folding,
    /// The lexical rules for expressions.
    pub lexicon: &'static Lexicon,
    /// Columns that every table has without declaring them.
    pub hidden_columns: &'static [&'static str],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_tables_fold_apart_from_the_others() {
        let mysql_on_linux = Folding { tables: Case::Exact, others: Case::Ascii };
        assert!(!mysql_on_linux.same_table("User", "user"));
        assert!(mysql_on_linux.same("Email", "email"));
        assert_eq!(mysql_on_linux.folded_table("User"), "User");
        assert_eq!(Folding::ASCII.folded_table("UserÄ"), "userÄ");
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert!(Folding::ASCII.same_names(&names(&["a", "B"]), &names(&["A", "b"])));
        assert!(!Folding::ASCII.same_names(&names(&["a"]), &names(&["a", "b"])));
    }
}
