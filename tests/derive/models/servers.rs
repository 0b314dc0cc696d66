//! SQL for each database, and what only servers have.

use dbmigrate_runtime::operations::Sql;
use dbmigrate_runtime::schema::{
    Check, Column, Deferrable, ForeignKey, Identity, Index, IndexColumn, Table, Type, Unique,
};
use dbmigrate_runtime::{ColumnType, Model};

use super::{check, id, keyed, text};

#[test]
fn sql_for_each_database() {
    #[derive(Model)]
    #[model(
        check(name = "ck_code", sqlite = "code GLOB 'A*'", postgres = "code ~ '^A'"),
        check(name = "ck_long", expr = sql(mysql = "length(code) > 1", sqlite = "code <> ''")),
        check(name = "ck_plain", expr = sql("code <> 'x'")),
        index(
            name = "ix_code",
            columns(sql(sqlite = "lower(code)", postgres = "upper(code)"), code),
            where = sql(sqlite = "code > 1", mysql = "code > 2"),
        )
    )]
    pub struct Item {
        #[model(primary_key)]
        pub id: i64,
        #[model(default = sql(sqlite = "'a'", postgres = "'b'"))]
        pub code: String,
        #[model(generated(sqlite = "id + 1", postgres = "id + 2", stored))]
        pub next: i64,
    }

    let sql = |sqlite, postgres| Sql::new().sqlite(sqlite).postgres(postgres);
    let mut table = keyed("item").column(text("code").default_sql(sql("'a'", "'b'"))).column(
        Column::new("next", Type::BigInteger).not_null().generated_stored(sql("id + 1", "id + 2")),
    );
    table.checks = vec![
        Check::new("ck_code", sql("code GLOB 'A*'", "code ~ '^A'")),
        Check::new("ck_long", Sql::new().mysql("length(code) > 1").sqlite("code <> ''")),
        Check::new("ck_plain", "code <> 'x'"),
    ];
    table.indexes.push(
        Index::new("ix_code", [])
            .column(IndexColumn::expression(sql("lower(code)", "upper(code)")))
            .column(IndexColumn::new("code"))
            .filter(Sql::new().sqlite("code > 1").mysql("code > 2")),
    );
    check::<Item>(table);
}

#[test]
fn indexes_and_uniques_of_servers() {
    #[derive(Model)]
    #[model(
        index(
            name = "ix_a",
            columns(a opclass "text_pattern_ops" desc nulls_last, b nulls_first),
            unique,
            nulls_not_distinct,
            using = "btree",
            include(c),
            with("fillfactor = 70"),
            concurrently,
        ),
        unique(name = "uq_b", columns(b), include(c), nulls_not_distinct),
        exclude(
            name = "ex_b",
            using = "gist",
            elements(b with "=", sql("span(a)") opclass "range_ops" with "&&"),
            where = "a > 'x'",
        ),
        exclude(elements(c with "=")),
    )]
    pub struct Item {
        #[model(primary_key)]
        pub id: i64,
        pub a: String,
        #[model(index(using = "hash"))]
        pub b: String,
        #[model(column = "cc", unique(deferrable = "initially immediate"))]
        pub c: String,
    }

    let mut table = keyed("item").column(text("a")).column(text("b")).column(text("cc"));
    table.indexes = vec![
        Index::new("ex_b", [])
            .column(IndexColumn::new("b").excludes("="))
            .column(IndexColumn::expression("span(a)").opclass("range_ops").excludes("&&"))
            .using("gist")
            .filter("a > 'x'"),
        Index::new("ix_a", [])
            .column(IndexColumn::new("a").opclass("text_pattern_ops").desc().nulls_last())
            .column(IndexColumn::new("b").nulls_first())
            .unique()
            .nulls_not_distinct()
            .using("btree")
            .include(["cc"])
            .with("fillfactor = 70")
            .concurrently(),
        Index::new("ix_item_b", ["b"]).using("hash"),
        Index::new("ix_item_cc", []).column(IndexColumn::new("cc").excludes("=")),
    ];
    table.uniques = vec![
        Unique::new("uq_b", ["b"]).include(["cc"]).nulls_not_distinct(),
        Unique::new("uq_item_cc", ["cc"]).deferrable(Deferrable::InitiallyImmediate),
    ];
    check::<Item>(table);
}

#[test]
fn tables_and_keys_of_servers() {
    #[derive(ColumnType)]
    #[column_type(name = "shop_mood")]
    pub enum Mood {
        Sad,
        #[column_type(rename = "merry")]
        Glad,
    }

    #[derive(ColumnType)]
    #[column_type(text)]
    pub enum Kind {
        Big,
        Small,
    }

    #[derive(Model)]
    #[model(sqlite(strict), postgres(unlogged, with("fillfactor = 70"), tablespace = "fast"))]
    #[model(mysql(engine = "Aria", charset = "latin1", collate = "latin1_general_ci"))]
    #[model(index(name = "ix", columns(kind prefix 5 desc), using = "fulltext"))]
    pub struct Item {
        #[model(primary_key, identity = always)]
        pub id: i64,
        #[model(identity = by_default)]
        pub number: i32,
        pub mood: Mood,
        pub moods: Vec<Mood>,
        pub kind: Kind,
        #[model(mysql(on_update_now, invisible, charset = "ascii"))]
        pub bytes: Vec<u8>,
    }

    let mood = || Type::enumeration("shop_mood", ["sad", "merry"]);
    let mut item = Table::new("item")
        .column(id().identity(Identity::Always))
        .column(Column::new("number", Type::Integer).not_null().identity(Identity::ByDefault))
        .column(Column::new("mood", mood()).not_null())
        .column(Column::new("moods", Type::array(mood())).not_null())
        .column(Column::new("kind", Type::text_enumeration(["big", "small"])).not_null())
        .column(
            Column::new("bytes", Type::Binary)
                .not_null()
                .charset("ascii")
                .on_update_now()
                .invisible(),
        )
        .primary_key("pk_item", ["id"])
        .engine("Aria")
        .charset("latin1")
        .collate("latin1_general_ci")
        .strict()
        .unlogged()
        .with("fillfactor = 70")
        .tablespace("fast");
    let kind = IndexColumn::new("kind").prefix(5).desc();
    item.indexes.push(Index::new("ix", []).column(kind).using("fulltext"));
    check::<Item>(item);
}

#[test]
fn a_primary_key_may_have_a_name() {
    #[derive(Model)]
    #[model(primary_key(name = "Post_pkey", columns(id)))]
    pub struct Post {
        pub id: i64,
    }

    #[derive(Model)]
    #[model(primary_key(columns(post_id, "Tag"), name = "Tag_pkey"))]
    pub struct Tag {
        #[model(references = Post)]
        pub post_id: i64,
        #[model(column = "Tag", length = 9)]
        pub tag: String,
    }

    check::<Post>(Table::new("post").column(id()).primary_key("Post_pkey", ["id"]));
    check::<Tag>(
        Table::new("tag")
            .column(Column::new("post_id", Type::BigInteger).not_null())
            .column(Column::new("Tag", Type::String(9)).not_null())
            .primary_key("Tag_pkey", ["post_id", "Tag"])
            .foreign_key(ForeignKey::new("fk_tag_post_id_post", ["post_id"], "post", ["id"])),
    );
}

#[test]
fn a_table_in_a_schema_is_called_by_both_names() {
    #[derive(Model)]
    #[model(schema = "crm", table = "customers")]
    pub struct Customer {
        #[model(primary_key)]
        pub id: i64,
    }

    #[derive(Model)]
    #[model(schema = "billing", index(customer_id, amount))]
    pub struct Invoice {
        #[model(primary_key)]
        pub id: i64,
        #[model(references = Customer)]
        pub customer_id: i64,
        #[model(unique, check("amount > 0"))]
        pub amount: i32,
    }

    assert_eq!((Customer::TABLE, Invoice::TABLE), ("crm.customers", "billing.invoice"));
    let customer = ForeignKey::new(
        "fk_invoice_customer_id_customers",
        ["customer_id"],
        "crm.customers",
        ["id"],
    );
    let mut invoice = Table::new("invoice")
        .schema("billing")
        .column(id())
        .column(Column::new("customer_id", Type::BigInteger).not_null())
        .column(Column::new("amount", Type::Integer).not_null())
        .primary_key("pk_invoice", ["id"])
        .unique("uq_invoice_amount", ["amount"])
        .foreign_key(customer)
        .check("ck_invoice_amount", "amount > 0");
    invoice.indexes.push(Index::new("ix_invoice_customer_id_amount", ["customer_id", "amount"]));
    check::<Invoice>(invoice);
}
