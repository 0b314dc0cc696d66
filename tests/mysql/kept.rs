//! A table that was created is read as it was declared, for everything that models can say; what
//! they can't say is named.

use std::collections::BTreeSet;

use dbmigrate_runtime::Value;
use dbmigrate_runtime::engine::dialect::{Alone, Catalog, Dialect, Flavor, Mysql, Task};
use dbmigrate_runtime::engine::drift::Difference;
use dbmigrate_runtime::engine::driver::Driver as _;
use dbmigrate_runtime::engine::driver::mysql::MysqlDriver;
use dbmigrate_runtime::engine::plan;
use dbmigrate_runtime::operations::{ColumnChange, Operation};
use dbmigrate_runtime::schema::{
    Column, ForeignKey, Index, IndexColumn, ReferentialAction, Schema, Table, Type,
};
use dbmigrate_tests::servers;
use expect_test::expect;

fn dialect(server: &str) -> Mysql {
    Mysql(if server.starts_with("mariadb") { Flavor::Mariadb } else { Flavor::Mysql })
}

fn catalog(driver: &mut MysqlDriver<'_>, dialect: &Mysql) -> Catalog {
    dialect.catalog(driver, None, &BTreeSet::new()).expect("the catalog")
}

/// Creates a table, after others that it refers to.
fn create(driver: &mut MysqlDriver<'_>, dialect: &Mysql, tables: &[&Table]) -> Result<(), String> {
    let facts = dialect.facts(driver).expect("the facts");
    let operations: Vec<_> =
        tables.iter().map(|table| Operation::CreateTable((*table).clone())).collect();
    let tasks = plan::tasks(&operations, &mut Schema::default(), dialect, &facts);
    for task in tasks.map_err(|refusal| refusal.to_string())? {
        if let Task::Statement(statement) | Task::Alone(Alone { statement, .. }) = task {
            let sql = &statement.sql;
            driver.batch(sql).map_err(|err| format!("{err}\n{sql}"))?;
        }
    }
    Ok(())
}

/// What is not read as it was declared.
fn left(driver: &mut MysqlDriver<'_>, dialect: &Mysql, table: &Table) -> Vec<String> {
    let found = catalog(driver, dialect);
    let actual = found.schema.table(&table.name).expect("the table");
    let mut kept = dialect.as_kept(driver, &[(table, Some(actual))]).expect("an answer");
    let kept = kept.remove(0).unwrap_or_else(|refusal| panic!("{refusal}"));
    let facts = dialect.facts(driver).expect("the facts");
    let differences = dialect.comparing(&facts).differences(&kept.table, actual);
    let mut left: Vec<_> = differences.iter().map(Difference::to_string).collect();
    left.extend(beyond(&found));
    left.extend(kept.untold.iter().map(|beyond| beyond.text.clone()));
    left
}

/// What a catalog has that no model says.
fn beyond(catalog: &Catalog) -> Vec<String> {
    let features = catalog.beyond.iter().map(|beyond| {
        let columns: Vec<_> = beyond.columns.iter().map(|name| format!(".{name}")).collect();
        let part = beyond.part.as_ref().and_then(|part| part.name.clone());
        let part = part.map_or(String::new(), |name| format!(" ({name})"));
        format!("{}{}{part} {}", beyond.table, columns.join(""), beyond.text)
    });
    let unreadable =
        catalog.unreadable.iter().map(|table| format!("{}: {}", table.name, table.why));
    features.chain(unreadable).collect()
}

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
fn features() -> Vec<(&'static str, Table)> {
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

#[test]
fn nothing_is_left_of_what_models_can_say() {
    for server in servers::mysql("nothing_is_left_of_what_models_can_say") {
        let mut driver = super::driver(&server.own_database());
        let dialect = dialect(&server.name);
        let parent = Table::new("parent")
            .column(Column::new("id", Type::BigInteger).not_null())
            .column(Column::new("x", Type::BigInteger).not_null())
            .column(Column::new("y", Type::BigInteger).not_null())
            .primary_key("pk_parent", ["id"])
            .unique("uq_parent", ["x", "y"]);
        let mut all = Vec::new();
        for (what, table) in features() {
            let refers = !table.foreign_keys.is_empty();
            let tables = if refers { vec![&parent, &table] } else { vec![&table] };
            let left = match create(&mut driver, &dialect, &tables) {
                Ok(()) => left(&mut driver, &dialect, &table),
                Err(why) => vec![why],
            };
            all.extend(left.into_iter().map(|left| format!("{what}: {left}")));
            driver.batch("DROP TABLE IF EXISTS kept").expect("it goes");
        }
        assert_eq!(all.join("\n"), "", "{}", server.name);
    }
}

/// Tables that no model describes, by the servers that have such.
const BEYOND: &[(&str, &str)] = &[
    ("", "a INT) PARTITION BY HASH (id) PARTITIONS 2"),
    ("", "a INT, KEY ix (a) KEY_BLOCK_SIZE=4) ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=8"),
    ("", "a INT) ROW_FORMAT=DYNAMIC STATS_PERSISTENT=1"),
    ("", "a INT, KEY ix (a) COMMENT 'words')"),
    ("", "a INT, FULLTEXT KEY ix (t) WITH PARSER ngram, t TEXT)"),
    ("", "a INT UNIQUE) ENGINE=MEMORY"),
    ("mysql", "a INT, KEY ix (a) INVISIBLE)"),
    ("mysql", "a INT, CONSTRAINT ck CHECK (a > 1) NOT ENFORCED)"),
    ("mysql", "a INT) ENCRYPTION='N' COMPRESSION='zlib'"),
    ("mysql", "a INT COLUMN_FORMAT FIXED STORAGE DISK)"),
    ("mysql", "a POINT NOT NULL SRID 4326)"),
    ("mysql", "a INT ENGINE_ATTRIBUTE='{\"x\": 1}')"),
    ("mariadb", "a INT) WITH SYSTEM VERSIONING"),
    ("mariadb", "a INT WITHOUT SYSTEM VERSIONING, b INT) WITH SYSTEM VERSIONING"),
    ("mariadb", "a DATE, b DATE, PERIOD FOR p (a, b), UNIQUE KEY uq (id, p WITHOUT OVERLAPS))"),
    ("mariadb", "a TEXT COMPRESSED)"),
    ("mariadb", "a INT) PAGE_COMPRESSED=1 TRANSACTIONAL=1"),
    ("mariadb", "a INT, KEY ix (a) IGNORED)"),
    ("mariadb", "a INT CHECK (a > 1))"),
    ("mariadb", "a INT) ENGINE=Aria"),
];

#[test]
fn what_no_model_says_is_named_and_not_lost() {
    let mut seen: Vec<(String, String)> = Vec::new();
    for server in servers::mysql("what_no_model_says_is_named_and_not_lost") {
        let url = server.own_database();
        let (_, database) = url.rsplit_once('/').expect("a database");
        let mut driver = super::driver(&url);
        let dialect = dialect(&server.name);
        let mut texts = String::new();
        for (_, sql) in BEYOND.iter().filter(|(only, _)| server.name.starts_with(only)) {
            let first = "CREATE TABLE t (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY";
            texts += &format!("{sql}\n");
            if let Err(err) = driver.batch(&format!("{first}, {sql}")) {
                texts += &format!("  not here: {err}\n");
                continue;
            }
            let found = catalog(&mut driver, &dialect);
            let before = beyond(&found);
            for text in &before {
                texts += &format!("  {text}\n");
            }
            let (table, column) = ("t".to_owned(), "a".to_owned());
            let change = ColumnChange::new().comment(Some("new"));
            let operations = [Operation::AlterColumn { table, column, change }];
            let facts = dialect.facts(&mut driver).expect("the facts");
            let facts = dialect.facts_for(&mut driver, &operations, &facts).expect("the facts");
            let mut schema = found.schema;
            match plan::tasks(&operations, &mut schema, &dialect, &facts) {
                Ok(tasks) => {
                    for task in tasks {
                        let Task::Alone(Alone { statement, .. }) = task else { continue };
                        texts += &format!("  > {}\n", statement.sql);
                        if let Err(err) = driver.batch(&statement.sql) {
                            texts += &format!("  failed: {err}\n");
                        }
                    }
                    let now = beyond(&catalog(&mut driver, &dialect));
                    assert_eq!(now, before, "{sql}");
                }
                Err(refusal) => texts += &format!("  refused: {refusal}\n"),
            }
            driver.batch("DROP TABLE t").expect("it goes");
        }
        seen.push((server.name.to_string(), texts.replace(database, "app")));
    }
    let mut of_mariadb = seen.iter().filter(|(name, _)| name.starts_with("mariadb"));
    if let Some((_, texts)) = seen.iter().find(|(name, _)| name.starts_with("mysql")) {
        expect![[r#"
            a INT) PARTITION BY HASH (id) PARTITIONS 2
              t has `PARTITION BY HASH ( "id" ) PARTITIONS 2`
              > ALTER TABLE `t` MODIFY COLUMN `a` int NULL COMMENT 'new', ALGORITHM=INSTANT
            a INT, KEY ix (a) KEY_BLOCK_SIZE=4) ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=8
              t has ROW_FORMAT=COMPRESSED
              t has KEY_BLOCK_SIZE=8
              t (ix) has `KEY_BLOCK_SIZE = 4`
              > ALTER TABLE `t` MODIFY COLUMN `a` int NULL COMMENT 'new', ALGORITHM=INSTANT
            a INT) ROW_FORMAT=DYNAMIC STATS_PERSISTENT=1
              t has STATS_PERSISTENT=1
              t has ROW_FORMAT=DYNAMIC
              > ALTER TABLE `t` MODIFY COLUMN `a` int NULL COMMENT 'new', ALGORITHM=INSTANT
            a INT, KEY ix (a) COMMENT 'words')
              t (ix) has `COMMENT 'words'`
              > ALTER TABLE `t` MODIFY COLUMN `a` int NULL COMMENT 'new', ALGORITHM=INSTANT
            a INT, FULLTEXT KEY ix (t) WITH PARSER ngram, t TEXT)
              t (ix) has `WITH PARSER "ngram"`
              > ALTER TABLE `t` MODIFY COLUMN `a` int NULL COMMENT 'new', ALGORITHM=INSTANT
            a INT UNIQUE) ENGINE=MEMORY
              > ALTER TABLE `t` MODIFY COLUMN `a` int NULL COMMENT 'new', ALGORITHM=INSTANT
            a INT, KEY ix (a) INVISIBLE)
              t (ix) has `INVISIBLE`
              > ALTER TABLE `t` MODIFY COLUMN `a` int NULL COMMENT 'new', ALGORITHM=INSTANT
            a INT, CONSTRAINT ck CHECK (a > 1) NOT ENFORCED)
              t (ck) is NOT ENFORCED
              > ALTER TABLE `t` MODIFY COLUMN `a` int NULL COMMENT 'new', ALGORITHM=INSTANT
            a INT) ENCRYPTION='N' COMPRESSION='zlib'
              t has COMPRESSION=zlib
              > ALTER TABLE `t` MODIFY COLUMN `a` int NULL COMMENT 'new', ALGORITHM=INSTANT
            a INT COLUMN_FORMAT FIXED STORAGE DISK)
              t.a has `STORAGE DISK COLUMN_FORMAT FIXED`
              refused: cannot alter column `a` of table `t` on MySQL: column `a` of table `t` has `STORAGE DISK COLUMN_FORMAT FIXED`, which a new definition would lose
            a POINT NOT NULL SRID 4326)
              t.a has `SRID 4326`
              refused: cannot alter column `a` of table `t` on MySQL: column `a` of table `t` has `SRID 4326`, which a new definition would lose
            a INT ENGINE_ATTRIBUTE='{"x": 1}')
              not here: Storage engine 'InnoDB' does not support ENGINE_ATTRIBUTE.
        "#]].assert_eq(texts);
    }
    let Some((_, texts)) = of_mariadb.next() else { return };
    expect![[r#"
        a INT) PARTITION BY HASH (id) PARTITIONS 2
          t has `PARTITION BY HASH ( "id" ) PARTITIONS 2`
          > ALTER TABLE `t` MODIFY COLUMN `a` int(11) NULL COMMENT 'new', ALGORITHM=INSTANT
        a INT, KEY ix (a) KEY_BLOCK_SIZE=4) ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=8
          t has ROW_FORMAT=COMPRESSED
          t has KEY_BLOCK_SIZE=8
          t (ix) has `KEY_BLOCK_SIZE = 4`
          > ALTER TABLE `t` MODIFY COLUMN `a` int(11) NULL COMMENT 'new', ALGORITHM=INSTANT
        a INT) ROW_FORMAT=DYNAMIC STATS_PERSISTENT=1
          t has STATS_PERSISTENT=1
          t has ROW_FORMAT=DYNAMIC
          > ALTER TABLE `t` MODIFY COLUMN `a` int(11) NULL COMMENT 'new', ALGORITHM=INSTANT
        a INT, KEY ix (a) COMMENT 'words')
          t (ix) has `COMMENT 'words'`
          > ALTER TABLE `t` MODIFY COLUMN `a` int(11) NULL COMMENT 'new', ALGORITHM=INSTANT
        a INT, FULLTEXT KEY ix (t) WITH PARSER ngram, t TEXT)
          not here: Function 'ngram' is not defined
        a INT UNIQUE) ENGINE=MEMORY
          > ALTER TABLE `t` MODIFY COLUMN `a` int(11) NULL COMMENT 'new', ALGORITHM=INSTANT
        a INT) WITH SYSTEM VERSIONING
          t has `WITH SYSTEM VERSIONING`
          > ALTER TABLE `t` MODIFY COLUMN `a` int(11) NULL COMMENT 'new', ALGORITHM=INSTANT
          failed: Not allowed for system-versioned `app`.`t`. Change @@system_versioning_alter_history to proceed with ALTER.
        a INT WITHOUT SYSTEM VERSIONING, b INT) WITH SYSTEM VERSIONING
          t has `WITH SYSTEM VERSIONING`
          t.a has `WITHOUT SYSTEM VERSIONING`
          refused: cannot alter column `a` of table `t` on MariaDB: column `a` of table `t` has `WITHOUT SYSTEM VERSIONING`, which a new definition would lose
        a DATE, b DATE, PERIOD FOR p (a, b), UNIQUE KEY uq (id, p WITHOUT OVERLAPS))
          t has `PERIOD FOR "p" ("a", "b")`
          > ALTER TABLE `t` MODIFY COLUMN `a` date NOT NULL COMMENT 'new', ALGORITHM=INSTANT
          failed: ALGORITHM=INSTANT is not supported for this operation. Try ALGORITHM=COPY
        a TEXT COMPRESSED)
          t.a has `COMPRESSED`
          refused: cannot alter column `a` of table `t` on MariaDB: column `a` of table `t` has `COMPRESSED`, which a new definition would lose
        a INT) PAGE_COMPRESSED=1 TRANSACTIONAL=1
          t has TRANSACTIONAL=1
          t has "PAGE_COMPRESSED"=1
          > ALTER TABLE `t` MODIFY COLUMN `a` int(11) NULL COMMENT 'new', ALGORITHM=INSTANT
        a INT, KEY ix (a) IGNORED)
          t (ix) has `IGNORED`
          > ALTER TABLE `t` MODIFY COLUMN `a` int(11) NULL COMMENT 'new', ALGORITHM=INSTANT
        a INT CHECK (a > 1))
          > ALTER TABLE `t` MODIFY COLUMN `a` int(11) NULL COMMENT 'new' CHECK ("a" > 1)
        a INT) ENGINE=Aria
          t has PAGE_CHECKSUM=1
          > ALTER TABLE `t` MODIFY COLUMN `a` int(11) NULL COMMENT 'new', ALGORITHM=INSTANT
    "#]].assert_eq(texts);
    for (name, other) in of_mariadb {
        assert_eq!(other, texts, "{name}");
    }
}
