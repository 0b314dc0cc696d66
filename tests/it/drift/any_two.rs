//! Comparing any two of models, migrations, a revision and a database: `diff`, and what is written
//! from it.

use dbmigrate_tests::revision;
use expect_test::expect;

use super::databases::Databases;

/// A revision whose model doesn't exist yet.
pub fn compares_any_two(databases: &Databases) {
    let up = "op.add_column(\"post\", Column::new(\"likes\", Type::Integer).not_null().default(0));
    op.create_table(Table::new(\"tag\").column(Column::new(\"name\", Type::Text)));";
    let down = "op.drop_table(\"tag\");\n    op.drop_column(\"post\", \"likes\");";
    let text = revision("b200", &["a100"], "likes", up, down);
    databases.host.write("migrations/versions/m2_likes.rs", &text);
    databases.check(
        "drift.db",
        "diff",
        expect![[r#"
        removed column `post.likes`
        removed table `tag`
        exit code 0
    "#]],
    );
    databases.check(
        "drift.db",
        "diff models migrations --exit-code",
        expect![[r#"
        added column `post.likes`
        added table `tag`
        exit code 1
    "#]],
    );
    databases.check(
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
    databases.check(
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
    databases.check(
        "drift.db",
        "diff b200 head --exit-code",
        expect![[r#"
        No differences.
        exit code 0
    "#]],
    );
    databases.check(
        "drift.db",
        "diff database models --exit-code",
        expect![[r#"
            No differences.
            2 objects in the database not described by the migrations; -v lists them
            exit code 0
        "#]],
    );
    databases.check(
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
            2 objects in the database not described by the migrations; -v lists them
            exit code 0
        "#]],
    );
    databases.check(
        "drift.db",
        "diff a100 nope",
        expect![[r#"
        error: no revision `nope` in this project
          hint: `cargo dbmigrate history` lists them
        exit code 3
    "#]],
    );
    // The database is compared with the revisions that it has.
    databases.check(
        "drift.db",
        "check",
        expect![[r#"
            The list in migrations/mod.rs does not match the revision files:
              it lacks migrations/versions/m2_likes.rs
            Models and migrations differ:
              Detected removed column `post.likes`
              Detected removed table `tag`
            The database is behind: b200 pending.
            The database agrees with the migrations.
            `cargo dbmigrate migrate` brings it in line
            `cargo dbmigrate migrate` writes a revision for it
            Database: sqlite:$HOST/drift.db
            2 objects in the database not described by the migrations; -v lists them
            warning[no-primary-key]: revision `b200`: create table `tag`: it has no primary key
              in migrations/versions/m2_likes.rs, on SQLite
              hint: add a primary key
            exit code 1
        "#]],
    );
    databases.make("drift.db", "CREATE TABLE tag (name TEXT)");
    databases.check(
        "drift.db",
        "check",
        expect![[r#"
            The list in migrations/mod.rs does not match the revision files:
              it lacks migrations/versions/m2_likes.rs
            Models and migrations differ:
              Detected removed column `post.likes`
              Detected removed table `tag`
            The database is behind: b200 pending.
            The database differs from the migrations:
              table `tag` already exists, but is created by a later revision
            `cargo dbmigrate migrate` brings it in line
            `cargo dbmigrate migrate` writes a revision for it
            Database: sqlite:$HOST/drift.db
            `cargo dbmigrate stamp --verify head` marks the revisions as applied, if the database matches them
            2 objects in the database not described by the migrations; -v lists them
            warning[no-primary-key]: revision `b200`: create table `tag`: it has no primary key
              in migrations/versions/m2_likes.rs, on SQLite
              hint: add a primary key
            exit code 1
        "#]],
    );
    databases.make("drift.db", "DROP TABLE tag");
}

pub fn writes_what_a_database_lacks(databases: &Databases) {
    databases.check(
        "drift.db",
        "migrate --against database --dry-run",
        expect![[r#"
        error: the database is not up to date: b200 pending
          hint: `cargo dbmigrate upgrade` applies them; --against migrations needs no database
        exit code 3
    "#]],
    );
    std::fs::remove_file(databases.host.dir.join("migrations/versions/m2_likes.rs")).unwrap();
    databases.check(
        "drift.db",
        "migrate --against database",
        expect![[r#"
        No changes in schema detected.
        exit code 0
    "#]],
    );
    databases.check(
        "drift.db",
        "revision --against database",
        expect![[r#"
        error: --against database: an empty revision compares nothing
          hint: `migrate`, or `revision --autogenerate`, compares models and database
        exit code 3
    "#]],
    );
    databases.host.replace(
        "src/lib.rs",
        "pub text: String,",
        "pub text: Option<String>,\n pub likes: Option<i32>,",
    );
    // What already exists isn't written; what others created is left alone.
    databases
        .make("drift.db", "ALTER TABLE post ADD COLUMN likes INTEGER; CREATE TABLE log (text)");
    databases.check(
        "drift.db",
        "migrate --against database --rev-id c300",
        expect![[r#"
            Detected changed column `post.text`: to NULL
            Generating migrations/versions/m$DAY_$TIME_c300.rs ... done
            warning[drop-not-null]: revision `c300`: alter column `text` of table `post`: a running program that does not expect NULL fails on rows in which it is NULL
              in migrations/versions/m$DAY_$TIME_c300.rs, on SQLite
              hint: have the program read the column as an `Option` in one release, and make it nullable in a later one, behind `op.barrier(...)`
            exit code 0
        "#]],
    );
    let [_, file] = databases.host.revisions().try_into().unwrap();
    let module = databases.host.read(&file);
    assert!(module.contains("op.alter_column(\"post\", \"text\""), "{module}");
    assert!(!module.contains("likes") && !module.contains("log"), "{module}");
    std::fs::remove_file(databases.host.dir.join(file)).unwrap();
    // What the migrations already build can't be written again.
    databases.make("drift.db", "ALTER TABLE user DROP COLUMN active");
    databases.check("drift.db", "migrate --against database", expect![[r#"
        Detected added column `user.active`
        Detected changed column `post.text`: to NULL
        note: since the command failed, these files were restored: `migrations/mod.rs`
        error: the changes from the database do not fit what the migrations build
          caused by: cannot add column `active` to table `user`: it already exists
          hint: the database has changes that no migration made: `cargo dbmigrate check` lists them, and --against migrations ignores them
        exit code 3
    "#]]);
}
