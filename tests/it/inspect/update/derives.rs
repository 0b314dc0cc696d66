//! Structs whose derives the types of new fields don't have.

use dbmigrate_tests::{Host, sql};
use expect_test::expect;

use super::apply_patch;

#[test]
fn a_derive_that_a_new_field_does_not_have_is_named() {
    let mut host = Host::library(
        "inspect-derives",
        "use dbmigrate_runtime::Model;\n\n\
         #[derive(Clone, Copy, Debug, Default, Eq, Hash, Model, Ord, PartialEq, PartialOrd)]\n\
         #[model(table = \"points\")]\npub struct Point {\n    #[model(primary_key)]\n    pub id: i64,\n}\n",
    );
    let file = host.dir.join("app.db");
    host.env("DATABASE_URL", &format!("sqlite:{}", file.display()));
    sql(
        &file,
        "CREATE TABLE points (
             id INTEGER PRIMARY KEY, name TEXT, size REAL NOT NULL, day DATE,
             mood TEXT NOT NULL CHECK (mood IN ('ok', 'sad'))
         )",
    );
    let run = host.ok("inspect --update");
    expect![[r#"
        warning: `inspect_derives::Point` at src/lib.rs:5 derives traits that the types of its new fields lack, so it does not compile with the patch:
          `Copy`, because of `name: Option<String>`
          `Eq`, because of `size: f64`
          `Hash`, because of `size: f64`
          `Ord`, because of `size: f64`
          remove these derives, or change the types
        the patch adds column `points.name`, column `points.size`, column `points.day`, column `points.mood`; `git apply` takes it at the root of the repository, and `diff models database` then lists what else differs
    "#]].assert_eq(&run.errors());
    apply_patch(&host, &run.stdout);
    let run = host.cargo("check");
    assert!(run.code != 0 && run.stderr.contains("E0204"), "{run}");
    host.replace(
        "src/lib.rs",
        "#[derive(Clone, Copy, Debug, Default, Eq, Hash, Model, Ord, PartialEq, PartialOrd)]",
        "#[derive(Clone, Debug, Default, Model, PartialEq, PartialOrd)]",
    );
    let run = host.cargo("check");
    assert!(run.code == 0 && !run.stderr.contains("warning"), "{run}");
    assert_eq!(host.ok("inspect --update").stdout, "");
}
