//! A revision that fails halfway is continued once its cause is corrected.

use dbmigrate_runtime::mysql::prelude::Queryable as _;
use dbmigrate_runtime::prelude::*;
use dbmigrate_runtime::{Halfway, Migrator, Module, Options};
use dbmigrate_tests::modules;
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

/// A taking back that fails in the middle is continued, too.
#[test]
fn a_taking_back_that_fails_is_continued() {
    for server in servers::mysql("a_taking_back_that_fails_is_continued") {
        let url = server.database();
        let restart = |modules| {
            let options = Options { halfway: Halfway::Restart, ..Options::default() };
            Migrator::new(modules).upgrade_with(&url, "head", &options)
        };
        Migrator::new(FAILING).upgrade(&url).expect_err("it fails");
        let mut conn = mysql_client(&url);
        conn.query_drop("CREATE TABLE theirs (id BIGINT NOT NULL)").expect("a table");
        conn.query_drop(
            "ALTER TABLE theirs ADD CONSTRAINT fk FOREIGN KEY (id) REFERENCES item (id)",
        )
        .expect("a foreign key");
        let text = restart(WITHOUT_ROWS).expect_err("others refer to it").report();
        assert!(
            text.starts_with("revision `m1` stopped halfway: statement 7 of 7 failed"),
            "{text}"
        );
        let part = "SELECT COUNT(*) FROM information_schema.tables \
                    WHERE table_schema = DATABASE() AND table_name = 'part'";
        assert_eq!(count(&url, part), Some(0), "{}: it was taken back before", server.name);
        conn.query_drop("DROP TABLE theirs").expect("it can be dropped");
        assert_eq!(restart(WITHOUT_ROWS).expect("it begins again"), ["m1"], "{}", server.name);
        assert_eq!(count(&url, "SELECT COUNT(*) FROM item"), Some(2));
        assert_eq!(count(&url, "SELECT COUNT(*) FROM dbmigrate_step"), Some(0));
    }
}

/// What is done of a downgrade is taken back: the revision stays applied meanwhile.
#[test]
fn what_is_done_of_a_downgrade_can_be_taken_back() {
    const STUCK: &[Module] = &[modules::module("m1", &[], lent::items, |op| {
        op.add_column("item", Column::new("was", Type::Integer));
        op.execute("ALTER TABLE nosuch ADD COLUMN b INT");
    })];
    const CORRECTED: &[Module] = &[modules::module("m1", &[], lent::items, |op| {
        op.add_column("item", Column::new("was", Type::Integer));
        op.execute("ALTER TABLE item ADD COLUMN b INT");
    })];
    for server in servers::mysql("what_is_done_of_a_downgrade_can_be_taken_back") {
        let url = server.database();
        Migrator::new(STUCK).upgrade(&url).expect("it is applied");
        Migrator::new(STUCK).downgrade(&url, "base").expect_err("it fails");
        let is_there = "SELECT COUNT(*) FROM information_schema.columns WHERE \
                        table_schema = DATABASE() AND table_name = 'item' AND column_name = 'was'";
        assert_eq!(count(&url, is_there), Some(1));
        assert_eq!(count(&url, "SELECT COUNT(*) FROM dbmigrate_version"), Some(1));
        let options = Options { halfway: Halfway::Restart, ..Options::default() };
        let text = Migrator::new(STUCK).downgrade_with(&url, "base", &options);
        assert!(text.expect_err("it fails again").report().contains("statement 2 of 2 failed"));
        assert_eq!(count(&url, is_there), Some(1), "{}: once", server.name);
        let ran = Migrator::new(CORRECTED).downgrade_with(&url, "base", &options);
        assert_eq!(ran.expect("it is undone"), ["m1"], "{}", server.name);
        assert_eq!(count(&url, is_there), Some(1), "{}: still once", server.name);
        assert_eq!(count(&url, "SELECT COUNT(*) FROM dbmigrate_version"), Some(0));
    }
}

/// Changes of one table are one statement where their classes allow it, and one row of the ledger.
#[test]
fn what_is_merged_is_one_row() {
    const MERGED: &[Module] = &[module(|op| {
        lent::items(op);
        op.add_column("item", Column::new("a", Type::Integer));
        op.add_column("item", Column::new("b", Type::Integer));
        op.alter_column("item", "name", ColumnChange::new().ty(Type::String(200)));
        op.execute("ALTER TABLE nosuch ADD COLUMN b INT");
    })];
    for server in servers::mysql("what_is_merged_is_one_row") {
        let url = server.database();
        Migrator::new(MERGED).upgrade(&url).expect_err("it fails");
        let mut conn = mysql_client(&url);
        let n: Option<i64> =
            conn.query_first("SELECT COUNT(*) FROM dbmigrate_step").expect("the ledger");
        let columns: Option<i64> = conn
            .query_first(
                "SELECT COUNT(*) FROM information_schema.columns \
                 WHERE table_schema = DATABASE() AND table_name = 'item'",
            )
            .expect("the columns");
        assert_eq!((n, columns), (Some(4), Some(4)), "{}", server.name);
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
