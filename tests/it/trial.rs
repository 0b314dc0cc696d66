//! A revision is tried before it is written, on the result of the history before it.

use std::fs;

use dbmigrate_tests::servers::{self, Server};
use dbmigrate_tests::{Host, revision};

const MODELS: &str = "
#[derive(dbmigrate_runtime::Model)]
#[model(table = \"user\"CHECK)]
pub struct User {
    #[model(primary_key)]
    pub id: i64,
    pub name: String,
}
";

const USER: &str = r#"
    op.create_table(
        Table::new("user")
            .column(Column::new("id", Type::BigInteger).not_null())
            .column(Column::new("name", Type::Text).not_null())
            .primary_key("pk_user", ["id"]),
    );
"#;

/// A step with a visible effect, SQL that would create a file, a view, and duplicate rows.
const MORE: &str = r#"
    op.run("tell the world", |_db| {
        std::fs::write("told", "by a step")?;
        Ok(())
    });
    op.execute("INSERT INTO user (id, name) VALUES (1, 'a'), (2, 'a')");
    op.execute("CREATE VIEW names AS SELECT name FROM user");
"#;

#[test]
fn what_can_not_run_is_not_written_and_nothing_of_the_world_is_touched() {
    let models = |check: &str| MODELS.replace("CHECK", check);
    let host = Host::library("trial", &models(", check(\"nmae <> ''\")"));
    host.ok("init");
    host.write(
        "migrations/versions/m1_user.rs",
        &revision("a1", &[], "user", USER, "op.drop_table(\"user\");"),
    );
    host.write(
        "migrations/versions/m2_more.rs",
        &revision("b2", &["a1"], "more", MORE, "op.execute(\"DROP VIEW names\");"),
    );
    host.ok("heads");
    let versions = || fs::read_dir(host.dir.join("migrations/versions")).unwrap().count();

    let run = host.dbmigrate("migrate -m check --non-interactive");
    assert_eq!(run.code, 3, "{run}");
    let errors = host.plain(&run.errors());
    assert!(errors.contains("SQLite refuses the check"), "{errors}");
    assert!(errors.contains("`trial::User` at src/lib.rs:"), "{errors}");
    assert!(errors.contains("did you mean the column `name`?"), "{errors}");
    assert_eq!(versions(), 2);

    // Rows from the history's own SQL count: in any new database they violate the uniqueness of
    // names.
    host.write("src/lib.rs", &models(", unique(name)"));
    let run = host.dbmigrate("migrate -m unique --non-interactive");
    assert_eq!(run.code, 3, "{run}");
    let errors = host.plain(&run.errors());
    assert!(errors.contains("UNIQUE constraint failed"), "{errors}");
    assert_eq!(versions(), 2);
    assert!(!host.dir.join("told").exists());

    // What only the application may provide is reported, and the revision is written.
    host.write("src/lib.rs", &models(", check(\"lenght(name) > 0\")"));
    let run = host.dbmigrate("migrate -m function --non-interactive");
    assert_eq!(run.code, 0, "{run}");
    let errors = host.plain(&run.errors());
    assert!(errors.contains("uses the function `lenght`"), "{errors}");
    assert!(errors.contains("did you mean `length`?"), "{errors}");
    assert_eq!(versions(), 3);
    host.ok("undo");

    host.write("src/lib.rs", &models(", check(\"nmae <> ''\")"));
    host.ok("migrate -m check --non-interactive --no-try");
    assert_eq!(versions(), 3);
    host.ok("undo");

    // One value for all rows of a unique column only works for a table with one row, and the
    // history inserts two. Without them the revision is written with a warning.
    host.write("migrations/versions/m2_more.rs", &revision("b2", &["a1"], "more", "", ""));
    let slug = "    pub name: String,\n    #[model(unique)]\n    pub slug: String,";
    let unique = models("").replace("    pub name: String,", slug);
    let refused = "is the same for all rows, but `trial::User::slug` at src/lib.rs:9 is unique";
    for (fill, is_said) in [("'x'", true), ("name", false), ("hex(randomblob(8))", false)] {
        host.write("src/lib.rs", &format!("{unique}\n// {fill}\n"));
        let run = host.dbmigrate(&format!(
            "migrate -m slug --dry-run --non-interactive --fill user.slug={fill}"
        ));
        assert_eq!(run.code, 0, "{run}");
        assert_eq!(host.plain(&run.errors()).contains(refused), is_said, "{run}");
    }
}

/// A history without SQLite is tried on the shadow database, if there is one.
#[test]
fn what_a_server_refuses_is_not_written() {
    let servers = servers::in_turn("what_a_server_refuses_is_not_written");
    for server in servers {
        refuses(&server);
    }
}

fn refuses(server: &Server) {
    let (kind, url) = (server.dialect(), server.database());
    let models = |check: &str| MODELS.replace("CHECK", &format!(", check(\"{check}\")"));
    let mut host = Host::library(&format!("trial-{kind}"), &models("nmae <> ''"));
    host.ok(&format!("init --dialect {kind}"));
    let dir = host.dir.join("migrations/versions");
    let versions = || fs::read_dir(&dir).map_or(0, Iterator::count);
    let settings = host.read("migrations/dbmigrate.toml");
    host.replace(
        "migrations/dbmigrate.toml",
        "shadow_url = \"\"",
        &format!("shadow_url = \"{url}\""),
    );
    let run = host.dbmigrate("migrate -m user");
    assert_eq!(run.code, 3, "{run}");
    let errors = run.errors();
    assert!(errors.contains("the trial of the new revision on `"), "{run}");
    assert!(errors.contains("` failed: its upgrade fails"), "{run}");
    assert!(errors.contains("nmae"), "{run}");
    assert!(errors.contains("hint: correct it in the model; `--no-try` writes"), "{run}");
    assert_eq!(versions(), 0);

    host.write("migrations/dbmigrate.toml", &settings);
    host.env("DATABASE_SHADOW_URL", &url);
    host.write("src/lib.rs", &models("name <> 'nobody'"));
    host.ok("migrate -m user");
    assert_eq!(versions(), 1);

    // The history fails there, which is no fault of the new revision.
    let path = fs::read_dir(host.dir.join("migrations/versions")).unwrap().next().unwrap().unwrap();
    let file = format!("migrations/versions/{}", path.file_name().to_str().unwrap());
    let text = host.read(&file);
    let (head, body) = text.split_once("pub fn upgrade(").expect("an upgrade");
    let body = body.replacen("{\n", "{\n    op.execute(\"SELECT nonsense\");\n", 1);
    host.write(&file, &format!("{head}pub fn upgrade({body}"));
    host.write("src/lib.rs", &models("name <> 'somebody'"));
    let run = host.ok("migrate -m somebody");
    let warned = "warning: the revision was not tried on `";
    assert!(run.errors().contains(warned) && run.errors().contains("` fails there: "), "{run}");

    // A database that can't be used.
    let other = "CREATE TABLE other (id INT);";
    match kind {
        "postgres" => servers::client(&url).batch_execute(other).unwrap(),
        _ => assert!(server.play(&url, other).is_ok),
    }
    host.write("src/lib.rs", &models("name <> 'anybody'"));
    let run = host.ok("migrate -m anybody");
    let warned = "warning: the revision was not tried on a server: the database `";
    assert!(run.errors().contains(warned) && run.errors().contains("is not empty"), "{run}");
    assert_eq!(versions(), 3);
}
