//! The encoding of operations: it is decoded completely, and it is frozen, since databases and
//! caches keep it forever.

use dbmigrate_runtime::engine::recording::{Recording, checksum, decode, encode};
use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::prelude::*;
use expect_test::{Expect, expect};

fn record(f: impl FnOnce(&mut Operations)) -> Recording {
    let mut op = Operations::new();
    f(&mut op);
    op.finish()
}

/// One of every operation, with everything that each can contain.
fn everything() -> Vec<Operation> {
    let types = [
        Type::Boolean,
        Type::TinyInteger,
        Type::SmallInteger,
        Type::Integer,
        Type::BigInteger,
        Type::TinyUnsigned,
        Type::SmallUnsigned,
        Type::Unsigned,
        Type::BigUnsigned,
        Type::Float,
        Type::Double,
        Type::Decimal(10, 2),
        Type::Numeric,
        Type::String(100),
        Type::Text,
        Type::Date,
        Type::Time,
        Type::DateTime,
        Type::Timestamp,
        Type::Uuid,
        Type::Json,
        Type::Binary,
        Type::FixedBinary(16),
        Type::enumeration("Color", ["red", "it's \"blue\""]),
        Type::array(Type::array(Type::String(3))),
        Type::raw("citext"),
        Type::per_dialect([("postgres", "citext"), ("sqlite", "TEXT")]),
    ];
    let recording = record(|op| {
        let mut table = Table::new("všechno \u{1}\n\\")
            .strict()
            .without_rowid()
            .comment("a \"comment\"")
            .primary_key("pk", ["c0", "c1"])
            .unique("uq_b", ["c2"])
            .unique("uq_a", ["c3", "c2"])
            .check("ck", "c1 > 0")
            .foreign_key(
                ForeignKey::new("fk", ["c1"], "other", ["id"])
                    .on_delete(Action::SetNull)
                    .on_update(Action::Cascade)
                    .deferrable(Deferrable::InitiallyDeferred),
            );
        for (idx, ty) in types.into_iter().enumerate() {
            table = table.column(Column::new(&format!("c{idx}"), ty));
        }
        table.indexes.push(Index::new("ix", ["c1"]));
        op.create_table(table);
        op.drop_table("t");
        op.rename_table("a", "b");
        op.alter_table(
            "t",
            TableChange::new().strict(true).without_rowid(false).comment(Some("c")),
        );
        op.alter_table("t", TableChange { comment: Some(None), ..TableChange::default() });
        let values = [
            Value::Null,
            Value::Bool(true),
            Value::Integer(i64::MIN),
            Value::Integer(-1),
            Value::Real(0.1),
            Value::Real(f64::INFINITY),
            Value::Text("now".into()),
            Value::Blob(vec![0, 255]),
        ];
        for value in values {
            op.add_column("t", Column::new("c", Type::Text).not_null().default(value));
        }
        op.add_column("t", Column::new("c", Type::DateTime).default_now().autoincrement(false));
        op.add_column("t", Column::new("c", Type::Text).default_sql("f(1)").collate("NOCASE"));
        op.add_column("t", Column::new("c", Type::Text).generated_stored("a").comment("c"));
        op.add_column("t", Column::new("c", Type::Text).generated_virtual("a || b"));
        op.drop_column("t", "c");
        op.alter_column(
            "t",
            "c",
            ColumnChange::new()
                .ty(Type::Integer)
                .not_null()
                .default(3)
                .autoincrement(Some(true))
                .generated_stored("e")
                .collate(Some("RTRIM"))
                .comment(Some("c")),
        );
        op.alter_column(
            "t",
            "c",
            ColumnChange::new()
                .nullable()
                .no_default()
                .autoincrement(None)
                .not_generated()
                .collate(None)
                .comment(None),
        );
        op.rename_column("t", "a", "b");
        op.add_primary_key("t", PrimaryKey::new("pk", ["a"]));
        op.drop_primary_key("t", "pk");
        op.add_unique("t", Unique::new("uq", ["a"]));
        op.drop_unique("t", "uq");
        op.add_foreign_key("t", ForeignKey::new("fk", ["a", "b"], "o", ["c", "d"]));
        op.drop_foreign_key("t", "fk");
        op.add_check("t", Check::new("ck", "a > 0"));
        op.drop_check("t", "ck");
        op.create_index(
            "t",
            Index::new("ix", ["a"])
                .column(IndexColumn::new("b").desc().collate("NOCASE"))
                .column(IndexColumn::expression("lower(c)"))
                .unique()
                .filter("a IS NOT NULL"),
        );
        op.drop_index("t", "ix");
        op.rename_index("t", "a", "b");
        op.execute("SELECT 1");
        op.execute(Sql::new().sqlite("SELECT 1").mysql("SELECT 2")).describes(|op| {
            op.drop_table("gone");
        });
        op.bulk_insert("t", ["a", "b"]).row((1, "x")).row((Value::Null, 1.5));
        op.run("a step", |_| Ok(()));
    });
    recording.operations
}

#[test]
fn every_operation_is_read_back_as_it_was() {
    let operations = everything();
    let text = encode(&operations);
    let back = decode(&text).unwrap();
    assert_eq!(encode(&back), text);
    // Sorted by name in between, which doesn't change the meaning.
    let Operation::CreateTable(table) = &back[0] else { panic!("{:?}", back[0]) };
    assert_eq!(table.uniques[0].name, "uq_a");
    assert_eq!(back[1..], operations[1..]);
}

#[track_caller]
fn check(f: impl FnOnce(&mut Operations), expect: Expect) {
    let operations = record(f).operations;
    expect.assert_eq(&format!("{}\n{}", encode(&operations), checksum(&operations)));
}

/// If this fails, a change would make every applied revision of every user count as edited.
#[test]
fn the_encoding_is_frozen() {
    check(
        |op| {
            op.create_table(
                Table::new("user")
                    .column(Column::new("id", Type::BigInteger).not_null())
                    .column(Column::new("email", Type::String(120)).not_null())
                    .primary_key("pk_user", ["id"])
                    .unique("uq_user_email", ["email"]),
            );
            op.run("backfill", |_| Ok(()));
        },
        expect![[r#"
            [{"op":"create_table","table":{"name":"user","columns":[{"name":"id","type":"big_integer","not_null":true},{"name":"email","type":{"string":120},"not_null":true}],"primary_key":{"name":"pk_user","columns":["id"]},"uniques":[{"name":"uq_user_email","columns":["email"]}]}},{"op":"run","step":"backfill"}]
            1:79a6d2a0f0f4ca66599ddee78f32457352eaa2d37eed04f95ff06b7ceff88c92"#]],
    );
    check(
        |op| op.run_batched("backfill", "user.id", 1000, |_, _| Ok(())),
        expect![[r#"
        [{"op":"run","step":"backfill","batch":{"table":"user","columns":["id"],"size":1000}}]
        1:3fe95c8f71b7c9ef37164488bc1249a9e18574cf142490173ded465592d89839"#]],
    );
    let all = everything();
    expect!["1:7942acde9a53535f3f4662f5d0d5708e86e64f716c0220f4dc67d6be7712d931"]
        .assert_eq(&checksum(&all));
}

#[test]
fn what_rows_get_is_said_only_where_it_is_given() {
    check(
        |op| {
            op.add_column("t", Column::new("a", Type::Text).not_null()).using("b || 'x'");
            op.alter_column("t", "b", ColumnChange::new().not_null().using("coalesce(b, 0)"));
        },
        expect![[r#"
            [{"op":"add_column","table":"t","column":{"name":"a","type":"text","not_null":true},"using":"b || 'x'"},{"op":"alter_column","table":"t","column":"b","change":{"not_null":true,"using":"coalesce(b, 0)"}}]
            1:3424bd23ca2e5e2f97e7685f0d9a2ab882ae4f436654371b355109f63fe7431e"#]],
    );
    let operations = record(|op| {
        op.add_column("t", Column::new("a", Type::Text)).using("b").before("b");
        op.alter_column("t", "b", ColumnChange::new().using("c"));
        op.alter_column("t", "b", ColumnChange::new().ty(Type::Integer).fill("c + 1"));
    })
    .operations;
    assert_eq!(decode(&encode(&operations)).unwrap(), operations);
}

#[test]
fn a_name_and_a_way_back_are_kept_and_do_not_count() {
    let plain = record(|op| op.execute("SELECT 1").describes(|op| op.drop_table("gone")));
    let named = record(|op| {
        let execute_handle =
            op.execute("SELECT 1").named("ask").reversed_by(Sql::new().sqlite("SELECT 2"));
        execute_handle.describes(|op| op.drop_table("gone"));
    });
    // What was applied before names existed is unchanged.
    expect![[r#"
        [{"op":"execute","sql":"SELECT 1","describes":[{"op":"drop_table","table":"gone"}]}]"#]]
    .assert_eq(&encode(&plain.operations));
    expect![[r#"
        [{"op":"execute","sql":"SELECT 1","describes":[{"op":"drop_table","table":"gone"}],"name":"ask","reverse":{"by_dialect":{"sqlite":"SELECT 2"}}}]"#]]
    .assert_eq(&encode(&named.operations));
    assert_eq!(decode(&encode(&named.operations)).unwrap(), named.operations);
    assert_eq!(checksum(&named.operations), checksum(&plain.operations));
    expect!["1:134eac676dd97b76a616ebf8e5d8dcc7d6a3fbed14ce09c13d01421fdea62612"]
        .assert_eq(&checksum(&named.operations));
    let nested = |name: &str| {
        let inner = named.operations.clone();
        record(|op| {
            op.execute("x")
                .named(name)
                .describes(|op| inner.into_iter().for_each(|operation| op.push(operation)))
        })
    };
    assert_eq!(checksum(&nested("a").operations), checksum(&nested("b").operations));
    let other = record(|op| op.execute("SELECT 3").describes(|op| op.drop_table("gone")));
    assert_ne!(checksum(&other.operations), checksum(&named.operations));
}

#[test]
fn sql_for_each_database_is_read_back_and_one_for_all_is_a_plain_text() {
    let sql = || Sql::new().sqlite("a GLOB 'x'").postgres("a ~ 'x'");
    let operations = record(|op| {
        op.add_check("t", Check::new("ck", sql()));
        op.add_column("t", Column::new("b", Type::Text).default_sql(sql()));
        op.add_column("t", Column::new("c", Type::Text).generated_stored(sql()));
        op.alter_column("t", "b", ColumnChange::new().default_sql(sql()));
        let index = Index::new("ix", []).column(IndexColumn::expression(sql())).filter(sql());
        op.create_index("t", index);
    })
    .operations;
    assert_eq!(decode(&encode(&operations)).unwrap(), operations);
    check(
        |op| op.add_check("t", Check::new("ck", sql())),
        expect![[r#"
            [{"op":"add_check","table":"t","check":{"name":"ck","expression":{"by_dialect":{"postgres":"a ~ 'x'","sqlite":"a GLOB 'x'"}}}}]
            1:7470a629b09fe6b1ece6b376704bbffed2ba27b6270dc2e3d8f5681391948dcc"#]],
    );
}

#[test]
fn the_properties_that_only_servers_have_are_read_back() {
    let operations = record(|op| {
        let unique = Unique::new("uq", ["a"]).nulls_not_distinct().include(["b"]);
        op.add_unique("t", unique.deferrable(Deferrable::InitiallyDeferred));
        let index = Index::new("ix", ["a"])
            .column(IndexColumn::new("b").opclass("text_pattern_ops").desc().nulls_last())
            .column(IndexColumn::new("c").nulls_first())
            .unique()
            .using("gin")
            .include(["d"])
            .nulls_not_distinct()
            .with("fillfactor = 70")
            .concurrently();
        op.create_index("t", index);
        let exclusion = Index::new("ex", [])
            .column(IndexColumn::new("room").excludes("="))
            .column(IndexColumn::expression("span(a, b)").excludes("&&"))
            .using("gist");
        op.create_index("t", exclusion.filter("a > 0"));
        let table = Table::new("t").schema("billing");
        op.create_table(table.column(Column::new("a", Type::Integer)));
        let table = Table::new("t").unlogged().with("fillfactor = 70").tablespace("fast");
        op.create_table(table.column(Column::new("a", Type::Integer).identity(Identity::Always)));
        let change = TableChange::new().unlogged(false).with(None).tablespace(Some("slow"));
        op.alter_table("t", change);
        op.alter_column("t", "a", ColumnChange::new().identity(None));
        op.alter_column("t", "a", ColumnChange::new().identity(Some(Identity::Serial)));
        let table = Table::new("m").engine("Aria").charset("latin1").collate("latin1_bin");
        let column = Column::new("a", Type::DateTime).charset("ascii").on_update_now().invisible();
        op.create_table(table.column(column));
        let index = Index::new("ix", []).column(IndexColumn::new("a").prefix(20));
        op.create_index("m", index);
        let change = TableChange::new().engine(None).charset(Some("utf8mb4")).collate(None);
        op.alter_table("m", change);
        let change = ColumnChange::new().charset(None).on_update_now(false).invisible(false);
        op.alter_column("m", "a", change);
    })
    .operations;
    assert_eq!(decode(&encode(&operations)).unwrap(), operations);
}

#[test]
fn the_order_of_constraints_is_no_difference() {
    let table = |names: [&str; 2]| {
        let table = Table::new("t").column(Column::new("a", Type::Text));
        names.iter().fold(table, |table, name| table.unique(name, ["a"]))
    };
    let sum = |names| checksum(&[Operation::CreateTable(table(names))]);
    assert_eq!(sum(["x", "y"]), sum(["y", "x"]));
    assert_ne!(sum(["x", "y"]), sum(["x", "z"]));
}

#[test]
fn what_a_newer_version_says_is_an_error_and_not_ignored() {
    let check = |text: &str, expect: &str| {
        assert_eq!(decode(text).unwrap_err().to_string(), expect);
    };
    let prefix = "cannot read recorded operations: ";
    check(
        r#"[{"op":"drop_table","table":"t","cascade":true}]"#,
        &format!("{prefix}member `cascade` is unknown to this version"),
    );
    check(
        r#"[{"op":"create_view"}]"#,
        &format!("{prefix}operation `create_view` is unknown to this version"),
    );
    check(r#"[{"op":"drop_table"}]"#, &format!("{prefix}member `table` is missing"));
    check(r#"{}"#, &format!("{prefix}expected a list, found `{{}}`"));
}

#[test]
fn a_damaged_text_is_an_error_at_every_length() {
    let text = encode(&everything());
    for end in (0..text.len()).filter(|candidate| text.is_char_boundary(*candidate)) {
        assert!(decode(&text[..end]).is_err(), "{end}");
    }
}
