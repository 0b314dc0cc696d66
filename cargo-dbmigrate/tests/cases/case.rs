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
    /// The case's place among those that run.
    pub number: usize,
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
    pub on_postgres: OnServer,
    /// The same for MySQL and MariaDB.
    pub setup_mysql: Option<String>,
    /// Why the situation can't exist there, so that the case is only planned.
    pub not_on_mysql: Option<String>,
    /// Why a run stops in the middle there although all is looked at before.
    pub halfway_mysql: Option<String>,
    pub on_mysql: OnServer,
    pub on_mariadb: OnServer,
}

/// The results of a case on a server.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OnServer {
    pub sql: Option<String>,
    /// The rows, if they aren't those on SQLite.
    pub rows: Option<String>,
    /// The refusal, if it isn't the one on SQLite.
    pub error: Option<String>,
    pub downgrade: Option<String>,
}

impl OnServer {
    /// These results without those that are the same elsewhere.
    fn beside(&self, other: &OnServer) -> OnServer {
        let only = |own: &Option<String>, other: &Option<String>| {
            let lines = |text: &String| text.trim_matches('\n').to_owned();
            match (own, other) {
                (None, Some(_)) => Some(NONE.to_owned()),
                (own, other) if own.as_ref().map(lines) == other.as_ref().map(lines) => None,
                (own, _) => own.clone(),
            }
        };
        OnServer {
            sql: only(&self.sql, &other.sql),
            rows: only(&self.rows, &other.rows),
            error: only(&self.error, &other.error),
            downgrade: only(&self.downgrade, &other.downgrade),
        }
    }

    /// These results, and where there are none those of another database.
    fn or(&self, other: &OnServer) -> OnServer {
        let either = |own: &Option<String>, other: &Option<String>| match own {
            Some(text) if text.trim() == NONE => None,
            Some(text) => Some(text.clone()),
            None => other.clone(),
        };
        OnServer {
            sql: self.sql.clone(),
            rows: either(&self.rows, &other.rows),
            error: either(&self.error, &other.error),
            downgrade: either(&self.downgrade, &other.downgrade),
        }
    }
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
    pub on_postgres: OnServer,
    /// Without a server, only the statements are known.
    pub on_mysql: OnServer,
    pub on_mariadb: OnServer,
    /// Whether the results are those of servers.
    pub ran_mysql: bool,
    pub ran_mariadb: bool,
}

/// What is written where MySQL has something and MariaDB has not.
const NONE: &str = "none";

const MARK: &str = "--- ";

impl Case {
    /// The repository's cases, as [`files`](crate::files) finds them.
    pub fn all() -> Vec<Case> {
        let mut cases: Vec<_> = crate::files("cases").iter().map(|path| Case::read(path)).collect();
        (0..).zip(&mut cases).for_each(|(number, case)| case.number = number);
        cases
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
                "databases" => others.entry(section).or_default(),
                section
                    if section.rsplit_once(' ').is_some_and(|(what, database)| {
                        ["setup", "not on", "halfway", "sql", "rows", "error", "downgrade"]
                            .contains(&what)
                            && ["postgres", "mysql", "mariadb"].contains(&database)
                    }) =>
                {
                    others.entry(section).or_default()
                }
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
        case.setup_mysql = others.remove("setup mysql");
        case.not_on_mysql = others.remove("not on mysql");
        case.halfway_mysql = others.remove("halfway mysql");
        let mut on = |database: &str| {
            let mut take = |what: &str| others.remove(&*format!("{what} {database}"));
            OnServer {
                sql: take("sql"),
                rows: take("rows"),
                error: take("error"),
                downgrade: take("downgrade"),
            }
        };
        case.on_postgres = on("postgres");
        case.on_mysql = on("mysql");
        case.on_mariadb = on("mariadb");
        case
    }

    /// Whether the case is for this kind of database.
    pub fn is_for(&self, dialect: &str) -> bool {
        self.databases.is_empty() || self.databases.iter().any(|name| name == dialect)
    }

    /// The file's text with these results.
    pub fn text(&self, outcome: &Outcome) -> String {
        let Outcome { operations, module, sql, rows, error, downgrade, on_postgres, .. } = outcome;
        let databases = Some(self.databases.join("\n")).filter(|text| !text.is_empty());
        // What is the same on SQLite is not repeated.
        let other = |own: &Option<String>, on_sqlite: &Option<String>| {
            let lines = |text: &String| text.trim_matches('\n').to_owned();
            let is_other = own.as_ref().map(lines) != on_sqlite.as_ref().map(lines);
            own.clone().filter(|_| is_other)
        };
        let mut text = format!("{}\n", self.about.trim());
        let on_postgres = OnServer {
            sql: on_postgres.sql.clone(),
            rows: other(&on_postgres.rows, rows),
            error: other(&on_postgres.error, error),
            downgrade: other(&on_postgres.downgrade, downgrade),
        };
        let mine = OnServer {
            sql: sql.clone(),
            rows: rows.clone(),
            error: error.clone(),
            downgrade: downgrade.clone(),
        };
        let (on_mysql, whole_mysql) = if outcome.ran_mysql {
            // Statements are never those for SQLite.
            let sql = outcome.on_mysql.sql.clone();
            (OnServer { sql, ..outcome.on_mysql.beside(&mine) }, outcome.on_mysql.clone())
        } else {
            let own = OnServer { sql: outcome.on_mysql.sql.clone(), ..self.on_mysql.clone() };
            (own.clone(), own.or(&mine))
        };
        let on_mariadb = if outcome.ran_mariadb {
            outcome.on_mariadb.beside(&whole_mysql)
        } else {
            OnServer { sql: outcome.on_mariadb.beside(&whole_mysql).sql, ..self.on_mariadb.clone() }
        };
        let sections = [
            ("before", Some(&self.before)),
            ("after", Some(&self.after)),
            ("databases", databases.as_ref()),
            ("config", self.config.as_ref()),
            ("answers", self.answers.as_ref()),
            ("setup", self.setup.as_ref()),
            ("setup postgres", self.setup_postgres.as_ref()),
            ("setup mysql", self.setup_mysql.as_ref()),
            ("not on mysql", self.not_on_mysql.as_ref()),
            ("halfway mysql", self.halfway_mysql.as_ref()),
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
            ("sql mysql", on_mysql.sql.as_ref()),
            ("rows mysql", on_mysql.rows.as_ref()),
            ("error mysql", on_mysql.error.as_ref()),
            ("downgrade mysql", on_mysql.downgrade.as_ref()),
            ("sql mariadb", on_mariadb.sql.as_ref()),
            ("rows mariadb", on_mariadb.rows.as_ref()),
            ("error mariadb", on_mariadb.error.as_ref()),
            ("downgrade mariadb", on_mariadb.downgrade.as_ref()),
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
