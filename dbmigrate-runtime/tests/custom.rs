//! Custom operations: recorded, reversed, and run on a real database.
#![cfg(feature = "sqlite")]

use dbmigrate_runtime::engine::dialect::Sqlite;
use dbmigrate_runtime::engine::recording::{checksum, decode, encode, reverse_all};
use dbmigrate_runtime::engine::{Backend, plan};
use dbmigrate_runtime::operations::Execute;
use dbmigrate_runtime::prelude::*;
use dbmigrate_runtime::schema::Schema;
use dbmigrate_runtime::{Migrator, Module};
use expect_test::{Expect, expect};
use rusqlite::Connection;

struct CreateView {
    name: &'static str,
    select: &'static str,
}

impl CustomOperation for CreateView {
    fn name(&self) -> String {
        format!("create view `{}`", self.name)
    }

    fn sql(&self) -> Sql {
        let sql = format!("CREATE VIEW {} AS {}", self.name, self.select);
        Sql::new().sqlite(&sql).postgres(&format!("CREATE OR REPLACE VIEW {}", &sql[12..]))
    }

    fn reverse(&self) -> Option<Sql> {
        Some(format!("DROP VIEW {}", self.name).into())
    }
}

/// A table that the schema can't describe exactly, so that its effect is declared.
struct FullText;

impl CustomOperation for FullText {
    fn name(&self) -> String {
        "create the search".to_owned()
    }

    fn sql(&self) -> Sql {
        "CREATE TABLE search (line TEXT); CREATE INDEX ix_search ON search (line)".into()
    }

    fn reverse(&self) -> Option<Sql> {
        Some("DROP TABLE search".into())
    }

    fn describes(&self, op: &mut Operations) {
        op.create_table(Table::new("search").column(Column::new("line", Type::Text)));
        op.create_index("search", Index::new("ix_search", ["line"]));
    }
}

struct Forget;

impl CustomOperation for Forget {
    fn name(&self) -> String {
        "forget who was here".to_owned()
    }

    fn sql(&self) -> Sql {
        "DELETE FROM user".into()
    }

    fn reverse(&self) -> Option<Sql> {
        None
    }
}

struct Analyze;

impl CustomOperation for Analyze {
    fn name(&self) -> String {
        "analyze".to_owned()
    }

    fn sql(&self) -> Sql {
        "ANALYZE".into()
    }

    fn reverse(&self) -> Option<Sql> {
        Some(Sql::new())
    }
}

const ACTIVE: CreateView = CreateView { name: "active", select: "SELECT id FROM user" };

fn words(operations: &[Operation]) -> String {
    operations.iter().map(|operation| format!("{operation}\n")).collect()
}

#[track_caller]
fn check(operations: &[Operation], expect: Expect) {
    let one = |operation: &Operation| match operation {
        Operation::Execute(Execute { sql, describes, .. }) => {
            let describes: String =
                words(describes).lines().map(|line| format!("  {line}\n")).collect();
            format!("{operation}: {:?}\n{describes}", sql.text(Backend::Sqlite))
        }
        other => format!("{other}\n"),
    };
    expect.assert_eq(&operations.iter().map(one).collect::<String>());
}

#[test]
fn what_is_invoked_is_reverted() {
    let up = Operations::record(|op| {
        op.create_table(Table::new("user").column(Column::new("id", Type::Integer)));
        op.invoke(&ACTIVE);
        op.invoke(&FullText);
        op.invoke(&Analyze);
    });
    check(
        &up,
        expect![[r#"
        create table `user`
        create view `active`: Some("CREATE VIEW active AS SELECT id FROM user")
        create the search: Some("CREATE TABLE search (line TEXT); CREATE INDEX ix_search ON search (line)")
          create table `search`
          create index `ix_search` on table `search`
        analyze: Some("ANALYZE")
    "#]],
    );
    let written = Operations::record(|op| {
        op.revert(&Analyze);
        op.revert(&FullText);
        op.revert(&ACTIVE);
        op.drop_table("user");
    });
    check(
        &written,
        expect![[r#"
        undo create the search: Some("DROP TABLE search")
          drop index `ix_search` of table `search`
          drop table `search`
        undo create view `active`: Some("DROP VIEW active")
        drop table `user`
    "#]],
    );
    // The derived reverse is what a person would write, and its own reverse is the original.
    let derived = reverse_all(&up, &Schema::default()).unwrap();
    assert_eq!(words(&derived), words(&written));
    let mut after = Schema::default();
    up.iter().try_for_each(|operation| operation.apply(&mut after)).unwrap();
    let again = reverse_all(&derived, &after).unwrap();
    check(
        &again,
        expect![[r#"
        create table `user`
        create view `active`: Some("CREATE VIEW active AS SELECT id FROM user")
        create the search: Some("CREATE TABLE search (line TEXT); CREATE INDEX ix_search ON search (line)")
          create table `search`
          create index `ix_search` on table `search`
    "#]],
    );
}

#[test]
fn what_has_no_way_back_is_known_before_anything_runs() {
    let mut op = Operations::new();
    op.revert(&Forget);
    assert_eq!(op.finish().irreversible.as_deref(), Some("forget who was here can't be reversed"));
    let up = Operations::record(|op| op.invoke(&Forget));
    let err = reverse_all(&up, &Schema::default()).unwrap_err();
    expect!["cannot undo `forget who was here`: its SQL has no `reversed_by`"]
        .assert_eq(&err.to_string());
    let up = Operations::record(|op| op.execute("SELECT 1").describes(|_| {}));
    let err = reverse_all(&up, &Schema::default()).unwrap_err();
    expect!["cannot undo `execute SQL`: its SQL has no `reversed_by`"].assert_eq(&err.to_string());
}

#[test]
fn rows_go_with_the_table_that_is_made_for_them() {
    let role = |op: &mut Operations| {
        op.create_table(Table::new("role").column(Column::new("name", Type::Text)));
    };
    let rows = |op: &mut Operations| {
        op.bulk_insert("role", ["name"]).row(("admin",));
    };
    let up = Operations::record(|op| {
        role(op);
        rows(op);
    });
    let back = reverse_all(&up, &Schema::default()).unwrap();
    assert_eq!(words(&back), "drop table `role`\n");
    let mut there = Schema::default();
    up[0].apply(&mut there).unwrap();
    let err = reverse_all(&Operations::record(rows), &there).unwrap_err().to_string();
    assert!(err.ends_with("it is not known which rows to delete"), "{err}");
    // Under another name, it may be a table that existed before.
    let renamed = Operations::record(|op| {
        op.rename_table("role", "other");
        role(op);
        rows(op);
    });
    assert!(reverse_all(&renamed, &there).is_err());
}

#[test]
fn what_fails_is_named() {
    static WRONG: &[Module] = &[Module { upgrade: |op| op.invoke(&ACTIVE), ..MODULES[0] }];
    let mut conn = Connection::open_in_memory().unwrap();
    conn.execute_batch("CREATE TABLE active (a)").unwrap();
    let err = Migrator::new(WRONG).upgrade(&mut conn).unwrap_err();
    expect!["revision `a1` was rolled back: statement 1 of 1 (create view `active`) failed: CREATE VIEW active AS SELECT id FROM user"].assert_eq(&err.to_string());
}

const MODULES: &[Module] = &[Module {
    name: "m1",
    revision: "a1",
    down_revision: &[],
    branch_labels: &[],
    depends_on: &[],
    replaces: &[],
    message: "",
    upgrade: |op| {
        op.create_table(Table::new("user").column(Column::new("id", Type::Integer)));
        op.invoke(&ACTIVE);
        op.invoke(&FullText);
        // The schema knows what the SQL created.
        op.add_column("search", Column::new("n", Type::Integer).not_null().default(1));
        op.alter_column("search", "n", ColumnChange::new().no_default());
    },
    downgrade: |op| {
        op.drop_column("search", "n");
        op.revert(&FullText);
        op.revert(&ACTIVE);
        op.drop_table("user");
    },
}];

#[test]
fn it_goes_up_and_down_on_a_database() {
    let migrator = Migrator::new(MODULES);
    let mut conn = Connection::open_in_memory().unwrap();
    for _ in 0..2 {
        migrator.upgrade(&mut conn).unwrap();
        conn.execute_batch("INSERT INTO search VALUES ('x', 2); SELECT * FROM active").unwrap();
        migrator.downgrade(&mut conn, "base").unwrap();
        let sql = "SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE '%dbmigrate%'";
        assert_eq!(conn.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
    }
}

/// Views may be declared in a revision that is already applied, since it still does the same.
#[test]
fn what_sql_makes_beside_tables_is_told_and_is_no_part_of_a_checksum() {
    let plain = Operations::record(|op| {
        op.execute("CREATE VIEW v AS SELECT 1").reversed_by("DROP VIEW v");
    });
    let told = Operations::record(|op| {
        op.execute("CREATE VIEW v AS SELECT 1").reversed_by("DROP VIEW v").describes(|op| {
            op.makes_view("v");
            op.makes_trigger("tr", "user");
        });
    });
    assert_eq!(checksum(&plain), checksum(&told));
    assert_eq!(decode(&encode(&told)).unwrap(), told);
    let back = reverse_all(&told, &Schema::default()).unwrap();
    check(
        &back,
        expect![[r#"
            execute SQL: Some("DROP VIEW v")
              note that trigger `tr` is dropped
              note that view `v` is dropped
        "#]],
    );
    // A declaration by itself runs nothing.
    let mut notes = Operations::record(|op| {
        op.drops_trigger("tr", "user");
        op.makes_virtual_table("docs");
    });
    assert_eq!(checksum(&notes), checksum(&[]));
    assert_eq!(decode(&encode(&notes)).unwrap(), notes);
    notes.extend(told);
    let statements = plan::offline(&notes, &mut Schema::default(), &Sqlite).unwrap();
    assert_eq!(statements.len(), 1);
}
