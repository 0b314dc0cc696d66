//! The dependencies that ARCHITECTURE.md allows: which files must not know which others.

mod circles;
mod front_page;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use dbmigrate_runtime::engine::Backend;
use dbmigrate_tests::repository;

/// Files under a path, words that their code must not contain, and why.
const RULES: &[(&str, &[&str], &str)] = &[
    (
        "dbmigrate-runtime/src/schema",
        &["operations", "dialect::", "driver", "Error", "Db", "std::fs", "rusqlite"],
        "all other modules use the schema, so it depends on none of them",
    ),
    (
        "dbmigrate-runtime/src/operations",
        &["dialect::", "driver::", "executor", "version_table", "std::fs", "rusqlite"],
        "an operation that knew SQL could not be replayed on a schema",
    ),
    (
        "dbmigrate-runtime/src/record",
        &["operations", "dialect", "driver", "std::fs"],
        "records are bytes in, values out",
    ),
    (
        "dbmigrate-runtime/src/revision",
        &["operations", "dialect", "driver", "schema::"],
        "the graph is tested without what revisions do",
    ),
    (
        "dbmigrate-runtime/src/dialect",
        &["Driver", "executor", "migration::", "std::fs", "rusqlite"],
        "a dialect plans without a connection, so every SQL text is tested without a database",
    ),
    (
        "dbmigrate-runtime/src/driver",
        &["schema::", "Schema", "operations", "executor", "migration::"],
        "a driver sees text and rows",
    ),
    (
        "dbmigrate-runtime/src/plan.rs",
        &["driver", "executor", "std::fs", "rusqlite"],
        "a plan is a value before anything runs",
    ),
    (
        "dbmigrate-runtime/src/executor.rs",
        &["rusqlite", "std::fs", "std::env", "Command"],
        "the executor talks to the driver's trait alone",
    ),
    (
        "cargo-dbmigrate/src/autogenerate/diff.rs",
        &["crate::", "dialect", "Sqlite", "driver"],
        "diff compares any two schemas, wherever they come from",
    ),
    (
        "cargo-dbmigrate/src/render",
        &["std::fs", "std::process", "xshell", "driver", "Context"],
        "render is values in, text out",
    ),
    (
        "cargo-dbmigrate/src/models/records.rs",
        &["std::fs", "std::process", "xshell", "driver", "cmd!"],
        "reading records is bytes in, values out",
    ),
    (
        "dbmigrate-derive/src",
        &["\"Option\"", "\"Vec\""],
        "the derive never interprets a type's name; the compiler resolves types",
    ),
];

/// The files of a dialect that read its database through a connection; all others only plan.
const READERS: &[&str] = &[
    "dialect/mod.rs",
    "dialect/asking.rs",
    "sqlite/mod.rs",
    "sqlite/read.rs",
    "sqlite/health.rs",
    "mysql/mod.rs",
    "mysql/read.rs",
    "mysql/kept.rs",
    "postgres/mod.rs",
    "postgres/read.rs",
    "postgres/prepared.rs",
    "postgres/kept.rs",
    "postgres/emptying.rs",
    // Asks the server what it keeps of temporary tables.
    "postgres/kept/draft.rs",
];

#[test]
fn only_readers_of_the_catalog_have_a_connection() {
    for path in sources(&repository().join("dbmigrate-runtime/src/dialect")) {
        let is_reader = READERS.iter().any(|reader| path.ends_with(reader));
        let is_test = is_test(&path);
        let has_connection = has_word(&code(&path), "Connection");
        assert!(is_reader || is_test || !has_connection, "{} has a connection", path.display());
    }
}

/// The only files that name rusqlite's crate; `lib.rs` re-exports it.
const RUSQLITE: &[&str] = &[
    "dbmigrate-runtime/src/driver/sqlite.rs",
    "dbmigrate-runtime/src/driver/sqlite/error.rs",
    "dbmigrate-runtime/src/driver/sqlite/pages.rs",
    // Its messages say what to pass.
    "dbmigrate-runtime/src/connect.rs",
    "dbmigrate-runtime/src/connect/sqlite.rs",
    "dbmigrate-runtime/src/connect/test_database/memory.rs",
    "dbmigrate-runtime/src/lib.rs",
    "dbmigrate-runtime/src/migrator/in_memory.rs",
];

fn sources(under: &Path) -> Vec<PathBuf> {
    if under.is_file() {
        return vec![under.to_owned()];
    }
    let entries = fs::read_dir(under).unwrap_or_else(|err| panic!("{}: {err}", under.display()));
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    files.sort();
    files
}

/// The code of a file, without comments and without the tests at its end.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    let text = text.split("#[cfg(all(test,").next().unwrap_or_default();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.map(|line| format!("{line}\n")).collect()
}

/// Whether a file has only tests.
fn is_test(path: &Path) -> bool {
    let path = path.strip_prefix(repository()).unwrap_or(path).with_extension("");
    path.iter().any(|part| part == "tests")
}

fn has_word(code: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    let starts = word.starts_with(part);
    let ends = word.ends_with(part);
    code.match_indices(word).any(|(at, found)| {
        !(starts && code[..at].ends_with(part)
            || ends && code[at + found.len()..].starts_with(part))
    })
}

#[test]
fn no_module_knows_what_it_must_not_know() {
    let mut found = Vec::new();
    for (under, words, why) in RULES {
        for path in sources(&repository().join(under)) {
            let is_test = is_test(&path);
            let code = code(&path);
            for word in words.iter().filter(|word| !is_test && has_word(&code, word)) {
                found.push(format!("{} has `{word}`: {why}", path.display()));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn only_the_driver_names_its_database_crate() {
    for path in sources(&repository().join("dbmigrate-runtime/src")) {
        let shown = path.strip_prefix(repository()).unwrap().display().to_string();
        if !RUSQLITE.contains(&shown.as_str()) {
            let code = code(&path);
            assert!(!has_word(&code, "rusqlite"), "{shown} names rusqlite");
        }
    }
}

/// Words that are specific to SQLite.
const WORDS_OF_SQLITE: &[&str] = &["Sqlite", "SqliteDriver", "PRAGMA", "rowid", "sqlite_"];

/// Where these words belong: SQLite's dialect, its driver, the library's API for it, and the tool's
/// trial, which uses an SQLite database in memory.
const OF_SQLITE: &[&str] = &[
    "dbmigrate-runtime/src/dialect/sqlite/",
    "dbmigrate-runtime/src/driver/sqlite",
    "dbmigrate-runtime/src/connect",
    "dbmigrate-runtime/src/url.rs",
    "dbmigrate-runtime/src/backend.rs",
    "cargo-dbmigrate/src/connection/sqlite.rs",
    "cargo-dbmigrate/src/trial",
];

/// Other files that contain such a word, and why.
const NAME_SQLITE: &[(&str, &str)] = &[
    ("dbmigrate-runtime/src/dialect/mod.rs", "finds the dialect by its name"),
    ("dbmigrate-runtime/src/schema/option.rs", "knows which database has an option"),
    ("dbmigrate-runtime/src/schema/sql.rs", "has a text for each kind of database"),
    ("cargo-dbmigrate/src/commands/init.rs", "knows which crate connects to which database"),
    ("cargo-dbmigrate/src/context.rs", "decides what a project's database is"),
    ("cargo-dbmigrate/src/import/applied.rs", "reads where a tool for SQLite keeps its records"),
    ("cargo-dbmigrate/src/import/client.rs", "tells the commands of each database's client"),
    ("cargo-dbmigrate/src/import/recorded.rs", "tells queries of a catalog from those of rows"),
    ("cargo-dbmigrate/src/cli/tool.rs", "has the name of another tool"),
    ("cargo-dbmigrate/src/commands/squash/proof.rs", "runs the proof on a database in memory"),
];

#[test]
fn words_of_sqlite_stay_with_sqlite() {
    let mut found = Vec::new();
    let mut named = BTreeSet::new();
    for dir in ["dbmigrate-runtime/src", "dbmigrate-derive/src", "cargo-dbmigrate/src"] {
        for path in sources(&repository().join(dir)) {
            let shown = path.strip_prefix(repository()).unwrap().display().to_string();
            let is_test = shown.contains("/tests/") || shown.ends_with("/tests.rs");
            if is_test || OF_SQLITE.iter().any(|place| shown.starts_with(place)) {
                continue;
            }
            let code = code(&path);
            let has = |word: &&&str| match **word {
                "sqlite_" => code.contains(**word),
                word => has_word(&code, word),
            };
            let words: Vec<_> = WORDS_OF_SQLITE.iter().filter(has).collect();
            if words.is_empty() {
                continue;
            }
            if !NAME_SQLITE.iter().any(|(file, _)| *file == shown) {
                found.push(format!("{shown} has {words:?}"));
            }
            named.insert(shown);
        }
    }
    assert!(found.is_empty(), "these are words of SQLite alone:\n{}", found.join("\n"));
    for (file, why) in NAME_SQLITE {
        assert!(
            named.contains(*file),
            "{file} ({why}) no longer contains one: remove it from the list"
        );
    }
}

/// The remaining circles, by the modules in them. None may be added.
const CIRCLES: &[&[&str]] = &[
    // The two traits of the seam: a connection says its dialect, and a dialect asks a connection.
    &["dialect", "driver"],
];

#[test]
fn no_files_import_each_other_in_a_circle() {
    let mut found = Vec::new();
    for dir in ["dbmigrate-runtime/src", "dbmigrate-derive/src", "cargo-dbmigrate/src"] {
        for circle in circles::circles(&repository().join(dir)) {
            let is_known = |known: &&[&str]| {
                let known: BTreeSet<&str> = known.iter().copied().collect();
                circle.iter().all(|module| known.contains(module.as_str()))
            };
            if !CIRCLES.iter().any(is_known) {
                let modules: Vec<String> = circle.into_iter().collect();
                found.push(format!("{dir}: {}", modules.join(", ")));
            }
        }
    }
    assert!(found.is_empty(), "these import each other:\n{}", found.join("\n"));
}

/// A procedural macro can't export a constant, so its text is read.
#[test]
fn the_derive_knows_every_kind_of_database() {
    let text = code(&repository().join("dbmigrate-derive/src/value/sql.rs"));
    let (_, list) = text.split_once("const DATABASES: &[&str] = &[").unwrap();
    let (list, _) = list.split_once(']').unwrap();
    let known: Vec<&str> = list.split(',').map(|name| name.trim().trim_matches('"')).collect();
    assert_eq!(known, Backend::ALL.map(Backend::name));
}

#[test]
fn every_file_says_what_it_is_and_stays_short() {
    for dir in ["dbmigrate-runtime/src", "dbmigrate-derive/src", "cargo-dbmigrate/src"] {
        for path in sources(&repository().join(dir)) {
            let text = fs::read_to_string(&path).unwrap();
            let shown = path.display();
            assert!(text.starts_with("//!"), "{shown}: begin it with `//!` and what it is for");
            let n_lines = text.split("#[cfg(test)]").next().unwrap_or_default().lines().count();
            assert!(
                n_lines <= 600 || is_test(&path),
                "{shown} has {n_lines} lines without its tests: split it"
            );
        }
    }
}

#[test]
fn the_versions_agree_and_the_changelog_has_the_current_one() {
    let read = |text: &str| fs::read_to_string(repository().join(text)).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    let exact = format!("version = \"={version}\"");
    for manifest in ["dbmigrate-runtime/Cargo.toml", "cargo-dbmigrate/Cargo.toml"] {
        assert!(read(manifest).contains(&exact), "{manifest}: {exact}");
    }
    let heading = format!("## {version}");
    assert_eq!(read("CHANGELOG.md").matches(&heading).count(), 1, "CHANGELOG.md: {heading}");
}

/// The table of behaviours names tests; if a test is renamed, the table has to follow.
#[test]
fn every_test_that_the_table_of_behaviours_names_is_there() {
    let table = fs::read_to_string(repository().join("tests/BEHAVIOURS.md")).unwrap();
    let mut code = String::new();
    for dir in ["tests", "dbmigrate-runtime", "cargo-dbmigrate"] {
        for path in sources(&repository().join(dir)) {
            code += &fs::read_to_string(path).unwrap();
        }
    }
    let mut missing = Vec::new();
    let mut numbers = Vec::new();
    for row in table.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = row.trim_matches(['|', ' ']).split(" | ").collect();
        let [number, _, place] = cells.as_slice() else { panic!("{row}") };
        numbers.extend(number.parse::<usize>());
        if *number == "no." {
            continue;
        }
        // Quoted words that aren't tests, such as flags, don't count.
        let is_part = |c: char| c == '_' || c == '-' || c.is_ascii_alphanumeric();
        let is_name = |text: &&str| !text.starts_with('-') && text.chars().all(is_part);
        let names: Vec<&str> = if place.starts_with("does not apply") {
            Vec::new()
        } else {
            place.split('`').skip(1).step_by(2).filter(is_name).collect()
        };
        for name in &names {
            let is_function = ["fn {}()", "\n    {}: |table| "]
                .iter()
                .any(|text| code.contains(&text.replace("{}", name)));
            let case = repository().join(format!("tests/cases/{name}.case"));
            if !is_function && !case.is_file() {
                missing.push(format!("{name}: {row}"));
            }
        }
        if names.is_empty() && !place.starts_with("does not apply") && !place.starts_with("open") {
            missing.push(format!("neither a test nor a reason: {row}"));
        }
    }
    assert!(missing.is_empty(), "tests/BEHAVIOURS.md names no tests:\n{}", missing.join("\n"));
    assert_eq!(numbers, (1..=146).collect::<Vec<_>>(), "each behaviour has a row");
}

/// Users compile the versions in the lock file, so these must support the promised compiler.
#[test]
fn every_locked_crate_compiles_with_the_promised_rust_version() {
    let mut cargo = std::process::Command::new(env!("CARGO"));
    cargo.args(["metadata", "--format-version=1", "--locked", "--all-features"]);
    let output = cargo.current_dir(repository()).output().unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let minor = |text: &str| -> u32 { text.split('.').nth(1).unwrap_or("0").parse().unwrap_or(0) };
    let promised = minor(env!("CARGO_PKG_RUST_VERSION"));
    for package in metadata["packages"].as_array().unwrap() {
        let needs = package["rust_version"].as_str().map_or(0, minor);
        assert!(needs <= promised, "{} needs Rust 1.{needs}", package["id"]);
    }
}
