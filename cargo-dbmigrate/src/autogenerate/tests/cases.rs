//! Everything that a model can declare is compared: one test for each kind of change, including
//! those that other tools are known to miss.

use dbmigrate_runtime::Value;
use dbmigrate_runtime::schema::{
    Check, DefaultValue, Deferrable, ForeignKey, Index, IndexColumn, PrimaryKey, ReferentialAction,
    TableOption, Unique,
};

use super::*;

/// Compares the operations between tables in words; checks that they lead there and back.
#[track_caller]
fn check(from: &[Table], to: &[Table], expect: &[&str]) {
    let from = Schema::from_tables(from.iter().cloned());
    let models = models(to, &[]);
    let operations = plain(&from, &models).unwrap();
    let words: Vec<_> = operations.iter().map(detected).collect();
    let words: Vec<_> = words.iter().map(|word| word.trim_start_matches("Detected ")).collect();
    assert_eq!(words, expect);
    let mut reached = from.clone();
    replay(&mut reached, &operations).unwrap();
    assert_eq!(plain(&reached, &models).unwrap(), [], "a second diff finds more to do");
    replay(&mut reached, &way_back(&operations, &from, &Sqlite, &[]).unwrap().operations).unwrap();
    assert_eq!(diff::diff(&reached, &normalized(&reached, &from)), [], "it leads elsewhere");
}

/// A table that uses every feature.
fn order() -> Table {
    let mut table = table("order")
        .column(Column::new("code", Type::String(50)).not_null())
        .column(Column::new("user_id", Type::BigInteger))
        .column(Column::new("status", Type::enumeration("Status", ["new", "done"])))
        .column(Column::new("total", Type::Integer).default(0))
        .column(Column::new("twice", Type::Integer).generated_stored("total * 2"))
        .unique("uq_order_code", ["code"])
        .check("ck_order_total", "total >= 0");
    table.foreign_keys.push(ForeignKey::new("fk_order_user_id_user", ["user_id"], "user", ["id"]));
    table.indexes.push(
        Index::new("ix_order_code", ["code"])
            .column(IndexColumn::expression("lower(status)"))
            .filter("total > 0"),
    );
    table
}

fn column<'a>(table: &'a mut Table, name: &str) -> &'a mut Column {
    table.columns.iter_mut().find(|column| column.name == name).unwrap()
}

macro_rules! cases {
    ($($name:ident: |$table:ident| $change:expr => [$($expect:literal),* $(,)?];)*) => {
        $(#[test]
        fn $name() {
            let mut changed = order();
            let $table = &mut changed;
            $change;
            let user = table("user");
            check(&[order(), user.clone()], &[changed, user], &[$($expect),*]);
        })*
    };
}

cases! {
    nothing_changed: |table| { let _ = table; } => [];
    the_order_of_columns_is_none: |table| table.columns.reverse() => [];

    // Changes of types.
    a_longer_string: |table| column(table, "code").ty = Type::String(100)
        => ["changed column `order.code`: type to string(100)"];
    a_string_without_length: |table| column(table, "code").ty = Type::Text
        => ["changed column `order.code`: type to text"];
    an_integer_of_another_width: |table| column(table, "total").ty = Type::BigInteger
        => ["changed column `order.total`: type to big integer"];
    an_enum_with_a_variant_more: |table| {
        column(table, "status").ty = Type::enumeration("Status", ["new", "done", "sent"]);
    } => ["changed column `order.status`: type to enum Status(new, done, sent)"];
    an_enum_with_a_variant_less: |table| {
        column(table, "status").ty = Type::enumeration("Status", ["new"]);
    } => ["changed column `order.status`: type to enum Status(new)"];
    an_enum_in_another_order: |table| {
        column(table, "status").ty = Type::enumeration("Status", ["done", "new"]);
    } => ["changed column `order.status`: type to enum Status(done, new)"];
    an_enum_of_another_name: |table| {
        column(table, "status").ty = Type::enumeration("State", ["new", "done"]);
    } => ["changed column `order.status`: type to enum State(new, done)"];
    a_decimal: |table| column(table, "total").ty = Type::Decimal(12, 4)
        => ["changed column `order.total`: type to decimal(12, 4)"];
    a_datetime_with_time_zone: |table| column(table, "total").ty = Type::Timestamp
        => ["changed column `order.total`: type to timestamp"];

    // Changes of a column's other properties.
    null_no_more: |table| column(table, "total").nullable = false
        => ["changed column `order.total`: to NOT NULL"];
    null_from_now_on: |table| column(table, "code").nullable = true
        => ["changed column `order.code`: to NULL"];
    a_default_added: |table| column(table, "code").default = Some(DefaultValue::Literal("x".into()))
        => ["changed column `order.code`: default"];
    a_default_changed: |table| column(table, "total").default = Some(DefaultValue::Now)
        => ["changed column `order.total`: default"];
    a_default_dropped: |table| column(table, "total").default = None
        => ["changed column `order.total`: default"];
    a_collation: |table| column(table, "code").collation = Some("NOCASE".to_owned())
        => ["changed column `order.code`: collation"];
    comments: |table| {
        column(table, "code").comment = Some("unique".to_owned());
        table.comment = Some("orders".to_owned());
    } => ["changed column `order.code`: comment", "changed table `order`: comment"];
    autoincrement: |table| column(table, "id").autoincrement = Some(true)
        => ["changed column `order.id`: autoincrement"];
    a_generated_column_in_another_way: |table| {
        let generated = column(table, "twice").generated.as_mut().unwrap();
        generated.expression = "total + total".into();
        generated.stored = false;
    } => ["changed column `order.twice`: generated expression"];
    a_generated_column_made_ordinary: |table| column(table, "twice").generated = None
        => ["changed column `order.twice`: generated expression"];
    an_ordinary_column_made_generated: |table| {
        column(table, "twice").generated = None;
        *column(table, "total") = Column::new("total", Type::Integer).generated_virtual("twice / 2");
    } => [
        "changed column `order.twice`: generated expression",
        "changed column `order.total`: default, generated expression",
    ];
    generated_columns_that_need_each_other: |table| {
        table.columns.push(Column::new("a", Type::Integer).generated_virtual("b + c"));
        table.columns.push(Column::new("b", Type::Integer).generated_virtual("c"));
        table.columns.push(Column::new("c", Type::Integer));
    } => [
        "added column `order.c`",
        "added column `order.b`",
        "added column `order.a`",
    ];

    // Changes of keys and constraints.
    the_primary_key_of_other_columns: |table| table.primary_key = Some(PrimaryKey::new("pk_order", ["code", "id"]))
        => ["removed primary key `pk_order` on `order`", "added primary key `pk_order` on `order`"];
    no_primary_key: |table| table.primary_key = None
        => ["removed primary key `pk_order` on `order`"];
    a_unique_added: |table| table.uniques.push(Unique::new("uq_order_user_id", ["user_id"]))
        => ["added unique constraint `uq_order_user_id` on `order`"];
    a_unique_dropped: |table| table.uniques.clear()
        => ["removed unique constraint `uq_order_code` on `order`"];
    a_unique_of_more_columns: |table| table.uniques[0].columns.push("user_id".to_owned())
        => [
            "removed unique constraint `uq_order_code` on `order`",
            "added unique constraint `uq_order_code` on `order`",
        ];
    a_unique_of_another_name: |table| table.uniques[0].name = "mine".to_owned()
        => [
            "removed unique constraint `uq_order_code` on `order`",
            "added unique constraint `mine` on `order`",
        ];
    a_unique_made_a_unique_index: |table| {
        table.uniques.clear();
        table.indexes.push(Index::new("ix_order_code_", ["code"]).unique());
    } => [
        "removed unique constraint `uq_order_code` on `order`",
        "added index `ix_order_code_` on `order`",
    ];
    a_foreign_key_dropped: |table| table.foreign_keys.clear()
        => ["removed foreign key `fk_order_user_id_user` on `order`"];
    a_foreign_key_with_other_actions: |table| table.foreign_keys[0].on_delete = ReferentialAction::Cascade
        => [
            "removed foreign key `fk_order_user_id_user` on `order`",
            "added foreign key `fk_order_user_id_user` on `order`",
        ];
    a_foreign_key_checked_later: |table| {
        table.foreign_keys[0].deferrable = Some(Deferrable::InitiallyDeferred);
    } => [
        "removed foreign key `fk_order_user_id_user` on `order`",
        "added foreign key `fk_order_user_id_user` on `order`",
    ];
    a_foreign_key_of_another_name: |table| table.foreign_keys[0].name = "mine".to_owned()
        => [
            "removed foreign key `fk_order_user_id_user` on `order`",
            "added foreign key `mine` on `order`",
        ];
    a_check_of_another_text: |table| table.checks[0].expression = "total > 0".into()
        => ["removed check `ck_order_total` on `order`", "added check `ck_order_total` on `order`"];
    a_check_added_and_one_dropped: |table| table.checks = vec![Check::new("ck_order_code", "code <> ''")]
        => ["removed check `ck_order_total` on `order`", "added check `ck_order_code` on `order`"];

    // Changes of indexes.
    an_index_added: |table| table.indexes.push(Index::new("ix", ["total"]))
        => ["added index `ix` on `order`"];
    an_index_dropped: |table| table.indexes.clear()
        => ["removed index `ix_order_code` on `order`"];
    an_index_of_another_name: |table| table.indexes[0].name = "ix".to_owned()
        => ["index `ix_order_code` on `order` renamed to `ix`"];
    an_index_made_unique: |table| table.indexes[0].unique = true
        => ["removed index `ix_order_code` on `order`", "added index `ix_order_code` on `order`"];
    an_index_in_another_order: |table| table.indexes[0].columns.reverse()
        => ["removed index `ix_order_code` on `order`", "added index `ix_order_code` on `order`"];
    an_index_sorted_down: |table| table.indexes[0].columns[0].descending = true
        => ["removed index `ix_order_code` on `order`", "added index `ix_order_code` on `order`"];
    an_index_with_a_collation: |table| {
        table.indexes[0].columns[0].collation = Some("NOCASE".to_owned());
    } => ["removed index `ix_order_code` on `order`", "added index `ix_order_code` on `order`"];
    an_index_over_fewer_rows: |table| table.indexes[0].filter = Some("total > 1".into())
        => ["removed index `ix_order_code` on `order`", "added index `ix_order_code` on `order`"];
    an_index_over_another_expression: |table| {
        table.indexes[0].columns[1] = IndexColumn::expression("upper(status)");
    } => ["removed index `ix_order_code` on `order`", "added index `ix_order_code` on `order`"];

    // Changes of the table's options.
    every_option: |table| table.options = TableOption::ALL.into_iter().collect()
        => ["changed table `order`: strict, without rowid, unlogged"];
    a_column_dropped_with_all_that_names_it: |table| {
        table.columns.retain(|column| column.name != "total" && column.name != "twice");
        table.checks.clear();
        table.indexes.clear();
    } => [
        "removed index `ix_order_code` on `order`",
        "removed check `ck_order_total` on `order`",
        "removed column `order.twice`",
        "removed column `order.total`",
    ];

    // Different spellings that are not a change.
    expressions_that_say_the_same: |table| {
        table.checks[0].expression = "( \"total\"  >= 0 )".into();
        table.indexes[0].filter = Some("TOTAL>0".into());
        table.indexes[0].columns[1] = IndexColumn::expression("LOWER( [status] )");
        column(table, "twice").generated.as_mut().unwrap().expression = "(`total`*2)".into();
        column(table, "code").default = Some(DefaultValue::Literal(Value::Null));
    } => [];
}

#[test]
fn an_index_moves_to_another_table_under_its_name() {
    let indexed = |name: &str, index: bool| {
        let mut table = table(name);
        if index {
            table.indexes.push(Index::new("ix", ["id"]));
        }
        table
    };
    check(
        &[indexed("a", false), indexed("b", true)],
        &[indexed("a", true), indexed("b", false)],
        &["removed index `ix` on `b`", "added index `ix` on `a`"],
    );
    let mut renamed = indexed("b", true);
    renamed.indexes[0].name = "other".to_owned();
    check(
        &[indexed("a", false), indexed("b", true)],
        &[indexed("a", true), renamed],
        &["index `ix` on `b` renamed to `other`", "added index `ix` on `a`"],
    );
    check(
        &[indexed("b", true)],
        &[indexed("a", true)],
        &[
            "removed index `ix` on `b`",
            "added table `a`",
            "added index `ix` on `a`",
            "removed table `b`",
        ],
    );
}

#[test]
fn tables_in_a_circle_are_created_and_dropped() {
    let table = |name: &str, other: &str| {
        let mut table = table(name).column(Column::new("other", Type::BigInteger));
        table.foreign_keys.push(ForeignKey::new("fk", ["other"], other, ["id"]));
        table
    };
    let circle = [table("a", "b"), table("b", "a"), table("c", "c")];
    check(&[], &circle, &["added table `b`", "added table `a`", "added table `c`"]);
    check(&circle, &[], &["removed table `c`", "removed table `a`", "removed table `b`"]);
}

/// New columns exist before foreign keys refer to them, and old ones are dropped after them.
#[test]
fn tables_that_are_there_come_to_refer_to_each_other() {
    let table = |name: &str, other: Option<&str>| {
        let mut table = table(name);
        if let Some(other) = other {
            table = table.column(Column::new("other", Type::BigInteger)).unique("uq", ["other"]);
            table.foreign_keys.push(ForeignKey::new("fk", ["other"], other, ["other"]));
        }
        table
    };
    let (apart, circle) =
        ([table("a", None), table("b", None)], [table("a", Some("b")), table("b", Some("a"))]);
    check(
        &apart,
        &circle,
        &[
            "added column `b.other`",
            "added unique constraint `uq` on `b`",
            "added column `a.other`",
            "added foreign key `fk` on `a`",
            "added unique constraint `uq` on `a`",
            "added foreign key `fk` on `b`",
        ],
    );
    check(
        &circle,
        &apart,
        &[
            "removed foreign key `fk` on `a`",
            "removed foreign key `fk` on `b`",
            "removed unique constraint `uq` on `a`",
            "removed column `a.other`",
            "removed unique constraint `uq` on `b`",
            "removed column `b.other`",
        ],
    );
}

#[test]
fn all_columns_change() {
    let one = |name: &str| Table::new("t").column(Column::new(name, Type::Integer));
    check(&[one("a")], &[one("b")], &["added column `t.b`", "removed column `t.a`"]);
}

#[test]
fn what_a_model_only_describes_is_left_alone() {
    let from = Schema::from_tables([table("theirs"), table("ours")]);
    let mut models = models(&[table("ours"), table("theirs")], &[]);
    models.records[1].unmanaged = true;
    models.schema.tables.remove("theirs");
    assert_eq!(plain(&from, &models).unwrap(), []);
}
