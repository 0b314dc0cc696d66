//! Values as PostgreSQL exchanges them: parameters as text, results in its binary formats.

use std::error::Error;

use bytes::BytesMut;
use postgres::Column;
use postgres::types::{Format, FromSql, IsNull, Kind, ToSql, Type};

use crate::Value;
use crate::driver::DatabaseError;

/// A parameter. Its text is read by the server as the type that its place asks for.
#[derive(Debug)]
pub(super) struct Param(pub(super) Value);

impl ToSql for Param {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let text = match &self.0 {
            Value::Null => return Ok(IsNull::Yes),
            Value::Bool(value) => value.to_string(),
            Value::Integer(value) => value.to_string(),
            Value::Real(value) if value.is_infinite() && *value > 0.0 => "Infinity".to_owned(),
            Value::Real(value) if value.is_infinite() => "-Infinity".to_owned(),
            Value::Real(value) => format!("{value:?}"),
            Value::Text(value) => value.clone(),
            Value::Blob(bytes) => {
                let hex = bytes.iter().map(|byte| format!("{byte:02x}"));
                format!("\\x{}", hex.collect::<String>())
            }
        };
        out.extend_from_slice(text.as_bytes());
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn to_sql_checked(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        self.to_sql(ty, out)
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }
}

/// A value of a result.
pub(super) struct Cell(pub(super) Value);

impl<'a> FromSql<'a> for Cell {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Cell, Box<dyn Error + Sync + Send>> {
        let text = |raw: &[u8]| Ok(Value::Text(std::str::from_utf8(raw)?.to_owned()));
        if matches!(ty.kind(), Kind::Enum(_)) {
            return text(raw).map(Cell);
        }
        if let Kind::Domain(base) = ty.kind() {
            return Cell::from_sql(base, raw);
        }
        let value = match ty.name() {
            "bool" => Value::Bool(raw != [0]),
            "int2" => Value::Integer(i16::from_be_bytes(raw.try_into()?).into()),
            "int4" => Value::Integer(i32::from_be_bytes(raw.try_into()?).into()),
            "int8" => Value::Integer(i64::from_be_bytes(raw.try_into()?)),
            "oid" | "xid" => Value::Integer(u32::from_be_bytes(raw.try_into()?).into()),
            "float4" => Value::Real(single(f32::from_be_bytes(raw.try_into()?))),
            "float8" => Value::Real(f64::from_be_bytes(raw.try_into()?)),
            "numeric" => numeric(raw).ok_or("no number")?,
            "text" | "varchar" | "bpchar" | "name" | "unknown" | "json" | "citext" | "xml"
            | "char" => text(raw)?,
            "jsonb" => text(raw.strip_prefix(&[1]).ok_or("an unknown version of jsonb")?)?,
            "bytea" => Value::Blob(raw.to_owned()),
            "uuid" => Value::Text(uuid(raw)),
            "date" => {
                let days = i32::from_be_bytes(raw.try_into()?);
                Value::Text(match days {
                    i32::MAX => "infinity".to_owned(),
                    i32::MIN => "-infinity".to_owned(),
                    days => dated(days.into(), ""),
                })
            }
            "time" => Value::Text(time(i64::from_be_bytes(raw.try_into()?))),
            "timestamp" => Value::Text(moment(i64::from_be_bytes(raw.try_into()?), "")),
            "timestamptz" => Value::Text(moment(i64::from_be_bytes(raw.try_into()?), "+00")),
            "void" => Value::Null,
            _ => return Err("a type without a conversion".into()),
        };
        Ok(Cell(value))
    }

    fn from_sql_null(_: &Type) -> Result<Cell, Box<dyn Error + Sync + Send>> {
        Ok(Cell(Value::Null))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// A result's column whose values aren't converted.
pub(super) fn unreadable(column: &Column) -> DatabaseError {
    let (name, ty) = (column.name(), column.type_());
    DatabaseError::new(format!(
        "the column `{name}` of the result has the type `{ty}`, which isn't converted to a value; \
         cast it in the query, for example to text: `{name}::text`"
    ))
}

/// A number of single precision as the nearest one of double precision that is written alike.
fn single(value: f32) -> f64 {
    value.to_string().parse().unwrap_or_else(|_| value.into())
}

/// A decimal number: an integer if it has no digits behind the point and fits, else its text.
fn numeric(raw: &[u8]) -> Option<Value> {
    let word =
        |idx: usize| Some(i16::from_be_bytes(raw.get(idx * 2..idx * 2 + 2)?.try_into().ok()?));
    let (n_groups, weight, sign, scale) = (word(0)?, word(1)?, word(2)?, word(3)?);
    match sign as u16 {
        0xC000 => return Some(Value::Text("NaN".to_owned())),
        0xD000 => return Some(Value::Text("Infinity".to_owned())),
        0xF000 => return Some(Value::Text("-Infinity".to_owned())),
        _ => {}
    }
    let group = |place: i16| {
        let idx = weight - place;
        if (0..n_groups).contains(&idx) { word(4 + idx as usize) } else { Some(0) }
    };
    let mut text = String::new();
    for place in (0..=weight.max(0)).rev() {
        text.push_str(&format!("{:04}", group(place)?));
    }
    let whole = text.trim_start_matches('0');
    let mut text = if whole.is_empty() { "0".to_owned() } else { whole.to_owned() };
    if scale > 0 {
        let n_places = (scale + 3) / 4;
        let digits: Option<String> =
            (1..=n_places).map(|place| Some(format!("{:04}", group(-place)?))).collect();
        text.push('.');
        text.push_str(&digits?[..scale as usize]);
    }
    if sign as u16 == 0x4000 {
        text.insert(0, '-');
    }
    let integer = if scale == 0 { text.parse().ok() } else { None };
    Some(integer.map_or(Value::Text(text), Value::Integer))
}

fn uuid(raw: &[u8]) -> String {
    let hex: String = raw.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut text = hex;
    for place in [20, 16, 12, 8] {
        if place <= text.len() {
            text.insert(place, '-');
        }
    }
    text
}

const MICROS_OF_DAY: i64 = 86_400_000_000;

/// A date as ISO 8601 writes it, given the days since 2000-01-01, with what follows it.
fn dated(days: i64, rest: &str) -> String {
    // The calendar repeats every 400 years, which begin on a 1 March here (Howard Hinnant,
    // "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`).
    let days = days + 730_425;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    // There is no year 0.
    if year > 0 {
        format!("{year:04}-{month:02}-{day:02}{rest}")
    } else {
        format!("{:04}-{month:02}-{day:02}{rest} BC", 1 - year)
    }
}

fn time(micros: i64) -> String {
    let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    let text = format!("{hours:02}:{minutes:02}:{:02}", seconds % 60);
    match fraction {
        0 => text,
        fraction => format!("{text}.{fraction:06}").trim_end_matches('0').to_owned(),
    }
}

/// A date with its time, given the microseconds since 2000-01-01.
fn moment(micros: i64, zone: &str) -> String {
    match micros {
        i64::MAX => "infinity".to_owned(),
        i64::MIN => "-infinity".to_owned(),
        micros => {
            let rest = format!(" {}{zone}", time(micros.rem_euclid(MICROS_OF_DAY)));
            dated(micros.div_euclid(MICROS_OF_DAY), &rest)
        }
    }
}
