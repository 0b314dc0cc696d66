//! Databases and roles that may not migrate.

use dbmigrate_runtime::prelude::*;
use dbmigrate_runtime::{Migrator, Module};
use expect_test::expect;

use super::on_servers;
use crate::modules::module;

static FIRST: &[Module] = &[module(
    "a1",
    &[],
    |op| op.create_table(Table::new("theirs").column(Column::new("a", Type::Integer))),
    |op| op.drop_table("theirs"),
)];

static SECOND: &[Module] = &[
    FIRST[0],
    module(
        "b2",
        &["a1"],
        |op| {
            op.add_column("theirs", Column::new("b", Type::Integer));
        },
        |op| op.drop_column("theirs", "b"),
    ),
];

#[test]
fn a_database_that_is_not_to_be_written_to_is_named() {
    on_servers(|database| {
        let name = database.url.rsplit_once('/').unwrap().1.to_owned();
        Migrator::new(FIRST).upgrade_url(&database.url).unwrap();
        database.batch(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on"));
        let err = Migrator::new(SECOND).upgrade_url(&database.url).unwrap_err().report();
        expect![[r#"
            failed to prepare the connection
              caused by: `default_transaction_read_only` is on, so the database is not to be written to
              hint: if that is right only for others, run it with `options=-c default_transaction_read_only=off` in the URL
        "#]]
        .assert_eq(&format!("{err}\n"));
        // Reading is allowed.
        let status = Migrator::new(SECOND).status(database.url.as_str()).unwrap();
        assert_eq!(status.pending, ["b2"]);
        assert_eq!(Migrator::new(FIRST).upgrade_url(&database.url).unwrap(), [""; 0]);
        // The hint works.
        let url = format!("{}?options=-c%20default_transaction_read_only%3Doff", database.url);
        assert_eq!(Migrator::new(SECOND).upgrade_url(&url).unwrap(), ["b2"]);
    });
}

#[test]
fn a_role_without_a_right_is_told_so() {
    on_servers(|database| {
        let name = format!("weak_{}_{}", std::process::id(), database.version);
        database.batch(&format!(
            "CREATE ROLE {name} LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC"
        ));
        let as_weak = database.url.replace("postgres@", &format!("{name}@"));
        let reports = || {
            let err = Migrator::new(SECOND).upgrade_url(&as_weak).unwrap_err().report();
            err.replace(&name, "weak")
        };
        let created = reports();
        Migrator::new(FIRST).upgrade_url(&database.url).unwrap();
        let read = reports();
        database.batch(&format!(
            "GRANT ALL ON dbmigrate_version TO {name}; GRANT CREATE ON SCHEMA public TO {name}"
        ));
        let altered = reports();
        expect![[r#"
            failed to create the version table
              caused by: permission denied for schema public
              line 1: CREATE TABLE IF NOT EXISTS "dbmigrate_version" (
                                                 ^
              hint: have the owner grant the right to this role, or run it as the owner, for example with `--url`
            ---
            failed to read which revisions are applied
              caused by: permission denied for table dbmigrate_version
              hint: have the owner grant the right to this role, or run it as the owner, for example with `--url`
            ---
            revision `b2` was rolled back: statement 1 of 1 failed: ALTER TABLE "theirs" ADD COLUMN "b" integer
              caused by: must be owner of table theirs
              hint: have the owner grant the right to this role, or run it as the owner, for example with `--url`
        "#]]
        .assert_eq(&format!("{created}\n---\n{read}\n---\n{altered}\n"));
        database.batch(&format!("DROP OWNED BY {name}; DROP ROLE {name}"));
    });
}

static ROWS: &[Module] = &[
    FIRST[0],
    module(
        "b2",
        &["a1"],
        |op| {
            op.bulk_insert("theirs", ["a"]).row((1,)).row((2,));
            op.run("more", |db| {
                db.execute("UPDATE theirs SET a = a + 1", ())?;
                Ok(())
            });
        },
        |op| {
            op.execute("DELETE FROM theirs");
        },
    ),
];

#[test]
fn a_role_that_may_only_write_rows_runs_what_only_writes_rows() {
    on_servers(|database| {
        let name = format!("rows_{}_{}", std::process::id(), database.version);
        Migrator::new(FIRST).upgrade_url(&database.url).unwrap();
        database.batch(&format!(
            "CREATE ROLE {name} LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC;
             REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC;
             GRANT SELECT, INSERT, DELETE ON dbmigrate_version TO {name};
             GRANT SELECT, INSERT, UPDATE, DELETE ON theirs TO {name}",
            database.url.rsplit_once('/').unwrap().1
        ));
        let url = database.url.replace("postgres@", &format!("{name}@"));
        let rows = Migrator::new(ROWS);
        for _ in 0..2 {
            assert_eq!(rows.upgrade_url(&url).map_err(|err| err.report()).unwrap(), ["b2"]);
            assert_eq!(rows.upgrade_url(&url).unwrap(), [""; 0]);
            let ran = rows.downgrade(url.as_str(), "a1").map_err(|err| err.report());
            assert_eq!(ran.unwrap(), ["b2"]);
        }
        // An empty version table exists as well.
        database.batch("DELETE FROM dbmigrate_version; DROP TABLE theirs");
        let err = rows.upgrade_url(&url).unwrap_err().report();
        assert!(err.contains("permission denied for schema public"), "{err}");
        assert!(err.contains("CREATE TABLE \"theirs\""), "{err}");
        database.batch(&format!("DROP OWNED BY {name}; DROP ROLE {name}"));
    });
}

#[test]
fn a_text_that_would_be_cut_is_not_inserted() {
    static BLANKS: &[Module] = &[module(
        "a1",
        &[],
        |op| {
            op.create_table(Table::new("codes").column(Column::new("a", Type::String(3))));
            op.bulk_insert("codes", ["a"]).row(("ab ",)).row(("äbc",)).row(("abc ",));
        },
        |op| op.drop_table("codes"),
    )];
    on_servers(|database| {
        let err = Migrator::new(BLANKS).upgrade_url(&database.url).unwrap_err().report();
        expect![[r#"
            revision `a1`: cannot insert 3 rows into table `codes` on PostgreSQL: 'abc ' has more than the 3 characters of column `a`
              hint: shorten the text, or give the column a longer type first
        "#]]
        .assert_eq(&format!("{err}\n"));
    });
}

static USED: &[Module] = &[
    module(
        "a1",
        &[],
        |op| {
            op.create_table(
                Table::new("item")
                    .column(Column::new("id", Type::Integer).not_null())
                    .column(Column::new("level", Type::Integer))
                    .primary_key("pk_item", ["id"]),
            );
        },
        |op| op.drop_table("item"),
    ),
    module(
        "b2",
        &["a1"],
        |op| op.alter_column("item", "level", ColumnChange::new().ty(Type::BigInteger)),
        |_| {},
    ),
];

static DROPS: &[Module] = &[USED[0], module("b2", &["a1"], drop_level, |_| {})];
static DROPS_BY_HAND: &[Module] = &[USED[0], module("b2", &["a1"], drop_by_hand, |_| {})];
static DROPS_KEY: &[Module] = &[USED[0], module("b2", &["a1"], drop_key, |_| {})];

fn drop_level(op: &mut Operations) {
    op.drop_column("item", "level");
}

fn drop_by_hand(op: &mut Operations) {
    op.execute("DROP TRIGGER \"Odd \"\"one\" ON item");
    op.drop_column("item", "level");
}

fn drop_key(op: &mut Operations) {
    op.drop_primary_key("item", "pk_item");
}

#[test]
fn what_uses_a_column_or_a_key_is_named_before_anything_runs() {
    const TRIGGER: &str = "CREATE TRIGGER \"Odd \"\"one\" BEFORE UPDATE OF level ON item
        FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()";
    const POLICY: &str = "CREATE POLICY mine ON item USING (level > 0)";
    const VIEW: &str = "CREATE VIEW leveled AS SELECT id, level + 1 FROM item GROUP BY id";
    let found = super::same_on_servers(|database| {
        let url = database.url.clone();
        let mut text = String::new();
        let cases = [
            (TRIGGER, USED, "DROP TRIGGER \"Odd \"\"one\" ON item"),
            (TRIGGER, DROPS, "DROP TRIGGER \"Odd \"\"one\" ON item"),
            (POLICY, USED, "DROP POLICY mine ON item"),
            (POLICY, DROPS, "DROP POLICY mine ON item"),
            (VIEW, DROPS_KEY, "DROP VIEW leveled"),
        ];
        for (by, history, without) in cases {
            Migrator::new(&USED[..1]).upgrade(url.as_str()).unwrap();
            database.batch(by);
            let err = Migrator::new(history).upgrade(url.as_str()).unwrap_err().report();
            text.push_str(&format!("{err}\n"));
            database.batch(without);
            Migrator::new(history).upgrade(url.as_str()).map_err(|err| err.report()).unwrap();
            database.batch("DROP TABLE item; DROP TABLE dbmigrate_version");
        }
        if database.version >= 15 {
            Migrator::new(&USED[..1]).upgrade(url.as_str()).unwrap();
            database
                .batch("CREATE PUBLICATION changes FOR TABLE item (id, level) WHERE (level > 0)");
            let report =
                |history| Migrator::new(history).upgrade(url.as_str()).unwrap_err().report();
            for err in [report(USED), report(DROPS)] {
                assert!(err.contains("publication `changes` uses it"), "{err}");
                assert!(err.contains("take the table out of the publication"), "{err}");
            }
            database.batch("DROP TABLE item; DROP TABLE dbmigrate_version");
        }
        // A revision may drop it by itself.
        Migrator::new(&USED[..1]).upgrade(url.as_str()).unwrap();
        database.batch(TRIGGER);
        let ran = Migrator::new(DROPS_BY_HAND).upgrade(url.as_str()).map_err(|err| err.report());
        assert_eq!(ran.unwrap(), ["b2"]);
        text
    });
    if let Some(found) = found {
        expect![[r#"
            revision `b2`: cannot alter column `level` of table `item` on PostgreSQL: trigger `Odd "one` uses it
              hint: drop the trigger before the change and create it again after it, in the same revision, with `op.execute`
            revision `b2`: cannot drop column `level` of table `item` on PostgreSQL: trigger `Odd "one` uses it
              hint: drop the trigger before the change and create it again after it, in the same revision, with `op.execute`
            revision `b2`: cannot alter column `level` of table `item` on PostgreSQL: policy `mine` uses it
              hint: drop the policy before the change and create it again after it, in the same revision, with `op.execute`
            revision `b2`: cannot drop column `level` of table `item` on PostgreSQL: policy `mine` uses it
              hint: drop the policy before the change and create it again after it, in the same revision, with `op.execute`
            revision `b2`: cannot drop primary key `pk_item` of table `item` on PostgreSQL: view `leveled` uses it
              hint: drop the view before the change and create it again after it, in the same revision, with `op.execute`
        "#]].assert_eq(&found);
    }
}
