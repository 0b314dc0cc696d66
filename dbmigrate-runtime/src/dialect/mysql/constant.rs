//! Defaults: as values where the server's text plainly is one.

use super::comparing::plain;
use super::flavor::Flavor;
use super::literal;
use crate::Value;
use crate::schema::{DefaultValue, Type};
use crate::sql::{Kind, Token, without_parentheses};

/// The default of a column with this type, from the text after `DEFAULT`; `None` for NULL.
pub(super) fn read(flavor: Flavor, text: &str, ty: &Type) -> Option<DefaultValue> {
    let lexicon = flavor.lexicon();
    let text = lexicon.unparenthesised(text);
    let bare = plain(flavor, text);
    if lexicon.same_expression(&bare, "NULL") {
        return None;
    }
    let now = plain(flavor, &literal::now(flavor, ty));
    if lexicon.same_expression(&bare.to_lowercase(), &now.to_lowercase()) {
        return Some(DefaultValue::Now);
    }
    let tokens = lexicon.significant(&bare);
    let value = constant(&tokens, ty);
    Some(value.map_or_else(|| DefaultValue::Sql(text.into()), DefaultValue::Literal))
}

/// A default as the server keeps it, as far as that is known.
pub(super) fn kept(flavor: Flavor, default: &DefaultValue, ty: &Type) -> Option<DefaultValue> {
    read(flavor, &literal::default(flavor, default, ty)?, ty)
}

/// A default in SQL.
pub(super) fn sql(flavor: Flavor, default: &DefaultValue, ty: &Type) -> String {
    literal::default(flavor, default, ty).unwrap_or_else(|| "NULL".to_owned())
}

/// The value of a constant of this type.
fn constant(tokens: &[Token<'_>], ty: &Type) -> Option<Value> {
    match tokens {
        [minus, number] if minus.is_symbol("-") && number.kind == Kind::Number => {
            number_of(&format!("-{}", number.text), ty)
        }
        [unhex, open, digits, close]
            if unhex.is_word("UNHEX") && open.is_symbol("(") && close.is_symbol(")") =>
        {
            blob(&digits.unquoted()?)
        }
        [token] => match token.kind {
            Kind::Number => number_of(token.text, ty),
            Kind::Blob => blob(&token.unquoted()?),
            Kind::Text => {
                let text = token.unquoted()?;
                number_of(&text, ty).or_else(|| {
                    let is_moment =
                        matches!(ty, Type::Time | Type::DateTime | Type::Timestamp | Type::Date);
                    let text = if is_moment { moment(&text) } else { &*text };
                    (!is_number(ty) && *ty != Type::Boolean).then(|| Value::from(text))
                })
            }
            Kind::Word if token.is_word("TRUE") => number_of("1", ty),
            Kind::Word if token.is_word("FALSE") => number_of("0", ty),
            _ => None,
        },
        _ => None,
    }
}

fn is_number(ty: &Type) -> bool {
    ty.is_integer() || matches!(ty, Type::Float | Type::Double | Type::Decimal(..) | Type::Numeric)
}

/// A number of a type that has numbers. Servers write it with all digits of a decimal.
fn number_of(text: &str, ty: &Type) -> Option<Value> {
    match ty {
        Type::Boolean => match text {
            "0" => Some(Value::Bool(false)),
            "1" => Some(Value::Bool(true)),
            _ => None,
        },
        ty if ty.is_integer() => text.parse().ok().map(Value::Integer),
        Type::Decimal(..) | Type::Numeric | Type::Float | Type::Double => {
            let number: f64 = text.parse().ok().filter(|number: &f64| number.is_finite())?;
            let is_whole = number.fract() == 0.0 && number.abs() < 1e15;
            Some(if is_whole { Value::Integer(number as i64) } else { Value::Real(number) })
        }
        _ => None,
    }
}

fn blob(digits: &str) -> Option<Value> {
    let digits: Option<Vec<u8>> =
        digits.chars().map(|digit| u8::try_from(digit.to_digit(16)?).ok()).collect();
    Some(Value::Blob(
        digits?.chunks(2).map(|pair| pair.iter().fold(0, |a, b| a * 16 + b)).collect(),
    ))
}

/// A time without zeros at the end of its fraction.
fn moment(text: &str) -> &str {
    match text.split_once('.') {
        Some(_) => text.trim_end_matches('0').trim_end_matches('.'),
        None => text,
    }
}

/// Whether an expression plainly is one value for all rows.
pub(super) fn is_one(flavor: Flavor, expression: &str) -> bool {
    match without_parentheses(&flavor.lexicon().significant(expression)) {
        [value] => matches!(value.kind, Kind::Text | Kind::Number),
        [minus, value] => minus.is_symbol("-") && value.kind == Kind::Number,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_is_read_as_it_was_declared() {
        for flavor in [Flavor::Mysql, Flavor::Mariadb] {
            for (default, ty) in [
                (DefaultValue::Literal(5.into()), Type::Integer),
                (DefaultValue::Literal((-5).into()), Type::BigInteger),
                (DefaultValue::Literal(true.into()), Type::Boolean),
                (DefaultValue::Literal(1.5.into()), Type::Decimal(10, 2)),
                (DefaultValue::Literal("it's \\".into()), Type::Text),
                (DefaultValue::Literal("a".into()), Type::String(5)),
                (DefaultValue::Literal(vec![0_u8, 255].into()), Type::Binary),
                (DefaultValue::Now, Type::DateTime),
                (DefaultValue::Now, Type::Timestamp),
                (DefaultValue::Now, Type::Text),
            ] {
                assert_eq!(kept(flavor, &default, &ty), Some(default), "{ty}");
            }
        }
        for (flavor, text, ty, expect) in [
            (Flavor::Mysql, "'-5'", Type::Integer, Some(Value::from(-5))),
            (Flavor::Mysql, "'1.50'", Type::Decimal(10, 2), Some(Value::from(1.5))),
            (Flavor::Mysql, "(_utf8mb4'x\\\\y\\'s')", Type::Text, Some(Value::from("x\\y's"))),
            (Flavor::Mysql, "(unhex(_utf8mb4'00ff'))", Type::Uuid, Some(vec![0_u8, 255].into())),
            (Flavor::Mariadb, "1e300", Type::Double, Some(Value::from(1e300))),
            (
                Flavor::Mysql,
                "'2020-01-01 00:00:00.000000'",
                Type::DateTime,
                Some(Value::from("2020-01-01 00:00:00")),
            ),
            (Flavor::Mariadb, "NULL", Type::Text, None),
        ] {
            assert_eq!(read(flavor, text, &ty), expect.map(DefaultValue::Literal), "{text}");
        }
        let now = "(date_format(utc_timestamp(),_utf8mb4'%Y-%m-%d %H:%i:%s'))";
        assert_eq!(read(Flavor::Mysql, now, &Type::Text), Some(DefaultValue::Now));
        let now = "current_timestamp(6)";
        assert_eq!(read(Flavor::Mariadb, now, &Type::Timestamp), Some(DefaultValue::Now));
    }
}
