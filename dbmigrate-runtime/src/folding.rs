//! When two names are the same name to a database.

use crate::sql::Lexicon;

/// How a database compares the names in its catalog with those that statements use.
///
/// Tables apart from everything else is the smallest shape in which the three databases fit: in
/// SQLite no names differ by the case of ASCII letters alone. In PostgreSQL, where statements are
/// written with quoted names, all names are exact. In MySQL and MariaDB the names of columns,
/// indexes and constraints fold, and those of tables do where the server's
/// `lower_case_table_names` isn't 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Folding {
    /// The names of tables and of what is named among them, such as views.
    pub tables: Case,
    /// All other names.
    pub others: Case,
}

/// Whether the case of letters tells names apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// `A` is `a`; letters outside of ASCII are compared as they are.
    Ascii,
    /// `A` is not `a`.
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

    /// The name in the spelling that all names have that are the same.
    pub fn folded(self, name: &str) -> String {
        match self {
            Case::Ascii => name.to_ascii_lowercase(),
            Case::Exact => name.to_owned(),
        }
    }
}

impl Folding {
    /// No name is told apart by the case of ASCII letters.
    pub const ASCII: Folding = Folding { tables: Case::Ascii, others: Case::Ascii };

    /// Whether both name the same table.
    pub fn same_table(self, a: &str, b: &str) -> bool {
        self.tables.same(a, b)
    }

    /// A table's name in the spelling that all names have that are the same.
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

/// What the names in a database's expressions can be, as plain data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NameRules {
    /// When two names are the same.
    pub folding: Folding,
    /// How expressions are read.
    pub lexicon: &'static Lexicon,
    /// Columns that each table has though nothing declares them.
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
