//! The column type of every Rust type that has one.

use std::borrow::Cow;

use dbmigrate_runtime::engine::record;
use dbmigrate_runtime::model::Ty;
use dbmigrate_runtime::schema::Type;
use dbmigrate_runtime::{ColumnType, Model};

/// Checks that a model's columns, after its key, have these types and this nullability.
#[track_caller]
fn check<M: Model>(expected: &[(Type, bool)]) {
    let columns = record::decode_model::<M>().unwrap().table.columns;
    let actual: Vec<_> =
        columns.into_iter().skip(1).map(|column| (column.ty, column.nullable)).collect();
    assert_eq!(actual, expected);
}

#[test]
fn numbers_and_truth() {
    #[derive(Model)]
    struct Numbers {
        #[model(primary_key)]
        id: i64,
        a: bool,
        b: i8,
        c: i16,
        d: i32,
        e: i64,
        f: u8,
        g: u16,
        h: u32,
        i: u64,
        j: f32,
        k: f64,
    }

    check::<Numbers>(&[
        (Type::Boolean, false),
        (Type::TinyInteger, false),
        (Type::SmallInteger, false),
        (Type::Integer, false),
        (Type::BigInteger, false),
        (Type::TinyUnsigned, false),
        (Type::SmallUnsigned, false),
        (Type::Unsigned, false),
        (Type::BigUnsigned, false),
        (Type::Float, false),
        (Type::Double, false),
    ]);
}

#[test]
fn text_bytes_and_lists() {
    #[derive(Model)]
    struct Texts<'a> {
        #[model(primary_key)]
        id: i64,
        a: String,
        b: &'a str,
        c: Box<str>,
        d: Cow<'a, str>,
        e: char,
        f: Vec<u8>,
        g: &'a [u8],
        h: [u8; 16],
        i: Vec<String>,
        j: Vec<Vec<u8>>,
        k: Cow<'a, [u8]>,
        l: Box<[i32]>,
        m: Vec<Option<bool>>,
    }

    check::<Texts<'_>>(&[
        (Type::Text, false),
        (Type::Text, false),
        (Type::Text, false),
        (Type::Text, false),
        (Type::String(1), false),
        (Type::Binary, false),
        (Type::Binary, false),
        (Type::FixedBinary(16), false),
        (Type::array(Type::Text), false),
        (Type::array(Type::Binary), false),
        (Type::Binary, false),
        (Type::array(Type::Integer), false),
        (Type::array(Type::Boolean), false),
    ]);
}

#[test]
fn what_is_optional_is_nullable() {
    type Maybe<T> = Option<T>;

    #[derive(Model)]
    struct Optional<'a> {
        #[model(primary_key)]
        id: Option<i64>,
        a: Option<i32>,
        b: Maybe<Box<str>>,
        c: Option<Option<&'a str>>,
        d: Box<Option<i8>>,
        e: Option<Vec<u8>>,
    }

    check::<Optional<'_>>(&[
        (Type::Integer, true),
        (Type::Text, true),
        (Type::Text, true),
        (Type::TinyInteger, true),
        (Type::Binary, true),
    ]);
    let columns = record::decode_model::<Optional<'_>>().unwrap().table.columns;
    assert!(!columns[0].nullable, "a primary key is never NULL");
}

#[test]
fn types_of_other_crates() {
    #[derive(Model)]
    struct Foreign {
        #[model(primary_key)]
        id: uuid::Uuid,
        a: chrono::NaiveDate,
        b: chrono::NaiveTime,
        c: chrono::NaiveDateTime,
        d: chrono::DateTime<chrono::Utc>,
        e: Option<chrono::DateTime<chrono::FixedOffset>>,
        f: time::Date,
        g: time::Time,
        h: time::PrimitiveDateTime,
        i: time::OffsetDateTime,
        j: jiff::civil::Date,
        k: jiff::civil::Time,
        l: jiff::civil::DateTime,
        m: jiff::Timestamp,
        n: uuid::Uuid,
        o: rust_decimal::Decimal,
        #[model(precision = 12, scale = 4)]
        p: bigdecimal::BigDecimal,
        q: serde_json::Value,
        r: bytes::Bytes,
        s: Vec<uuid::Uuid>,
    }

    check::<Foreign>(&[
        (Type::Date, false),
        (Type::Time, false),
        (Type::DateTime, false),
        (Type::Timestamp, false),
        (Type::Timestamp, true),
        (Type::Date, false),
        (Type::Time, false),
        (Type::DateTime, false),
        (Type::Timestamp, false),
        (Type::Date, false),
        (Type::Time, false),
        (Type::DateTime, false),
        (Type::Timestamp, false),
        (Type::Uuid, false),
        (Type::Numeric, false),
        (Type::Decimal(12, 4), false),
        (Type::Json, false),
        (Type::Binary, false),
        (Type::array(Type::Uuid), false),
    ]);
}

#[test]
fn newtypes_and_enums() {
    #[derive(ColumnType)]
    #[allow(dead_code)]
    struct Email(String);

    #[derive(ColumnType)]
    #[model(length = 40)]
    #[allow(dead_code)]
    struct Handle<'a> {
        inner: Cow<'a, str>,
    }

    #[derive(ColumnType)]
    #[model(type = raw(sqlite = "TEXT COLLATE NOCASE", postgres = "citext"))]
    #[allow(dead_code)]
    struct Tag(String);

    #[derive(ColumnType)]
    #[model(type = Decimal(10, 2))]
    #[allow(dead_code)]
    struct Price(i64);

    #[derive(ColumnType)]
    #[model(type = SmallInteger)]
    #[allow(dead_code)]
    struct Small(i64);

    #[derive(ColumnType)]
    #[allow(dead_code)]
    struct Id<T>(T);

    #[derive(ColumnType)]
    #[allow(dead_code)]
    struct Byte(u8);

    #[derive(ColumnType)]
    #[allow(dead_code)]
    struct Digest<const N: usize>([u8; N]);

    #[derive(ColumnType)]
    #[allow(dead_code)]
    enum PostStatus {
        Draft,
        InReview,
        #[model(rename = "live")]
        Published,
    }

    #[derive(ColumnType)]
    #[model(name = "colour", rename_all = "SCREAMING-KEBAB-CASE")]
    #[allow(dead_code)]
    enum Color {
        LightRed = 4,
        Blue = 8,
    }

    struct ByHand;

    impl ColumnType for ByHand {
        const TY: Ty = Ty::array(&Ty::raw("inet"));
    }

    #[derive(Model)]
    struct Own<'a> {
        #[model(primary_key)]
        id: Id<i64>,
        a: Email,
        b: Option<Handle<'a>>,
        c: Tag,
        d: Price,
        e: Small,
        f: Vec<Byte>,
        g: Digest<32>,
        h: PostStatus,
        i: Option<Color>,
        j: ByHand,
        #[model(length = 80)]
        k: Email,
    }

    check::<Own<'_>>(&[
        (Type::Text, false),
        (Type::String(40), true),
        (Type::per_dialect([("sqlite", "TEXT COLLATE NOCASE"), ("postgres", "citext")]), false),
        (Type::Decimal(10, 2), false),
        (Type::SmallInteger, false),
        (Type::Binary, false),
        (Type::FixedBinary(32), false),
        (Type::enumeration("post_status", ["draft", "in_review", "live"]), false),
        (Type::enumeration("colour", ["LIGHT-RED", "BLUE"]), true),
        (Type::array(Type::raw("inet")), false),
        (Type::String(80), false),
    ]);
}
