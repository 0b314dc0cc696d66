//! Every setting is in the file that `init` writes and in the documentation, with its default.

use std::collections::BTreeSet;

use super::*;

const SCAFFOLD: &str = include_str!("../scaffold/dbmigrate.toml");
const DOCS: &str = include_str!("../../../docs/settings.md");

/// The keys that are accepted.
fn keys() -> BTreeSet<String> {
    super::keys().into_iter().collect()
}

/// The file, with its commented keys enabled.
fn shown() -> String {
    let is_toml = |text: &str| {
        text.starts_with('[') || text.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '))
    };
    let line =
        |text: &'static str| text.strip_prefix('#').filter(|rest| is_toml(rest)).unwrap_or(text);
    SCAFFOLD.lines().map(|text| format!("{}\n", line(text))).collect()
}

#[test]
fn the_file_that_init_writes_shows_every_key_with_its_default() {
    let default = format!("{:?}", Config::default());
    assert_eq!(format!("{:?}", Config::parse(SCAFFOLD, Path::new(FILE)).unwrap()), default);
    // Commented keys are valid as well.
    Config::parse(&shown(), Path::new(FILE)).unwrap();
    let table: toml::Table = toml::from_str(&shown()).unwrap();
    assert_eq!(table.into_iter().map(|(key, _)| key).collect::<BTreeSet<_>>(), keys());
}

#[test]
fn the_documentation_explains_every_key_and_no_other() {
    let (settings, _) = DOCS.split_once("\n## ").unwrap();
    let rows = settings.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let rows: Vec<(&str, Vec<&str>)> =
        rows.map(|(key, rest)| (key, rest.split(" | ").collect())).collect();
    assert_eq!(rows.iter().map(|(key, _)| (*key).to_owned()).collect::<BTreeSet<_>>(), keys());
    // The documented defaults are those of the file.
    let table: toml::Table = toml::from_str(SCAFFOLD).unwrap();
    for (key, cells) in rows {
        let default = match table.get(key) {
            Some(value) if !value.is_table() => format!("`{value}`"),
            _ if ["lib"].contains(&key) => "`false`".to_owned(),
            _ => "none".to_owned(),
        };
        assert_eq!(cells[1], default, "{key}");
    }
}

#[test]
fn the_keys_of_a_further_database_are_shown_and_explained() {
    let err = toml::from_str::<Further>("url = ''\n'' = 1").unwrap_err().to_string();
    let (_, list) = err.split_once("expected one of ").unwrap();
    let keys: BTreeSet<&str> = list.split('`').skip(1).step_by(2).collect();
    let (_, comment) = SCAFFOLD.split_once("# Further databases").unwrap();
    let (_, section) = DOCS.split_once("[databases.logs]\n").unwrap();
    let (section, _) = section.split_once("```").unwrap();
    let explained: toml::Table = toml::from_str(section).unwrap();
    assert_eq!(explained.keys().map(String::as_str).collect::<BTreeSet<_>>(), keys);
    for key in keys.iter().filter(|key| **key != "url") {
        assert!(comment.contains(&format!("`{key}`")), "{key}");
    }
    assert!(comment.contains("\n#url = "));
    // The defaults of a database are the documented ones.
    let told: Further = toml::from_str(section).unwrap();
    let default: Further = toml::from_str("url = \"sqlite:logs.db\"").unwrap();
    let of = |candidate: &Further| Config::default().of(candidate);
    assert_eq!(format!("{:?}", of(&told)), format!("{:?}", of(&default)));
    assert_eq!(told.directory.as_deref(), Some(Path::new("logs")));
}

/// The end of the file is inside a table, and that is where people add a line without thinking.
#[test]
fn a_key_that_was_put_into_a_table_is_told_where_it_stands() {
    let said = |line: &str| {
        let text = format!("{SCAFFOLD}\n[databases.logs]\nurl = \"\"\n");
        let after = text.replace("[dependencies]", &format!("[dependencies]\n{line}"));
        let err = Config::parse(&after, Path::new(FILE)).unwrap_err();
        let at_end = format!("{text}{line}\n");
        format!("{err}\n{}", Config::parse(&at_end, Path::new(FILE)).unwrap_err())
    };
    expect_test::expect![[r#"
        `transaction = "each"` under `[dependencies]` of `dbmigrate.toml` is not a dependency
          hint: `transaction` is a top-level key: it belongs above the first table in brackets
        failed to read the configuration at dbmigrate.toml:112:1: unknown field `transaction`, expected one of `url`, `directory`, `version_table`, `version_locations`, `rewrite`, `shadow_url`
          hint: `transaction` is a top-level key: it belongs above the first table in brackets"#]].assert_eq(&said("transaction = \"each\""));
    let empty = "url = \"\"\nversion_table = \"\"";
    for text in [empty.to_owned(), format!("[databases.logs]\n{empty}")] {
        let err = Config::parse(&text, Path::new(FILE)).unwrap_err();
        assert!(err.to_string().starts_with("`version_table` is empty"), "{err}");
    }
    let other = Config::parse("[dependencies]\nserde = true", Path::new(FILE)).unwrap_err();
    expect_test::expect![[r#"
        `serde = true` under `[dependencies]` of `dbmigrate.toml` is not a dependency
          hint: a dependency is a version, or a table, as in Cargo.toml"#]]
    .assert_eq(&other.to_string());
}
