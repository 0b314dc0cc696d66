//! A revision that fails halfway is continued once its cause is corrected.

use dbmigrate_runtime::mysql::prelude::Queryable as _;
use dbmigrate_runtime::prelude::*;
use dbmigrate_runtime::{Halfway, Migrator, Module, Options};
use dbmigrate_tests::servers::{self, mysql_client};
use expect_test::expect;

use crate::lent;

const fn module(upgrade: fn(&mut Operations)) -> Module {
    lent::module("m1", &[], upgrade)
}

fn items(op: &mut Operations) {
    lent::items(op);
    op.execute("ALTER TABLE item ADD COLUMN a INT");
}

const MISSING: &[Module] = &[module(missing)];
const CORRECTED: &[Module] = &[module(corrected)];
const EDITED: &[Module] = &[module(edited)];

fn missing(op: &mut Operations) {
    items(op);
    op.execute("ALTER TABLE nosuch ADD COLUMN b INT");
    op.add_column("item", Column::new("c", Type::Integer));
}

fn corrected(op: &mut Operations) {
    items(op);
    op.execute("ALTER TABLE item ADD COLUMN b INT");
    op.add_column("item", Column::new("c", Type::Integer));
}

fn edited(op: &mut Operations) {
    op.create_table(
        Table::new("item")
            .column(Column::new("id", Type::BigInteger).not_null())
            .primary_key("pk_item", ["id"]),
    );
    op.execute("ALTER TABLE item ADD COLUMN b INT");
}

#[test]
fn what_is_done_stays_done() {
    for server in servers::mysql("what_is_done_stays_done") {
        let url = server.database();
        let failure =
            |modules| Migrator::new(modules).upgrade(&url).expect_err("it fails").report();
        let text = failure(MISSING);
        let (said, hint) = text.split_once("\n").expect("several lines");
        assert_eq!(
            said,
            "revision `m1` stopped halfway: statement 4 of 5 failed: \
             ALTER TABLE nosuch ADD COLUMN b INT"
        );
        assert!(hint.ends_with(
            "hint: the statements before this one have been applied: correct the cause and run the \
             command again; it continues after them; with `--restart`, it takes them back first"
        ));
        let mut conn = mysql_client(&url);
        let rows: Vec<(i64, String, bool)> = conn
            .query(
                "SELECT number, SUBSTRING_INDEX(state, ' ', 1), error IS NOT NULL \
                 FROM dbmigrate_step ORDER BY number",
            )
            .expect("the ledger");
        let shown: String = rows.iter().map(|row| format!("{row:?}\n")).collect();
        expect![[r#"
            (1, "done", false)
            (2, "done", false)
            (3, "done", false)
            (4, "started", true)
        "#]]
        .assert_eq(&shown);
        expect![[r#"
            revision `m1` can't be continued: part 1 of 2 has changed since it was started
              hint: restore the revision as it was when the run was interrupted, and run the command again; `cargo dbmigrate upgrade --resume` continues after the last part that is done, whatever the parts before it say now; `cargo dbmigrate upgrade --restart` takes back what is done, once the revision is restored"#]]
        .assert_eq(&failure(EDITED));
        let ran = Migrator::new(CORRECTED).upgrade(&url).expect("it is continued");
        assert_eq!(ran, ["m1"], "{}", server.name);
        let names: Vec<String> = conn
            .query(
                "SELECT column_name FROM information_schema.columns \
                 WHERE table_schema = DATABASE() AND table_name = 'item' ORDER BY ordinal_position",
            )
            .expect("the columns");
        assert_eq!(names, ["id", "name", "a", "b", "c"]);
        let counts: Option<(i64, i64)> = conn
            .query_first(
                "SELECT (SELECT COUNT(*) FROM item), (SELECT COUNT(*) FROM dbmigrate_step)",
            )
            .expect("rows");
        assert_eq!(counts, Some((2, 0)));
    }
}

const FAILING: &[Module] = &[module(failing)];
const WITHOUT_ROWS: &[Module] = &[module(without_rows)];

fn two_tables(op: &mut Operations) {
    for name in ["item", "part"] {
        op.create_table(
            Table::new(name)
                .column(Column::new("id", Type::BigInteger).not_null())
                .primary_key(&format!("pk_{name}"), ["id"]),
        );
    }
    op.bulk_insert("item", ["id"]).row((1,)).row((2,));
    op.create_index("part", Index::new("ix_part_id", ["id"]));
}

fn failing(op: &mut Operations) {
    two_tables(op);
    op.execute("ALTER TABLE nosuch ADD COLUMN b INT");
}

fn without_rows(op: &mut Operations) {
    two_tables(op);
}

fn count(url: &str, sql: &str) -> Option<i64> {
    mysql_client(url).query_first(sql).expect("it is asked")
}

#[test]
fn what_is_done_can_be_taken_back() {
    for server in servers::mysql("what_is_done_can_be_taken_back") {
        let url = server.database();
        let restarting = || Options { halfway: Halfway::Restart, ..Options::default() };
        Migrator::new(FAILING).upgrade(&url).expect_err("it fails");
        let tables = "SELECT COUNT(*) FROM information_schema.tables \
                      WHERE table_schema = DATABASE() AND table_name IN ('item', 'part')";
        assert_eq!(count(&url, tables), Some(2));
        // A row that shows whether the table is another one.
        mysql_client(&url).query_drop("INSERT INTO item VALUES (3)").expect("a row");
        let ran = Migrator::new(WITHOUT_ROWS).upgrade_with(&url, "head", &restarting());
        assert_eq!(ran.expect("it begins again"), ["m1"], "{}", server.name);
        assert_eq!(count(&url, "SELECT COUNT(*) FROM item"), Some(2));
        assert_eq!(count(&url, "SELECT COUNT(*) FROM dbmigrate_step"), Some(0));
    }
}

#[test]
fn what_can_not_be_taken_back_stays_and_is_resumed() {
    for server in servers::mysql("what_can_not_be_taken_back_stays_and_is_resumed") {
        let url = server.database();
        let with = |modules, halfway| {
            let options = Options { halfway, ..Options::default() };
            Migrator::new(modules).upgrade_with(&url, "head", &options)
        };
        with(MISSING, Halfway::Continue).expect_err("it fails");
        let text = with(MISSING, Halfway::Restart).expect_err("it stops").report();
        expect![[r#"
            what is done of revision `m1` can't be taken back: execute SQL: its SQL has no `reversed_by`
              hint: nothing was changed; `cargo dbmigrate upgrade --resume` continues the revision"#]]
        .assert_eq(&text);
        assert_eq!(count(&url, "SELECT COUNT(*) FROM item"), Some(2));
        // What is done is not compared: the corrected statement is the fourth here as well.
        let ran = with(REWORDED, Halfway::Resume).expect("it is continued");
        assert_eq!(ran, ["m1"], "{}", server.name);
        let columns = "SELECT COUNT(*) FROM information_schema.columns \
                       WHERE table_schema = DATABASE() AND table_name = 'item'";
        assert_eq!(count(&url, columns), Some(5));
        assert_eq!(count(&url, "SELECT COUNT(*) FROM item"), Some(2));
    }
}

const REWORDED: &[Module] = &[module(reworded)];

fn reworded(op: &mut Operations) {
    op.create_table(
        Table::new("item")
            .column(Column::new("id", Type::BigInteger).not_null())
            .column(Column::new("name", Type::String(100)).not_null())
            .primary_key("pk_item", ["id"]),
    );
    op.bulk_insert("item", ["id", "name"]).row((1, "one")).row((2, "another"));
    op.execute("ALTER TABLE item ADD COLUMN a INT");
    op.execute("ALTER TABLE item ADD COLUMN b INT");
    op.add_column("item", Column::new("c", Type::Integer));
}

/// A callback is called before the revision is marked as applied, in that transaction alone.
#[test]
fn a_callback_that_fails_is_called_again() {
    for server in servers::mysql("a_callback_that_fails_is_called_again") {
        let url = server.database();
        let mut client = mysql_client(&url);
        client.query_drop("CREATE TABLE audit (what varchar(20))").expect("it can be created");
        let options = |fails: bool| {
            Options::default().on_apply(move |applied, db| {
                db.execute("INSERT INTO audit VALUES (?1)", [applied.revision.id.as_str()])?;
                if fails { Err("the audit is closed".into()) } else { Ok(()) }
            })
        };
        let migrator = Migrator::new(CORRECTED);
        let err = migrator.upgrade_with(&url, "head", &options(true)).expect_err("it fails");
        expect![[r#"
            revision `m1` stopped halfway: the callback after it failed: the audit is closed
              hint: the statements of the revision have been applied: correct the cause and run the command again; it does not run them again, and calls the callback"#]]
        .assert_eq(&err.report());
        let audit = |client: &mut dbmigrate_runtime::mysql::Conn| -> Vec<String> {
            client.query("SELECT what FROM audit").expect("it can be read")
        };
        assert_eq!(audit(&mut client), Vec::<String>::new());
        assert_eq!(migrator.upgrade_with(&url, "head", &options(false)).unwrap(), ["m1"]);
        assert_eq!(audit(&mut client), ["m1"]);
    }
}
