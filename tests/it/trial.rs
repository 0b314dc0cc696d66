//! A revision is tried before it is written, on the result of the history before it.

use std::fs;

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
