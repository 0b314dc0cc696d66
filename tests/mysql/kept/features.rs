//! Everything that models can say, one table for each feature.

use dbmigrate_runtime::Value;
use dbmigrate_runtime::schema::{
    Column, ForeignKey, Index, IndexColumn, ReferentialAction, Table, Type,
};

fn table() -> Table {
    Table::new("kept")
        .column(Column::new("id", Type::BigInteger).not_null())
        .primary_key("pk_kept", ["id"])
}

fn with(columns: impl IntoIterator<Item = Column>) -> Table {
    columns.into_iter().fold(table(), Table::column)
}

fn of_types(types: impl IntoIterator<Item = Type>) -> Table {
    let columns = types.into_iter().enumerate();
    with(columns.flat_map(|(idx, ty)| {
        [
            Column::new(&format!("a{idx}"), ty.clone()),
            Column::new(&format!("b{idx}"), ty).not_null(),
        ]
    }))
}

fn indexed(index: Index) -> Table {
    let mut table = with([
        Column::new("a", Type::String(100)).not_null(),
        Column::new("b", Type::Integer),
        Column::new("t", Type::Text),
        Column::new("n", Type::Binary),
        Column::new("p", Type::raw("point")).not_null(),
        Column::new("j", Type::Json),
    ]);
    table.indexes.push(index);
    table
}

/// One table for each feature.
pub(super) fn features() -> Vec<(&'static str, Table)> {
    let raw = |words: &[&str]| of_types(words.iter().map(|words| Type::raw(words)));
    let mood = || Type::enumeration("mood", ["sad", "it's ok"]);
    vec![
        ("the key generates no values", {
            let mut table = table();
            table.columns[0].autoincrement = Some(false);
            table
        }),
        ("no key", Table::new("kept").column(Column::new("a", Type::Integer))),
        (
            "a key of two columns",
            Table::new("kept")
                .column(Column::new("a", Type::Integer).not_null())
                .column(Column::new("b", Type::String(20)).not_null())
                .primary_key("pk_kept", ["b", "a"]),
        ),
        (
            "numbers",
            of_types([
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
                Type::Decimal(65, 30),
                Type::Numeric,
            ]),
        ),
        (
            "texts, times and bytes",
            of_types([
                Type::String(1),
                Type::String(255),
                Type::String(1000),
                Type::Text,
                Type::Date,
                Type::Time,
                Type::DateTime,
                Type::Timestamp,
                Type::Uuid,
                Type::Json,
                Type::Binary,
                Type::FixedBinary(16),
                Type::FixedBinary(300),
            ]),
        ),
        ("enumerations", of_types([mood(), Type::text_enumeration(["sad", "it's ok"])])),
        (
            "the servers' own numbers",
            raw(&[
                "MEDIUMINT",
                "mediumint unsigned",
                "int(5) zerofill",
                "int(11)",
                "INTEGER UNSIGNED",
                "bool",
                "real",
                "double precision",
                "float(7,3)",
                "numeric(8)",
                "dec(8, 3) unsigned",
                "bit(3)",
                "bit",
                "year",
            ]),
        ),
        (
            "the servers' own texts and times",
            raw(&[
                "char(5)",
                "char",
                "character varying(20)",
                "tinytext",
                "text",
                "mediumtext",
                "longtext",
                "binary(3)",
                "tinyblob",
                "blob",
                "mediumblob",
                "set('a','b')",
                "enum('x','y')",
                "datetime",
                "datetime(3)",
                "timestamp(3)",
                "time",
                "time(2)",
                "geometry",
                "point",
                "polygon",
            ]),
        ),
        (
            "types by dialect",
            of_types([Type::per_dialect([("mysql", "char(36)"), ("mariadb", "uuid")])]),
        ),
        (
            "defaults",
            with([
                Column::new("b", Type::Boolean).default(true),
                Column::new("i", Type::Integer).not_null().default(-7),
                Column::new("u", Type::BigUnsigned).default(18_446_744_073_709_i64),
                Column::new("d", Type::Double).default(1.5),
                Column::new("m", Type::Decimal(10, 2)).not_null().default("1.50"),
                Column::new("s", Type::String(50)).default("it's \\ \"x\" `y`"),
                Column::new("e", Type::String(50)).not_null().default(""),
                Column::new("z", Type::String(50)).default("NULL"),
                Column::new("n", Type::String(50)).default(Value::Null),
                Column::new("t", Type::Text).default("text; -- no comment"),
                Column::new("x", Type::Binary).default(Value::Blob(vec![0, 255])),
                Column::new("f", Type::FixedBinary(2)).default(Value::Blob(vec![0, 255])),
                Column::new("j", Type::Json).default("{\"a\": 1}"),
                Column::new("day", Type::Date).default("2020-01-01"),
                Column::new("clock", Type::Time).default("12:34:56"),
                Column::new("made", Type::DateTime).default("2020-01-01 12:34:56"),
                Column::new("uu", Type::Uuid).default("a0eebc999c0b4ef8bb6d6bb9bd380a11"),
                Column::new("mood", mood()).not_null().default("it's ok"),
                Column::new("tone", Type::text_enumeration(["a", "b"])).default("b"),
            ]),
        ),
        (
            "defaults that are computed",
            with([
                Column::new("a", Type::DateTime).not_null().default_now(),
                Column::new("b", Type::Timestamp).not_null().default_now(),
                Column::new("c", Type::Date).default_now(),
                Column::new("d", Type::Integer).default_sql("1 + 1"),
                Column::new("e", Type::String(50)).default_sql("concat('a', 'b')"),
                Column::new("f", Type::String(36)).default_sql("uuid()"),
                Column::new("g", Type::DateTime).default_sql("current_timestamp(6)"),
                Column::new("h", Type::raw("datetime")).default_sql("CURRENT_TIMESTAMP"),
                Column::new("i", Type::raw("timestamp(3)")).default_sql("now(3)"),
            ]),
        ),
        (
            "on update",
            with([
                Column::new("a", Type::DateTime).not_null().default_now().on_update_now(),
                Column::new("b", Type::Timestamp).on_update_now(),
                Column::new("c", Type::raw("datetime(3)")).on_update_now(),
                Column::new("d", Type::raw("timestamp")).on_update_now(),
            ]),
        ),
        (
            "comments",
            with([
                Column::new("a", Type::Integer).comment("it's \\ \"x\" -- `y`; é\n2"),
                Column::new("b", Type::Integer).comment(""),
            ])
            .comment("the table's own; \\ text"),
        ),
        (
            "invisible columns",
            with([
                Column::new("a", Type::Integer).invisible(),
                Column::new("b", Type::DateTime).not_null().default_now().invisible(),
                Column::new("c", Type::Integer).generated_virtual("a + 1").invisible(),
            ]),
        ),
        (
            "generated columns",
            with([
                Column::new("a", Type::Integer),
                Column::new("v", Type::String(50)),
                Column::new("c", Type::Integer).generated_stored("a*2 + 1"),
                Column::new("d", Type::BigInteger).generated_virtual("coalesce(a, 0)"),
                Column::new("e", Type::String(60)).generated_virtual("v || '!'"),
                Column::new("f", Type::String(60)).generated_stored("lower(v)").comment("low"),
                Column::new("g", Type::Boolean).generated_virtual("a > 3 and v is not null"),
                Column::new("h", Type::Integer).generated_stored("length(v)").not_null(),
            ])
            .unique("uq_f", ["f"]),
        ),
        (
            "checks",
            with([
                Column::new("a", Type::Integer),
                Column::new("v", Type::String(50)),
                Column::new("d", Type::Date),
            ])
            .check("ck_a", "a > 0 and a<5 or a is null")
            .check("ck_b", "a between 1 and 10")
            .check("ck_c", "a in (1, 2)")
            .check("ck_d", "v <> 'it''s' -- why")
            .check("ck_e", "char_length(v) > 2 and v like 'a%'")
            .check("ck_f", "not (a = 3)")
            .check("ck_g", "a % 2 = 0")
            .check("ck_h", "d > '2020-01-01'")
            .check("ck_i", "(case when a > 1 then 1 else 2 end) = 1")
            .check("ck_j", "\"v\" || 'x' <> lower(`v`)"),
        ),
        (
            "collations of columns",
            with([
                Column::new("a", Type::String(50)).collate("utf8mb4_general_ci"),
                Column::new("b", Type::Text).collate("utf8mb4_bin"),
                Column::new("c", Type::String(50)).charset("latin1"),
                Column::new("d", Type::String(50)).charset("ascii").collate("ascii_general_ci"),
                Column::new("f", mood()).collate("utf8mb4_unicode_ci"),
                Column::new("g", Type::String(50)).charset("utf8mb3"),
            ]),
        ),
        (
            "texts whose character set is that of bytes",
            with([
                Column::new("a", Type::raw("char(5)")).charset("binary"),
                Column::new("b", Type::String(50)).charset("binary"),
                Column::new("c", Type::Text).collate("binary").not_null(),
                Column::new("d", Type::raw("text")).charset("binary"),
                Column::new("e", mood()).charset("binary"),
            ]),
        ),
        ("a table of bytes", with([Column::new("a", Type::String(50))]).charset("binary")),
        (
            "the collation of a table",
            with([Column::new("a", Type::String(50))]).collate("latin1_bin"),
        ),
        (
            "the character set of a table",
            with([
                Column::new("a", Type::String(50)),
                Column::new("b", Type::String(50)).collate("utf8mb4_general_ci"),
            ])
            .charset("latin1"),
        ),
        ("an engine", with([Column::new("a", Type::String(50))]).engine("MyISAM")),
        ("InnoDB by name", with([Column::new("a", Type::String(50))]).engine("innodb")),
        (
            "unique constraints",
            indexed(Index::new("ix", ["b", "a"])).unique("uq_a", ["a"]).unique("uq_b", ["b", "a"]),
        ),
        ("an index", indexed(Index::new("ix", ["a", "b"]))),
        ("a unique index", indexed(Index::new("ix", ["a", "b"]).unique())),
        (
            "a descending part",
            indexed(Index::new("ix", ["a"]).column(IndexColumn::new("b").desc())),
        ),
        ("an index over a long text", indexed(Index::new("ix", ["t", "b"]))),
        ("an index over bytes", indexed(Index::new("ix", ["n"]))),
        (
            "a prefix",
            indexed(
                Index::new("ix", [])
                    .column(IndexColumn::new("a").prefix(10))
                    .column(IndexColumn::new("t").prefix(20).desc()),
            ),
        ),
        (
            "a prefix as long as the text",
            indexed(Index::new("ix", []).column(IndexColumn::new("a").prefix(100))),
        ),
        (
            "a unique prefix",
            indexed(Index::new("ix", []).column(IndexColumn::new("t").prefix(20)).unique()),
        ),
        ("full text", indexed(Index::new("ix", ["a", "t"]).using("fulltext"))),
        ("places", indexed(Index::new("ix", ["p"]).using("spatial"))),
        ("a method that is the usual one", indexed(Index::new("ix", ["a"]).using("btree"))),
        (
            "expressions in an index",
            indexed(
                Index::new("ix", [])
                    .column(IndexColumn::expression("lower(a)"))
                    .column(IndexColumn::new("b").desc())
                    .column(IndexColumn::expression("coalesce(b, 0) + 1").desc()),
            ),
        ),
        (
            "a unique index over an expression",
            indexed(Index::new("ix", []).column(IndexColumn::expression("upper(\"a\")")).unique()),
        ),
        (
            "an index into a document",
            indexed(Index::new("ix", []).column(IndexColumn::expression(
                "cast(json_unquote(json_extract(j, '$.a')) as char(40))",
            ))),
        ),
        (
            "odd names",
            Table::new("kept")
                .column(Column::new("select", Type::Integer).not_null().autoincrement(false))
                .column(Column::new("Odd `Name\" é", Type::Integer))
                .primary_key("pk", ["select"])
                .check("the `check`", "\"select\" > 0")
                .unique("the \"key\"", ["Odd `Name\" é"]),
        ),
        (
            "foreign keys",
            with([
                Column::new("a", Type::BigInteger),
                Column::new("b", Type::BigInteger),
                Column::new("c", Type::BigInteger),
                Column::new("d", Type::BigInteger).not_null(),
                Column::new("e", Type::BigInteger),
            ])
            .foreign_key(ForeignKey::new("fk_a", ["a"], "parent", ["id"]))
            .foreign_key(
                ForeignKey::new("fk_b", ["b"], "parent", ["id"])
                    .on_delete(ReferentialAction::SetNull)
                    .on_update(ReferentialAction::Cascade),
            )
            .foreign_key(
                ForeignKey::new("fk_c", ["c"], "kept", ["id"])
                    .on_delete(ReferentialAction::Restrict)
                    .on_update(ReferentialAction::NoAction),
            )
            .foreign_key(
                ForeignKey::new("fk_d", ["d"], "parent", ["id"])
                    .on_delete(ReferentialAction::Cascade),
            )
            .foreign_key(ForeignKey::new("fk_e", ["e", "d"], "parent", ["x", "y"]))
            .unique("uq_d", ["d", "a"]),
        ),
    ]
}
