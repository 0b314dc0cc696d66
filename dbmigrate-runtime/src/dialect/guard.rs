//! Conditions that stop a run, with their words, which are the same on every database.

use crate::Value;
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
    /// What would be wrong, before the database was asked: the words after "stop if".
    pub fn condition(&self) -> String {
        let failure = self.failure.replace("{} row(s)", "some rows");
        let failure = failure.replace("{} value(s)", "some values");
        let failure = failure.replace("{} uses it", "an index or constraint uses it");
        // What would be named is not known yet.
        let failure = failure.strip_suffix(": {}").map_or(failure.clone(), str::to_owned);
        let failure = failure.replace("{}", "some");
        let cannot = failure.strip_prefix("cannot ").and_then(|rest| rest.split_once(": "));
        let Some((change, why)) = cannot else { return failure };
        format!("{} ({change})", why.replace("these ", ""))
    }

    /// What is wrong, with what the query found: a number, or names that are separated by commas.
    pub fn failed(&self, found: &Value) -> String {
        let found = match found {
            Value::Text(names) if self.finds_names() => {
                let names: Vec<_> = names.split(", ").map(|name| format!("`{name}`")).collect();
                names.join(", ")
            }
            Value::Text(text) => text.clone(),
            found => found.to_string(),
        };
        self.failure.replace("{}", &found)
    }

    fn finds_names(&self) -> bool {
        self.failure.contains("these ") || self.failure.ends_with("{} uses it")
    }

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

    /// For a query that counts the values that occur more than once where they have to be unique.
    pub(super) fn unique(sql: String, table: &str, what: &str) -> Guard {
        let failure = format!(
            "{what} can't be added to table `{table}`: {{}} value(s) occur in more than one row"
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

#[cfg(test)]
mod tests {
    use super::Guard;
    use crate::Value;

    #[test]
    fn names_that_were_found_are_in_backticks() {
        let guard = Guard::unused(String::new(), "t", "a");
        assert_eq!(
            guard.failed(&Value::Text("ix_a, ix_b".to_owned())),
            "cannot drop column `a` of table `t`: `ix_a`, `ix_b` uses it"
        );
        let guard = Guard { failure: "check `c`: {} row(s) violate it".to_owned(), ..guard };
        assert_eq!(guard.failed(&Value::Integer(2)), "check `c`: 2 row(s) violate it");
    }

    #[test]
    fn a_condition_reads_as_the_rest_of_a_sentence() {
        let of = |failure: &str| {
            let failure = failure.to_owned();
            Guard { sql: String::new(), failure, hint: None, warning: None }.condition()
        };
        assert_eq!(
            of("check `c` can't be added: {} row(s) violate it"),
            "check `c` can't be added: some rows violate it"
        );
        assert_eq!(of("{} of the values do not fit"), "some of the values do not fit");
        assert_eq!(
            of("cannot drop table `t`: these views would stop working: {}"),
            "views would stop working (drop table `t`)"
        );
        assert_eq!(
            Guard::unused(String::new(), "t", "a").condition(),
            "an index or constraint uses it (drop column `a` of table `t`)"
        );
        assert_eq!(
            of("cannot check whether {} of the values in `a` are JSON: there is no JSON"),
            "there is no JSON (check whether some of the values in `a` are JSON)"
        );
    }
}
