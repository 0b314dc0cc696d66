//! What a changed column may hold is what drivers read as its type, according to their own readers.

use std::collections::BTreeMap;

use dbmigrate_runtime::engine::Backend;
use dbmigrate_runtime::engine::dialect::{self, Dialect as _, Sqlite};
use dbmigrate_runtime::schema::{Column, Table, Type};
use rusqlite::Connection;
use rusqlite::types::FromSql;

/// Whether a driver reads the only value of the table as that type.
type Reader = fn(&Connection) -> bool;

fn reads<T: FromSql>(conn: &Connection) -> bool {
    conn.query_row("SELECT c FROM t", [], |row| row.get::<_, T>(0)).is_ok()
}

fn parses<T: std::str::FromStr>(conn: &Connection) -> bool {
    let text = conn.query_row("SELECT c FROM t", [], |row| row.get::<_, String>(0));
    text.is_ok_and(|text| text.parse::<T>().is_ok())
}

fn reads_infinity(conn: &Connection) -> bool {
    conn.query_row("SELECT c FROM t", [], |row| row.get::<_, f64>(0)).is_ok_and(f64::is_infinite)
}

/// Each type with its readers, and the values that they read but dbmigrate refuses for another
/// reason, which the comments give.
#[allow(clippy::type_complexity)]
fn readers() -> Vec<(Type, Vec<Reader>, Vec<&'static str>)> {
    let single = |conn: &Connection| {
        conn.query_row("SELECT c FROM t", [], |row| row.get::<_, f32>(0))
            .is_ok_and(|value| value.is_finite() || reads_infinity(conn))
    };
    let truth = |conn: &Connection| {
        conn.query_row("SELECT c FROM t", [], |row| row.get::<_, i64>(0))
            .is_ok_and(|value| (0..=1).contains(&value))
    };
    // Only newer versions of rusqlite take a number for seconds.
    let timestamp =
        |conn: &Connection| reads::<String>(conn) && reads::<chrono::DateTime<chrono::Utc>>(conn);
    vec![
        // Whatever isn't 0 is read as true, and isn't found by a comparison with it.
        (Type::Boolean, vec![truth], vec![]),
        (Type::TinyInteger, vec![reads::<i8>], vec![]),
        (Type::TinyUnsigned, vec![reads::<u8>], vec![]),
        (Type::Integer, vec![reads::<i32>], vec![]),
        (Type::BigInteger, vec![reads::<i64>], vec![]),
        (Type::Double, vec![reads::<f64>], vec![]),
        // More is read as infinity.
        (Type::Float, vec![single], vec![]),
        (Type::Text, vec![reads::<String>], vec![]),
        (Type::Binary, vec![reads::<Vec<u8>>], vec![]),
        (Type::Uuid, vec![reads::<uuid::Uuid>], vec![]),
        (
            Type::Date,
            vec![reads::<chrono::NaiveDate>],
            // The types of `time` refuse it.
            vec!["'2026-1-1'"],
        ),
        (Type::Time, vec![reads::<chrono::NaiveTime>], vec![]),
        (
            Type::DateTime,
            vec![reads::<chrono::NaiveDateTime>],
            // SQLite's functions know no such year.
            vec!["'-0001-01-01 10:00:00'", "' 2026-01-01 10:00:00'"],
        ),
        (
            Type::Timestamp,
            vec![timestamp],
            vec![
                "'-0001-01-01 10:00:00'",
                "' 2026-01-01 10:00:00'",
                "'2026-01-01 10:00:00+0100'",
                "'2026-01-01 10:00:00+01'",
                "'2026-01-01 10:00:00 +01:00'",
                // SQLite has no such time zone.
                "'2026-01-01 10:00:00+15:00'",
            ],
        ),
        // Affinity makes texts of numbers.
        (Type::Json, vec![reads::<serde_json::Value>], vec![]),
        (Type::Numeric, vec![parses::<bigdecimal::BigDecimal>], vec!["'1_000'"]),
        (
            Type::Decimal(20, 2),
            vec![parses::<bigdecimal::BigDecimal>, parses::<rust_decimal::Decimal>],
            // More digits than the type has.
            vec![
                "'1_000'",
                "'1.555'",
                "'0.001'",
                "1.5e-3",
                "'1e-3'",
                "1e20",
                "'1.0e+20'",
                "'1234567890123456789'",
                "'-9223372036854775808'",
                "'12345678901234567890.12'",
            ],
        ),
    ]
}

/// Values as SQL writes them.
const VALUES: &[&str] = &[
    "0",
    "1",
    "2",
    "-1",
    "127",
    "128",
    "-128",
    "-129",
    "255",
    "256",
    "2147483647",
    "2147483648",
    "9007199254740993",
    "1.5",
    "-0.5",
    "1.5e-3",
    "1e20",
    "1e39",
    "1e300",
    "9e999",
    "''",
    "' '",
    "'0'",
    "'1'",
    "'01'",
    "'true'",
    "'soon'",
    "'now'",
    "'it''s \"so\"'",
    "'a\nb'",
    "'ä'",
    "'a' || char(0) || 'b'",
    "x''",
    "x'00'",
    "x'67E5504410B1426F9247BB680E5FE0C8'",
    "'67e55044-10b1-426f-9247-bb680e5fe0c8'",
    "'1234567890123456'",
    "'2026-01-01'",
    "'2026-02-31'",
    "'2026-1-1'",
    "'2026-01-01 '",
    "'20260101'",
    "'0000-01-01'",
    "'-0001-01-01'",
    "'10000-01-01'",
    "'2026-01-01' || char(0)",
    "2460676.5",
    "'10:00'",
    "'10:00:00'",
    "'10:00:00.5'",
    "'10:00:00.'",
    "'1:00'",
    "'24:00'",
    "'10'",
    "'10:00 '",
    "'10:00Z'",
    "'10:00:00Z'",
    "'10:00:00+01:00'",
    "'10:00:00' || char(0) || 'x'",
    "'2026-01-01 10:00'",
    "'2026-01-01 10:00:00'",
    "'2026-01-01T10:00:00'",
    "'2026-01-01t10:00:00'",
    "'2026-01-01 10:00:00.5'",
    "'2026-01-01 10:00:00.123456789'",
    "'2026-01-01 10:00:00.'",
    "'2026-01-01 10:00:00Z'",
    "'2026-01-01T10:00:00Z'",
    "'2026-01-01T10:00:00.5Z'",
    "'2026-01-01 10:00:00+01:00'",
    "'2026-01-01T10:00:00.5-05:30'",
    "'2026-01-01 10:00:00+0100'",
    "'2026-01-01 10:00:00+01'",
    "'2026-01-01 10:00:00 +01:00'",
    "'2026-01-01 10:00:00+15:00'",
    "'2026-01-01 10:00+01:00'",
    "'2026-01-01 10:00Z'",
    "'2026-01-01 10:00:00 UTC'",
    "'2026-01-01 24:00:00'",
    "'2026-02-31 10:00:00'",
    "'2026-01-01 10:00:00 '",
    "' 2026-01-01 10:00:00'",
    "'2026-01-01 10:00:00' || char(0)",
    "'-0001-01-01 10:00:00'",
    "'0000-01-01 10:00:00'",
    "1767261600",
    "'null'",
    "'{\"a\": [1, \"b\"]}'",
    "'{a: 1}'",
    "'[1,]'",
    "'{} x'",
    "'{}' || char(0)",
    "'not json'",
    r#"'{"a": 1e5, "b": [-2.5E-3, 1e-999]}'"#,
    "'1e999'",
    r#"'{"a": [1, -1e400]}'"#,
    "'1' || printf('%0400d', 0)",
    "'1.7976931348623157e308'",
    "'-9223372036854775808'",
    r#"'[-9223372036854775808, 1e0]'"#,
    r#"'"\ud83d\ude00 \u00e9"'"#,
    r#"'"\ud800"'"#,
    r#"'{"a\udfff": 1}'"#,
    r#"'"\udc00\ud800"'"#,
    r#"'"\ud800\ud800\udc00"'"#,
    r#"'["\\ud800", "1e999"]'"#,
    r#"'"\ufffd \ud83d\ude00 ' || char(65533) || '"'"#,
    "'NaN'",
    "'1.50'",
    "'+1'",
    "'-1.5'",
    "'.5'",
    "'5.'",
    "'1e5'",
    "'1.0e+20'",
    "'1_000'",
    "'1.555'",
    "'0.001'",
    "'1e-3'",
    "'-'",
    "'.'",
    "'1.2.3'",
    "'1,5'",
    "'0x10'",
    "'Inf'",
    "'123456789012345678'",
    "'1234567890123456789'",
    "'12345678901234567890.12'",
    // JSON of 127 and of 128 levels.
    "substr(replace(hex(zeroblob(64)), '0', '['), 2) || substr(replace(hex(zeroblob(64)), '0', ']'), 2)",
    "replace(hex(zeroblob(64)), '0', '[') || replace(hex(zeroblob(64)), '0', ']')",
    "replace(hex(zeroblob(127)), '00', '{\"a\":') || '[0]' || replace(hex(zeroblob(127)), '00', '}')",
    "'[' || replace(hex(zeroblob(200)), '00', '[1],') || '\"[[[[{{\"]'",
];

#[test]
fn what_a_column_may_hold_is_what_drivers_read() {
    let conn = Connection::open_in_memory().unwrap();
    let mut differ = BTreeMap::new();
    for (ty, readers, others) in readers() {
        let column = Column::new("c", ty.clone());
        let table = Table::new("t").column(column.clone());
        let create = Sqlite.create_if_missing("t", &table).unwrap();
        let condition = Sqlite.reads(&table, &column).unwrap();
        for value in VALUES {
            conn.execute_batch(&format!(
                "DROP TABLE IF EXISTS t; {create}; INSERT INTO t VALUES ({value})"
            ))
            .unwrap();
            let is_taken: bool = conn
                .query_row(&format!("SELECT {condition} FROM t"), [], |row| row.get(0))
                .unwrap();
            let is_read = readers.iter().all(|reader| reader(&conn));
            // An exception that no longer is one is reported as well.
            if (is_taken != is_read) != others.contains(value) {
                differ.insert(format!("{ty} {value}"), (is_taken, is_read));
            }
        }
    }
    assert!(differ.is_empty(), "taken, read: {differ:#?}");
}

/// The types of a row of the table in the documentation of `Model`, with the arguments in it.
fn types_of(names: &str, is_text: bool) -> Vec<Type> {
    let decimal = if is_text { Type::Decimal(20, 2) } else { Type::Decimal(10, 2) };
    let of = |name: &str| match name {
        "Boolean" => Some(Type::Boolean),
        "TinyInteger" => Some(Type::TinyInteger),
        "SmallInteger" => Some(Type::SmallInteger),
        "Integer" => Some(Type::Integer),
        "BigInteger" => Some(Type::BigInteger),
        "TinyUnsigned" => Some(Type::TinyUnsigned),
        "SmallUnsigned" => Some(Type::SmallUnsigned),
        "Unsigned" => Some(Type::Unsigned),
        "BigUnsigned" => Some(Type::BigUnsigned),
        "Float" => Some(Type::Float),
        "Double" => Some(Type::Double),
        "Text" => Some(Type::Text),
        "String(n)" => Some(Type::String(7)),
        "Decimal(p, s)" => Some(decimal.clone()),
        "Numeric" => Some(Type::Numeric),
        "Date" => Some(Type::Date),
        "Time" => Some(Type::Time),
        "DateTime" => Some(Type::DateTime),
        "Timestamp" => Some(Type::Timestamp),
        "Uuid" => Some(Type::Uuid),
        "Json" => Some(Type::Json),
        "Binary" => Some(Type::Binary),
        "FixedBinary(N)" => Some(Type::FixedBinary(7)),
        _ => None,
    };
    quoted(names).into_iter().filter_map(of).collect()
}

/// The texts in backticks.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn the_documented_column_types_are_those_that_dialects_declare() {
    let path = dbmigrate_tests::repository().join("dbmigrate-runtime/src/model/mod.rs");
    let text = std::fs::read_to_string(path).unwrap();
    let rows = text.lines().skip_while(|line| !line.starts_with("/// | Rust type |")).skip(2);
    let mut n_types = 0;
    for row in rows.map_while(|line| line.strip_prefix("/// | ")) {
        let cells: Vec<&str> = row.split(" | ").collect();
        let types = types_of(cells[1], cells[0].contains("more than 15"));
        n_types += types.len();
        for (idx, ty) in types.iter().enumerate() {
            for (backend, cell) in [(Backend::Sqlite, cells[2]), (Backend::Postgres, cells[3])] {
                let documented = quoted(cell);
                let written = documented.get(idx).unwrap_or(&documented[0]);
                let (p, s) = if let Type::Decimal(p, s) = ty { (*p, *s) } else { (0, 0) };
                let written = written.replace("(n)", "(7)");
                let written = written.replace("(p, s)", &format!("({p}, {s})"));
                let dialect = dialect::of(backend).unwrap();
                let table = Table::new("t").column(Column::new("c", ty.clone()));
                let create = dialect.create_if_missing("t", &table).unwrap();
                let declared = create.split("\"c\" ").nth(1).unwrap();
                let declared = declared.trim_end_matches([')', '\n']);
                let declared = declared.replace(", ", ",").replace('(', "");
                let written = written.trim_end_matches(')').replace(", ", ",").replace('(', "");
                assert_eq!(declared, written, "{ty} on {backend}");
            }
        }
    }
    assert!(n_types > 20, "{n_types}");
}
