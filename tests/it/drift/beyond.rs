//! What no revision describes: raw SQL, and features that a schema can't represent.

use dbmigrate_tests::revision;
use expect_test::expect;

use super::databases::{Databases, MODELS, THEIRS};

pub fn knows_what_raw_sql_says_of_itself(databases: &Databases) {
    let up = "op.execute(\"CREATE TABLE silent (a)\");
    op.execute(\"CREATE TABLE told (a TEXT, b)\").describes(|op| {
        op.create_table(Table::new(\"told\").column(Column::new(\"a\", Type::Text)));
    });
    op.execute(\"CREATE TABLE odd (a TEXT UNIQUE ON CONFLICT IGNORE)\").describes(|op| {
        let table = Table::new(\"odd\").column(Column::new(\"a\", Type::Text));
        op.create_table(table.unique(\"uq_odd\", [\"a\"]));
    });
    op.execute(\"CREATE VIEW names AS SELECT name FROM user\").describes(|op| op.makes_view(\"names\"));
    op.execute(\"CREATE VIRTUAL TABLE docs USING fts5(text)\")
        .describes(|op| op.makes_virtual_table(\"docs\"));
    op.run(\"trigger\", |db| {
        db.execute(\"CREATE TRIGGER tr AFTER INSERT ON told BEGIN SELECT 1; END\", ())?;
        Ok(())
    });
    op.makes_trigger(\"tr\", \"told\");
    op.add_check(\"user\", Check::new(\"ck_text\", \"name <> \\\"nmae\\\"\"));";
    let down = "op.drop_check(\"user\", \"ck_text\");
    op.drop_table(\"odd\");
    op.execute(\"DROP VIEW names; DROP TABLE docs\").describes(|op| {
        op.drops_view(\"names\");
        op.drops_virtual_table(\"docs\");
    });
    op.drop_table(\"told\");";
    let text = revision("d400", &["a100"], "raw", up, down);
    databases.host.write("migrations/versions/m4_raw.rs", &text);
    databases.check("raw.db", "upgrade", expect![[r#"
        Running upgrade <base> -> a100, initial
        Running upgrade a100 -> d400, raw
        warning: revision `d400`: add check `ck_text` to table `user`: check `ck_text`: `"nmae"` is in double quotes, which makes it a name, but table `user` has no such column; SQLite reads it as a string
        exit code 0
    "#]]);
    databases.check(
        "raw.db",
        "check -v",
        expect![[r#"
            The list in migrations/mod.rs does not match the revision files:
              it lacks migrations/versions/m4_raw.rs
              it has `m$DAY_$TIME_c300;`, which has no file or is listed twice
            Models and migrations differ:
              Detected removed check `ck_text` on `user`
              Detected added column `post.likes`
              Detected changed column `post.text`: to NULL
              Detected removed table `told`
              Detected removed table `odd`
            The database is at the head.
            The database differs from the migrations:
              column `told.b` is not in the migrations
            Not described by the migrations:
              table `silent`
            `cargo dbmigrate migrate` brings it in line
            `cargo dbmigrate migrate` writes a revision for it
            Database: sqlite:$HOST/raw.db
            `cargo dbmigrate diff database current --sql` prints the SQL that would bring it in line
            warning[undescribed-sql]: revision `d400`: execute SQL: its `CREATE TABLE` is not described
              in migrations/versions/m4_raw.rs, on SQLite
              hint: add `.describes(|op| ...)` with the operations that it amounts to, or `op.makes_view(...)` and the like
            warning[no-primary-key]: revision `d400`: create table `told`: it has no primary key
              in migrations/versions/m4_raw.rs, on SQLite
              hint: add a primary key
            warning[no-primary-key]: revision `d400`: create table `odd`: it has no primary key
              in migrations/versions/m4_raw.rs, on SQLite
              hint: add a primary key
            warning[check-on-rows]: revision `d400`: add check `ck_text` to table `user`: rows of table `user` that violate it stop the upgrade
              in migrations/versions/m4_raw.rs, on SQLite
              hint: find the rows that violate it and correct them in an earlier revision
            exit code 1
        "#]],
    );
    // Declared objects that no longer exist are missing.
    databases.make("raw.db", "DROP VIEW names; DROP TRIGGER tr; DROP TABLE docs");
    databases.check(
        "raw.db",
        "check",
        expect![[r#"
            The list in migrations/mod.rs does not match the revision files:
              it lacks migrations/versions/m4_raw.rs
              it has `m$DAY_$TIME_c300;`, which has no file or is listed twice
            Models and migrations differ:
              Detected removed check `ck_text` on `user`
              Detected added column `post.likes`
              Detected changed column `post.text`: to NULL
              Detected removed table `told`
              Detected removed table `odd`
            The database is at the head.
            The database differs from the migrations:
              view `names` is missing from the database
              virtual table `docs` is missing from the database
              trigger `tr` of table `told` is missing from the database
              column `told.b` is not in the migrations
            `cargo dbmigrate migrate` brings it in line
            `cargo dbmigrate migrate` writes a revision for it
            Database: sqlite:$HOST/raw.db
            `cargo dbmigrate diff database current --sql` prints the SQL that would bring it in line
            a new revision can recreate missing views, triggers and virtual tables
            1 object in the database not described by the migrations; -v lists them
            warning[undescribed-sql]: revision `d400`: execute SQL: its `CREATE TABLE` is not described
              in migrations/versions/m4_raw.rs, on SQLite
              hint: add `.describes(|op| ...)` with the operations that it amounts to, or `op.makes_view(...)` and the like
            warning[no-primary-key]: revision `d400`: create table `told`: it has no primary key
              in migrations/versions/m4_raw.rs, on SQLite
              hint: add a primary key
            warning[no-primary-key]: revision `d400`: create table `odd`: it has no primary key
              in migrations/versions/m4_raw.rs, on SQLite
              hint: add a primary key
            warning[check-on-rows]: revision `d400`: add check `ck_text` to table `user`: rows of table `user` that violate it stop the upgrade
              in migrations/versions/m4_raw.rs, on SQLite
              hint: find the rows that violate it and correct them in an earlier revision
            exit code 1
        "#]],
    );
    databases.make("raw.db", "DROP TABLE silent; DROP TABLE told; DROP TABLE odd; DROP TABLE user; DROP TABLE post; DROP TABLE dbmigrate_version");
    databases.run("raw.db", "upgrade");
    databases.check(
        "raw.db",
        "downgrade base --allow-destructive",
        expect![[r#"
        Running downgrade d400 -> a100, raw
        Running downgrade a100 -> <base>, initial
        exit code 0
    "#]],
    );
    std::fs::remove_file(databases.host.dir.join("migrations/versions/m4_raw.rs")).unwrap();
    databases.host.write("src/lib.rs", MODELS);
}

/// Equal defaults in other spellings don't count.
pub fn names_what_no_revision_can_say(databases: &Databases) {
    let odd = THEIRS
        .replace("id INTEGER PRIMARY KEY,", "id INTEGER NOT NULL PRIMARY KEY DESC,")
        .replace("varchar(50) NOT NULL UNIQUE", "varchar(50) NOT NULL ON CONFLICT ABORT")
        .replace("DEFAULT 0 NOT NULL", "DEFAULT (+0x0) NOT NULL COLLATE BINARY")
        .replace("DEFAULT FALSE", "DEFAULT '0.0', UNIQUE (name COLLATE NOCASE)")
        .replace("text TEXT NOT NULL", "text TEXT NOT NULL ON CONFLICT REPLACE")
        .replace("(name) VALUES ('ada')", "(id, name) VALUES (1, 'ada')");
    databases.make("odd.db", &odd);
    databases.check("odd.db", "stamp --verify head", expect![[r#"
        error: the database does not match revision `a100`:
          primary key of table `User` is sorted DESC, so SQLite generates no values for it, which a revision can't express
          unique constraint on `name` of table `User` compares `name` by the collation NOCASE, which a revision can't express
          column `post.text` is NOT NULL ON CONFLICT REPLACE, which a revision can't express
          hint: stamp the revision that it matches, or bring it in line by hand; without --verify it is stamped anyway
        exit code 3
    "#]]);
    databases.run("odd.db", "stamp head");
    databases.check("odd.db", "check", expect![[r#"
        The list in migrations/mod.rs does not match the revision files:
          it has `m$DAY_$TIME_c300;`, which has no file or is listed twice
        Models and migrations agree.
        The database is at the head.
        The database differs from the migrations:
          primary key of table `User` is sorted DESC, so SQLite generates no values for it, which a revision can't express
          unique constraint on `name` of table `User` compares `name` by the collation NOCASE, which a revision can't express
          column `post.text` is NOT NULL ON CONFLICT REPLACE, which a revision can't express
        `cargo dbmigrate migrate` brings it in line
        Database: sqlite:$HOST/odd.db
        what a revision can't express stays as it is; remove it by hand, or leave the column out of the comparison with `exclude` in dbmigrate.toml
        10 objects in the database not described by the migrations; -v lists them
        warning[unindexed-foreign-key]: revision `a100`: create table `post`: no index of table `post` begins with the columns of `fk_post_author_id_user`: `author_id`
          in migrations/versions/m$DAY_$TIME_a100_initial.rs, on SQLite
          hint: add an index that begins with the columns, in the model with `#[model(index)]`
        exit code 1
    "#]]);
    databases.check("odd.db", "diff database models", expect![[r#"
        primary key of table `User` is sorted DESC, so SQLite generates no values for it, which a revision can't express
        unique constraint on `name` of table `User` compares `name` by the collation NOCASE, which a revision can't express
        column `post.text` is NOT NULL ON CONFLICT REPLACE, which a revision can't express
        10 objects in the database not described by the migrations; -v lists them
        exit code 0
    "#]]);
    let run = databases.run("odd.db", "migrate --against database");
    assert!(run.stderr.contains("in the database column `post.text` is NOT NULL ON"), "{run}");
    let settings = databases.host.read("migrations/dbmigrate.toml");
    let exclude = "\nexclude = [\"post.text\", \"user.id\", \"user.name\"]\n";
    databases.host.replace("migrations/dbmigrate.toml", "\nexclude = []\n", exclude);
    let run = databases.run("odd.db", "check");
    assert!(run.stdout.contains("The database agrees with the migrations."), "{run}");
    databases.host.write("migrations/dbmigrate.toml", &settings);
    let run = databases.run("odd.db", "diff database models --sql");
    assert!(
        run.stdout.contains("-- Unchanged: column `post.text` is NOT NULL ON CONFLICT"),
        "{run}"
    );
}

pub fn says_when_nothing_is_compared(databases: &Databases) {
    for file in databases.host.revisions() {
        std::fs::remove_file(databases.host.dir.join(file)).unwrap();
    }
    databases.host.write("src/lib.rs", "// No models.\n");
    databases.make("alien.db", "CREATE TABLE a (x); CREATE TABLE b (y); CREATE VIEW v AS SELECT 1");
    databases.check(
        "alien.db",
        "diff models database --exit-code",
        expect![[r#"
        Nothing was compared: the package has no models, and the migrations no tables.
        3 objects in the database not described by the migrations; -v lists them
        exit code 1
    "#]],
    );
    databases.check(
        "alien.db",
        "diff migrations database",
        expect![[r#"
        Nothing was compared: neither models nor migrations describe a table of the database.
        3 objects in the database not described by the migrations; -v lists them
        exit code 0
    "#]],
    );
    databases.check(
        "alien.db",
        "diff models migrations --exit-code",
        expect![[r#"
        No differences.
        exit code 0
    "#]],
    );
    databases.check(
        "alien.db",
        "check",
        expect![[r#"
            The list in migrations/mod.rs does not match the revision files:
              it has `m$DAY_$TIME_a100_initial;`, which has no file or is listed twice
            The package has no models, and the migrations no tables: nothing to compare.
            There are no revisions yet.
            Nothing in the database was compared: the applied revisions describe nothing in it.
            `cargo dbmigrate migrate` brings it in line
            Database: sqlite:$HOST/alien.db
            3 objects in the database not described by the migrations; -v lists them
            exit code 1
        "#]],
    );
    databases.check("alien.db", "migrate", expect![[r#"
        note: since the command failed, these files were restored: `migrations/mod.rs`
        error: the package `drift` has no models
          hint: put `#[derive(dbmigrate_runtime::Model)]` on the structs that are tables; if they are behind a feature or in another package, name it in dbmigrate.toml
        exit code 3
    "#]]);
    let text = revision("e500", &[], "raw", "op.execute(\"CREATE TABLE c (z)\");", "");
    databases.host.write("migrations/versions/m5_raw.rs", &text);
    databases.check(
        "alien.db",
        "stamp --verify head",
        expect![[r#"
            Running stamp_revision <base> -> e500
            warning: --verify compared nothing: these revisions describe nothing in the database
            exit code 0
        "#]],
    );
    databases.check(
        "alien.db",
        "check --no-database",
        expect![[r#"
            The list in migrations/mod.rs does not match the revision files:
              it lacks migrations/versions/m5_raw.rs
              it has `m$DAY_$TIME_a100_initial;`, which has no file or is listed twice
            The package has no models, and the migrations no tables: nothing to compare.
            `cargo dbmigrate migrate` brings it in line
            warning[no-way-back]: revision `e500`: `downgrade` does nothing, so undoing the revision leaves its changes
              in migrations/versions/m5_raw.rs, on SQLite
              hint: write `downgrade`, or say why there is none with `op.irreversible("...")`
            warning[undescribed-sql]: revision `e500`: execute SQL: its `CREATE TABLE` is not described
              in migrations/versions/m5_raw.rs, on SQLite
              hint: add `.describes(|op| ...)` with the operations that it amounts to, or `op.makes_view(...)` and the like
            exit code 1
        "#]],
    );
    databases.check(
        "alien.db",
        "check",
        expect![[r#"
            The list in migrations/mod.rs does not match the revision files:
              it lacks migrations/versions/m5_raw.rs
              it has `m$DAY_$TIME_a100_initial;`, which has no file or is listed twice
            The package has no models, and the migrations no tables: nothing to compare.
            The database is at the head.
            Nothing in the database was compared: the applied revisions describe nothing in it.
            `cargo dbmigrate migrate` brings it in line
            Database: sqlite:$HOST/alien.db
            3 objects in the database not described by the migrations; -v lists them
            warning[no-way-back]: revision `e500`: `downgrade` does nothing, so undoing the revision leaves its changes
              in migrations/versions/m5_raw.rs, on SQLite
              hint: write `downgrade`, or say why there is none with `op.irreversible("...")`
            warning[undescribed-sql]: revision `e500`: execute SQL: its `CREATE TABLE` is not described
              in migrations/versions/m5_raw.rs, on SQLite
              hint: add `.describes(|op| ...)` with the operations that it amounts to, or `op.makes_view(...)` and the like
            exit code 1
        "#]],
    );
}
