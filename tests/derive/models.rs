//! The results for models: each decoded record is compared with a hand-written table.
#![deny(warnings)]

mod places;
mod references;
mod servers;

use dbmigrate_runtime::engine::record::{self, ModelRecord};
use dbmigrate_runtime::schema::{Column, ForeignKey, Index, IndexColumn, Table, Type};
use dbmigrate_runtime::{ColumnType, Columns, Model, Value};

/// The record of a model, after checking that it has this table.
#[track_caller]
fn check<M: Model>(expected: Table) -> ModelRecord {
    let record = record::decode_model::<M>().unwrap();
    assert_eq!(record.table, expected);
    assert_eq!(M::TABLE, expected.name);
    record
}

fn id() -> Column {
    Column::new("id", Type::BigInteger).not_null()
}

fn text(name: &str) -> Column {
    Column::new(name, Type::Text).not_null()
}

/// A table with this name that only has a key.
fn keyed(name: &str) -> Table {
    Table::new(name).column(id()).primary_key(&format!("pk_{name}"), ["id"])
}

/// A user that other models refer to.
#[derive(Model)]
struct User {
    #[model(primary_key)]
    id: i64,
}

#[test]
fn a_struct_is_a_table() {
    /// A registered
    /// account.
    #[derive(Model)]
    pub struct UserAccount {
        #[model(primary_key)]
        pub id: i64,
        ///
        /// How it is called.
        #[model(length = 100, unique)]
        pub r#type: String,
        pub note: Option<String>,
    }

    let record = check::<UserAccount>(
        Table::new("user_account")
            .column(id())
            .column(Column::new("type", Type::String(100)).not_null())
            .column(Column::new("note", Type::Text))
            .primary_key("pk_user_account", ["id"])
            .unique("uq_user_account_type", ["type"]),
    );
    assert_eq!(record.path, "derive::models::UserAccount");
    assert_eq!(record.file, file!());
    assert_eq!(record.docs.as_deref(), Some("A registered"));
    assert_eq!((record.renamed_from, record.database, record.unmanaged), (None, None, false));
    let field = &record.fields[1];
    assert_eq!((field.column.as_str(), field.field.as_str()), ("type", "type"));
    assert_eq!(field.docs.as_deref(), Some("How it is called."));
    assert!(record.line == 0 || field.line > record.line);
}

#[test]
fn names_of_tables_and_columns() {
    #[derive(Model)]
    #[model(table = "People", rename_all = "camelCase", renamed_from = "persons")]
    struct Person {
        #[model(primary_key)]
        person_id: i64,
        #[model(renamed_from = "given_name")]
        first_name: String,
        #[model(column = "family name", unique)]
        last_name: String,
    }

    let record = check::<Person>(
        Table::new("People")
            .column(Column::new("personId", Type::BigInteger).not_null())
            .column(text("firstName"))
            .column(text("family name"))
            .primary_key("pk_People", ["personId"])
            .unique("uq_People_family name", ["family name"]),
    );
    assert_eq!(record.renamed_from.as_deref(), Some("persons"));
    assert_eq!(record.fields[1].renamed_from.as_deref(), Some("given_name"));
    assert_eq!(record.fields[2].field, "last_name");
}

#[test]
fn options_of_tables() {
    #[derive(Model)]
    #[model(strict, without_rowid, comment = "kept for ever", database = "archive", unmanaged)]
    struct Event {
        #[model(primary_key)]
        id: i64,
    }

    let expected = keyed("event").strict().without_rowid().comment("kept for ever");
    let record = check::<Event>(expected);
    assert_eq!(record.database.as_deref(), Some("archive"));
    assert!(record.unmanaged);

    #[derive(Model)]
    #[model(no_primary_key)]
    struct Log {
        line: String,
    }

    check::<Log>(Table::new("log").column(text("line")));
}

#[test]
fn a_key_of_several_columns() {
    #[derive(Model)]
    #[model(primary_key(group, "member id"))]
    struct Membership {
        #[model(column = "member id")]
        member: Option<i64>,
        group: i64,
    }

    check::<Membership>(
        Table::new("membership")
            .column(Column::new("member id", Type::BigInteger).not_null())
            .column(Column::new("group", Type::BigInteger).not_null())
            .primary_key("pk_membership", ["group", "member id"]),
    );
}

#[test]
fn whether_a_key_generates_its_values() {
    #[derive(Model)]
    struct Counted {
        #[model(primary_key, autoincrement)]
        id: i64,
    }

    #[derive(Model)]
    #[model(primary_key(id))]
    struct Given {
        #[model(autoincrement = false, default = 7)]
        id: i64,
    }

    let counted = Table::new("counted").column(id().autoincrement(true));
    check::<Counted>(counted.primary_key("pk_counted", ["id"]));
    let given = Table::new("given").column(id().autoincrement(false).default(7));
    check::<Given>(given.primary_key("pk_given", ["id"]));
}

#[test]
fn types_by_attribute() {
    #[derive(ColumnType)]
    #[allow(dead_code)]
    struct Money(i64);

    #[derive(Model)]
    #[model(no_primary_key)]
    struct Typed {
        #[model(type = Decimal(10, 2))]
        price: Money,
        #[model(type = raw("citext"))]
        email: Option<String>,
        #[model(type = raw(sqlite = "TEXT", postgres = "inet", mysql = "varchar(39)"))]
        address: String,
        #[model(type = String(20), collate = "NOCASE")]
        code: Money,
        #[model(type = FixedBinary(4))]
        mark: Vec<u8>,
        #[model(type = Json)]
        data: Money,
        #[model(length = 300, collate = "NOCASE", comment = "as typed")]
        name: Option<String>,
        #[model(not_null)]
        a: Option<bool>,
        #[model(nullable)]
        b: bool,
    }

    let per_dialect =
        Type::per_dialect([("sqlite", "TEXT"), ("postgres", "inet"), ("mysql", "varchar(39)")]);
    check::<Typed>(
        Table::new("typed")
            .column(Column::new("price", Type::Decimal(10, 2)).not_null())
            .column(Column::new("email", Type::raw("citext")))
            .column(Column::new("address", per_dialect).not_null())
            .column(Column::new("code", Type::String(20)).not_null().collate("NOCASE"))
            .column(Column::new("mark", Type::FixedBinary(4)).not_null())
            .column(Column::new("data", Type::Json).not_null())
            .column(Column::new("name", Type::String(300)).collate("NOCASE").comment("as typed"))
            .column(Column::new("a", Type::Boolean).not_null())
            .column(Column::new("b", Type::Boolean)),
    );
}

#[test]
fn every_type_that_an_attribute_can_name() {
    struct Opaque;

    impl ColumnType for Opaque {
        const TY: dbmigrate_runtime::model::Ty = dbmigrate_runtime::model::Ty::TEXT;
    }

    macro_rules! check_types {
        ($($field:ident: $name:ident $(($($number:literal),*))?;)*) => {
            #[derive(Model)]
            #[model(no_primary_key)]
            struct All {
                $(#[model(type = $name $(($($number),*))?)] $field: Opaque,)*
            }

            let expected = Table::new("all")
                $(.column(Column::new(stringify!($field), Type::$name $(($($number),*))?).not_null()))*;
            check::<All>(expected);
        };
    }

    check_types! {
        a: Boolean; b: TinyInteger; c: SmallInteger; d: Integer; e: BigInteger; f: TinyUnsigned;
        g: SmallUnsigned; h: Unsigned; i: BigUnsigned; j: Float; k: Double; l: Decimal(5, 5);
        m: Numeric; n: String(1); o: Text; p: Date; q: Time; r: DateTime; s: Timestamp; t: Uuid;
        u: Json; v: Binary; w: FixedBinary(300);
    }
}

#[test]
fn defaults_and_generated_columns() {
    #[derive(Model)]
    #[model(no_primary_key)]
    struct Defaults {
        #[model(default = true)]
        a: bool,
        #[model(default = -9_223_372_036_854_775_808)]
        b: i64,
        #[model(default = 0x10)]
        c: i32,
        #[model(default = -1.5e3)]
        d: f64,
        #[model(default = "it's")]
        e: String,
        #[model(default = "")]
        f: String,
        #[model(default = 'x')]
        g: char,
        #[model(default = b"\x00\xff")]
        h: Vec<u8>,
        #[model(default = now)]
        i: String,
        #[model(default = sql("lower(hex(randomblob(16)))"))]
        j: String,
        #[model(generated("a + b", stored))]
        k: i64,
        #[model(generated("length(e)", virtual))]
        l: Option<i64>,
    }

    check::<Defaults>(
        Table::new("defaults")
            .column(Column::new("a", Type::Boolean).not_null().default(true))
            .column(Column::new("b", Type::BigInteger).not_null().default(i64::MIN))
            .column(Column::new("c", Type::Integer).not_null().default(16))
            .column(Column::new("d", Type::Double).not_null().default(-1500.0))
            .column(text("e").default("it's"))
            .column(text("f").default(""))
            .column(Column::new("g", Type::String(1)).not_null().default("x"))
            .column(Column::new("h", Type::Binary).not_null().default(Value::Blob(vec![0, 255])))
            .column(text("i").default_now())
            .column(text("j").default_sql("lower(hex(randomblob(16)))"))
            .column(Column::new("k", Type::BigInteger).not_null().generated_stored("a + b"))
            .column(Column::new("l", Type::BigInteger).generated_virtual("length(e)")),
    );
}

#[test]
fn uniques_indexes_and_checks() {
    #[derive(Model)]
    #[model(
        unique(b, a),
        unique(name = "one_of_each", columns(a, "c d")),
        index(a, b desc),
        index(sql("lower(b)")),
        index(
            name = "ix_open",
            columns(b, a desc, c collate "NOCASE" asc, sql("lower(b)") desc),
            unique,
            where = "a > 0"
        ),
        check("a <> 0"),
        check(name = "b_is_short", expr = "length(b) < 9")
    )]
    struct Post {
        #[model(primary_key)]
        id: i64,
        #[model(index, check("a > -10"))]
        a: i64,
        #[model(unique(name = "b_once"))]
        b: String,
        #[model(column = "c d", index(name = "c_some", unique, where = "a = 1"))]
        c: String,
    }

    let mut expected = Table::new("post")
        .column(id())
        .column(Column::new("a", Type::BigInteger).not_null())
        .column(text("b"))
        .column(text("c d"))
        .primary_key("pk_post", ["id"])
        .unique("b_once", ["b"])
        .unique("one_of_each", ["a", "c d"])
        .unique("uq_post_b_a", ["b", "a"])
        .check("b_is_short", "length(b) < 9")
        .check("ck_post_a", "a > -10")
        .check("ck_post_9f2a7382", "a <> 0");
    expected.checks.sort_by(|one, two| one.name.cmp(&two.name));
    expected.indexes = vec![
        Index::new("c_some", ["c d"]).unique().filter("a = 1"),
        Index::new("ix_open", ["b"])
            .column(IndexColumn::new("a").desc())
            .column(IndexColumn::new("c d").collate("NOCASE"))
            .column(IndexColumn::expression("lower(b)").desc())
            .unique()
            .filter("a > 0"),
        Index::new("ix_post_a", ["a"]),
        Index::new("ix_post_a_b", ["a"]).column(IndexColumn::new("b").desc()),
        Index::new("ix_post_dd8a522f", []).column(IndexColumn::expression("lower(b)")),
    ];
    check::<Post>(expected);
}

#[derive(Columns)]
#[model(rename_all = "camelCase", index(deleted_at, created_by))]
struct Audit<'a> {
    #[model(references = Document::id)]
    created_by: Option<i64>,
    #[model(column = "gone", check("gone <> ''"))]
    deleted_at: Option<&'a str>,
}

#[derive(Columns)]
struct Keyed {
    #[model(primary_key)]
    id: i64,
    #[model(flatten)]
    inner: Inner,
}

#[derive(Columns)]
struct Inner {
    #[model(unique)]
    deepest: bool,
}

#[derive(Model)]
#[model(unique(title, deepest), index(created_by))]
struct Document<'a> {
    #[model(flatten)]
    keyed: Keyed,
    title: String,
    #[model(skip)]
    #[allow(dead_code)]
    cache: std::cell::Cell<u8>,
    #[model(flatten)]
    audit: Audit<'a>,
}

#[test]
fn groups_of_columns() {
    let mut expected = keyed("document")
        .column(Column::new("deepest", Type::Boolean).not_null())
        .column(text("title"))
        .column(Column::new("createdBy", Type::BigInteger))
        .column(Column::new("gone", Type::Text))
        .unique("uq_document_deepest", ["deepest"])
        .unique("uq_document_title_deepest", ["title", "deepest"])
        .check("ck_document_gone", "gone <> ''")
        .foreign_key(ForeignKey::new(
            "fk_document_createdBy_document",
            ["createdBy"],
            "document",
            ["id"],
        ));
    expected.indexes = vec![
        Index::new("ix_document_createdBy", ["createdBy"]),
        Index::new("ix_document_gone_createdBy", ["gone", "createdBy"]),
    ];
    let record = check::<Document<'_>>(expected);
    let fields: Vec<_> = record.fields.iter().map(|field| field.field.as_str()).collect();
    assert_eq!(fields, ["id", "deepest", "title", "created_by", "deleted_at"]);
    assert_eq!(record.fields[0].line, record.fields[1].line);
}

mod renamed {
    pub(super) mod runtime {
        pub(in super::super) use dbmigrate_runtime::*;
    }

    #[derive(dbmigrate_runtime::ColumnType)]
    #[model(crate = runtime)]
    #[allow(dead_code)]
    pub(super) struct Wrapped(bool);
}

#[test]
fn a_renamed_runtime() {
    use renamed::runtime;

    #[derive(Columns)]
    #[model(crate = runtime)]
    struct Part {
        a: renamed::Wrapped,
    }

    #[derive(Model)]
    #[model(crate = renamed::runtime)]
    struct Whole {
        #[model(primary_key)]
        id: i64,
        #[model(flatten)]
        part: Part,
    }

    check::<Whole>(keyed("whole").column(Column::new("a", Type::Boolean).not_null()));
}
