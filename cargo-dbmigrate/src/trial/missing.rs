//! Functions, collations and modules that an application may have and this tool's SQLite lacks.

use dbmigrate_runtime::engine::driver::sqlite::SqliteDriver;
use dbmigrate_runtime::engine::driver::{Connection as _, DatabaseError, ErrorKind, Registered};

/// Something that an application can register on a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    what: Registered,
    pub name: String,
}

impl Missing {
    /// What is missing, if that is why SQLite refused a statement.
    pub fn of(err: &DatabaseError) -> Option<Missing> {
        match err.kind() {
            ErrorKind::Unregistered { what, name } if !name.is_empty() => {
                Some(Missing { what: *what, name: name.clone() })
            }
            _ => None,
        }
    }

    /// The same for the error of a run.
    pub fn of_run(err: &dbmigrate_runtime::Error) -> Option<Missing> {
        database_error(err).and_then(Missing::of)
    }

    /// ``uses the function `slugify`, which ...``
    pub fn reason(&self) -> String {
        let Missing { what, name } = self;
        let similar =
            self.similar().map_or(String::new(), |similar| format!("; did you mean `{similar}`?"));
        format!(
            "uses the {what} `{name}`, which SQLite doesn't have and the application has to \
             register{similar}"
        )
    }

    /// The message that this user of it needs something that is missing.
    pub fn describe(&self, whose: &str) -> String {
        format!("{whose} {}", self.reason())
    }

    /// A function of SQLite's own with a similar name.
    fn similar(&self) -> Option<String> {
        if self.what != Registered::Function {
            return None;
        }
        let mut driver = SqliteDriver::open_in_memory().ok()?;
        let functions = driver.query("SELECT DISTINCT name FROM pragma_function_list", &[]).ok()?;
        let wanted = self.name.to_lowercase();
        let distance = |name: &String| strsim::damerau_levenshtein(name, &wanted);
        functions.texts().filter(|name| distance(name) <= 1 + wanted.len() / 5).min_by_key(distance)
    }
}

/// The database's error, if it is why a run failed.
pub fn database_error(err: &dbmigrate_runtime::Error) -> Option<&DatabaseError> {
    std::error::Error::source(err)?.downcast_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_function_of_sqlite_is_named() {
        let similar = |call: &str| {
            let mut driver = SqliteDriver::open_in_memory().unwrap();
            let err = driver.query(&format!("SELECT {call}"), &[]).unwrap_err();
            Missing::of(&err).unwrap().similar()
        };
        assert_eq!(similar("lenght('a')").as_deref(), Some("length"));
        assert_eq!(similar("slugify('a')"), None);
    }
}
