//! Defaults: as SQL, and as values where PostgreSQL's text plainly is one.

use super::POSTGRES;
use super::comparing::{plain, type_end};
use super::{literal, words};
use crate::Value;
use crate::schema::{DefaultValue, Type};
use crate::sql::{Kind, Token};

/// A default in SQL.
pub(super) fn sql(default: &DefaultValue, ty: &Type) -> String {
    literal::default(default, ty).unwrap_or_else(|| "NULL".to_owned())
}

/// The default of a column with this type, from PostgreSQL's text or from SQL like it.
pub(super) fn read(text: &str, ty: &Type) -> DefaultValue {
    let text = POSTGRES.unparenthesised(text);
    let tokens = POSTGRES.significant(text);
    if is_now(text, ty) {
        return DefaultValue::Now;
    }
    let value = constant(&tokens, ty);
    value.map_or_else(|| DefaultValue::Sql(text.into()), DefaultValue::Literal)
}

/// Whether SQL plainly is one value of this type for all rows.
pub(super) fn is_constant(text: &str, ty: &Type) -> bool {
    constant(&POSTGRES.significant(POSTGRES.unparenthesised(text)), ty).is_some()
}

/// Whether SQL is the current time, for this type in UTC. Parentheses make no difference to it.
fn is_now(text: &str, ty: &Type) -> bool {
    let bare = |text: &str| text.replace(['(', ')'], " ");
    let text = bare(&plain(text)).replace("'UTC'", "'utc'");
    let same = |spelling: String| POSTGRES.same_expression(&text, &bare(&spelling));
    let any = |end: &str| {
        ["now()", "current_timestamp"].into_iter().any(|now| {
            same(format!("{now} at time zone 'utc'{end}"))
                || same(format!("timezone('utc', {now}){end}"))
        })
    };
    match ty {
        Type::Timestamp => {
            let words = ["now()", "current_timestamp", "transaction_timestamp()"];
            words.into_iter().any(|word| same(word.to_owned()))
        }
        Type::DateTime => any(""),
        Type::Date => any("::date"),
        Type::Time => any("::time") || any("::time without time zone"),
        _ => false,
    }
}

/// The value of a constant, if the tokens are one of this type.
fn constant(tokens: &[Token<'_>], ty: &Type) -> Option<Value> {
    let (is_negative, tokens) = match tokens {
        [minus, rest @ ..] if minus.is_symbol("-") => (true, rest),
        tokens => (false, tokens),
    };
    let tokens = match tokens {
        [open, number, close, rest @ ..]
            if open.is_symbol("(") && number.kind == Kind::Number && close.is_symbol(")") =>
        {
            return cast_of(number, rest, ty).and_then(|value| signed(value, is_negative));
        }
        tokens => tokens,
    };
    let (first, rest) = tokens.split_first()?;
    cast_of(first, rest, ty).and_then(|value| signed(value, is_negative))
}

fn signed(value: Value, is_negative: bool) -> Option<Value> {
    match value {
        value if !is_negative => Some(value),
        Value::Integer(value) => Some(Value::Integer(-value)),
        Value::Real(value) => Some(Value::Real(-value)),
        _ => None,
    }
}

/// The value of a token with nothing or a cast behind it.
fn cast_of(token: &Token<'_>, rest: &[Token<'_>], ty: &Type) -> Option<Value> {
    let cast = match rest {
        [] => None,
        [colons, cast @ ..] if colons.is_symbol("::") && type_end(cast) == cast.len() => {
            let words: Vec<_> = cast.iter().map(|token| token.text).collect();
            Some(words::read(&words.join(" ")))
        }
        _ => return None,
    };
    let is_number = |ty: &Type| {
        ty.is_integer()
            || matches!(ty, Type::Decimal(..) | Type::Numeric | Type::Float | Type::Double)
    };
    let fits = cast.as_ref().is_none_or(|cast| match (cast, ty) {
        (cast, ty) if is_number(ty) => is_number(cast),
        (Type::Raw(cast), Type::String(_)) if cast == "character varying" => true,
        (Type::Raw(cast), Type::Raw(ty)) if cast == "bpchar" => ty.starts_with("character("),
        (Type::Raw(cast), Type::Enum(name, _)) => {
            POSTGRES.significant(cast).first().is_some_and(|token| token.is_name(name))
        }
        (cast, ty) => cast == ty,
    });
    match token.kind {
        _ if !fits => None,
        Kind::Number if is_number(ty) => number(token.text),
        Kind::Text => {
            let text = token.unquoted()?;
            match ty {
                ty if is_number(ty) => number(&text),
                Type::Binary => blob(&text),
                Type::Boolean => None,
                _ => Some(Value::Text(text.into_owned())),
            }
        }
        Kind::Word if *ty == Type::Boolean && token.is_word("TRUE") => Some(Value::Bool(true)),
        Kind::Word if *ty == Type::Boolean && token.is_word("FALSE") => Some(Value::Bool(false)),
        _ => None,
    }
}

/// A number, unless a value can't hold it as it is written.
fn number(text: &str) -> Option<Value> {
    if let Ok(integer) = text.parse() {
        return Some(Value::Integer(integer));
    }
    let real: f64 = text.parse().ok()?;
    (real.is_finite() && format!("{real:?}") == text).then_some(Value::Real(real))
}

fn blob(text: &str) -> Option<Value> {
    let digits: Option<Vec<u32>> =
        text.strip_prefix("\\x")?.chars().map(|digit| digit.to_digit(16)).collect();
    let pairs = digits?;
    let bytes: Option<Vec<u8>> = pairs
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => u8::try_from(high * 16 + low).ok(),
            _ => None,
        })
        .collect();
    bytes.map(Value::Blob)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str, ty: &Type) -> Option<Value> {
        match read(text, ty) {
            DefaultValue::Literal(value) => Some(value),
            DefaultValue::Now | DefaultValue::Sql(_) => None,
        }
    }

    #[test]
    fn plain_constants_are_values() {
        let mood = Type::enumeration("mood", ["ok"]);
        for (text, ty, expected) in [
            ("0", Type::Integer, Value::Integer(0)),
            ("'-1'::integer", Type::Integer, Value::Integer(-1)),
            ("(-1)", Type::SmallInteger, Value::Integer(-1)),
            ("'5'::bigint", Type::BigInteger, Value::Integer(5)),
            ("(5)::bigint", Type::BigInteger, Value::Integer(5)),
            ("1.5", Type::Decimal(10, 2), Value::Real(1.5)),
            ("'10000000000'::numeric", Type::Double, Value::Integer(10_000_000_000)),
            ("true", Type::Boolean, Value::Bool(true)),
            ("'it''s'::text", Type::Text, Value::from("it's")),
            ("'abc'::character varying", Type::String(3), Value::from("abc")),
            ("'a'::bpchar", Type::raw("character(3)"), Value::from("a")),
            ("'ok'::mood", mood.clone(), Value::from("ok")),
            ("'{}'::jsonb", Type::Json, Value::from("{}")),
            ("'2020-01-01'::date", Type::Date, Value::from("2020-01-01")),
            ("'36:00:00'::interval", Type::raw("interval"), Value::from("36:00:00")),
            ("'\\x00ff'::bytea", Type::Binary, Value::Blob(vec![0, 255])),
            ("'{1,2}'::integer[]", Type::array(Type::Integer), Value::from("{1,2}")),
        ] {
            assert_eq!(value(text, &ty), Some(expected), "{text}");
        }
        for (text, ty) in [
            ("'a'::citext", Type::Text),
            ("(1 + 1)", Type::Integer),
            ("1.50", Type::Decimal(10, 2)),
            ("99999999999999999999", Type::Numeric),
            ("lower('A'::text)", Type::Text),
            ("CURRENT_USER", Type::Text),
            ("'a'::text || 'b'::text", Type::Text),
            ("ARRAY[1, 2]", Type::array(Type::Integer)),
        ] {
            assert_eq!(value(text, &ty), None, "{text}");
        }
    }

    #[test]
    fn the_current_time_is_recognised_by_type() {
        let utc = "timezone('utc'::text, now())";
        for (text, ty, is_now) in [
            ("now()", Type::Timestamp, true),
            ("CURRENT_TIMESTAMP", Type::Timestamp, true),
            ("CURRENT_TIMESTAMP(3)", Type::Timestamp, false),
            // This depends on the session's time zone.
            ("now()", Type::DateTime, false),
            ("(now() AT TIME ZONE 'utc'::text)", Type::DateTime, true),
            ("(CURRENT_TIMESTAMP AT TIME ZONE 'UTC'::text)", Type::DateTime, true),
            (utc, Type::DateTime, true),
            ("((now() AT TIME ZONE 'utc'::text))::date", Type::Date, true),
            ("(timezone('utc'::text, now()))::time without time zone", Type::Time, true),
            ("CURRENT_DATE", Type::Date, false),
        ] {
            assert_eq!(read(text, &ty) == DefaultValue::Now, is_now, "{text}");
        }
    }
}
