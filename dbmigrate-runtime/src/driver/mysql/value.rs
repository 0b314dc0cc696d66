//! Values as MySQL and MariaDB exchange them: texts where a statement has no parameters, and binary
//! ones where it has.

use mysql::Column;
use mysql::consts::{ColumnFlags, ColumnType};

use crate::Value;

/// The number of the collation of values that are bytes.
const BINARY: u16 = 63;

/// A parameter.
pub(super) fn param(value: &Value) -> mysql::Value {
    match value {
        Value::Null => mysql::Value::NULL,
        Value::Bool(value) => mysql::Value::Int((*value).into()),
        Value::Integer(value) => mysql::Value::Int(*value),
        Value::Real(value) => mysql::Value::Double(*value),
        Value::Text(text) => mysql::Value::Bytes(text.clone().into_bytes()),
        Value::Blob(bytes) => mysql::Value::Bytes(bytes.clone()),
    }
}

/// A value of a result.
pub(super) fn cell(value: mysql::Value, column: &Column) -> Value {
    match value {
        mysql::Value::NULL => Value::Null,
        mysql::Value::Int(value) => Value::Integer(value),
        mysql::Value::UInt(value) => integer(&value.to_string()),
        mysql::Value::Float(value) => Value::Real(single(value)),
        mysql::Value::Double(value) => Value::Real(value),
        mysql::Value::Date(year, month, day, hour, minute, second, micros) => {
            let date = format!("{year:04}-{month:02}-{day:02}");
            if column.column_type() == ColumnType::MYSQL_TYPE_DATE {
                return Value::Text(date);
            }
            let time = format!("{hour:02}:{minute:02}:{second:02}.{micros:06}");
            Value::Text(format!("{date} {}", without_zeros(&time)))
        }
        mysql::Value::Time(is_negative, days, hours, minutes, seconds, micros) => {
            let sign = if is_negative { "-" } else { "" };
            let hours = days * 24 + u32::from(hours);
            let time = format!("{sign}{hours:02}:{minutes:02}:{seconds:02}.{micros:06}");
            Value::Text(without_zeros(&time).to_owned())
        }
        mysql::Value::Bytes(bytes) => of_bytes(bytes, column),
    }
}

fn of_bytes(bytes: Vec<u8>, column: &Column) -> Value {
    let text = |bytes: Vec<u8>| match String::from_utf8(bytes) {
        Ok(text) => Value::Text(text),
        Err(err) => Value::Blob(err.into_bytes()),
    };
    match column.column_type() {
        ColumnType::MYSQL_TYPE_TINY
        | ColumnType::MYSQL_TYPE_SHORT
        | ColumnType::MYSQL_TYPE_INT24
        | ColumnType::MYSQL_TYPE_LONG
        | ColumnType::MYSQL_TYPE_LONGLONG
        | ColumnType::MYSQL_TYPE_YEAR => integer(&String::from_utf8_lossy(&bytes)),
        ColumnType::MYSQL_TYPE_DECIMAL | ColumnType::MYSQL_TYPE_NEWDECIMAL => {
            integer(&String::from_utf8_lossy(&bytes))
        }
        ColumnType::MYSQL_TYPE_FLOAT | ColumnType::MYSQL_TYPE_DOUBLE => {
            let number = String::from_utf8_lossy(&bytes).parse();
            number.map_or_else(|_| text(bytes), Value::Real)
        }
        ColumnType::MYSQL_TYPE_BIT => {
            let number = bytes.iter().try_fold(0_u64, |number, byte| {
                number.checked_mul(256).map(|number| number + u64::from(*byte))
            });
            number.map_or_else(|| Value::Blob(bytes), |number| integer(&number.to_string()))
        }
        ColumnType::MYSQL_TYPE_DATETIME
        | ColumnType::MYSQL_TYPE_DATETIME2
        | ColumnType::MYSQL_TYPE_TIMESTAMP
        | ColumnType::MYSQL_TYPE_TIMESTAMP2
        | ColumnType::MYSQL_TYPE_TIME
        | ColumnType::MYSQL_TYPE_TIME2 => {
            Value::Text(without_zeros(&String::from_utf8_lossy(&bytes)).to_owned())
        }
        ColumnType::MYSQL_TYPE_GEOMETRY | ColumnType::MYSQL_TYPE_VECTOR => Value::Blob(bytes),
        ColumnType::MYSQL_TYPE_TINY_BLOB
        | ColumnType::MYSQL_TYPE_MEDIUM_BLOB
        | ColumnType::MYSQL_TYPE_LONG_BLOB
        | ColumnType::MYSQL_TYPE_BLOB
        | ColumnType::MYSQL_TYPE_VAR_STRING
        | ColumnType::MYSQL_TYPE_VARCHAR
        | ColumnType::MYSQL_TYPE_STRING
            if column.character_set() == BINARY
                && column.flags().contains(ColumnFlags::BINARY_FLAG) =>
        {
            Value::Blob(bytes)
        }
        _ => text(bytes),
    }
}

/// A number: an integer if it is one that fits, else its text.
fn integer(text: &str) -> Value {
    text.parse().map_or_else(|_| Value::Text(text.to_owned()), Value::Integer)
}

/// A number of single precision as the nearest one of double precision that is written alike.
fn single(value: f32) -> f64 {
    value.to_string().parse().unwrap_or_else(|_| value.into())
}

/// A time without zeros at the end of its fraction.
fn without_zeros(time: &str) -> &str {
    match time.split_once('.') {
        Some(_) => time.trim_end_matches('0').trim_end_matches('.'),
        None => time,
    }
}
