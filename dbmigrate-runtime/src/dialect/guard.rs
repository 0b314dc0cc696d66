//! Conditions that stop a run, with their words, which are the same on every database.

use crate::schema::{Check, ForeignKey};

/// What to do about rows that a new constraint doesn't allow.
pub(super) const CORRECT_ROWS: &str =
    "correct these rows first, in the same revision or an earlier one";

/// A query that must not return a row, or else the run stops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guard {
    /// A query without a result if all is well, and otherwise with one row of one number.
    pub sql: String,
    /// What is wrong, as a sentence that starts in lower case; `{}` is replaced by the number.
    pub failure: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// What is wrong if the server warns of something, where a change of rows would stop at that;
    /// `{}` is replaced by the warning.
    pub warning: Option<String>,
}

impl Guard {
    /// For a query that counts the rows in which a column that becomes NOT NULL is NULL.
    pub(super) fn not_null(sql: String, table: &str, column: &str, hint: String) -> Guard {
        let failure = format!(
            "column `{column}` of table `{table}` can't become NOT NULL: it is NULL in {{}} row(s)"
        );
        Guard { sql, failure, hint: Some(hint), warning: None }
    }

    /// For a query that counts the rows of a table that gets a column without a value for them.
    pub(super) fn no_rows(sql: String, table: &str, column: &str) -> Guard {
        let failure = format!(
            "column `{column}` is NOT NULL without a default, but table `{table}` has {{}} row(s), \
             which would have no value in it"
        );
        let hint = "give the column a default, or give existing rows a value with `.using(...)`";
        Guard { sql, failure, hint: Some(hint.to_owned()), warning: None }
    }

    /// For a query that counts the values that don't fit a column's new type.
    pub(super) fn fitting(sql: String, table: &str, column: &str, ty: &str, hint: String) -> Guard {
        let failure = format!(
            "{{}} of the values in column `{column}` of table `{table}` do not fit the type `{ty}`"
        );
        Guard { sql, failure, hint: Some(hint), warning: None }
    }

    /// For a query that counts the values of an expression that don't fit their column's type.
    pub(super) fn given(
        sql: String,
        [table, column]: [&str; 2],
        ty: &str,
        expression: &str,
    ) -> Guard {
        let failure = format!(
            "{{}} of the values given to column `{column}` of table `{table}` do not fit the type \
             `{ty}`"
        );
        let hint = Some(format!("correct the expression `{expression}`"));
        Guard { sql, failure, hint, warning: None }
    }

    /// For a query that counts the rows that a new check doesn't allow.
    pub(super) fn check(sql: String, table: &str, check: &Check) -> Guard {
        let failure = format!(
            "check `{}` can't be added to table `{table}`: {{}} row(s) violate it",
            check.name
        );
        Guard { sql, failure, hint: Some(CORRECT_ROWS.to_owned()), warning: None }
    }

    /// For a query that counts the rows that a new foreign key doesn't allow.
    pub(super) fn foreign_key(sql: String, table: &str, key: &ForeignKey) -> Guard {
        let failure = format!(
            "foreign key `{}` can't be added to table `{table}`: {{}} row(s) refer to no row of \
             table `{}`",
            key.name, key.references_table
        );
        Guard { sql, failure, hint: Some(CORRECT_ROWS.to_owned()), warning: None }
    }

    /// For a query that names the indexes and constraints that would be dropped along with a
    /// column, without a word.
    pub(super) fn unused(sql: String, table: &str, column: &str) -> Guard {
        let failure = format!("cannot drop column `{column}` of table `{table}`: {{}} uses it");
        let hint = "drop the index or constraint first, in the same revision: with `op.execute` \
                    if no revision created it";
        Guard { sql, failure, hint: Some(hint.to_owned()), warning: None }
    }
}
