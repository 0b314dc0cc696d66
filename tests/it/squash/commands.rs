//! The other commands, on revisions that another one replaces.

use std::fs;

use dbmigrate_tests::revision;
use expect_test::expect;

use super::{host, play};

#[test]
fn every_command_knows_what_is_replaced() {
    let host = host("replaced");
    host.ok("upgrade b2 --url sqlite:half.db");
    host.ok("upgrade --url sqlite:all.db");
    // Labels are kept, and so is a placeholder that somebody still has to fill in.
    host.replace(
        "migrations/versions/m_b2.rs",
        "LABELS: &[&str] = &[]",
        "LABELS: &[&str] = &[\"app\"]",
    );
    host.ok("squash b2: --rev-id 5aaa -m later");
    // Editing one of the replaced revisions makes the two histories differ.
    host.replace("migrations/versions/m_b2.rs", "String(120)", "String(100)");
    play(
        &host,
        &["check --no-database"],
        expect![[r#"
            $ cargo dbmigrate check --no-database
            Models and migrations agree.
            Revision `5aaa` does not build the same schema as the revisions that it replaces:
              changed column `user.email`: type to string(120)
            warning[rename-column]: revision `5aaa`: rename column `login` of table `user` to `name`: a running program that uses the previous name fails
              in migrations/versions/m_5aaa.rs, on SQLite
              hint: keep the name with `#[model(column = "...")]`, or add a column, have both written, and drop the previous one in a later release
            [1]
        "#]],
    );
    let run = host.dbmigrate("check --no-database --format json");
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(json["not_what_they_replace"], serde_json::json!(["5aaa"]), "{run}");
    host.replace("migrations/versions/m_b2.rs", "String(100)", "String(120)");
    // Both start at the same place, but in different files.
    host.write("migrations/versions/m_z1.rs", &revision("z1", &["a1"], "beside", "", ""));
    play(
        &host,
        &["rebase 5aaa --onto z1", "rebase b2 --onto z1"],
        expect![[r#"
        $ cargo dbmigrate rebase 5aaa --onto z1
        error: revision `5aaa` can't be moved after another: `5aaa` replaces others, in migrations/versions/m_5aaa.rs
          hint: join the heads with `cargo dbmigrate merge`; or remove that file, rebase, and squash again
        [3]
        $ cargo dbmigrate rebase b2 --onto z1
        error: revision `5aaa` can't be moved after another: `5aaa` replaces others, in migrations/versions/m_5aaa.rs
          hint: join the heads with `cargo dbmigrate merge`; or remove that file, rebase, and squash again
        [3]
    "#]],
    );
    fs::remove_file(host.dir.join("migrations/versions/m_z1.rs")).unwrap();
    play(
        &host,
        &[
            "show app",
            "history -r a1:c3",
            "diff b2 5aaa",
            "diff c3 database --url sqlite:half.db",
            "diff current e5 --url sqlite:half.db",
            "upgrade --sql c3:head",
            "downgrade --sql c3:a1",
            "downgrade --sql 5aaa:a1",
            "stamp --sql a1:c3",
            "stamp c3 --url sqlite:half.db",
            "current --url sqlite:half.db",
            "stamp 5aaa --url sqlite:half.db",
            "current --url sqlite:half.db",
            "upgrade b2 --url sqlite:new.db",
            "diff current b2 --url sqlite:new.db",
            "diff b2 database --url sqlite:new.db",
            "redo --allow-destructive --url sqlite:new.db",
            "redo --allow-destructive --url sqlite:all.db",
            "revision -m next --rev-id f6 --url sqlite:all.db",
            "revision -m other --rev-id c3",
            "merge b2 c3",
            "history",
            "undo --url sqlite:all.db",
            "squash --rev-id 6bbb",
            "history -v",
            "current --url sqlite:all.db",
            "upgrade --url sqlite:new.db",
            "upgrade --url sqlite:fresh.db",
            "undo --url sqlite:all.db",
            "undo --url sqlite:all.db",
            "history",
        ],
        expect![[r#"
            $ cargo dbmigrate show app
            Rev: 5aaa (app) (head)
            Parent: a1
            Replaces: b2, c3, d4, e5
            Branch names: app
            Path: migrations/versions/m_5aaa.rs

                later

                Revision ID: 5aaa
                Revises: a1
                Create Date: $CREATED

            upgrade:
                add column `email` to table `user`
                rename column `login` of table `user` to `name`
                create index `ix_user_email` on table `user`
                execute SQL
                create table `post`
            downgrade:
                drop table `post`
                execute SQL
                drop index `ix_user_email` of table `user`
                rename column `name` of table `user` to `login`
                drop column `email` of table `user`
            $ cargo dbmigrate history -r a1:c3
            a1 -> 5aaa (app) (head), later
            <base> -> a1 (app), user
            note: revision `c3` is part of `5aaa`, which replaces it
            $ cargo dbmigrate diff b2 5aaa
            column `user.login` renamed to `user.name`
            added table `post`
            added index `ix_user_email` on `user`
            $ cargo dbmigrate diff c3 database --url sqlite:half.db
            removed index `ix_user_email` on `user`
            added column `user.login`
            removed column `user.name`
            $ cargo dbmigrate diff current e5 --url sqlite:half.db
            column `user.login` renamed to `user.name`
            added table `post`
            added index `ix_user_email` on `user`
            $ cargo dbmigrate upgrade --sql c3:head
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

            -- Abort unless the database is at `c3`.
            INSERT INTO temp.dbmigrate_guard SELECT count(*) <> 1
                FROM "dbmigrate_version" WHERE id IN ('c3');

            -- Running upgrade c3 -> d4, root
            INSERT INTO user (id, name) VALUES (1, 'root');
            INSERT INTO "dbmigrate_version" (id, parents, message, operations, checksum, format, applied_at, milliseconds, tool_version) VALUES ('d4', 'c3', 'root', '[{"op":"execute","sql":"INSERT INTO user (id, name) VALUES (1, ''root'')"}]
            {"operations":"[{\"op\":\"execute\",\"sql\":\"DELETE FROM user WHERE id = 1\"}]"}', '1:c06b6b73a61f3f23ff25970155735a87e4e0e8ed1f60101b2279fd4788d0b7b9', 1, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'), 0, '0.1.0');

            -- Running upgrade d4 -> e5, post
            CREATE TABLE "post" (
                "id" INTEGER NOT NULL CONSTRAINT "pk_post" PRIMARY KEY
            );
            INSERT INTO "dbmigrate_version" (id, parents, message, operations, checksum, format, applied_at, milliseconds, tool_version) VALUES ('e5', 'd4', 'post', '[{"op":"create_table","table":{"name":"post","columns":[{"name":"id","type":"big_integer","not_null":true}],"primary_key":{"name":"pk_post","columns":["id"]}}}]', '1:0e267044530bf3eb99a5c3486f0905e63d503c1889d5e7702848b04a6e547f35', 1, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'), 0, '0.1.0');

            -- Abort if this introduced foreign key violations.
            INSERT INTO temp.dbmigrate_guard SELECT count(*) FROM (
                SELECT "table", rowid, parent FROM pragma_foreign_key_check
                EXCEPT SELECT * FROM temp.dbmigrate_violations);
            DROP TABLE temp.dbmigrate_guard;
            DROP TABLE temp.dbmigrate_violations;
            COMMIT;
            $ cargo dbmigrate downgrade --sql c3:a1
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

            -- Abort unless the database is at `c3`.
            INSERT INTO temp.dbmigrate_guard SELECT count(*) <> 1
                FROM "dbmigrate_version" WHERE id IN ('c3');

            -- Running downgrade c3 -> b2, name
            DROP INDEX "ix_user_email";
            ALTER TABLE "user" RENAME COLUMN "name" TO "login";
            DELETE FROM "dbmigrate_version" WHERE id = 'c3';
            INSERT INTO temp.dbmigrate_guard SELECT 1 - changes();

            -- Running downgrade b2 -> a1, email
            ALTER TABLE "user" DROP COLUMN "email";
            DELETE FROM "dbmigrate_version" WHERE id = 'b2';
            INSERT INTO temp.dbmigrate_guard SELECT 1 - changes();

            -- Abort if this introduced foreign key violations.
            INSERT INTO temp.dbmigrate_guard SELECT count(*) FROM (
                SELECT "table", rowid, parent FROM pragma_foreign_key_check
                EXCEPT SELECT * FROM temp.dbmigrate_violations);
            DROP TABLE temp.dbmigrate_guard;
            DROP TABLE temp.dbmigrate_violations;
            COMMIT;
            $ cargo dbmigrate downgrade --sql 5aaa:a1
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

            -- Abort unless the database is at `5aaa`.
            INSERT INTO temp.dbmigrate_guard SELECT count(*) <> 1
                FROM "dbmigrate_version" WHERE id IN ('5aaa');

            -- Running downgrade 5aaa -> a1, later
            DROP TABLE "post";
            DELETE FROM user WHERE id = 1;
            DROP INDEX "ix_user_email";
            ALTER TABLE "user" RENAME COLUMN "name" TO "login";
            ALTER TABLE "user" DROP COLUMN "email";
            DELETE FROM "dbmigrate_version" WHERE id = '5aaa';
            INSERT INTO temp.dbmigrate_guard SELECT 1 - changes();

            -- Abort if this introduced foreign key violations.
            INSERT INTO temp.dbmigrate_guard SELECT count(*) FROM (
                SELECT "table", rowid, parent FROM pragma_foreign_key_check
                EXCEPT SELECT * FROM temp.dbmigrate_violations);
            DROP TABLE temp.dbmigrate_guard;
            DROP TABLE temp.dbmigrate_violations;
            COMMIT;
            $ cargo dbmigrate stamp --sql a1:c3
            .bail on
            -- For the sqlite3 shell, as in `sqlite3 app.db < script.sql`: it stops at the first error, and rolls back.
            -- Do not paste this into an interactive shell, which goes on after an error. Other clients: `--sql=plain`.
            BEGIN IMMEDIATE;
            CREATE TABLE IF NOT EXISTS "dbmigrate_version" (
                "id" VARCHAR(255) NOT NULL,
                "parents" TEXT NOT NULL,
                "message" TEXT NOT NULL,
                "checksum" TEXT NOT NULL,
                "format" INTEGER NOT NULL,
                "applied_at" TEXT NOT NULL,
                "milliseconds" INTEGER NOT NULL,
                "tool_version" TEXT NOT NULL,
                "operations" TEXT NOT NULL,
                CONSTRAINT "pk_dbmigrate_version" PRIMARY KEY ("id")
            );
            INSERT INTO "dbmigrate_version" (id, parents, message, operations, checksum, format, applied_at, milliseconds, tool_version) SELECT 'b2', 'a1', 'email', '[{"op":"add_column","table":"user","column":{"name":"email","type":{"string":120}}}]', '1:dbe87b038db3bb15614ca9919b7f80198e5505320629e8ef8edad5aea433ed70', 1, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'), 0, '0.1.0'
                WHERE NOT EXISTS (SELECT 1 FROM "dbmigrate_version" WHERE id = 'b2' AND checksum = '1:dbe87b038db3bb15614ca9919b7f80198e5505320629e8ef8edad5aea433ed70');
            INSERT INTO "dbmigrate_version" (id, parents, message, operations, checksum, format, applied_at, milliseconds, tool_version) SELECT 'c3', 'b2', 'name', '[{"op":"rename_column","table":"user","from":"login","to":"name"},{"op":"create_index","table":"user","index":{"name":"ix_user_email","columns":["email"]}}]', '1:8c31a7b336e11f45a15849bc9dfca556a95ef8c6fbfeff15807eb04ec29a35e0', 1, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'), 0, '0.1.0'
                WHERE NOT EXISTS (SELECT 1 FROM "dbmigrate_version" WHERE id = 'c3' AND checksum = '1:8c31a7b336e11f45a15849bc9dfca556a95ef8c6fbfeff15807eb04ec29a35e0');
            COMMIT;
            $ cargo dbmigrate stamp c3 --url sqlite:half.db
            Running stamp_revision b2 -> c3
            $ cargo dbmigrate current --url sqlite:half.db
            c3 (app)
            Database: sqlite:$HOST/half.db
            $ cargo dbmigrate stamp 5aaa --url sqlite:half.db
            Running stamp_revision c3 -> e5
            $ cargo dbmigrate current --url sqlite:half.db
            e5 (app) (head)
            Database: sqlite:$HOST/half.db
            $ cargo dbmigrate upgrade b2 --url sqlite:new.db
            Running upgrade <base> -> a1, user
            Running upgrade a1 -> 5aaa, later
            note: revision `b2` is part of `5aaa`, which replaces it
            $ cargo dbmigrate diff current b2 --url sqlite:new.db
            column `user.name` renamed to `user.login`
            removed index `ix_user_email` on `user`
            removed table `post`
            $ cargo dbmigrate diff b2 database --url sqlite:new.db
            added table `post`
            added column `user.name`
            added index `ix_user_email` on `user`
            removed column `user.login`
            $ cargo dbmigrate redo --allow-destructive --url sqlite:new.db
            Running downgrade 5aaa -> a1, later
            Running upgrade a1 -> 5aaa, later
            $ cargo dbmigrate redo --allow-destructive --url sqlite:all.db
            Running downgrade e5 -> d4, post
            Running upgrade d4 -> e5, post
            $ cargo dbmigrate revision -m next --rev-id f6 --url sqlite:all.db
            Generating migrations/versions/m_f6.rs ... done
            $ cargo dbmigrate revision -m other --rev-id c3
            error: revision `c3` already exists, in migrations/versions/m_5aaa.rs
              hint: choose another id with --rev-id
            [3]
            $ cargo dbmigrate merge b2 c3
            note: revision `b2` is part of `5aaa`, which replaces it
            note: revision `c3` is part of `5aaa`, which replaces it
            error: a merge joins several revisions, but `5aaa` is only one
              hint: `cargo dbmigrate heads` lists what can be joined
            [3]
            $ cargo dbmigrate history
            5aaa -> f6 (app) (head), next
            a1 -> 5aaa (app), later
            <base> -> a1 (app), user
            $ cargo dbmigrate undo --url sqlite:all.db
            Deleting migrations/versions/m_f6.rs ... done
            $ cargo dbmigrate squash --rev-id 6bbb
            Generating migrations/versions/m_6bbb.rs ... done
            `6bbb` replaces 2 revisions on new databases: a1, 5aaa
            keep their files until every database has applied all of them: a database that has applied some of them continues with the others
            $ cargo dbmigrate history -v
            Rev: 6bbb (app) (head)
            Parent: <base>
            Replaces: a1, b2, c3, d4, e5, 5aaa
            Branch names: app
            Path: migrations/versions/m_6bbb.rs

                squash a1 to 5aaa

                Revision ID: 6bbb
                Revises: <base>
                Create Date: $CREATED

            Database: sqlite:$HOST/app.db
            $ cargo dbmigrate current --url sqlite:all.db
            e5 (app) (head)
            Database: sqlite:$HOST/all.db
            $ cargo dbmigrate upgrade --url sqlite:new.db
            Nothing to upgrade: sqlite:$HOST/new.db is at 5aaa
            $ cargo dbmigrate upgrade --url sqlite:fresh.db
            Running upgrade <base> -> 6bbb, squash a1 to 5aaa
            $ cargo dbmigrate undo --url sqlite:all.db
            Deleting migrations/versions/m_6bbb.rs ... done
            $ cargo dbmigrate undo --url sqlite:all.db
            Deleting migrations/versions/m_5aaa.rs ... done
            $ cargo dbmigrate history
            d4 -> e5 (app) (head), post
            c3 -> d4 (app), root
            b2 -> c3 (app), name
            a1 -> b2 (app), email
            <base> -> a1 (app), user
        "#]],
    );

    // The only file that still contains these changes isn't removed.
    host.ok("squash d4: --rev-id 5aaa");
    for text in ["d4", "e5"] {
        fs::remove_file(host.dir.join(format!("migrations/versions/m_{text}.rs"))).unwrap();
    }
    play(
        &host,
        &[
            "undo --url sqlite:all.db",
            "undo --url sqlite:none.db",
            "diff d4 head",
            "upgrade --sql d4:head",
            "stamp d4 --url sqlite:none.db",
            "downgrade c3 --url sqlite:all.db --allow-destructive",
            "current --url sqlite:all.db",
        ],
        expect![[r#"
            $ cargo dbmigrate undo --url sqlite:all.db
            error: revision `5aaa` is applied, so it stays
              hint: `cargo dbmigrate downgrade` undoes it first
            [3]
            $ cargo dbmigrate undo --url sqlite:none.db
            error: revision `5aaa` replaces `d4`, whose file is gone, so it stays
              hint: restore the files that it replaces, or delete it by hand
            [3]
            $ cargo dbmigrate diff d4 head
            error: revision `d4` was replaced by `5aaa` and can no longer be targeted, in migrations/versions/m_5aaa.rs
              hint: the nearest targets are `c3` and `5aaa`
            [3]
            $ cargo dbmigrate upgrade --sql d4:head
            error: revision `d4` was replaced by `5aaa` and can no longer be targeted, in migrations/versions/m_5aaa.rs
              hint: the nearest targets are `c3` and `5aaa`
            [3]
            $ cargo dbmigrate stamp d4 --url sqlite:none.db
            error: revision `d4` was replaced by `5aaa` and can no longer be targeted, in migrations/versions/m_5aaa.rs
              hint: the nearest targets are `c3` and `5aaa`
            [3]
            $ cargo dbmigrate downgrade c3 --url sqlite:all.db --allow-destructive
            Running downgrade 5aaa -> c3, squash d4 to e5
            $ cargo dbmigrate current --url sqlite:all.db
            c3 (app)
            Database: sqlite:$HOST/all.db
        "#]],
    );
}
