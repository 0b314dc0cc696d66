//! Reads and writes the file of a case.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// The sections of a file. The first ones are written by a person, the others are expected results.
#[derive(Debug, Clone, Default)]
pub struct Case {
    /// The file's name without its extension.
    pub name: String,
    pub path: PathBuf,
    /// One sentence.
    pub about: String,
    /// Models, as Rust.
    pub before: String,
    pub after: String,
    /// Settings that were added after the first revision, as in dbmigrate.toml.
    pub config: Option<String>,
    /// Flags of `migrate`, one per line.
    pub answers: Option<String>,
    /// SQL that others run after the first revision.
    pub setup: Option<String>,
    /// The same for PostgreSQL, if it has to be written in another way there.
    pub setup_postgres: Option<String>,
    /// The only databases that the case is for, by the names of their dialects; empty for all.
    pub databases: Vec<String>,
    /// What is expected on PostgreSQL, for when there is no server.
    pub on_postgres: OnPostgres,
}

/// The results of a case on PostgreSQL.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OnPostgres {
    pub sql: Option<String>,
    /// The rows, if they aren't those on SQLite.
    pub rows: Option<String>,
    /// The refusal, if it isn't the one on SQLite.
    pub error: Option<String>,
    pub downgrade: Option<String>,
}

/// The results of a case, as they are expected in its file.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    pub operations: String,
    pub module: Option<String>,
    pub sql: Option<String>,
    pub rows: Option<String>,
    pub error: Option<String>,
    /// Why the downgrade is refused.
    pub downgrade: Option<String>,
    pub on_postgres: OnPostgres,
}

const MARK: &str = "--- ";

impl Case {
    /// The repository's cases, sorted by name. With the variable `DBMIGRATE_CASES`, only those
    /// whose names contain its value, or one of several values with commas between them.
    pub fn all() -> Vec<Case> {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/cases");
        let wanted = std::env::var("DBMIGRATE_CASES").unwrap_or_default();
        let entries = dir.read_dir().unwrap_or_else(|err| panic!("{}: {err}", dir.display()));
        let paths = entries.map(|entry| entry.unwrap().path());
        let mut paths: Vec<PathBuf> = paths
            .filter(|path| path.extension().is_some_and(|extension| extension == "case"))
            .collect();
        paths.sort();
        let cases = paths.iter().map(|path| Case::read(path));
        cases.filter(|case| wanted.split(',').any(|part| case.name.contains(part))).collect()
    }

    fn read(path: &Path) -> Case {
        let text = fs::read_to_string(path).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let mut case = Case { name, path: path.to_owned(), ..Case::default() };
        let mut section = "";
        let mut config = String::new();
        let mut answers = String::new();
        let mut setup = String::new();
        let mut others: BTreeMap<&str, String> = BTreeMap::new();
        for line in text.lines() {
            if let Some(strip_prefix) = line.strip_prefix(MARK) {
                section = strip_prefix.trim();
                continue;
            }
            let to = match section {
                "" => &mut case.about,
                "before" => &mut case.before,
                "after" => &mut case.after,
                "config" => &mut config,
                "answers" => &mut answers,
                "setup" => &mut setup,
                "databases" | "setup postgres" | "sql postgres" | "rows postgres"
                | "error postgres" | "downgrade postgres" => others.entry(section).or_default(),
                "operations" | "module" | "sql" | "rows" | "error" | "downgrade" => continue,
                other => panic!("{}: there is no section `{other}`", path.display()),
            };
            let _ = writeln!(to, "{line}");
        }
        case.config = Some(config).filter(|text| !text.trim().is_empty());
        case.answers = Some(answers).filter(|text| !text.trim().is_empty());
        case.setup = Some(setup).filter(|text| !text.trim().is_empty());
        case.setup_postgres = others.remove("setup postgres");
        let databases = others.remove("databases").unwrap_or_default();
        case.databases = databases.lines().map(str::to_owned).collect();
        case.on_postgres = OnPostgres {
            sql: others.remove("sql postgres"),
            rows: others.remove("rows postgres"),
            error: others.remove("error postgres"),
            downgrade: others.remove("downgrade postgres"),
        };
        case
    }

    /// Whether the case is for this kind of database.
    pub fn is_for(&self, dialect: &str) -> bool {
        self.databases.is_empty() || self.databases.iter().any(|name| name == dialect)
    }

    /// The file's text with these results.
    pub fn text(&self, outcome: &Outcome) -> String {
        let Outcome { operations, module, sql, rows, error, downgrade, on_postgres } = outcome;
        let databases = Some(self.databases.join("\n")).filter(|text| !text.is_empty());
        // What is the same on SQLite is not repeated.
        let other = |own: &Option<String>, on_sqlite: &Option<String>| {
            let lines = |text: &String| text.trim_matches('\n').to_owned();
            let is_other = own.as_ref().map(lines) != on_sqlite.as_ref().map(lines);
            own.clone().filter(|_| is_other)
        };
        let mut text = format!("{}\n", self.about.trim());
        let on_postgres = OnPostgres {
            sql: on_postgres.sql.clone(),
            rows: other(&on_postgres.rows, rows),
            error: other(&on_postgres.error, error),
            downgrade: other(&on_postgres.downgrade, downgrade),
        };
        let sections = [
            ("before", Some(&self.before)),
            ("after", Some(&self.after)),
            ("databases", databases.as_ref()),
            ("config", self.config.as_ref()),
            ("answers", self.answers.as_ref()),
            ("setup", self.setup.as_ref()),
            ("setup postgres", self.setup_postgres.as_ref()),
            ("operations", Some(operations)),
            ("module", module.as_ref()),
            ("sql", sql.as_ref()),
            ("rows", rows.as_ref()),
            ("error", error.as_ref()),
            ("downgrade", downgrade.as_ref()),
            ("sql postgres", on_postgres.sql.as_ref()),
            ("rows postgres", on_postgres.rows.as_ref()),
            ("error postgres", on_postgres.error.as_ref()),
            ("downgrade postgres", on_postgres.downgrade.as_ref()),
        ];
        for (name, section) in sections {
            let Some(section) = section else { continue };
            let section = section.trim_matches('\n');
            let _ = writeln!(text, "{MARK}{name}");
            if !section.is_empty() {
                let _ = writeln!(text, "{section}");
            }
        }
        text
    }
}
