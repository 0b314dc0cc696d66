//! The migrations beside live databases: `check`, `diff`, `stamp --verify`, `--against database`.

mod databases;

use databases::{Databases, MODELS, THEIRS};
use dbmigrate_tests::{Host, revision};
use expect_test::expect;

#[test]
fn migrations_and_live_databases_are_compared() {
    let host = Host::library("drift", MODELS);
    host.ok("init");
    host.ok("migrate -m initial --rev-id a100");
    let it = Databases { host };
    adopts_a_database(&it);
    tells_drift(&it);
    compares_any_two(&it);
    writes_what_a_database_lacks(&it);
    knows_what_raw_sql_says_of_itself(&it);
    names_what_no_revision_can_say(&it);
    says_when_nothing_is_compared(&it);
}

fn adopts_a_database(it: &Databases) {
    it.make("theirs.db", THEIRS);
    it.check(
        "theirs.db",
        "check",
        expect![[r#"
            Models and migrations agree.
            The database is behind: a100 pending.
            The database differs from the migrations:
              table `User` is there already, and a later revision makes it
              table `post` is there already, and a later revision makes it
            Database: sqlite:$HOST/theirs.db
            `cargo dbmigrate stamp --verify head` enters the revisions as applied, if the database is what they build
            9 objects of the database not described by the migrations; -v lists them
            exit code 1
        "#]],
    );
    it.check("none.db", "stamp --verify head", expect![[r#"
        error: the database is not what revision `a100` builds:
          table `post` is missing from the database
          table `user` is missing from the database
          hint: stamp the revision that it is, or bring it in line by hand; without --verify it is stamped all the same
        exit code 3
    "#]]);
    assert!(!it.host.dir.join("none.db").exists());
    it.check(
        "theirs.db",
        "stamp --verify head",
        expect![[r#"
        Running stamp_revision <base> -> a100
        exit code 0
    "#]],
    );
    it.check(
        "theirs.db",
        "check -v",
        expect![[r#"
            Models and migrations agree.
            The database is at the head.
            The database agrees with the migrations.
            Not described by the migrations:
              index `theirs`
              table `log`
              view `names`
              trigger `user_log`
              virtual table `docs`
              shadow table `docs_data`
              shadow table `docs_idx`
              shadow table `docs_content`
              shadow table `docs_docsize`
              shadow table `docs_config`
            Database: sqlite:$HOST/theirs.db
            exit code 0
        "#]],
    );
    it.check(
        "theirs.db",
        "upgrade",
        expect![[r#"
            Nothing to upgrade: sqlite:$HOST/theirs.db is at a100
            exit code 0
        "#]],
    );
    it.check(
        "theirs.db",
        "diff database -v",
        expect![[r#"
            No differences.
            Not described by the migrations:
              index `theirs`
              table `log`
              view `names`
              trigger `user_log`
              virtual table `docs`
              shadow table `docs_data`
              shadow table `docs_idx`
              shadow table `docs_content`
              shadow table `docs_docsize`
              shadow table `docs_config`
            Database: sqlite:$HOST/theirs.db
            exit code 0
        "#]],
    );
    it.check("theirs.db", "stamp --verify base", expect![[r#"
        error: the database is not what it is before the first revision:
          table `User` is there already, and a later revision makes it
          table `post` is there already, and a later revision makes it
          hint: stamp the revision that it is, or bring it in line by hand; without --verify it is stamped all the same
        exit code 3
    "#]]);
    it.check(
        "theirs.db",
        "stamp --verify --purge head",
        expect![[r#"
        Running stamp_revision a100 -> a100
        exit code 0
    "#]],
    );
    it.check(
        "theirs.db",
        "stamp --verify --sql head",
        expect![[r#"
            error: the argument '--verify' cannot be used with '--sql[=<FOR>]'

            Usage: cargo dbmigrate stamp --verify --url <URL> <REV>...

            For more information, try '--help'.
            exit code 2
        "#]],
    );
    it.make("other.db", &THEIRS.replace("NOT NULL UNIQUE", "").replace("50", "60"));
    it.check("other.db", "stamp --verify head", expect![[r#"
        error: the database is not what revision `a100` builds:
          unique constraint `uq_user_name` of table `user` is missing from the database
          column `user.name` has the type `varchar(60)`, but `VARCHAR(50)` in the migrations
          column `user.name` is nullable, but NOT NULL in the migrations
          hint: stamp the revision that it is, or bring it in line by hand; without --verify it is stamped all the same
        exit code 3
    "#]]);
    it.check(
        "other.db",
        "current",
        expect![[r#"
            Database: sqlite:$HOST/other.db
            exit code 0
        "#]],
    );
}

fn tells_drift(it: &Databases) {
    it.run("drift.db", "upgrade");
    it.check(
        "drift.db",
        "check -v",
        expect![[r#"
            Models and migrations agree.
            The database is at the head.
            The database agrees with the migrations.
            Database: sqlite:$HOST/drift.db
            exit code 0
        "#]],
    );
    it.make(
        "drift.db",
        "ALTER TABLE user ADD COLUMN nick TEXT;
         DROP INDEX ix_user_age;
         DROP TABLE post;
         CREATE VIEW names AS SELECT name FROM user;
         CREATE INDEX theirs ON user (name, age)",
    );
    it.check(
        "drift.db",
        "check",
        expect![[r#"
            Models and migrations agree.
            The database is at the head.
            The database differs from the migrations:
              table `post` is missing from the database
              index `ix_user_age` of table `user` is missing from the database
              column `user.nick` is not in the migrations
            Database: sqlite:$HOST/drift.db
            `cargo dbmigrate diff database current --sql` prints what would bring it in line
            2 objects of the database not described by the migrations; -v lists them
            exit code 1
        "#]],
    );
    it.check(
        "drift.db",
        "check --format json",
        expect![[r#"
            {
              "agree": false,
              "command": "check",
              "differences": [],
              "drift": [
                "table `post` is missing from the database",
                "index `ix_user_age` of table `user` is missing from the database",
                "column `user.nick` is not in the migrations"
              ],
              "heads": [
                "a100"
              ],
              "not_in_files": [],
              "not_in_list": [],
              "not_what_they_replace": [],
              "others": [
                {
                  "kind": "index",
                  "name": "theirs"
                },
                {
                  "kind": "view",
                  "name": "names"
                }
              ],
              "pending": [],
              "rival_heads": [],
              "url": "sqlite:$HOST/drift.db",
              "version": 1
            }
            Database: sqlite:$HOST/drift.db
            `cargo dbmigrate diff database current --sql` prints what would bring it in line
            2 objects of the database not described by the migrations; -v lists them
            exit code 1
        "#]],
    );
    it.check(
        "drift.db",
        "diff database current",
        expect![[r#"
            added index `ix_user_age` on `user`
            removed column `user.nick`
            added table `post`
            2 objects of the database not described by the migrations; -v lists them
            exit code 0
        "#]],
    );
    it.check("drift.db", "diff database current --sql", expect![[r#"
        .bail on
        -- For the sqlite3 shell, as in `sqlite3 app.db < script.sql`: it stops at the first error, and rolls back.
        -- Do not paste this into an interactive shell, which goes on after an error. Other clients: `--sql=plain`.
        -- Discards what column `nick` of `user` holds.
        -- Whether views and triggers still work isn't tried here; `cargo dbmigrate upgrade` does.
        PRAGMA foreign_keys = OFF;
        BEGIN IMMEDIATE;

        -- Guard table: inserting anything but 0 fails.
        CREATE TEMP TABLE dbmigrate_guard (n CONSTRAINT nothing_wrong CHECK (n = 0));
        CREATE TEMP TABLE dbmigrate_violations AS SELECT "table", rowid AS n, parent
            FROM pragma_foreign_key_check;

        CREATE INDEX "ix_user_age" ON "user" ("age");
        ALTER TABLE "user" DROP COLUMN "nick";
        CREATE TABLE "post" (
            "id" INTEGER NOT NULL CONSTRAINT "pk_post" PRIMARY KEY,
            "author_id" INTEGER CONSTRAINT "fk_post_author_id_user" REFERENCES "user" ("id") ON DELETE CASCADE,
            "text" TEXT NOT NULL
        );

        -- Abort if this introduced foreign key violations.
        INSERT INTO temp.dbmigrate_guard SELECT count(*) FROM (
            SELECT "table", rowid, parent FROM pragma_foreign_key_check
            EXCEPT SELECT * FROM temp.dbmigrate_violations);
        DROP TABLE temp.dbmigrate_guard;
        DROP TABLE temp.dbmigrate_violations;
        COMMIT;
        exit code 0
    "#]]);
    it.check(
        "drift.db",
        "diff current database --exit-code -v",
        expect![[r#"
            removed index `ix_user_age` on `user`
            added column `user.nick`
            removed table `post`
            Not described by the migrations:
              index `theirs`
              view `names`
            Database: sqlite:$HOST/drift.db
            exit code 1
        "#]],
    );
    it.check(
        "drift.db",
        "check --no-database -v",
        expect![[r#"
        Models and migrations agree.
        exit code 0
    "#]],
    );
    // The statements bring it in line.
    let run = it.run("drift.db", "diff database current --sql");
    it.make("drift.db", &run.stdout);
    it.check(
        "drift.db",
        "check",
        expect![[r#"
            Models and migrations agree.
            The database is at the head.
            The database agrees with the migrations.
            Database: sqlite:$HOST/drift.db
            2 objects of the database not described by the migrations; -v lists them
            exit code 0
        "#]],
    );
}

/// A revision whose model isn't there yet.
fn compares_any_two(it: &Databases) {
    let up = "op.add_column(\"post\", Column::new(\"likes\", Type::Integer).not_null().default(0));
    op.create_table(Table::new(\"tag\").column(Column::new(\"name\", Type::Text)));";
    let down = "op.drop_table(\"tag\");\n    op.drop_column(\"post\", \"likes\");";
    let text = revision("b200", &["a100"], "likes", up, down);
    it.host.write("migrations/versions/m2_likes.rs", &text);
    it.check(
        "drift.db",
        "diff",
        expect![[r#"
        removed column `post.likes`
        removed table `tag`
        exit code 0
    "#]],
    );
    it.check(
        "drift.db",
        "diff models migrations --exit-code",
        expect![[r#"
        added column `post.likes`
        added table `tag`
        exit code 1
    "#]],
    );
    it.check(
        "drift.db",
        "diff base +1",
        expect![[r#"
        added table `user`
        added index `ix_user_age` on `user`
        added table `post`
        added table `tag`
        exit code 0
    "#]],
    );
    it.check(
        "drift.db",
        "diff a1 b2 --sql",
        expect![[r#"
            .bail on
            -- For the sqlite3 shell, as in `sqlite3 app.db < script.sql`: it stops at the first error, and rolls back.
            -- Do not paste this into an interactive shell, which goes on after an error. Other clients: `--sql=plain`.
            -- Whether views and triggers still work isn't tried here; `cargo dbmigrate upgrade` does.
            PRAGMA foreign_keys = OFF;
            BEGIN IMMEDIATE;

            -- Guard table: inserting anything but 0 fails.
            CREATE TEMP TABLE dbmigrate_guard (n CONSTRAINT nothing_wrong CHECK (n = 0));
            CREATE TEMP TABLE dbmigrate_violations AS SELECT "table", rowid AS n, parent
                FROM pragma_foreign_key_check;

            ALTER TABLE "post" ADD COLUMN "likes" INTEGER NOT NULL DEFAULT 0;
            CREATE TABLE "tag" (
                "name" TEXT
            );

            -- Abort if this introduced foreign key violations.
            INSERT INTO temp.dbmigrate_guard SELECT count(*) FROM (
                SELECT "table", rowid, parent FROM pragma_foreign_key_check
                EXCEPT SELECT * FROM temp.dbmigrate_violations);
            DROP TABLE temp.dbmigrate_guard;
            DROP TABLE temp.dbmigrate_violations;
            COMMIT;
            exit code 0
        "#]],
    );
    it.check(
        "drift.db",
        "diff b200 head --exit-code",
        expect![[r#"
        No differences.
        exit code 0
    "#]],
    );
    it.check(
        "drift.db",
        "diff database models --exit-code",
        expect![[r#"
            No differences.
            2 objects of the database not described by the migrations; -v lists them
            exit code 0
        "#]],
    );
    it.check(
        "drift.db",
        "diff database --format json b200",
        expect![[r#"
            {
              "command": "diff",
              "differences": [
                "added column `post.likes`",
                "added table `tag`"
              ],
              "from": "database",
              "others": [
                {
                  "kind": "index",
                  "name": "theirs"
                },
                {
                  "kind": "view",
                  "name": "names"
                }
              ],
              "sql": null,
              "to": "b200",
              "url": "sqlite:$HOST/drift.db",
              "version": 1
            }
            2 objects of the database not described by the migrations; -v lists them
            exit code 0
        "#]],
    );
    it.check(
        "drift.db",
        "diff a100 nope",
        expect![[r#"
        error: no revision `nope` in this project
          hint: `cargo dbmigrate history` lists them
        exit code 3
    "#]],
    );
    // It is compared with the revisions that it has.
    it.check(
        "drift.db",
        "check",
        expect![[r#"
            The list in migrations/mod.rs is not that of the revision files:
              it lacks migrations/versions/m2_likes.rs
            Models and migrations differ:
              Detected removed column `post.likes`
              Detected removed table `tag`
            The database is behind: b200 pending.
            The database agrees with the migrations.
            `cargo dbmigrate migrate` brings it in line
            `cargo dbmigrate migrate` writes a revision for it
            Database: sqlite:$HOST/drift.db
            2 objects of the database not described by the migrations; -v lists them
            exit code 1
        "#]],
    );
    it.make("drift.db", "CREATE TABLE tag (name TEXT)");
    it.check(
        "drift.db",
        "check",
        expect![[r#"
            The list in migrations/mod.rs is not that of the revision files:
              it lacks migrations/versions/m2_likes.rs
            Models and migrations differ:
              Detected removed column `post.likes`
              Detected removed table `tag`
            The database is behind: b200 pending.
            The database differs from the migrations:
              table `tag` is there already, and a later revision makes it
            `cargo dbmigrate migrate` brings it in line
            `cargo dbmigrate migrate` writes a revision for it
            Database: sqlite:$HOST/drift.db
            `cargo dbmigrate stamp --verify head` enters the revisions as applied, if the database is what they build
            2 objects of the database not described by the migrations; -v lists them
            exit code 1
        "#]],
    );
    it.make("drift.db", "DROP TABLE tag");
}

fn writes_what_a_database_lacks(it: &Databases) {
    it.check(
        "drift.db",
        "migrate --against database --dry-run",
        expect![[r#"
        error: the database is not up to date: b200 pending
          hint: `cargo dbmigrate upgrade` applies them; --against migrations needs no database
        exit code 3
    "#]],
    );
    std::fs::remove_file(it.host.dir.join("migrations/versions/m2_likes.rs")).unwrap();
    it.check(
        "drift.db",
        "migrate --against database",
        expect![[r#"
        No changes in schema detected.
        exit code 0
    "#]],
    );
    it.check(
        "drift.db",
        "revision --against database",
        expect![[r#"
        error: --against database: an empty revision compares nothing
          hint: `migrate`, or `revision --autogenerate`, compares models and database
        exit code 3
    "#]],
    );
    it.host.replace(
        "src/lib.rs",
        "pub text: String,",
        "pub text: Option<String>,\n pub likes: Option<i32>,",
    );
    // What is there already isn't written; what others made is left alone.
    it.make("drift.db", "ALTER TABLE post ADD COLUMN likes INTEGER; CREATE TABLE log (text)");
    it.check(
        "drift.db",
        "migrate --against database --rev-id c300",
        expect![[r#"
            Detected changed column `post.text`: to NULL
            Generating migrations/versions/m$DAY_$TIME_c300.rs ... done
            exit code 0
        "#]],
    );
    let [_, file] = it.host.revisions().try_into().unwrap();
    let module = it.host.read(&file);
    assert!(module.contains("op.alter_column(\"post\", \"text\""), "{module}");
    assert!(!module.contains("likes") && !module.contains("log"), "{module}");
    std::fs::remove_file(it.host.dir.join(file)).unwrap();
    // What the migrations build already can't be written again.
    it.make("drift.db", "ALTER TABLE user DROP COLUMN active");
    it.check("drift.db", "migrate --against database", expect![[r#"
        Detected added column `user.active`
        Detected changed column `post.text`: to NULL
        note: since the command failed, these are as they were before: `migrations/mod.rs`
        error: the difference from the database does not fit what the migrations build
          caused by: cannot add column `active` to table `user`: it already exists
          hint: the database has changes that no migration made: `cargo dbmigrate check` lists them, and --against migrations leaves them out
        exit code 3
    "#]]);
}

fn knows_what_raw_sql_says_of_itself(it: &Databases) {
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
    it.host.write("migrations/versions/m4_raw.rs", &text);
    it.check("raw.db", "upgrade", expect![[r#"
        Running upgrade <base> -> a100, initial
        Running upgrade a100 -> d400, raw
        warning: revision `d400`: add check `ck_text` to table `user`: check `ck_text`: `"nmae"` is in double quotes, which makes it a name, and table `user` has no such column; SQLite reads it as a text
        exit code 0
    "#]]);
    it.check(
        "raw.db",
        "check -v",
        expect![[r#"
            The list in migrations/mod.rs is not that of the revision files:
              it lacks migrations/versions/m4_raw.rs
              it has `m$DAY_$TIME_c300;` without a file, or twice
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
            `cargo dbmigrate diff database current --sql` prints what would bring it in line
            exit code 1
        "#]],
    );
    // What they tell of and is gone is missing.
    it.make("raw.db", "DROP VIEW names; DROP TRIGGER tr; DROP TABLE docs");
    it.check(
        "raw.db",
        "check",
        expect![[r#"
            The list in migrations/mod.rs is not that of the revision files:
              it lacks migrations/versions/m4_raw.rs
              it has `m$DAY_$TIME_c300;` without a file, or twice
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
            `cargo dbmigrate diff database current --sql` prints what would bring it in line
            a new revision can make again what is missing beside tables
            1 object of the database not described by the migrations; -v lists them
            exit code 1
        "#]],
    );
    it.make("raw.db", "DROP TABLE silent; DROP TABLE told; DROP TABLE odd; DROP TABLE user; DROP TABLE post; DROP TABLE dbmigrate_version");
    it.run("raw.db", "upgrade");
    it.check(
        "raw.db",
        "downgrade base --allow-destructive",
        expect![[r#"
        Running downgrade d400 -> a100, raw
        Running downgrade a100 -> <base>, initial
        exit code 0
    "#]],
    );
    std::fs::remove_file(it.host.dir.join("migrations/versions/m4_raw.rs")).unwrap();
    it.host.write("src/lib.rs", databases::MODELS);
}

/// Equal defaults in other spellings are none of it.
fn names_what_no_revision_can_say(it: &Databases) {
    let odd = THEIRS
        .replace("id INTEGER PRIMARY KEY,", "id INTEGER NOT NULL PRIMARY KEY DESC,")
        .replace("varchar(50) NOT NULL UNIQUE", "varchar(50) NOT NULL ON CONFLICT ABORT")
        .replace("DEFAULT 0 NOT NULL", "DEFAULT (+0x0) NOT NULL COLLATE BINARY")
        .replace("DEFAULT FALSE", "DEFAULT '0.0', UNIQUE (name COLLATE NOCASE)")
        .replace("text TEXT NOT NULL", "text TEXT NOT NULL ON CONFLICT REPLACE")
        .replace("(name) VALUES ('ada')", "(id, name) VALUES (1, 'ada')");
    it.make("odd.db", &odd);
    it.check("odd.db", "stamp --verify head", expect![[r#"
        error: the database is not what revision `a100` builds:
          primary key of table `User` is sorted DESC, so SQLite generates no values for it, which no revision can say
          unique constraint on `name` of table `User` compares `name` by the collation NOCASE, which no revision can say
          column `post.text` is NOT NULL ON CONFLICT REPLACE, which no revision can say
          hint: stamp the revision that it is, or bring it in line by hand; without --verify it is stamped all the same
        exit code 3
    "#]]);
    it.run("odd.db", "stamp head");
    it.check("odd.db", "check", expect![[r#"
        The list in migrations/mod.rs is not that of the revision files:
          it has `m$DAY_$TIME_c300;` without a file, or twice
        Models and migrations agree.
        The database is at the head.
        The database differs from the migrations:
          primary key of table `User` is sorted DESC, so SQLite generates no values for it, which no revision can say
          unique constraint on `name` of table `User` compares `name` by the collation NOCASE, which no revision can say
          column `post.text` is NOT NULL ON CONFLICT REPLACE, which no revision can say
        `cargo dbmigrate migrate` brings it in line
        Database: sqlite:$HOST/odd.db
        what no revision can say stays as it is; take it out by hand, or leave the column out of the comparison with `exclude` in dbmigrate.toml
        10 objects of the database not described by the migrations; -v lists them
        exit code 1
    "#]]);
    it.check("odd.db", "diff database models", expect![[r#"
        primary key of table `User` is sorted DESC, so SQLite generates no values for it, which no revision can say
        unique constraint on `name` of table `User` compares `name` by the collation NOCASE, which no revision can say
        column `post.text` is NOT NULL ON CONFLICT REPLACE, which no revision can say
        10 objects of the database not described by the migrations; -v lists them
        exit code 0
    "#]]);
    let run = it.run("odd.db", "migrate --against database");
    assert!(run.stderr.contains("in the database column `post.text` is NOT NULL ON"), "{run}");
    let settings = it.host.read("migrations/dbmigrate.toml");
    let exclude = "\nexclude = [\"post.text\", \"user.id\", \"user.name\"]\n";
    it.host.replace("migrations/dbmigrate.toml", "\nexclude = []\n", exclude);
    let run = it.run("odd.db", "check");
    assert!(run.stdout.contains("The database agrees with the migrations."), "{run}");
    it.host.write("migrations/dbmigrate.toml", &settings);
    let run = it.run("odd.db", "diff database models --sql");
    assert!(run.stdout.contains("-- Stays: column `post.text` is NOT NULL ON CONFLICT"), "{run}");
}

fn says_when_nothing_is_compared(it: &Databases) {
    for file in it.host.revisions() {
        std::fs::remove_file(it.host.dir.join(file)).unwrap();
    }
    it.host.write("src/lib.rs", "// No models.\n");
    it.make("alien.db", "CREATE TABLE a (x); CREATE TABLE b (y); CREATE VIEW v AS SELECT 1");
    it.check(
        "alien.db",
        "diff models database --exit-code",
        expect![[r#"
        Nothing was compared: the package has no models, and the migrations no tables.
        3 objects of the database not described by the migrations; -v lists them
        exit code 1
    "#]],
    );
    it.check(
        "alien.db",
        "diff migrations database",
        expect![[r#"
        Nothing was compared: no table of the database is described.
        3 objects of the database not described by the migrations; -v lists them
        exit code 0
    "#]],
    );
    it.check(
        "alien.db",
        "diff models migrations --exit-code",
        expect![[r#"
        No differences.
        exit code 0
    "#]],
    );
    it.check(
        "alien.db",
        "check",
        expect![[r#"
            The list in migrations/mod.rs is not that of the revision files:
              it has `m$DAY_$TIME_a100_initial;` without a file, or twice
            The package has no models, and the migrations no tables: nothing to compare.
            There are no revisions yet.
            Nothing of the database was compared: the applied revisions describe nothing of it.
            `cargo dbmigrate migrate` brings it in line
            Database: sqlite:$HOST/alien.db
            3 objects of the database not described by the migrations; -v lists them
            exit code 1
        "#]],
    );
    it.check("alien.db", "migrate", expect![[r#"
        note: since the command failed, these are as they were before: `migrations/mod.rs`
        error: the package `drift` has no models
          hint: put `#[derive(dbmigrate_runtime::Model)]` on the structs that are tables; if they are behind a feature or in another package, name it in dbmigrate.toml
        exit code 3
    "#]]);
    let text = revision("e500", &[], "raw", "op.execute(\"CREATE TABLE c (z)\");", "");
    it.host.write("migrations/versions/m5_raw.rs", &text);
    it.check(
        "alien.db",
        "stamp --verify head",
        expect![[r#"
            Running stamp_revision <base> -> e500
            warning: --verify compared nothing: these revisions describe nothing of the database
            exit code 0
        "#]],
    );
    it.check(
        "alien.db",
        "check --no-database",
        expect![[r#"
            The list in migrations/mod.rs is not that of the revision files:
              it lacks migrations/versions/m5_raw.rs
              it has `m$DAY_$TIME_a100_initial;` without a file, or twice
            The package has no models, and the migrations no tables: nothing to compare.
            `cargo dbmigrate migrate` brings it in line
            exit code 1
        "#]],
    );
    it.check(
        "alien.db",
        "check",
        expect![[r#"
            The list in migrations/mod.rs is not that of the revision files:
              it lacks migrations/versions/m5_raw.rs
              it has `m$DAY_$TIME_a100_initial;` without a file, or twice
            The package has no models, and the migrations no tables: nothing to compare.
            The database is at the head.
            Nothing of the database was compared: the applied revisions describe nothing of it.
            `cargo dbmigrate migrate` brings it in line
            Database: sqlite:$HOST/alien.db
            3 objects of the database not described by the migrations; -v lists them
            exit code 1
        "#]],
    );
}
