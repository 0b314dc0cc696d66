//! What a new type does to the values of a column.
//!
//! `MODIFY` converts silently where it can: it rounds, and takes the beginning of a number. So the
//! values that would become others are counted first.

use super::flavor::{Flavor, quote, text};
use super::types::{self, plainly};
use crate::schema::Type;

/// What becomes of a column's values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Conversion {
    /// Each value has a counterpart.
    All,
    /// The values that meet this condition have none.
    Except(String),
    /// No value has one.
    None,
}

/// What a change of the type does to the values.
pub(super) fn conversion(flavor: Flavor, column: &str, from: &Type, to: &Type) -> Conversion {
    if types::type_name(flavor, from) == types::type_name(flavor, to) {
        return match (plainly(flavor, from).as_ref(), plainly(flavor, to).as_ref()) {
            // An enumeration that is a text has a check for its values.
            (from, Type::Enum(_, values)) if !is_within(from, values) => outside(column, values),
            _ => Conversion::All,
        };
    }
    let c = &quote(column);
    let (from, to) = (plainly(flavor, from), plainly(flavor, to));
    match (from.as_ref(), to.as_ref()) {
        (from, to) if is_number(from) && is_number(to) => numbers(c, from, to),
        (Type::Boolean, to) if is_number(to) => Conversion::All,
        (from, Type::Boolean) if is_number(from) => {
            Conversion::Except(format!("{c} NOT IN (0, 1)"))
        }
        (from, to) if is_text(from) => of_text(column, from, to),
        // Written as text, a number of this type has six digits.
        (Type::Float, Type::Text) => {
            Conversion::Except(format!("CAST(CAST({c} AS CHAR) AS FLOAT) <> {c}"))
        }
        (Type::Float, Type::String(length)) => Conversion::Except(format!(
            "CHAR_LENGTH({c}) > {length} OR CAST(CAST({c} AS CHAR) AS FLOAT) <> {c}"
        )),
        (from, Type::Text) if is_plain(from) => Conversion::All,
        (from, Type::String(length)) if is_plain(from) => {
            Conversion::Except(format!("CHAR_LENGTH({c}) > {length}"))
        }
        (Type::Json, Type::Text) | (Type::Date, Type::DateTime) => Conversion::All,
        (Type::Json, Type::String(length)) => {
            Conversion::Except(format!("CHAR_LENGTH({c}) > {length}"))
        }
        (Type::DateTime | Type::Timestamp, Type::Date) => {
            Conversion::Except(format!("{c} <> CAST(CAST({c} AS DATE) AS DATETIME(6))"))
        }
        (Type::Timestamp, Type::DateTime) => Conversion::All,
        (Type::DateTime | Type::Date, Type::Timestamp) => Conversion::Except(format!(
            "{c} < '1970-01-01 00:00:01' OR {c} > '2038-01-19 03:14:07.999999'"
        )),
        (Type::Binary | Type::FixedBinary(_), Type::Binary) => Conversion::All,
        (Type::Binary | Type::FixedBinary(_), Type::FixedBinary(length)) => {
            Conversion::Except(format!("LENGTH({c}) > {length}"))
        }
        (Type::Uuid, Type::Binary | Type::FixedBinary(16..)) => Conversion::All,
        (Type::Binary | Type::FixedBinary(_), Type::Uuid) => {
            Conversion::Except(format!("LENGTH({c}) <> 16"))
        }
        _ => Conversion::None,
    }
}

/// Whether the values of a type are written as one would write them.
fn is_plain(ty: &Type) -> bool {
    is_number(ty)
        || matches!(ty, Type::Boolean | Type::Date | Type::Time | Type::DateTime | Type::Timestamp)
}

fn is_text(ty: &Type) -> bool {
    matches!(ty, Type::Text | Type::String(_) | Type::Enum(..))
}

fn is_number(ty: &Type) -> bool {
    ty.is_integer() || matches!(ty, Type::Float | Type::Double | Type::Decimal(..) | Type::Numeric)
}

/// Whether all values of a type are among these.
fn is_within(from: &Type, values: &[String]) -> bool {
    match from {
        Type::Enum(_, own) => own.iter().all(|value| values.contains(value)),
        _ => false,
    }
}

fn outside(column: &str, values: &[String]) -> Conversion {
    let values: Vec<_> = values.iter().map(|value| text(value)).collect();
    // Compared as bytes: a collation may take other spellings for a value.
    Conversion::Except(format!("CAST({} AS BINARY) NOT IN ({})", quote(column), values.join(", ")))
}

/// The least and the greatest value of an integer type.
fn range(ty: &Type) -> Option<(i128, i128)> {
    Some(match ty {
        Type::BigInteger => (i64::MIN.into(), i64::MAX.into()),
        Type::BigUnsigned => (0, u64::MAX.into()),
        ty => ty.integer_range().map(|(min, max)| (min.into(), max.into()))?,
    })
}

fn numbers(c: &str, from: &Type, to: &Type) -> Conversion {
    let mut misfits = Vec::new();
    match (range(from), range(to)) {
        (Some((min, max)), Some((to_min, to_max))) => {
            if min < to_min {
                misfits.push(format!("{c} < {to_min}"));
            }
            if max > to_max {
                misfits.push(format!("{c} > {to_max}"));
            }
        }
        (None, Some((to_min, to_max))) => {
            misfits.push(format!("{c} <> FLOOR({c})"));
            misfits.push(format!("{c} < {to_min}"));
            misfits.push(format!("{c} > {to_max}"));
        }
        (from_range, None) => match (digits(from), digits(to)) {
            (own, Some((whole, scale))) => {
                let own_whole = own.map_or_else(
                    || from_range.map_or(u32::MAX, |(_, max)| max.to_string().len() as u32),
                    |(whole, _)| whole,
                );
                if own_whole > whole {
                    misfits.push(format!("ABS({c}) >= 1{}", "0".repeat(whole as usize)));
                }
                let own_scale =
                    own.map_or(if from_range.is_some() { 0 } else { u32::MAX }, |it| it.1);
                if own_scale > scale {
                    misfits.push(format!("{c} <> ROUND({c}, {scale})"));
                }
            }
            (_, None) => {
                // A float has 24 bits for the digits of a whole number, and a double has 53.
                let exact: i128 = if *to == Type::Float { 1 << 24 } else { 1 << 53 };
                if from_range.is_some_and(|(min, max)| min < -exact || max > exact) {
                    misfits.push(format!("ABS({c}) > {exact}"));
                }
                if *from == Type::Double && *to == Type::Float {
                    misfits.push(format!("ABS({c}) > 3.4028234e38 OR CAST({c} AS FLOAT) <> {c}"));
                }
                if let Some((whole, scale)) = digits(from) {
                    let exact = exact_digits(to);
                    if whole + scale > exact {
                        misfits.push(format!("{} > {exact}", significant_digits(c)));
                    }
                }
            }
        },
    }
    if misfits.is_empty() { Conversion::All } else { Conversion::Except(misfits.join(" OR ")) }
}

/// How many digits of a decimal number a float or a double always keeps.
fn exact_digits(ty: &Type) -> u32 {
    if *ty == Type::Float { 6 } else { 15 }
}

/// How many digits a number has, without zeros at its ends.
fn significant_digits(number: &str) -> String {
    let digits = format!("REPLACE(REPLACE({number}, '.', ''), '-', '')");
    format!("CHAR_LENGTH(TRIM(BOTH '0' FROM {digits}))")
}

/// How many digits a decimal has before and after the point.
fn digits(ty: &Type) -> Option<(u32, u32)> {
    match ty {
        Type::Decimal(precision, scale) => Some((precision.saturating_sub(*scale), *scale)),
        Type::Numeric => Some((35, 30)),
        _ => None,
    }
}

fn of_text(column: &str, from: &Type, to: &Type) -> Conversion {
    let c = &quote(column);
    let matching =
        // `$` would allow a line break at the end.
        |pattern: &str| format!("CAST({c} AS CHAR) NOT REGEXP {}", text(&format!("^{pattern}\\z")));
    let longest = |from: &Type| match from {
        Type::String(length) => Some(*length),
        Type::Enum(_, values) => values.iter().map(|value| value.chars().count() as u32).max(),
        _ => None,
    };
    match to {
        Type::Text => Conversion::All,
        Type::String(length) if longest(from).is_some_and(|longest| longest <= *length) => {
            Conversion::All
        }
        Type::String(length) => Conversion::Except(format!("CHAR_LENGTH({c}) > {length}")),
        Type::Enum(_, values) if is_within(from, values) => Conversion::All,
        Type::Enum(_, values) => outside(column, values),
        Type::Boolean => Conversion::Except(format!("CAST({c} AS CHAR) NOT IN ('0', '1')")),
        Type::Json => Conversion::Except(format!("NOT JSON_VALID({c})")),
        Type::Date => Conversion::Except(format!(
            "{} OR CAST({c} AS DATE) IS NULL",
            matching("[0-9]{4}-[0-9]{2}-[0-9]{2}")
        )),
        Type::DateTime | Type::Timestamp => {
            let pattern =
                "[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,6})?";
            let valid = format!("{} OR CAST({c} AS DATETIME(6)) IS NULL", matching(pattern));
            let range = if *to == Type::Timestamp {
                format!(
                    " OR CAST({c} AS DATETIME(6)) < '1970-01-01 00:00:01' OR \
                     CAST({c} AS DATETIME(6)) > '2038-01-19 03:14:07.999999'"
                )
            } else {
                String::new()
            };
            Conversion::Except(valid + &range)
        }
        Type::Time => Conversion::Except(format!(
            "{} OR CAST({c} AS TIME(6)) IS NULL",
            matching("([01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}([.][0-9]{1,6})?")
        )),
        // A text that a number would not be written as may be something else: `007` is not 7.
        Type::Decimal(..) | Type::Numeric => {
            let (whole, scale) = digits(to).unwrap_or_default();
            let whole = match whole {
                0 => "0".to_owned(),
                whole => format!("(0|[1-9][0-9]{{0,{}}})", whole - 1),
            };
            let part = match scale {
                0 => "0+".to_owned(),
                scale => format!("[0-9]{{1,{scale}}}0*"),
            };
            Conversion::Except(matching(&format!("-?{whole}([.]{part})?")))
        }
        Type::Float | Type::Double => {
            let number = format!("SUBSTRING_INDEX(LOWER({c}), 'e', 1)");
            Conversion::Except(format!(
                "{} OR {} > {}",
                matching("-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][-+]?[0-9]{1,2})?"),
                significant_digits(&number),
                exact_digits(to)
            ))
        }
        to => match range(to) {
            Some((min, max)) => {
                let number = format!("CAST({c} AS DECIMAL(65,0))");
                Conversion::Except(format!(
                    "{} OR {number} < {min} OR {number} > {max}",
                    matching("(0|-?[1-9][0-9]*)")
                ))
            }
            None => Conversion::None,
        },
    }
}

/// The condition of a `value`, the result of an expression of any type, that a column doesn't take
/// as it is; `None` if it takes all.
pub(super) fn given_misfit(flavor: Flavor, ty: &Type) -> Option<String> {
    const NUMBER: &str = "'^[-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)(e[-+]?[0-9]+)?\\\\z'";
    const WHOLE: &str = "'^[-+]?[0-9]+([.]0*)?(e[+]?[0-9]+)?\\\\z'";
    let text = "CAST(value AS CHAR)";
    Some(match plainly(flavor, ty).as_ref() {
        Type::String(length) => format!("CHAR_LENGTH(value) > {length}"),
        Type::Enum(_, values) => match outside("value", values) {
            Conversion::Except(condition) => condition,
            Conversion::All | Conversion::None => return None,
        },
        Type::Boolean => format!("{text} NOT IN ('0', '1')"),
        Type::Decimal(..) | Type::Numeric => {
            let (whole, scale) = digits(ty)?;
            let number = "CAST(value AS DECIMAL(65,30))";
            format!(
                "{text} NOT REGEXP {NUMBER} OR ABS({number}) >= 1{} OR \
                 {number} <> ROUND({number}, {scale})",
                "0".repeat(whole as usize)
            )
        }
        Type::Float | Type::Double => format!("{text} NOT REGEXP {NUMBER}"),
        Type::Date => format!(
            "{text} NOT REGEXP '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}([ T]00:00:00([.]0*)?)?\\\\z' OR \
             CAST(value AS DATE) IS NULL"
        ),
        Type::DateTime | Type::Timestamp => {
            // MariaDB knows no offsets.
            let offset = if flavor.is_mariadb() { "" } else { "([-+][0-9]{2}:[0-9]{2})?" };
            format!(
                "{text} NOT REGEXP '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}([ T][0-9]{{2}}:[0-9]{{2}}\
                 (:[0-9]{{2}}([.][0-9]{{1,6}}0*)?{offset})?)?\\\\z' OR CAST(value AS DATETIME(6)) IS \
                 NULL"
            )
        }
        Type::Time => format!(
            "{text} NOT REGEXP '^-?[0-9]{{2,3}}:[0-9]{{2}}(:[0-9]{{2}}([.][0-9]{{1,6}}0*)?)?\\\\z' OR \
             CAST(value AS TIME(6)) IS NULL"
        ),
        Type::Json => format!("NOT JSON_VALID({text})"),
        Type::Uuid => match types::storage(flavor, ty) {
            types::Storage::Bytes(16) => "LENGTH(value) <> 16".to_owned(),
            _ => return None,
        },
        Type::FixedBinary(length) => format!("LENGTH(value) > {length}"),
        ty => {
            let (min, max) = range(ty)?;
            let number = "CAST(value AS DECIMAL(65,0))";
            format!("{text} NOT REGEXP {WHOLE} OR {number} < {min} OR {number} > {max}")
        }
    })
}

/// The condition of rows whose value, which isn't NULL, does not fit another type.
pub(super) fn misfit(flavor: Flavor, column: &str, from: &Type, to: &Type) -> Option<String> {
    let is_set = format!("{} IS NOT NULL", quote(column));
    match conversion(flavor, column, from, to) {
        Conversion::All => None,
        Conversion::Except(condition) => Some(format!("{is_set} AND ({condition})")),
        Conversion::None => Some(is_set),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_that_would_become_others_are_found() {
        for (from, to, expect) in [
            (Type::Integer, Type::BigInteger, None),
            (Type::BigInteger, Type::Integer, Some("`c` < -2147483648 OR `c` > 2147483647")),
            (Type::Integer, Type::Unsigned, Some("`c` < 0")),
            (Type::Decimal(10, 2), Type::Decimal(12, 2), None),
            (Type::Decimal(10, 2), Type::Decimal(9, 1), Some("`c` <> ROUND(`c`, 1)")),
            (Type::Integer, Type::Decimal(10, 2), Some("ABS(`c`) >= 100000000")),
            (Type::String(10), Type::String(5), Some("CHAR_LENGTH(`c`) > 5")),
            (Type::String(10), Type::Text, None),
            (Type::DateTime, Type::Uuid, Some("")),
            (Type::Float, Type::Text, Some("CAST(CAST(`c` AS CHAR) AS FLOAT) <> `c`")),
            (Type::Decimal(15, 2), Type::Double, None),
            (
                Type::Text,
                Type::Decimal(3, 2),
                Some(r"CAST(`c` AS CHAR) NOT REGEXP '^-?(0|[1-9][0-9]{0,0})([.][0-9]{1,2}0*)?\\z'"),
            ),
            (Type::Boolean, Type::Integer, None),
            (Type::Integer, Type::Text, None),
        ] {
            let found = misfit(Flavor::Mysql, "c", &from, &to);
            let expect = expect.map(|condition| match condition {
                "" => "`c` IS NOT NULL".to_owned(),
                condition => format!("`c` IS NOT NULL AND ({condition})"),
            });
            assert_eq!(found, expect, "{from} {to}");
        }
    }
}
