//! A project's conventions for names, what it leaves out of the comparison, and where its version
//! table is.

use dbmigrate_tests::{Host, dump, sql};
use expect_test::expect;

const MODELS: &str = "\
use dbmigrate_runtime::Model;

#[derive(Model)]
pub struct User {
    #[model(primary_key)]
    pub id: i64,
    #[model(length = 120, unique)]
    pub email: String,
    #[model(index, check(\"age > 0\"))]
    pub age: i32,
    #[model(references = Audit::id)]
    pub audit_id: Option<i64>,
}

/// Another tool's.
#[derive(Model)]
pub struct Audit {
    #[model(primary_key)]
    pub id: i64,
}
";

/// Only changes this key; the rest of the file stays as `init` writes it.
fn set(host: &Host, key: &str, value: &str) {
    let path = "migrations/dbmigrate.toml";
    let text = host.read(path);
    let line = text.lines().find(|line| line.starts_with(&format!("{key} ="))).unwrap();
    host.replace(path, &format!("\n{line}\n"), &format!("\n{key} = {value}\n"));
}

#[test]
fn a_project_names_leaves_out_and_changes_its_mind() {
    let host = Host::library("rules", MODELS);
    host.ok("init");
    set(&host, "naming.unique", "\"{table}_{columns}_key\"");
    set(&host, "naming.index", "\"{table}_{columns}_idx\"");
    set(&host, "exclude", "[\"audit\", \"user.legacy\", \"index:IX_TMP_*\"]");
    set(&host, "version_table_schema", "\"main\"");
    let run = host.ok("migrate -m first");
    // The excluded table isn't created, but the foreign key to it is.
    expect![[r#"
        Detected added table `user`
        Detected added index `user_age_idx` on `user`
        Generating migrations/versions/m$DAY_$TIME_$ID1_first.rs ... done
    "#]]
    .assert_eq(&host.plain(&run.stdout));
    let module = host.read(&host.revision("first"));
    for text in
        ["\"pk_user\"", "\"user_email_key\"", "\"ck_user_age\"", "\"fk_user_audit_id_audit\""]
    {
        assert!(module.contains(text), "{text}: {module}");
    }
    let script = host.ok("upgrade --sql base:head").stdout;
    assert!(script.contains("IF NOT EXISTS \"main\".\"dbmigrate_version\""), "{script}");
    assert!(script.contains("INSERT INTO \"main\".\"dbmigrate_version\""), "{script}");
    let ensure = host.ok("ensure-version --sql").stdout;
    assert!(ensure.contains("\"main\".\"dbmigrate_version\""), "{ensure}");
    host.ok("upgrade");

    // Excluded objects of others are never shown, not even as unknown ones.
    let db = host.dir.join("app.db");
    let theirs =
        "ALTER TABLE user ADD COLUMN legacy TEXT; CREATE TABLE audit (id INTEGER PRIMARY KEY, a);
        CREATE INDEX ix_tmp_a ON user (age); CREATE INDEX ix_tmp_b ON audit (a);
        CREATE TABLE else_where (a);";
    sql(&db, theirs);
    let checked = host.dbmigrate("check -v");
    expect![[r#"
        Models and migrations agree.
        The database is at the head.
        The database agrees with the migrations.
        Not described by the migrations:
          table `else_where`
    "#]]
    .assert_eq(&checked.stdout);
    assert_eq!(checked.code, 0, "{checked}");
    for (from, to) in [("models", "database"), ("database", "migrations"), ("base", "database")] {
        let run = host.ok(&format!("diff {from} {to}"));
        let is_base = from == "base";
        assert_eq!(run.stdout == "No differences.\n", !is_base, "{from} {to}: {run}");
        assert!(!run.stdout.contains("audit`") && !run.stdout.contains("legacy"), "{run}");
    }
    let run = host.ok("migrate -m none --against database");
    assert_eq!(run.stdout, "No changes in schema detected.\n");

    // A changed convention only applies to new names.
    set(&host, "naming.unique", "\"uq_{table}_{columns}\"");
    set(&host, "naming.index", "\"{columns}_of_{table}\"");
    assert_eq!(host.ok("migrate -m none").stdout, "No changes in schema detected.\n");
    host.replace("src/lib.rs", "pub struct User", "#[model(index(age, email))]\npub struct User");
    host.replace("src/lib.rs", "references = Audit::id", "unique");
    let run = host.ok("migrate -m second");
    expect![[r#"
        Detected removed foreign key `fk_user_audit_id_audit` on `user`
        Detected added unique constraint `uq_user_audit_id` on `user`
        Detected added index `age_email_of_user` on `user`
        Generating migrations/versions/m$DAY_$TIME_$ID1_second.rs ... done
    "#]]
    .assert_eq(&host.plain(&run.stdout));
    sql(&db, "INSERT INTO user (id, email, age, legacy) VALUES (1, 'a', 7, 'kept')");
    host.ok("upgrade");
    let there = dump(&db);
    // The table was rebuilt, including what is left out of the comparison.
    for text in ["\"user_email_key\"", "user_age_idx", "age_email_of_user", "ix_tmp_a", "\"kept\""]
    {
        assert!(there.contains(text), "{text}: {there}");
    }

    // What is left out may be in the way, and then the rule is named.
    set(&host, "exclude", "[\"audit\", \"user.legacy\", \"index:*_age_*\"]");
    host.replace("src/lib.rs", "    #[model(index, check(\"age > 0\"))]\n    pub age: i32,\n", "");
    host.replace("src/lib.rs", "#[model(index(age, email))]\n", "");
    let run = host.fails("migrate -m third --allow-destructive");
    expect![[r#"
        error: this change conflicts with what `include` and `exclude` leave out of the comparison
          caused by: cannot drop column `age` of table `user`: index `user_age_idx` uses it; drop that first
          hint: in dbmigrate.toml `exclude` has `index:*_age_*`, which matches the index `user_age_idx`
    "#]]
    .assert_eq(&run.errors());
    set(&host, "include", "[\"post*\"]");
    assert_eq!(host.ok("migrate -m none").stdout, "No changes in schema detected.\n");

    // SQLite accepts no other schema, and no file is created for one.
    set(&host, "version_table_schema", "\"other\"");
    let run = host.fails("upgrade --url sqlite:new.db");
    expect![[r#"
        error: the version table can't be in the schema `other` on SQLite: that is an attached file, and not every journal mode commits two files atomically
          hint: leave `version_table_schema` empty, or set it to `main`
    "#]]
    .assert_eq(&run.errors());
    assert!(!host.dir.join("new.db").exists());
    host.fails("ensure-version --sql");
    set(&host, "version_table_schema", "\"\"");

    // Invalid settings are reported with their file.
    for (key, value, expected) in [
        (
            "exclude",
            "[\"idx:a\"]",
            expect![[r#"
                error: failed to read the configuration at $HOST/migrations/dbmigrate.toml:51:11: `exclude` has `idx:a`, but there is no kind `idx`; the kinds are `index`, `unique`, `foreign_key`, `check`
                  hint: `cargo dbmigrate init` in an empty package writes a file with every key
            "#]],
        ),
        (
            "include",
            "[\"index:ix_user\"]",
            expect![[r#"
                error: failed to read the configuration at $HOST/migrations/dbmigrate.toml:48:11: `include` has `index:ix_user`, but it takes only tables; `exclude` takes columns as `table.column`, and constraints and indexes as `kind:name`
                  hint: `cargo dbmigrate init` in an empty package writes a file with every key
            "#]],
        ),
        (
            "naming.foreign_key",
            "\"fk_{tabel}_{columns}\"",
            expect![[r#"
                error: failed to read the configuration at $HOST/migrations/dbmigrate.toml:77:1: naming: `foreign_key` has the unknown placeholder `{tabel}`; known are `{table}`, `{columns}`, `{target}`
                  hint: `cargo dbmigrate init` in an empty package writes a file with every key
            "#]],
        ),
    ] {
        let text = host.read("migrations/dbmigrate.toml");
        set(&host, key, value);
        expected.assert_eq(&host.plain(&host.fails("heads").errors()));
        host.write("migrations/dbmigrate.toml", &text);
    }
}
