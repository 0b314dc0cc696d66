//! What the server keeps of a table is what is read after it was created.

use dbmigrate_runtime::Value;
use dbmigrate_runtime::engine::dialect::Kept;
use dbmigrate_runtime::engine::drift::Difference;
use dbmigrate_runtime::schema::{Column, Index, IndexColumn, Table, Type};

use super::{Database, on_servers, same_on_servers};

/// The table as the server would keep it, next to the existing one.
fn kept(database: &mut Database, table: &Table) -> Kept {
    let found = database.conn().catalog(None).unwrap();
    let dialect = database.conn().dialect();
    let actual = found.schema.table(&table.name);
    let mut kept = dialect.as_kept(database.conn(), &[(table, actual)]).unwrap();
    kept.pop().unwrap().unwrap()
}

fn differences(database: &mut Database, table: &Table) -> Vec<String> {
    let kept = kept(database, table);
    assert_eq!(kept.untold, []);
    let found = database.conn().catalog(None).unwrap();
    let dialect = database.conn().dialect();
    let facts = database.conn().facts().unwrap();
    let comparing = dialect.comparing(&facts);
    let found = comparing.differences(&kept.table, found.schema.table(&table.name).unwrap());
    found.iter().map(Difference::to_string).collect()
}

/// Checks that a table that was created by this SQL is the same as one of ours, on every server, and
/// that asking leaves nothing behind.
fn same(sql: &str, table: &Table) {
    on_servers(|database| {
        database.batch(sql);
        let before = database.conn().objects().unwrap();
        assert_eq!(differences(database, table), [""; 0], "{}", database.version);
        let actual = database.conn().catalog(None).unwrap().schema.tables.remove(&table.name);
        let mut kept = kept(database, table).table;
        // The catalog has an order of its own.
        kept.checks.sort_by(|a, b| a.name.cmp(&b.name));
        assert_eq!(kept, actual.unwrap(), "{}", database.version);
        // In a transaction, the answer is the same.
        database.batch("BEGIN; CREATE TABLE new (a int)");
        assert_eq!(differences(database, table), [""; 0], "{}", database.version);
        database.batch("SELECT * FROM new; ROLLBACK");
        assert_eq!(database.conn().objects().unwrap(), before);
    });
}

/// Expressions of a check over the columns of [`expressions`], as people write them.
const CHECKS: &[&str] = &[
    "a > 0 and b < 5",
    "(a>0) or (b>0) /* comment */",
    "a between 1 and 10 -- comment",
    "a in (1, 2, 3)",
    "a not in (1,2)",
    "v in ('x','y')",
    "t in ('x', 'y')",
    "m in ('ok', 'sad')",
    "v <> ''",
    "length(v) > 3",
    "t like 'a%'",
    "t similar to 'a%'",
    "t ~* '^a'",
    "a > 0 and (b > 0 and a < 5)",
    "cast(a as bigint) > 0",
    "n > 0",
    "n >= 0.5",
    "d > '2020-01-01'",
    "at > '2020-01-01'",
    "at < current_timestamp",
    "t is distinct from 'x'",
    "case when a > 0 then b > 0 else true end",
    "(a, b) <> (1, 2)",
    "substring(v from 1 for 1) = 'x'",
    "position('a' in t) > 0",
    "extract(year from d) > 2000",
    "trim(both from t) <> ''",
    "at at time zone 'utc' > '2020-01-01'",
    "m::text = 'ok'",
    "j->>'k' = 'x'",
    "j ? 'k'",
    "t collate \"C\" > 'a'",
    "v != 'it''s'",
    "\"select\" > 0 and \"Odd \"\"Name\"\"\" > 1",
    "kept.a > 0",
    "a = any(array[1,2])",
    "num_nonnulls(a, b) = 1",
    "upper(v) = v",
    "not bo",
    "f(a) > 0",
];

/// Types with defaults as people write them.
const DEFAULTS: &[(&str, &str)] = &[
    ("int", "'0'"),
    ("int", "(1+1)"),
    ("bigint", "'5'::bigint"),
    ("int", "cast('1' as int)"),
    ("double precision", "1e10"),
    ("text", "E'a\\nb'"),
    ("text", "'a'||'b'"),
    ("text", "current_user"),
    ("text", "NULL::text"),
    ("varchar(20)", "concat('a','b')"),
    ("char(3)", "'a'"),
    ("bool", "'t'"),
    ("bool", "(1=1)"),
    ("timestamptz", "NOW()"),
    ("timestamptz", "current_timestamp(3)"),
    ("timestamp", "now()"),
    ("timestamp", "(now() at time zone 'utc')"),
    ("timestamp", "timezone('utc', now())"),
    ("timestamp", "localtimestamp"),
    ("date", "current_date"),
    ("timestamptz", "'2020-01-01 00:00+02'"),
    ("interval", "interval '36 hours'"),
    ("time", "'12:00'"),
    ("uuid", "gen_random_uuid()"),
    ("jsonb", "'{\"a\":   1}'"),
    ("text[]", "array[]::text[]"),
    ("int[]", "'{1, 2}'"),
    ("bytea", "'abc'"),
    ("inet", "'10.0.0.1'"),
    ("mood", "'ok'::public.mood"),
    ("mood[]", "'{}'"),
    ("int", "nextval('sq')"),
    ("text", "md5(random()::text)"),
    ("int", "extract(epoch from now())::int"),
    ("text", "trim(' a ')"),
    ("numeric(10, 2)", "0.0"),
    ("numeric(10,2)", "1.50"),
    ("bit(4)", "B'1010'"),
    ("int4range", "'[1,5)'"),
];

const BASE: &str = "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE SEQUENCE sq;
    CREATE FUNCTION f(a int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT a'; ";

fn base() -> Table {
    Table::new("kept")
        .column(Column::new("a", Type::Integer))
        .column(Column::new("b", Type::Integer))
        .column(Column::new("n", Type::Decimal(10, 2)))
        .column(Column::new("v", Type::String(10)))
        .column(Column::new("t", Type::Text))
        .column(Column::new("m", Type::enumeration("mood", ["sad", "ok"])))
        .column(Column::new("d", Type::Date))
        .column(Column::new("at", Type::Timestamp))
        .column(Column::new("j", Type::Json))
        .column(Column::new("bo", Type::Boolean))
        .column(Column::new("select", Type::Integer))
        .column(Column::new("Odd \"Name\"", Type::Integer))
}

const COLUMNS: &str = "a int, b int, n numeric(10, 2), v varchar(10), t text, m mood, d date, \
                       at timestamptz, j jsonb, bo bool, \"select\" int, \"Odd \"\"Name\"\"\" int";

#[test]
fn checks_are_the_same_however_the_server_prints_them() {
    let mut table = base();
    let mut sql = format!("{BASE} CREATE TABLE kept ({COLUMNS}");
    for (idx, check) in CHECKS.iter().enumerate() {
        sql += &format!(", CONSTRAINT ck_{idx} CHECK ({check}\n)");
        table = table.check(&format!("ck_{idx}"), check);
    }
    same(&(sql + ")"), &table);
}

#[test]
fn defaults_are_the_same_however_the_server_prints_them() {
    let mut table = Table::new("kept");
    let mut items = Vec::new();
    for (idx, (ty, default)) in DEFAULTS.iter().enumerate() {
        items.push(format!("c{idx} {ty} DEFAULT {default}"));
        let ty = match *ty {
            "mood" => Type::enumeration("mood", ["sad", "ok"]),
            "mood[]" => Type::array(Type::enumeration("mood", ["sad", "ok"])),
            ty => Type::raw(ty),
        };
        table = table.column(Column::new(&format!("c{idx}"), ty).default_sql(default));
    }
    same(&format!("{BASE} CREATE TABLE kept ({})", items.join(", ")), &table);
}

#[test]
fn generated_columns_and_indexes_are_the_same_however_the_server_prints_them() {
    let sql = format!(
        "{BASE} CREATE TABLE kept ({COLUMNS},
            g1 text GENERATED ALWAYS AS (v || '!') STORED,
            g2 int GENERATED ALWAYS AS (a * 2 + b) STORED);
         CREATE INDEX i1 ON kept (lower(v), (a + b) DESC) WHERE v in ('a', 'b') and b is null;
         CREATE UNIQUE INDEX i2 ON kept (a DESC, t COLLATE \"C\") WHERE m = 'ok';
         CREATE INDEX i3 ON kept ((j->>'k'));
         CREATE INDEX i4 ON kept ((t));
         CREATE INDEX i5 ON kept (lower(t) COLLATE \"C\")"
    );
    let table = base()
        .column(Column::new("g1", Type::Text).generated_stored("v || '!'"))
        .column(Column::new("g2", Type::Integer).generated_stored("a*2+b"));
    let mut table = table;
    let mut i5 = IndexColumn::expression("lower(t)");
    i5.collation = Some("C".to_owned());
    table.indexes = vec![
        Index::new("i1", [])
            .column(IndexColumn::expression("lower(v)"))
            .column(IndexColumn::expression("a+b").desc())
            .filter("v in ('a','b') and b is null"),
        Index::new("i2", [])
            .column(IndexColumn::new("a").desc())
            .column(IndexColumn::new("t").collate("C"))
            .unique()
            .filter("m='ok'"),
        Index::new("i3", []).column(IndexColumn::expression("j->>'k'")),
        Index::new("i4", []).column(IndexColumn::expression("t")),
        Index::new("i5", []).column(i5),
    ];
    same(&sql, &table);
}

#[test]
fn every_type_is_the_same() {
    let sql = "CREATE EXTENSION citext; CREATE TYPE mood AS ENUM ('sad', 'ok');
        CREATE TABLE kept (id bigint GENERATED BY DEFAULT AS IDENTITY, a smallint, b smallint,
        c int, d bigint, e numeric(20, 0), f real, g double precision, h numeric(5, 1), i numeric,
        j varchar(3), k text, l date, m time, n timestamp, o timestamptz, p uuid, q jsonb, r bytea,
        s bytea, t mood, u smallint[], v varchar, w citext, x timestamptz(3), y mood, z char,
        bo boolean DEFAULT true, uu uuid DEFAULT 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11',
        l1 int DEFAULT 7, l2 text DEFAULT 'it''s \\ x', l3 double precision DEFAULT 1.5,
        l4 bytea DEFAULT '\\x00ff', l5 text DEFAULT NULL, l6 date DEFAULT '2020-01-01',
        n1 timestamptz DEFAULT now(), n2 timestamp DEFAULT timezone('utc', now()),
        CONSTRAINT pk PRIMARY KEY (id));
        COMMENT ON TABLE kept IS 'words'; COMMENT ON COLUMN kept.a IS 'it''s'";
    let mut table = Table::new("kept").primary_key("pk", ["id"]).comment("words");
    let mood = || Type::enumeration("mood", ["sad", "ok"]);
    for (name, ty) in [
        ("id", Type::BigInteger),
        ("a", Type::TinyInteger),
        ("b", Type::SmallInteger),
        ("c", Type::SmallUnsigned),
        ("d", Type::Unsigned),
        ("e", Type::BigUnsigned),
        ("f", Type::Float),
        ("g", Type::Double),
        ("h", Type::Decimal(5, 1)),
        ("i", Type::Numeric),
        ("j", Type::String(3)),
        ("k", Type::Text),
        ("l", Type::Date),
        ("m", Type::Time),
        ("n", Type::DateTime),
        ("o", Type::Timestamp),
        ("p", Type::Uuid),
        ("q", Type::Json),
        ("r", Type::Binary),
        ("s", Type::FixedBinary(16)),
        ("t", mood()),
        ("u", Type::array(Type::TinyInteger)),
        ("v", Type::raw("VARCHAR")),
        ("w", Type::raw("CITEXT")),
        ("x", Type::per_dialect([("postgres", "timestamptz (3)"), ("sqlite", "TEXT")])),
        ("y", Type::raw("public.mood")),
        ("z", Type::raw("char")),
    ] {
        table = table.column(Column::new(name, ty));
    }
    table.columns[1].comment = Some("it's".to_owned());
    let uuid = "a0eebc999c0b4ef8bb6d6bb9bd380a11";
    table = table
        .column(Column::new("bo", Type::Boolean).default(true))
        .column(Column::new("uu", Type::Uuid).default(uuid))
        .column(Column::new("l1", Type::Integer).default(7))
        .column(Column::new("l2", Type::Text).default("it's \\ x"))
        .column(Column::new("l3", Type::Double).default(1.5))
        .column(Column::new("l4", Type::Binary).default(Value::Blob(vec![0, 255])))
        .column(Column::new("l5", Type::Text).default(Value::Null))
        .column(Column::new("l6", Type::Date).default("2020-01-01"))
        .column(Column::new("n1", Type::Timestamp).default_now())
        .column(Column::new("n2", Type::DateTime).default_now());
    same(sql, &table);
}

#[test]
fn what_differs_is_said_in_the_words_of_the_database() {
    let texts = same_on_servers(|database| {
        database.batch(
            "CREATE TYPE mood AS ENUM ('sad');
             CREATE TABLE kept (id int, a bigint NOT NULL, t text DEFAULT 'b', m mood,
                at timestamp, g int GENERATED ALWAYS AS (id + 1) STORED, CONSTRAINT pk PRIMARY KEY (id),
                CONSTRAINT ck CHECK (a IN (1, 2)), CONSTRAINT cn CHECK (a > 5));
             COMMENT ON COLUMN kept.a IS 'x';
             CREATE INDEX ix ON kept (lower(t)) WHERE a > 1",
        );
        let table = Table::new("kept")
            .column(Column::new("id", Type::Integer).not_null())
            .column(Column::new("a", Type::Integer))
            .column(Column::new("t", Type::Text).default("a"))
            .column(Column::new("m", Type::enumeration("mood", ["sad", "ok"])))
            .column(Column::new("at", Type::Timestamp))
            .column(Column::new("g", Type::Integer).generated_stored("id+2"))
            .primary_key("pk_kept", ["id"])
            .check("ck", "a in (1, 2, 3)")
            .check("cm", "5 < a")
            .check("cx", "a > 5");
        let mut table = table;
        table.indexes =
            vec![Index::new("ix", []).column(IndexColumn::expression("upper(t)")).filter("a>1")];
        differences(database, &table).join("\n")
    });
    if let Some(text) = texts {
        expect_test::expect![[r#"
            check `ck` of table `kept` is `a = ANY (ARRAY[(1)::bigint, (2)::bigint])`, but `a = ANY (ARRAY[1, 2, 3])` in the migrations
            check `cm` of table `kept` is missing from the database
            check `cn` of table `kept` is named `cx` in the migrations
            index `ix` of table `kept` is on `(lower(t))` where `a > 1`, but on `(upper(t))` where `a > 1` in the migrations
            primary key `pk` of table `kept` is named `pk_kept` in the migrations
            column `kept.a` has the comment `x`, but none in the migrations
            column `kept.a` has the type `bigint`, but `integer` in the migrations
            column `kept.a` is NOT NULL, but nullable in the migrations
            column `kept.at` has the type `timestamp`, but `timestamptz` in the migrations
            column `kept.g` has the expression `id + 1` (stored), but `id + 2` (stored) in the migrations
            column `kept.id` is not an identity column, but is in the migrations
            column `kept.m` has the type `"mood" ('sad')`, but `"mood" ('sad', 'ok')` in the migrations
            column `kept.t` has the default `'b'`, but `'a'` in the migrations"#]].assert_eq(&text);
    }
}

#[test]
fn what_cannot_be_told_is_no_difference() {
    on_servers(|database| {
        database.batch(
            "CREATE TABLE kept (a int, v varchar(5), CONSTRAINT ck CHECK (a IN (1, 2) OR a = 5),
                CONSTRAINT cv CHECK (v = 'x'));
             CREATE INDEX ix ON kept ((v || 'x'))",
        );
        let mut table = Table::new("kept")
            .column(Column::new("a", Type::Integer))
            .column(Column::new("v", Type::String(5)))
            .check("ck", "a in (1,2) or a = 5")
            .check("cv", "no_function(v) = 'x'");
        table.indexes = vec![Index::new("ix", []).column(IndexColumn::expression("v||'x'"))];
        let told = |kept: &Kept| {
            let texts = kept.untold.iter().map(|untold| untold.text.clone());
            texts.collect::<Vec<_>>().join("\n")
        };
        let found = database.conn().catalog(None).unwrap();
        let actual = found.schema.tables["kept"].clone();
        let text = told(&kept(database, &table));
        assert_eq!(
            text,
            "the condition `no_function(v) = 'x'`: function no_function(character \
                          varying) does not exist"
        );
        table.checks[1].expression = "v = 'x'".into();
        database.batch("BEGIN READ ONLY");
        let found = kept(database, &table);
        database.batch("ROLLBACK");
        assert_eq!(found.table, actual);
        assert_eq!(
            told(&found).lines().last().unwrap(),
            "an expression `v||'x'`: cannot execute CREATE TABLE in a read-only transaction"
        );
        database.batch(
            "REVOKE TEMP ON DATABASE postgres FROM PUBLIC; DO $$ BEGIN
             EXECUTE format('REVOKE TEMP ON DATABASE %I FROM PUBLIC', current_database()); END $$;
             CREATE ROLE kept_reader; SET ROLE kept_reader",
        );
        let found = kept(database, &table);
        database.batch("RESET ROLE; DROP ROLE kept_reader");
        assert_eq!(found.table, actual);
        assert!(told(&found).contains("permission denied to create temporary tables"));
    });
}
