//! Migrations compared with live databases: `check`, `diff`, `stamp --verify`, `--against
//! database`.

mod any_two;
mod beyond;
mod databases;

use databases::{Databases, MODELS, THEIRS};
use dbmigrate_tests::Host;
use expect_test::expect;

#[test]
fn migrations_and_live_databases_are_compared() {
    let host = Host::library("drift", MODELS);
    host.ok("init");
    host.ok("migrate -m initial --rev-id a100");
    let databases = Databases { host };
    adopts_a_database(&databases);
    tells_drift(&databases);
    any_two::compares_any_two(&databases);
    any_two::writes_what_a_database_lacks(&databases);
    beyond::knows_what_raw_sql_says_of_itself(&databases);
    beyond::names_what_no_revision_can_say(&databases);
    beyond::says_when_nothing_is_compared(&databases);
}

fn adopts_a_database(databases: &Databases) {
    databases.make("theirs.db", THEIRS);
    databases.check(
        "theirs.db",
        "check",
        expect![[r#"
            Models and migrations agree.
            The database is behind: a100 pending.
            The database differs from the migrations:
              table `User` already exists, but is created by a later revision
              table `post` already exists, but is created by a later revision
            Database: sqlite:$HOST/theirs.db
            `cargo dbmigrate stamp --verify head` marks the revisions as applied, if the database matches them
            9 objects in the database not described by the migrations; -v lists them
            warning[unindexed-foreign-key]: revision `a100`: create table `post`: no index of table `post` begins with the columns of `fk_post_author_id_user`: `author_id`
              in migrations/versions/m$DAY_$TIME_a100_initial.rs, on SQLite
              hint: add an index that begins with the columns, in the model with `#[model(index)]`
            exit code 1
        "#]],
    );
    databases.check("none.db", "stamp --verify head", expect![[r#"
        error: the database does not match revision `a100`:
          table `post` is missing from the database
          table `user` is missing from the database
          hint: stamp the revision that it matches, or bring it in line by hand; without --verify it is stamped anyway
        exit code 3
    "#]]);
    assert!(!databases.host.dir.join("none.db").exists());
    databases.check(
        "theirs.db",
        "stamp --verify head",
        expect![[r#"
        Running stamp_revision <base> -> a100
        exit code 0
    "#]],
    );
    databases.check(
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
            warning[unindexed-foreign-key]: revision `a100`: create table `post`: no index of table `post` begins with the columns of `fk_post_author_id_user`: `author_id`
              in migrations/versions/m$DAY_$TIME_a100_initial.rs, on SQLite
              hint: add an index that begins with the columns, in the model with `#[model(index)]`
            exit code 0
        "#]],
    );
    databases.check(
        "theirs.db",
        "upgrade",
        expect![[r#"
            Nothing to upgrade: sqlite:$HOST/theirs.db is at a100
            exit code 0
        "#]],
    );
    databases.check(
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
    databases.check("theirs.db", "stamp --verify base", expect![[r#"
        error: the database does not match its state before the first revision:
          table `User` already exists, but is created by a later revision
          table `post` already exists, but is created by a later revision
          hint: stamp the revision that it matches, or bring it in line by hand; without --verify it is stamped anyway
        exit code 3
    "#]]);
    databases.check(
        "theirs.db",
        "stamp --verify --purge head",
        expect![[r#"
        Running stamp_revision a100 -> a100
        exit code 0
    "#]],
    );
    databases.check(
        "theirs.db",
        "stamp --verify --sql head",
        expect![[r#"
            error: the argument '--verify' cannot be used with '--sql[=<FOR>]'

            Usage: cargo dbmigrate stamp --verify --url <URL> <REV>...

            For more information, try '--help'.
            exit code 2
        "#]],
    );
    databases.make("other.db", &THEIRS.replace("NOT NULL UNIQUE", "").replace("50", "60"));
    databases.check("other.db", "stamp --verify head", expect![[r#"
        error: the database does not match revision `a100`:
          unique constraint `uq_user_name` of table `user` is missing from the database
          column `user.name` has the type `varchar(60)`, but `VARCHAR(50)` in the migrations
          column `user.name` is nullable, but NOT NULL in the migrations
          hint: stamp the revision that it matches, or bring it in line by hand; without --verify it is stamped anyway
        exit code 3
    "#]]);
    databases.check(
        "other.db",
        "current",
        expect![[r#"
            Database: sqlite:$HOST/other.db
            exit code 0
        "#]],
    );
}

fn tells_drift(databases: &Databases) {
    databases.run("drift.db", "upgrade");
    databases.check(
        "drift.db",
        "check -v",
        expect![[r#"
            Models and migrations agree.
            The database is at the head.
            The database agrees with the migrations.
            Database: sqlite:$HOST/drift.db
            warning[unindexed-foreign-key]: revision `a100`: create table `post`: no index of table `post` begins with the columns of `fk_post_author_id_user`: `author_id`
              in migrations/versions/m$DAY_$TIME_a100_initial.rs, on SQLite
              hint: add an index that begins with the columns, in the model with `#[model(index)]`
            exit code 0
        "#]],
    );
    databases.make(
        "drift.db",
        "ALTER TABLE user ADD COLUMN nick TEXT;
         DROP INDEX ix_user_age;
         DROP TABLE post;
         CREATE VIEW names AS SELECT name FROM user;
         CREATE INDEX theirs ON user (name, age)",
    );
    databases.check(
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
            `cargo dbmigrate diff database current --sql` prints the SQL that would bring it in line
            2 objects in the database not described by the migrations; -v lists them
            warning[unindexed-foreign-key]: revision `a100`: create table `post`: no index of table `post` begins with the columns of `fk_post_author_id_user`: `author_id`
              in migrations/versions/m$DAY_$TIME_a100_initial.rs, on SQLite
              hint: add an index that begins with the columns, in the model with `#[model(index)]`
            exit code 1
        "#]],
    );
    databases.check(
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
              "findings": [
                {
                  "databases": [
                    "sqlite"
                  ],
                  "hint": "add an index that begins with the columns, in the model with `#[model(index)]`",
                  "level": "warn",
                  "message": "no index of table `post` begins with the columns of `fk_post_author_id_user`: `author_id`",
                  "operation": "create table `post`",
                  "path": "migrations/versions/m$DAY_$TIME_a100_initial.rs",
                  "revision": "a100",
                  "rule": "unindexed-foreign-key"
                }
              ],
              "heads": [
                "a100"
              ],
              "not_compared": [],
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
            `cargo dbmigrate diff database current --sql` prints the SQL that would bring it in line
            2 objects in the database not described by the migrations; -v lists them
            warning[unindexed-foreign-key]: revision `a100`: create table `post`: no index of table `post` begins with the columns of `fk_post_author_id_user`: `author_id`
              in migrations/versions/m$DAY_$TIME_a100_initial.rs, on SQLite
              hint: add an index that begins with the columns, in the model with `#[model(index)]`
            exit code 1
        "#]],
    );
    databases.check(
        "drift.db",
        "diff database current",
        expect![[r#"
            added index `ix_user_age` on `user`
            removed column `user.nick`
            added table `post`
            2 objects in the database not described by the migrations; -v lists them
            exit code 0
        "#]],
    );
    databases.check("drift.db", "diff database current --sql", expect![[r#"
        .bail on
        -- For the sqlite3 shell, as in `sqlite3 app.db < script.sql`: it stops at the first error, and rolls back.
        -- Do not paste this into an interactive shell, which goes on after an error. Other clients: `--sql=plain`.
        -- Discards the data in column `nick` of `user`.
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
    databases.check(
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
    databases.check(
        "drift.db",
        "check --no-database -v",
        expect![[r#"
            Models and migrations agree.
            warning[unindexed-foreign-key]: revision `a100`: create table `post`: no index of table `post` begins with the columns of `fk_post_author_id_user`: `author_id`
              in migrations/versions/m$DAY_$TIME_a100_initial.rs, on SQLite
              hint: add an index that begins with the columns, in the model with `#[model(index)]`
            exit code 0
        "#]],
    );
    // The statements remove the differences.
    let run = databases.run("drift.db", "diff database current --sql");
    databases.make("drift.db", &run.stdout);
    databases.check(
        "drift.db",
        "check",
        expect![[r#"
            Models and migrations agree.
            The database is at the head.
            The database agrees with the migrations.
            Database: sqlite:$HOST/drift.db
            2 objects in the database not described by the migrations; -v lists them
            warning[unindexed-foreign-key]: revision `a100`: create table `post`: no index of table `post` begins with the columns of `fk_post_author_id_user`: `author_id`
              in migrations/versions/m$DAY_$TIME_a100_initial.rs, on SQLite
              hint: add an index that begins with the columns, in the model with `#[model(index)]`
            exit code 0
        "#]],
    );
}
