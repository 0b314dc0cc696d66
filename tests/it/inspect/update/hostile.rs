//! Patches for models and schemas that are as odd as they can be: they apply, the result compiles,
//! and nothing of a person's text has changed.

use std::fs;

use dbmigrate_runtime::mysql::prelude::Queryable as _;
use dbmigrate_tests::servers::{self, client, mysql_client};
use dbmigrate_tests::{Host, Run, repository, sql};

use super::apply_patch;

const FILES: [(&str, &str); 6] = [
    // Two structs of a name, of which one is no model, and names that a new one can't have.
    (
        "src/twins.rs",
        "use dbmigrate_runtime::{\n    ColumnType as Kind,\n    Model,\n};\n\npub struct Twin {\n    \
         pub id: i64,\n}\n\npub enum TwinMood {\n    Happy,\n}\n\npub type Newcomer = Kinds;\n\n\
         #[derive(Kind)]\npub enum Kinds {\n    One,\n}\n\npub mod flat {\nuse super::Model;\n#[derive(Model)]\n\
         #[model(table = \"twins\")]\npub struct Twin {\n#[model(primary_key)]\npub id: i64,\n}\n}\n",
    ),
    // Another derive of a similar name, with CRLF, without an end of the last line.
    (
        "src/other.rs",
        "// A word about the module.\r\n#[allow(unused_imports)]\r\nuse std::fmt::Debug as Model;\r\n\r\n\
         #[derive(Debug, dbmigrate_runtime::Model)]\r\npub struct Lined {\r\n    #[model(primary_key)]\r\n    \
         pub id: i64,\r\n    // The last one.\r\n}",
    ),
    // Line breaks of both kinds, and a text over two lines.
    (
        "src/mixed.rs",
        "use dbmigrate_runtime::Model;\n\npub const TEXT: &str = \"a\r\nb\nc\";\n\r\n#[derive(Model)]\r\npub \
         struct Mixed {\n    #[model(primary_key)]\r\n    pub id: i64,\n    #[model(column = \"other\", length = 20)]\n    \
         pub kind: Option<String>\r\n}\n\n// The end.",
    ),
    // One of two structs, by a condition, with macros before and after.
    (
        "src/choice.rs",
        "macro_rules! unit {\n    ($name:ident) => {\n        pub struct $name {\n            pub id: i64,\n        \
         }\n    };\n}\nunit!(Choices);\n\n#[cfg(not(unix))]\n#[derive(dbmigrate_runtime::Model)]\npub struct \
         Choice {\n    #[model(primary_key)]\n    pub id: i32,\n}\n#[cfg(unix)]\n#[derive(\n    Clone,\n    Default,\n    \
         dbmigrate_runtime::Model,\n)]\n#[model(table = \"Select From\")]\npub struct Choice {\n    /// The \
         key: { }\n    #[model(primary_key)]\n    #[cfg(unix)]\n    pub id: i64\n    // }\n}\nunit!(Other);\n",
    ),
    // A byte order mark, and a struct of the first line.
    (
        "src/marked.rs",
        "\u{feff}#[derive(dbmigrate_runtime::Model)] pub struct Märked { #[model(primary_key)] pub id: i64, }\n",
    ),
    (
        "src/deep/er.rs",
        "#[derive(dbmigrate_runtime::Model)]\n#[model(table = \"deep\")]\n\tpub struct r#Deep\n\t{\n\t\t\
         #[model(column = \"id\", primary_key)]\n\t\tr#type: i64,\n\t}\n",
    ),
];

const ROOT: &str = "#![deny(warnings)]\n#![allow(dead_code)]\npub mod choice;\npub mod deep {\n    pub mod er;\n}\n\
                    pub mod marked;\npub mod mixed;\npub mod other;\npub mod twins;\n";

/// The tables of the models, each with more than they have.
fn tables(quote: &str, text: &str, [id, reference]: [&str; 2]) -> Vec<String> {
    let column = |name: &str, rest: &str| format!("{quote}{name}{quote} {rest}");
    let table = |name: &str, more: &[String]| {
        format!("CREATE TABLE {quote}{name}{quote} (id {id} PRIMARY KEY, {})", more.join(", "))
    };
    let mood = column("mood", &format!("{text} CHECK (mood IN ('a', 'self', 'A'))"));
    let deep = column("deep", &format!("{reference}, FOREIGN KEY (deep) REFERENCES deep (id)"));
    vec![
        table("deep", &[column("type", reference), column("ok", reference)]),
        table("twins", &[mood.clone(), deep.clone()]),
        table("lined", &[mood.clone(), deep.clone()]),
        table(
            "mixed",
            &[column("other", "VARCHAR(20)"), column("kind", "VARCHAR(20)"), mood.clone()],
        ),
        table("Select From", &[column("it's so: {} \\", "VARCHAR(5)"), mood.clone()]),
        table("märked", &[mood.clone(), column("Größe in m²", reference)]),
        table("newcomers", std::slice::from_ref(&deep)),
        table("option", &[mood, column("string", "VARCHAR(20)"), deep]),
    ]
}

/// Compares what is left of a file with what it was: a patch only adds lines, or ends them.
fn assert_kept(before: &str, after: &str) {
    let mut rest = after;
    for line in before.split_inclusive('\n') {
        let text = line.trim_end().trim_end_matches('}').trim_end();
        let found = rest.find(text);
        let place = found.unwrap_or_else(|| panic!("{line:?} is not in {after:?}"));
        rest = &rest[place + text.len()..];
    }
    let count = |text: &str| (text.matches("\r\n").count(), text.matches('\n').count());
    let ((crlf, lf), (crlf_after, lf_after)) = (count(before), count(after));
    assert!(crlf <= crlf_after && lf - crlf <= lf_after - crlf_after, "{after:?}");
}

fn patched(host: &mut Host, dialect: &str, url: &str) {
    host.env("DATABASE_URL", url);
    let _ = fs::remove_dir_all(host.dir.join("migrations"));
    host.write("src/lib.rs", ROOT);
    FILES.iter().for_each(|(path, text)| host.write(path, text));
    let run = host.ok("inspect --update");
    assert!(!run.stderr.contains("warning"), "{dialect}: {run}");
    for (path, text) in FILES {
        assert_eq!(host.read(path), text, "a file was changed");
    }
    host.write("models.patch", &run.stdout);
    for args in [
        &["init", "--quiet"][..],
        &["apply", "--check", "models.patch"],
        &["apply", "models.patch"],
    ] {
        let mut git = host.command("git");
        let run = Run::of(git.args(args));
        assert_eq!(run.code, 0, "{dialect}: {args:?}\n{run}\n{}", host.read("models.patch"));
    }
    let run = host.cargo("check");
    assert!(run.code == 0, "{dialect}: {run}\n{}", host.read("models.patch"));
    FILES.iter().for_each(|(path, text)| assert_kept(text, &host.read(path)));
    let run = host.ok("inspect --update");
    assert_eq!(run.stdout, "", "{dialect}");
    assert_eq!(run.errors(), "the models have every table and column of the database\n");
    host.ok(&format!("init --dialect {dialect}"));
    let run = host.ok("diff models database");
    // Keys, checks and foreign keys of columns that exist are for a person to add.
    let is_of_patch = |line: &str| {
        ["added column", "removed column", "added table", "removed table"]
            .iter()
            .any(|start| line.starts_with(start))
            || line.contains(": type to")
    };
    assert!(!run.stdout.lines().any(is_of_patch), "{dialect}: {run}");
}

#[test]
fn patches_fit_odd_models_and_odd_schemas() {
    let mut host = Host::library("inspect-odd", "");
    let file = host.dir.join("app.db");
    sql(&file, &tables("\"", "TEXT", ["INTEGER", "INTEGER"]).join(";\n"));
    let url = format!("sqlite:{}", file.display());
    patched(&mut host, "sqlite", &url);
    let test = "patches_fit_odd_models_and_odd_schemas";
    for server in servers::postgres_in_turn(test) {
        let url = server.database();
        client(&url)
            .batch_execute(&tables("\"", "text", ["bigint", "bigint"]).join(";\n"))
            .unwrap();
        patched(&mut host, "postgres", &url);
    }
    for server in servers::mysql_in_turn(test) {
        let url = server.database();
        let mut conn = mysql_client(&url);
        for table in tables("`", "varchar(255)", ["bigint", "bigint"]) {
            conn.query_drop(&table).unwrap();
        }
        patched(&mut host, server.dialect(), &url);
    }
}

/// All odd schemas of the round trip, as new models beside one that exists.
#[test]
fn patches_for_all_odd_names_compile() {
    let mut host = Host::library(
        "inspect-odd-names",
        "#[derive(dbmigrate_runtime::Model)]\npub struct Anchor {\n    #[model(primary_key)]\n    pub id: i64,\n}",
    );
    let file = host.dir.join("app.db");
    let odd = fs::read_to_string(repository().join("tests/schemas/sqlite/odd_names.sql")).unwrap();
    sql(&file, &format!("CREATE TABLE anchor (id INTEGER PRIMARY KEY);\n{odd}"));
    host.env("DATABASE_URL", &format!("sqlite:{}", file.display()));
    let run = host.ok("inspect --update");
    apply_patch(&host, &run.stdout);
    let run = host.cargo("check");
    assert!(run.code == 0 && !run.stderr.contains("warning"), "{run}");
    assert_eq!(host.ok("inspect --update").stdout, "");
    host.ok("init");
    assert_eq!(host.ok("diff models database").stdout, "No differences.\n");
}
