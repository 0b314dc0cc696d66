//! One revision in place of several: on new databases, on those that have all of them, on those
//! that have some, and on those that are migrated after the files are gone.

mod commands;
mod points;
mod refused;

use std::fs;
use std::path::Path;

use dbmigrate_tests::{Host, dump, revision, sql};
use expect_test::{Expect, expect};

const USER: &str = "op.create_table(Table::new(\"user\").column(Column::new(\"id\", \
                    Type::BigInteger).not_null()).column(Column::new(\"login\", \
                    Type::String(20)).not_null()).primary_key(\"pk_user\", [\"id\"]));";

const EMAIL: &str = "op.add_column(\"user\", Column::new(\"email\", Type::String(120)));";

const NAME: &str = "op.rename_column(\"user\", \"login\", \"name\");\n    \
                    op.create_index(\"user\", Index::new(\"ix_user_email\", [\"email\"]));";

const NO_NAME: &str = "op.drop_index(\"user\", \"ix_user_email\");\n    \
                       op.rename_column(\"user\", \"name\", \"login\");";

const SEEDS: &str = "op.execute(\"INSERT INTO user (id, name) VALUES (1, 'root')\");";

const POST: &str = "op.create_table(Table::new(\"post\").column(Column::new(\"id\", \
                    Type::BigInteger).not_null()).primary_key(\"pk_post\", [\"id\"]));";

const MODELS: &str = "\
use dbmigrate_runtime::Model;

#[derive(Model)]
pub struct User {
    #[model(primary_key)]
    pub id: i64,
    #[model(length = 20)]
    pub name: String,
    #[model(length = 120, index)]
    pub email: Option<String>,
}

#[derive(Model)]
pub struct Post {
    #[model(primary_key)]
    pub id: i64,
}
";

/// Five revisions; the fourth one inserts a row.
fn host(name: &str) -> Host {
    let host = Host::library(name, MODELS);
    host.ok("init");
    let template = "\"m{year}{month}{day}_{hour}{minute}{second}_{rev}_{slug}\"";
    host.replace("migrations/dbmigrate.toml", template, "\"m_{rev}\"");
    let module = |id: &str, parent: &[&str], message: &str, up: &str, down: &str| {
        let text = revision(id, parent, message, up, down);
        host.write(&format!("migrations/versions/m_{id}.rs"), &text);
    };
    module("a1", &[], "user", USER, "op.drop_table(\"user\");");
    module("b2", &["a1"], "email", EMAIL, "op.drop_column(\"user\", \"email\");");
    module("c3", &["b2"], "name", NAME, NO_NAME);
    module("d4", &["c3"], "root", SEEDS, "op.execute(\"DELETE FROM user WHERE id = 1\");");
    module("e5", &["d4"], "post", POST, "op.drop_table(\"post\");");
    host
}

/// Runs the commands one after the other and compares their output.
#[track_caller]
fn play(host: &Host, commands: &[&str], expect: Expect) {
    let mut seen = String::new();
    for command in commands {
        let run = host.dbmigrate(command);
        seen += &format!("$ cargo dbmigrate {command}\n{}{}", run.stdout, run.errors());
        if run.code != 0 {
            seen += &format!("[{}]\n", run.code);
        }
    }
    let lines = seen.lines().map(|line| match line.split_once("Create Date: ") {
        Some((before, _)) => format!("{before}Create Date: $CREATED\n"),
        None => format!("{line}\n"),
    });
    expect.assert_eq(&host.plain(&lines.collect::<String>()));
}

/// The contents of a database, without the version rows.
fn contents(path: &Path) -> String {
    let text = dump(path);
    let lines = text.lines().filter(|line| !line.starts_with("dbmigrate_version"));
    lines.map(|line| format!("{line}\n")).collect()
}

/// The text without white space, since a column that was added later is on its own line.
fn compact(text: &str) -> String {
    text.split_whitespace().collect()
}

#[test]
fn a_squash_leaves_every_database_a_way() {
    let host = host("squash");
    let path = |name: &str| host.dir.join(name);
    for (name, to) in [("all", "head"), ("half", "b2"), ("left", "b2"), ("back", "head")] {
        host.ok(&format!("upgrade {to} --url sqlite:{name}.db"));
        let name_column = if to == "head" { "name" } else { "login" };
        let insert = format!("INSERT INTO user (id, {name_column}, email) VALUES (7, 'x', 'x@y')");
        sql(&path(&format!("{name}.db")), &insert);
    }
    play(
        &host,
        &[
            "squash :d4 -m \"users\" --rev-id 5aaa",
            "squash a1:d4",
            "heads",
            "history",
            "show 5aaa",
            "show b2",
            "check --url sqlite:all.db",
            "check --url sqlite:half.db",
            "check --url sqlite:new.db",
            "current --url sqlite:all.db",
            "current --url sqlite:half.db",
            "history -i --url sqlite:half.db",
            "upgrade --url sqlite:all.db",
            "upgrade --url sqlite:half.db",
            "upgrade --url sqlite:new.db",
            "current --url sqlite:new.db",
            "check --url sqlite:half.db",
            "check --url sqlite:new.db",
        ],
        expect![[r#"
            $ cargo dbmigrate squash :d4 -m "users" --rev-id 5aaa
            Generating migrations/versions/m_5aaa.rs ... done
            `5aaa` replaces 4 revisions on new databases: a1, b2, c3, d4
            keep their files until every database has applied all of them: a database that has applied some of them continues with the others
            $ cargo dbmigrate squash a1:d4
            error: revision `a1` is already replaced by `5aaa`, in migrations/versions/m_5aaa.rs
              hint: squash from `5aaa` or up to it
            [3]
            $ cargo dbmigrate heads
            e5 (head)
            $ cargo dbmigrate history
            5aaa -> e5 (head), post
            <base> -> 5aaa, users
            $ cargo dbmigrate show 5aaa
            Rev: 5aaa
            Parent: <base>
            Replaces: a1, b2, c3, d4
            Path: migrations/versions/m_5aaa.rs

                users

                Revision ID: 5aaa
                Revises: <base>
                Create Date: $CREATED

            upgrade:
                create table `user`
                create index `ix_user_email` on table `user`
                execute SQL
            downgrade:
                execute SQL
                drop index `ix_user_email` of table `user`
                rename column `name` of table `user` to `login`
                drop column `email` of table `user`
                drop table `user`
            $ cargo dbmigrate show b2
            Rev: b2
            Parent: a1
            Path: migrations/versions/m_b2.rs

                email

            upgrade:
                add column `email` to table `user`
            downgrade:
                drop column `email` of table `user`
            note: revision `b2` is part of `5aaa`, which replaces it
            $ cargo dbmigrate check --url sqlite:all.db
            Models and migrations agree.
            The database is at the head.
            The database agrees with the migrations.
            Database: sqlite:$HOST/all.db
            $ cargo dbmigrate check --url sqlite:half.db
            Models and migrations agree.
            The database is behind: c3, d4, e5 pending.
            The database agrees with the migrations.
            Database: sqlite:$HOST/half.db
            warning[rename-column]: revision `c3`: rename column `login` of table `user` to `name`: a running program that uses the previous name fails
              in migrations/versions/m_c3.rs, on SQLite
              hint: keep the name with `#[model(column = "...")]`, or add a column, have both written, and drop the previous one in a later release
            [1]
            $ cargo dbmigrate check --url sqlite:new.db
            Models and migrations agree.
            Database: sqlite:$HOST/new.db
            error: the database `$HOST/new.db` does not exist
              hint: `cargo dbmigrate upgrade` creates it; --no-database skips it; the name comes from --url
            [3]
            $ cargo dbmigrate current --url sqlite:all.db
            e5 (head)
            Database: sqlite:$HOST/all.db
            $ cargo dbmigrate current --url sqlite:half.db
            b2
            Database: sqlite:$HOST/half.db
            $ cargo dbmigrate history -i --url sqlite:half.db
            d4 -> e5 (head), post
            c3 -> d4, root
            b2 -> c3, name
            a1 -> b2 (current), email
            <base> -> a1, user
            $ cargo dbmigrate upgrade --url sqlite:all.db
            Nothing to upgrade: sqlite:$HOST/all.db is at e5
            $ cargo dbmigrate upgrade --url sqlite:half.db
            Running upgrade b2 -> c3, name
            Running upgrade c3 -> d4, root
            Running upgrade d4 -> e5, post
            $ cargo dbmigrate upgrade --url sqlite:new.db
            Running upgrade <base> -> 5aaa, users
            Running upgrade 5aaa -> e5, post
            $ cargo dbmigrate current --url sqlite:new.db
            e5 (head)
            Database: sqlite:$HOST/new.db
            $ cargo dbmigrate check --url sqlite:half.db
            Models and migrations agree.
            The database is at the head.
            The database agrees with the migrations.
            Database: sqlite:$HOST/half.db
            $ cargo dbmigrate check --url sqlite:new.db
            Models and migrations agree.
            The database is at the head.
            The database agrees with the migrations.
            Database: sqlite:$HOST/new.db
        "#]],
    );
    let squashed = host.read("migrations/versions/m_5aaa.rs");
    let lines = squashed.lines().filter(|line| !line.starts_with("//! Create Date"));
    expect![[r#"
        //! users
        //!
        //! Revision ID: 5aaa
        //! Revises: <base>

        use dbmigrate_runtime::prelude::*;

        // revision identifiers, used by dbmigrate.
        pub const REVISION: &str = "5aaa";
        pub const DOWN_REVISION: &[&str] = &[];
        pub const BRANCH_LABELS: &[&str] = &[];
        pub const DEPENDS_ON: &[&str] = &[];
        pub const REPLACES: &[&str] = &["a1", "b2", "c3", "d4"];

        pub fn upgrade(op: &mut Operations) {
            op.create_table(
                Table::new("user")
                    .column(Column::new("id", Type::BigInteger).not_null())
                    .column(Column::new("name", Type::String(20)).not_null())
                    .column(Column::new("email", Type::String(120)))
                    .primary_key("pk_user", ["id"]),
            );
            op.create_index("user", Index::new("ix_user_email", ["email"]));
            op.execute("INSERT INTO user (id, name) VALUES (1, 'root')");
        }

        pub fn downgrade(op: &mut Operations) {
            op.execute("DELETE FROM user WHERE id = 1");
            op.drop_index("user", "ix_user_email");
            op.rename_column("user", "name", "login");
            op.drop_column("user", "email");
            op.drop_table("user");
        }
    "#]]
    .assert_eq(&lines.map(|line| format!("{line}\n")).collect::<String>());
    // The person's own row is the only difference.
    let with_row = contents(&path("all.db"));
    let without = with_row.replace("user: 7, \"x\", \"x@y\"\n", "");
    assert_eq!(compact(&without), compact(&contents(&path("new.db"))));
    let half = contents(&path("half.db"));
    for (name, text) in [("all", &with_row), ("half", &half)] {
        assert!(text.contains("user: 7, \"x\", \"x@y\"\n"), "{name}: {text}");
    }

    // Further revisions follow.
    let column = "op.add_column(\"post\", Column::new(\"title\", Type::Text));";
    let sixth = revision("f6", &["e5"], "title", column, "op.drop_column(\"post\", \"title\");");
    host.write("migrations/versions/m_f6.rs", &sixth);
    let post = "pub struct Post {\n    #[model(primary_key)]\n    pub id: i64,\n";
    host.replace("src/lib.rs", post, &format!("{post}    pub title: Option<String>,\n"));
    play(
        &host,
        &[
            "upgrade --url sqlite:all.db",
            "upgrade --url sqlite:half.db",
            "upgrade --url sqlite:new.db",
            "upgrade --url sqlite:fresh.db",
            "downgrade b2 --url sqlite:new.db",
            "downgrade d4 --url sqlite:new.db",
            "downgrade --allow-destructive --url sqlite:new.db",
            "current --url sqlite:new.db",
            "downgrade b2 --url sqlite:back.db",
            "downgrade base --allow-destructive --url sqlite:back.db",
            "upgrade --url sqlite:back.db",
        ],
        expect![[r#"
            $ cargo dbmigrate upgrade --url sqlite:all.db
            Running upgrade e5 -> f6, title
            $ cargo dbmigrate upgrade --url sqlite:half.db
            Running upgrade e5 -> f6, title
            $ cargo dbmigrate upgrade --url sqlite:new.db
            Running upgrade e5 -> f6, title
            $ cargo dbmigrate upgrade --url sqlite:fresh.db
            Running upgrade <base> -> 5aaa, users
            Running upgrade 5aaa -> e5, post
            Running upgrade e5 -> f6, title
            $ cargo dbmigrate downgrade b2 --url sqlite:new.db
            error: revision `b2` was replaced by `5aaa` and can no longer be targeted, in migrations/versions/m_5aaa.rs
              hint: the nearest targets are `base` and `5aaa`
            [3]
            $ cargo dbmigrate downgrade d4 --url sqlite:new.db
            Running downgrade f6 -> e5, title
            Running downgrade e5 -> 5aaa, post
            $ cargo dbmigrate downgrade --allow-destructive --url sqlite:new.db
            Running downgrade 5aaa -> <base>, users
            $ cargo dbmigrate current --url sqlite:new.db
            Database: sqlite:$HOST/new.db
            $ cargo dbmigrate downgrade b2 --url sqlite:back.db
            Running downgrade e5 -> d4, post
            Running downgrade d4 -> c3, root
            Running downgrade c3 -> b2, name
            $ cargo dbmigrate downgrade base --allow-destructive --url sqlite:back.db
            Running downgrade b2 -> a1, email
            Running downgrade a1 -> <base>, user
            $ cargo dbmigrate upgrade --url sqlite:back.db
            Running upgrade <base> -> 5aaa, users
            Running upgrade 5aaa -> e5, post
            Running upgrade e5 -> f6, title
        "#]],
    );

    // Every database that matters is past the squash.
    for text in ["a1", "b2", "c3", "d4"] {
        fs::remove_file(path(&format!("migrations/versions/m_{text}.rs"))).unwrap();
    }
    play(
        &host,
        &[
            "history",
            "check --url sqlite:all.db",
            "current --url sqlite:all.db",
            "upgrade --url sqlite:all.db",
            "upgrade --url sqlite:left.db",
            "current --url sqlite:left.db",
            "check --url sqlite:left.db",
        ],
        expect![[r#"
            $ cargo dbmigrate history
            e5 -> f6 (head), title
            5aaa -> e5, post
            <base> -> 5aaa, users
            $ cargo dbmigrate check --url sqlite:all.db
            The list in migrations/mod.rs does not match the revision files:
              it lacks migrations/versions/m_f6.rs
              it has `m_a1;`, which has no file or is listed twice
              it has `m_b2;`, which has no file or is listed twice
              it has `m_c3;`, which has no file or is listed twice
              it has `m_d4;`, which has no file or is listed twice
            Models and migrations agree.
            The database is at the head.
            The database agrees with the migrations.
            `cargo dbmigrate migrate` brings it in line
            Database: sqlite:$HOST/all.db
            [1]
            $ cargo dbmigrate current --url sqlite:all.db
            f6 (head)
            Database: sqlite:$HOST/all.db
            $ cargo dbmigrate upgrade --url sqlite:all.db
            Nothing to upgrade: sqlite:$HOST/all.db is at f6
            $ cargo dbmigrate upgrade --url sqlite:left.db
            error: only some of the revisions that `5aaa` replaces are applied (the database has `a1`, `b2`, and lacks `c3`, `d4`), and their files no longer exist, in migrations/versions/m_5aaa.rs
              hint: restore the files, for example from version control, upgrade this database, and delete them again; if the database matches `5aaa`, `cargo dbmigrate stamp --verify 5aaa` marks it as applied
            [3]
            $ cargo dbmigrate current --url sqlite:left.db
            Database: sqlite:$HOST/left.db
            error: only some of the revisions that `5aaa` replaces are applied (the database has `a1`, `b2`, and lacks `c3`, `d4`), and their files no longer exist, in migrations/versions/m_5aaa.rs
              hint: restore the files, for example from version control, upgrade this database, and delete them again; if the database matches `5aaa`, `cargo dbmigrate stamp --verify 5aaa` marks it as applied
            [3]
            $ cargo dbmigrate check --url sqlite:left.db
            The list in migrations/mod.rs does not match the revision files:
              it lacks migrations/versions/m_f6.rs
              it has `m_a1;`, which has no file or is listed twice
              it has `m_b2;`, which has no file or is listed twice
              it has `m_c3;`, which has no file or is listed twice
              it has `m_d4;`, which has no file or is listed twice
            Models and migrations agree.
            `cargo dbmigrate migrate` brings it in line
            Database: sqlite:$HOST/left.db
            error: only some of the revisions that `5aaa` replaces are applied (the database has `a1`, `b2`, and lacks `c3`, `d4`), and their files no longer exist, in migrations/versions/m_5aaa.rs
              hint: restore the files, for example from version control, upgrade this database, and delete them again; if the database matches `5aaa`, `cargo dbmigrate stamp --verify 5aaa` marks it as applied
            [3]
        "#]],
    );
    // A person adjusts it by hand, and marks it as applied.
    sql(&path("left.db"), "ALTER TABLE user RENAME COLUMN login TO name");
    play(
        &host,
        &["stamp --verify 5aaa --url sqlite:left.db"],
        expect![[r#"
        $ cargo dbmigrate stamp --verify 5aaa --url sqlite:left.db
        error: the database does not match revision `5aaa`:
          index `ix_user_email` of table `user` is missing from the database
          hint: stamp the revision that it matches, or bring it in line by hand; without --verify it is stamped anyway
        [3]
    "#]],
    );
    sql(&path("left.db"), "CREATE INDEX ix_user_email ON user (email)");
    play(
        &host,
        &[
            "stamp --verify 5aaa --url sqlite:left.db",
            "upgrade --url sqlite:left.db",
            "current --url sqlite:left.db",
        ],
        expect![[r#"
            $ cargo dbmigrate stamp --verify 5aaa --url sqlite:left.db
            Running stamp_revision <base> -> 5aaa
            $ cargo dbmigrate upgrade --url sqlite:left.db
            Running upgrade 5aaa -> e5, post
            Running upgrade e5 -> f6, title
            $ cargo dbmigrate current --url sqlite:left.db
            f6 (head)
            Database: sqlite:$HOST/left.db
        "#]],
    );
    let column = "op.drop_table(\"post\");";
    let seventh = revision("g7", &["f6"], "no posts", column, "op.irreversible(\"gone\");");
    host.write("migrations/versions/m_g7.rs", &seventh);
    play(
        &host,
        &[
            "upgrade --sql --url sqlite:all.db",
            "upgrade --url sqlite:all.db",
            "history -i --url sqlite:all.db",
            "upgrade --all \"*.db\" --jobs 1",
        ],
        expect![[r#"
            $ cargo dbmigrate upgrade --sql --url sqlite:all.db
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

            -- Abort unless the database is at `f6`.
            INSERT INTO temp.dbmigrate_guard SELECT count(*) <> 1
                FROM "dbmigrate_version" WHERE id IN ('f6');

            -- Revision `5aaa` replaces these.
            DELETE FROM "dbmigrate_version" WHERE id = 'a1';
            INSERT INTO temp.dbmigrate_guard SELECT 1 - changes();
            DELETE FROM "dbmigrate_version" WHERE id = 'b2';
            INSERT INTO temp.dbmigrate_guard SELECT 1 - changes();
            DELETE FROM "dbmigrate_version" WHERE id = 'c3';
            INSERT INTO temp.dbmigrate_guard SELECT 1 - changes();
            DELETE FROM "dbmigrate_version" WHERE id = 'd4';
            INSERT INTO temp.dbmigrate_guard SELECT 1 - changes();
            INSERT INTO "dbmigrate_version" (id, parents, message, operations, checksum, format, applied_at, milliseconds, tool_version) VALUES ('5aaa', '', 'users', '[{"op":"create_table","table":{"name":"user","columns":[{"name":"id","type":"big_integer","not_null":true},{"name":"name","type":{"string":20},"not_null":true},{"name":"email","type":{"string":120}}],"primary_key":{"name":"pk_user","columns":["id"]}}},{"op":"create_index","table":"user","index":{"name":"ix_user_email","columns":["email"]}},{"op":"execute","sql":"INSERT INTO user (id, name) VALUES (1, ''root'')"}]
            {"operations":"[{\"op\":\"execute\",\"sql\":\"DELETE FROM user WHERE id = 1\"},{\"op\":\"drop_index\",\"table\":\"user\",\"name\":\"ix_user_email\"},{\"op\":\"rename_column\",\"table\":\"user\",\"from\":\"name\",\"to\":\"login\"},{\"op\":\"drop_column\",\"table\":\"user\",\"column\":\"email\"},{\"op\":\"drop_table\",\"table\":\"user\"}]"}', '1:c0f4ae6e9f4466b2ab6af1e1f3cdec2d56ab811cf3793a0f969f1d488296450f', 1, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'), 0, '0.1.0');

            -- Running upgrade f6 -> g7, no posts
            DROP TABLE "post";
            INSERT INTO "dbmigrate_version" (id, parents, message, operations, checksum, format, applied_at, milliseconds, tool_version) VALUES ('g7', 'f6', 'no posts', '[{"op":"drop_table","table":"post"}]', '1:f0adbde1dbec0a6d650e1fa890c4ac2fe584231f18aa2fb302042d9f761be10a', 1, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'), 0, '0.1.0');

            -- Abort if this introduced foreign key violations.
            INSERT INTO temp.dbmigrate_guard SELECT count(*) FROM (
                SELECT "table", rowid, parent FROM pragma_foreign_key_check
                EXCEPT SELECT * FROM temp.dbmigrate_violations);
            DROP TABLE temp.dbmigrate_guard;
            DROP TABLE temp.dbmigrate_violations;
            COMMIT;
            $ cargo dbmigrate upgrade --url sqlite:all.db
            Running upgrade f6 -> g7, no posts
            $ cargo dbmigrate history -i --url sqlite:all.db
            f6 -> g7 (head) (current), no posts
            e5 -> f6, title
            5aaa -> e5, post
            <base> -> 5aaa, users
            $ cargo dbmigrate upgrade --all "*.db" --jobs 1
            back.db: 1 revision
            fresh.db: 1 revision
            half.db: 1 revision
            left.db: 1 revision
            new.db: 4 revisions
            6 databases: 1 at head, 5 upgraded, 0 failed
        "#]],
    );
    let rows = dump(&path("all.db"));
    let rows: String = rows
        .lines()
        .filter(|line| line.starts_with("dbmigrate_version"))
        .map(|line| &line[..30])
        .collect();
    assert!(rows.contains("\"5aaa\"") && !rows.contains("\"a1\""), "{rows}");
}

/// A crate that denies warnings, in the first and in the last edition.
#[test]
fn the_list_of_revisions_compiles_without_a_warning() {
    for edition in ["2015", "2024"] {
        let name = format!("squash{edition}");
        let host = Host::library(&name, "");
        host.replace("Cargo.toml", "edition = \"2021\"", &format!("edition = {edition:?}"));
        host.write(
            "src/lib.rs",
            "#![deny(warnings)]\nextern crate dbmigrate_runtime;\n\n\
             #[path = \"../migrations/mod.rs\"]\npub mod migrations;\n",
        );
        host.ok("init");
        for (id, parents) in [("a1", &[][..]), ("b2", &["a1"])] {
            let text = revision(id, parents, "none", "let _ = op;", "let _ = op;");
            host.write(&format!("migrations/versions/m_{id}.rs"), &text);
        }
        host.ok("squash --rev-id c3");
        let run = host.cargo("check --quiet");
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{edition}: {run}");
        assert_eq!(host.ok("history").stdout, "<base> -> c3 (head), squash a1 to b2\n");
    }
}
