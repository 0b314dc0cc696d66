//! What SQLite here doesn't have and an application may: functions, collations, modules.

use dbmigrate_runtime::Value;
use dbmigrate_runtime::engine::driver::Connection as _;
use dbmigrate_runtime::engine::driver::sqlite::SqliteDriver;

/// Something that a connection can be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    kind: &'static str,
    pub name: String,
}

/// What SQLite says where it lacks something, and what that is.
const LACKS: [(&str, &str); 4] = [
    ("no such function: ", "function"),
    ("unknown function: ", "function"),
    ("no such collation sequence: ", "collation"),
    ("no such module: ", "virtual table module"),
];

impl Missing {
    /// What is missing, by what SQLite says.
    pub fn of(text: &str) -> Option<Missing> {
        LACKS.iter().find_map(|(words, kind)| {
            let (_, rest) = text.split_once(words)?;
            let is_end = |c: char| c.is_whitespace() || matches!(c, '(' | ')' | ',' | '\'');
            let name = rest.split(is_end).next()?.trim_matches(['"', '`']).to_owned();
            (!name.is_empty()).then_some(Missing { kind, name })
        })
    }

    /// ``uses the function `slugify`, which ...``
    pub fn said(&self) -> String {
        let Missing { kind, name } = self;
        let similar =
            self.similar().map_or(String::new(), |similar| format!("; did you mean `{similar}`?"));
        format!(
            "uses the {kind} `{name}`, which SQLite doesn't have and the application has to \
             register{similar}"
        )
    }

    /// Says it, and who uses it.
    pub fn said_of(&self, whose: &str) -> String {
        format!("{whose} {}", self.said())
    }

    /// A function of SQLite's own with nearly that name.
    fn similar(&self) -> Option<String> {
        if self.kind != "function" {
            return None;
        }
        let mut driver = SqliteDriver::open_in_memory().ok()?;
        let functions = driver.query("SELECT DISTINCT name FROM pragma_function_list", &[]).ok()?;
        let wanted = self.name.to_lowercase();
        let names = functions.rows.into_iter().flatten().filter_map(|value| match value {
            Value::Text(name) => Some(name),
            _ => None,
        });
        let distance = |name: &String| strsim::damerau_levenshtein(name, &wanted);
        names.filter(|name| distance(name) <= 1 + wanted.len() / 5).min_by_key(distance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_read_from_what_sqlite_says() {
        let name = |text: &str| Missing::of(text).map(|missing| missing.name);
        assert_eq!(name("no such function: lenght").as_deref(), Some("lenght"));
        assert_eq!(name("error in view v: no such function: a(b)").as_deref(), Some("a"));
        assert_eq!(name("no such collation sequence: DE").as_deref(), Some("DE"));
        assert_eq!(name("no such column: lenght"), None);
    }

    #[test]
    fn a_misspelt_function_of_sqlite_is_named() {
        let similar = |text: &str| Missing::of(text).unwrap().similar();
        assert_eq!(similar("no such function: lenght").as_deref(), Some("length"));
        assert_eq!(similar("no such function: slugify"), None);
    }
}
