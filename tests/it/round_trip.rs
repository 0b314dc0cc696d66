//! Schemas as data, in `tests/schemas`: models from a database build the same database again, as the
//! tool says and as a reader says that shares no code with the tool.
//!
//! All files of a kind of database are one database, so that their models are compiled once.
//! `DBMIGRATE_SCHEMAS=a,b` selects files by name.

mod mysql;
mod postgres;
mod sqlite;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use dbmigrate_tests::{Host, Run, repository};

/// A file of `tests/schemas`.
struct Schema {
    /// What has to exist before the tables, and what no model says.
    needed: String,
    tables: String,
    /// What the models leave out, in the words of `inspect`.
    left_out: BTreeSet<String>,
}

/// How a kind of database says what the files for all databases contain.
struct Words {
    id: &'static str,
    reference: &'static str,
    moment: &'static str,
    booleans: [&'static str; 2],
    quote: &'static str,
}

impl Schema {
    /// The files in these directories, for a server of this version.
    fn all(directories: &[&str], words: &Words, version: u32) -> Vec<Schema> {
        let selected = std::env::var("DBMIGRATE_SCHEMAS").ok();
        let is_selected = |path: &PathBuf| {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            selected.as_ref().is_none_or(|names| names.split(',').any(|other| other == name))
        };
        let files = directories.iter().flat_map(|directory| {
            let directory = repository().join("tests/schemas").join(directory);
            // Not every kind of database has its own.
            let entries = fs::read_dir(directory).into_iter().flatten();
            let mut files: Vec<PathBuf> =
                entries.map(|entry| entry.expect("an entry").path()).collect();
            files.retain(is_selected);
            files.sort();
            files
        });
        let texts = files.map(|file| fs::read_to_string(file).expect("a schema"));
        let texts = texts.filter(|text| {
            let since = text.lines().find_map(|line| line.strip_prefix("-- since: "));
            since.is_none_or(|since| since.parse::<u32>().expect("a version") <= version)
        });
        texts.map(|text| Schema::of(&words.said(&text))).collect()
    }

    fn of(text: &str) -> Schema {
        let left_out = text.lines().filter_map(|line| line.strip_prefix("-- left out: "));
        let (needed, tables) = text.split_once("-- tables:\n").unwrap_or(("", text));
        Schema {
            needed: needed.to_owned(),
            left_out: left_out.map(str::to_owned).collect(),
            tables: tables.to_owned(),
        }
    }
}

impl Words {
    fn said(&self, text: &str) -> String {
        let [no, yes] = self.booleans;
        text.replace("{id}", self.id)
            .replace("{ref}", self.reference)
            .replace("{moment}", self.moment)
            .replace("{false}", no)
            .replace("{true}", yes)
            .replace("{q}", self.quote)
    }
}

/// Two databases of a kind: one that has the schemas, and one that will have them.
struct Pair<'a> {
    name: &'a str,
    dialect: &'a str,
    url: &'a str,
    empty: &'a str,
    /// The patterns of tables for `inspect`.
    tables: &'a str,
}

impl Pair<'_> {
    /// Writes the models of the one, builds the other from them, and compares both with the tool.
    fn rebuild(&self, schemas: &[Schema]) {
        let Pair { name, dialect, url, empty, tables } = self;
        let host = Host::empty(&format!("schemas-{name}"));
        host.write("Cargo.toml", &dbmigrate_tests::manifest(&format!("schemas-{name}"), ""));
        host.lock();
        let out = host.dir.join("src/lib.rs");
        host.write("src/main.rs", "fn main() {}\n");
        let run = host.ok(&format!("inspect {tables} --url {url} --out {}", out.display()));
        let said = run.stderr.split_once("the models leave out:\n").map_or("", |(_, list)| list);
        let said: BTreeSet<String> = said.lines().map(|line| line.trim().to_owned()).collect();
        let expected: BTreeSet<String> =
            schemas.iter().flat_map(|schema| schema.left_out.clone()).collect();
        let models = host.read("src/lib.rs");
        assert_eq!(said, expected);
        let mut rustfmt = host.command("rustfmt");
        rustfmt.args(["--check", "--edition", "2021", "--config", "max_width=100", "src/lib.rs"]);
        let run = Run::of(&mut rustfmt);
        assert!(run.code == 0, "{run}");
        host.ok(&format!("init --dialect {dialect}"));
        let run = host.ok(&format!("migrate -m existing --url {empty}"));
        // What the rules of `lint` find is in other words.
        assert!(!run.stderr.contains("warning: "), "{run}");
        host.ok(&format!("upgrade --url {empty}"));
        host.ok(&format!("check --url {empty}"));
        let run = host.ok(&format!("diff database models --url {url}"));
        assert_eq!(run.stdout, "No differences.\n");
        let run = host.ok(&format!("adopt --url {url}"));
        assert!(run.stdout.contains("Marking revision "), "{run}");
        assert!(run.stdout.ends_with("version table and database agree.\n"), "{run}");
        let run = host.ok(&format!("adopt --url {url}"));
        assert!(!run.stdout.contains("Marking revision "), "{run}");
        // From here on the project is an ordinary one.
        let place = models.find("pub struct ").expect("a model");
        let place = place + models[place..].find("{\n").expect("its fields") + 2;
        let (before, after) = models.split_at(place);
        host.write("src/lib.rs", &format!("{before}    pub added_later: Option<i64>,\n{after}"));
        let run = host.ok(&format!("migrate -m next --url {url}"));
        let detected: Vec<&str> =
            run.stdout.lines().filter(|line| line.starts_with("Detected")).collect();
        assert!(detected.len() == 1 && detected[0].contains("added column"), "{run}");
        host.ok(&format!("upgrade --url {url}"));
        host.ok(&format!("check --url {url}"));
    }
}

/// Compares what a reader says of two databases.
#[track_caller]
fn assert_same(original: &BTreeSet<String>, rebuilt: &BTreeSet<String>) {
    let lost: Vec<_> = original.difference(rebuilt).collect();
    let new: Vec<_> = rebuilt.difference(original).collect();
    assert!(lost.is_empty() && new.is_empty(), "original only: {lost:#?}\nrebuilt only: {new:#?}");
}
