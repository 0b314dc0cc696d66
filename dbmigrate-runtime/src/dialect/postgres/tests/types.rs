//! Changes of a column's type, with values.

use super::server::{Server, servers};
use crate::Value;
use crate::driver::Driver as _;
use crate::operations::{ColumnChange, Operation, Operations};
use crate::schema::{Column, Schema, Table, Type};

/// Types, each with values of it as literals.
fn types() -> Vec<(Type, &'static [&'static str])> {
    vec![
        (Type::Boolean, &["true", "false"]),
        (Type::TinyInteger, &["-128", "0", "1", "127"]),
        (Type::SmallInteger, &["-32768", "1"]),
        (Type::Integer, &["-2147483648", "7", "16777217"]),
        (Type::BigInteger, &["-9223372036854775808", "9223372036854775807", "9007199254740993"]),
        (Type::TinyUnsigned, &["0", "255"]),
        (Type::SmallUnsigned, &["65535", "0"]),
        (Type::Unsigned, &["4294967295", "1"]),
        (Type::BigUnsigned, &["18446744073709551615", "0"]),
        (Type::Float, &["0.1", "1", "3e38", "'NaN'", "'-Infinity'", "16777216"]),
        (
            Type::Double,
            &["0.1", "0", "1e300", "1e-300", "'NaN'", "'Infinity'", "9007199254740991", "1.5"],
        ),
        (Type::Decimal(10, 2), &["1.25", "-99999999.99", "3", "'NaN'"]),
        (Type::Decimal(20, 2), &["123456789012345678.99", "1"]),
        (Type::Numeric, &["1.23456", "1e30", "1e-400", "2", "'NaN'"]),
        (Type::String(4), &["''", "'ab  '", "'07'", "'7'", "'-1'", "'1e3'", "'true'"]),
        (Type::String(36), &["'67e55044-10b1-426f-9247-bb680e5fe0c8'", "'x'", "'2024-02-29'"]),
        (
            Type::Text,
            &[
                "''",
                "'seven'",
                "'7'",
                "'+7'",
                "'007'",
                "'-0'",
                "'1.50'",
                "'1e999'",
                "'2024-02-30'",
                "'2024-02-29'",
                "'2024-13-01'",
                "'0000-01-01'",
                "'10:00:00'",
                "'24:00:00'",
                "'2024-02-29 10:00:00'",
                "'2024-02-29T10:00:00.123456'",
                "'2024-02-29 10:00:00Z'",
                "'2024-02-29 10:00:00+05:30'",
                "'{\"a\": 1}'",
                "'null'",
                "'a'",
                "'true'",
                "'67E5504410B1426F9247BB680E5FE0C8'",
                "'99999999999999999999999999'",
                "'it''s \\ '",
                "'0.123456789012345678901234567890'",
                "'18446744073709551615'",
            ],
        ),
        (Type::Date, &["'2024-02-29'", "'0001-01-01'"]),
        (Type::Time, &["'10:00:00'", "'23:59:59.123456'"]),
        (Type::DateTime, &["'2024-02-29 00:00:00'", "'2024-02-29 10:00:00.5'"]),
        (Type::Timestamp, &["'2024-02-29 00:00:00+00'", "'2024-02-29 23:30:00-02'"]),
        (Type::Uuid, &["'67e55044-10b1-426f-9247-bb680e5fe0c8'"]),
        (Type::Json, &["'{\"a\": [1, null]}'", "'null'", "'\"x\"'"]),
        (Type::Binary, &[r"'\x'", r"'\x00ff'", r"'\x67e5504410b1426f9247bb680e5fe0c8'"]),
        (Type::FixedBinary(2), &[r"'\x00ff'"]),
        (Type::FixedBinary(16), &[r"'\x67e5504410b1426f9247bb680e5fe0c8'"]),
        (Type::enumeration("mood", ["a", "7", "true"]), &["'a'", "'7'", "'true'"]),
        (Type::enumeration("other", ["a", "seven"]), &["'a'", "'seven'"]),
        (Type::array(Type::Integer), &["'{1,2,NULL}'", "'{}'", "'{70000}'"]),
        (Type::array(Type::SmallInteger), &["'{1}'"]),
        (Type::array(Type::Text), &["'{a,7}'", "'{7}'"]),
        (Type::array(Type::enumeration("mood", ["a", "7", "true"])), &["'{a,true}'"]),
        (Type::raw("varchar(3)"), &["'7'", "'abc'"]),
    ]
}

/// Each type changed to each other one: a value either stays what it was, as far as its text tells,
/// or is counted before anything changes. The database itself never has to refuse one.
#[test]
fn a_value_is_kept_or_counted_whatever_its_type_becomes() {
    for mut server in servers("types") {
        let types = types();
        let mut results = Results::default();
        for (from, values) in &types {
            let others: Vec<_> = types.iter().map(|(to, _)| to).filter(|to| *to != from).collect();
            let mut table = Table::new("t")
                .column(Column::new("id", Type::BigInteger).not_null())
                .column(Column::new("was", from.clone()))
                .primary_key("pk_t", ["id"]);
            for idx in 0..others.len() {
                table = table.column(Column::new(&format!("a{idx}"), from.clone()));
            }
            let mut schema = Schema::default();
            server.driver.batch("BEGIN; SET LOCAL TimeZone = 'UTC'").unwrap();
            server.run(&[Operation::CreateTable(table)], &mut schema).unwrap();
            let rows = values
                .iter()
                .map(|value| format!("({value}{})", format!(", {value}").repeat(others.len())));
            let columns: String = (0..others.len()).map(|idx| format!(", a{idx}")).collect();
            let rows: Vec<_> = rows.collect();
            let insert = format!("INSERT INTO t (was{columns}) VALUES {}", rows.join(", "));
            server.driver.batch(&insert).unwrap();
            server.driver.batch("INSERT INTO t DEFAULT VALUES").unwrap();
            for (idx, to) in others.into_iter().enumerate() {
                results.alter(&mut server, &mut schema, &format!("a{idx}"), [from, to]);
            }
            server.driver.batch("ROLLBACK").unwrap();
        }
        let Results { wrong, kept, counted } = results;
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(kept > 300 && counted > 1500, "{kept} {counted}");
    }
}

#[derive(Default)]
struct Results {
    wrong: Vec<String>,
    kept: usize,
    counted: usize,
}

impl Results {
    fn alter(
        &mut self,
        server: &mut Server,
        schema: &mut Schema,
        name: &str,
        [from, to]: [&Type; 2],
    ) {
        let alter =
            |change: ColumnChange| Operations::record(|op| op.alter_column("t", name, change));
        let change = ColumnChange::new().ty(to.clone());
        let (plain, filled) = (alter(change.clone()), alter(change.fill("NULL")));
        let what = format!("{from} to {to}");
        server.driver.batch("SAVEPOINT a").unwrap();
        let mut after = schema.clone();
        let failure = server.run(&plain, &mut after).err();
        let n_misfits = match &failure {
            None => 0,
            Some(why) if why.contains(" of the values in column `a") => {
                why.split(' ').next().unwrap().parse().unwrap()
            }
            // Before 16, what isn't JSON can't be told.
            Some(why) if *to == Type::Json && why.contains("json") => {
                server.driver.batch("ROLLBACK TO SAVEPOINT a").unwrap();
                return;
            }
            Some(why) => return self.wrong.push(format!("{what}: {why}")),
        };
        if failure.is_some() {
            server.driver.batch("ROLLBACK TO SAVEPOINT a").unwrap();
            after = schema.clone();
            if let Err(why) = server.run(&filled, &mut after) {
                server.driver.batch("ROLLBACK TO SAVEPOINT a").unwrap();
                return self.wrong.push(format!("{what}, filled: {why}"));
            }
        }
        *schema = after;
        let rows = server.query(&format!("SELECT was::text, {name}::text FROM t ORDER BY id"));
        let n_null = rows.iter().filter(|row| row[1] == Value::Null).count();
        if n_null != n_misfits + 1 {
            self.wrong.push(format!("{what}: {n_misfits} counted, {n_null} are NULL"));
        }
        for row in rows.iter().filter(|row| row[1] != Value::Null) {
            self.kept += 1;
            if !is_same(&row[0], &row[1]) {
                self.wrong.push(format!("{what}: {:?} became {:?}", row[0], row[1]));
            }
        }
        self.counted += n_misfits;
    }
}

/// Whether two texts are of the same value.
fn is_same(was: &Value, now: &Value) -> bool {
    let (Value::Text(was), Value::Text(now)) = (was, now) else { return false };
    let zoned = ["2024-02-29 10:00:00+05:30", "2024-02-29 04:30:00+00"];
    if [was.as_str(), now.as_str()] == zoned {
        return true;
    }
    let plain = |text: &str| {
        let text = text.trim().to_lowercase();
        let text = text.replace(['-', ' ', '\\', 't'], "").replace("00:00:00", "");
        let text = text.trim_end_matches("+00").trim_end_matches('z').trim_start_matches('x');
        match text {
            "rue" | "1" => "1".to_owned(),
            "false" | "0" => "0".to_owned(),
            text => text.to_owned(),
        }
    };
    let number = |text: &str| match text {
        "true" => Some(1.0),
        "false" => Some(0.0),
        text => text.parse::<f64>().ok(),
    };
    let is_digits = |text: &str| text.bytes().all(|digit| digit.is_ascii_digit() || digit == b'-');
    let is_same_number = match (number(was), number(now)) {
        _ if is_digits(was) && is_digits(now) => false,
        (Some(value), Some(now)) => {
            // A number of 32 bits has more digits when it has 64 bits.
            let single = was.parse::<f32>().map(f64::from);
            value == now || value.is_nan() && now.is_nan() || single == Ok(now)
        }
        _ => false,
    };
    plain(was) == plain(now) || is_same_number
}
