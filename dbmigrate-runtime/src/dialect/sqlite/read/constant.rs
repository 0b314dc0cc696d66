//! Normalises constants, so that equal defaults have equal texts.

use super::super::affinity::{Affinity, affinity};
use crate::dialect::sqlite::lexicon::LEXICON;
use crate::schema::Type;
use crate::sql::{self, Kind, Token, quote_text};

/// A number or a text.
#[derive(Debug, Clone, PartialEq)]
enum Constant {
    Integer(i64),
    Real(f64),
    Text(String),
}

/// A default as a column of this type stores it: `+1`, `0x1`, `1.0`, `'1'` and `TRUE` are all `1`
/// in an integer column. An expression that isn't a known kind of constant is returned unchanged.
pub(super) fn default(expression: &str, ty: &Type, strict: bool) -> String {
    let Type::Raw(declared) = ty else { return expression.to_owned() };
    let affinity = match affinity(declared) {
        // An `ANY` column of a `STRICT` table stores values unchanged.
        _ if strict && declared.eq_ignore_ascii_case("ANY") => Affinity::Blob,
        affinity => affinity,
    };
    let stored = constant(expression).and_then(|constant| constant.stored(affinity));
    stored.or_else(|| now(expression)).unwrap_or_else(|| expression.to_owned())
}

/// The usual spelling of the time of the insert, for calls that give the same text.
fn now(expression: &str) -> Option<String> {
    let tokens = LEXICON.significant(expression);
    let tokens = sql::without_parentheses(&tokens);
    let (function, arguments) = match tokens {
        [function, open, arguments @ .., close] if open.is_symbol("(") && close.is_symbol(")") => {
            (function, arguments)
        }
        _ => return None,
    };
    let is_now = match arguments {
        // Without an argument the function returns the current time, since 3.20.
        [] => true,
        [one] => {
            one.unquoted().is_some_and(|unquoted| unquoted.eq_ignore_ascii_case("now"))
                || one.is_word("CURRENT_TIMESTAMP")
        }
        _ => false,
    };
    let known =
        [("datetime", "CURRENT_TIMESTAMP"), ("date", "CURRENT_DATE"), ("time", "CURRENT_TIME")];
    let word = known.into_iter().find(|(name, _)| function.is_word(name))?.1;
    is_now.then(|| word.to_owned())
}

fn constant(expression: &str) -> Option<Constant> {
    let tokens = LEXICON.significant(expression);
    let mut tokens = sql::without_parentheses(&tokens);
    let (mut is_signed, mut is_negative) = (false, false);
    while let [sign, rest @ ..] = tokens {
        if !sign.is_symbol("+") && !sign.is_symbol("-") {
            break;
        }
        is_signed = true;
        is_negative ^= sign.is_symbol("-");
        tokens = sql::without_parentheses(rest);
    }
    let [token] = tokens else { return None };
    match token.kind {
        Kind::Number => number(token.text, is_negative),
        Kind::Text if !is_signed => {
            token.unquoted().map(|unquoted| Constant::Text(unquoted.into_owned()))
        }
        Kind::Word | Kind::Quoted if !is_signed => word(token),
        _ => None,
    }
}

/// A single word is a value, or a text that is written as a name.
fn word(token: &Token<'_>) -> Option<Constant> {
    let is_plain = token.kind == Kind::Word;
    if is_plain && (token.is_word("TRUE") || token.is_word("FALSE")) {
        return Some(Constant::Integer(i64::from(token.is_word("TRUE"))));
    }
    let is_text = !is_plain || !LEXICON.is_value(token.text) && !LEXICON.is_reserved(token.text);
    token.identifier().filter(|_| is_text).map(|name| Constant::Text(name.into_owned()))
}

fn number(text: &str, is_negative: bool) -> Option<Constant> {
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let sign = if is_negative { -1 } else { 1 };
    if let Some(digits) = hex {
        let bits = u64::from_str_radix(digits, 16).ok()?;
        return i64::from_ne_bytes(bits.to_ne_bytes()).checked_mul(sign).map(Constant::Integer);
    }
    match text.parse::<i128>() {
        Ok(found) => i64::try_from(found * i128::from(sign)).ok().map(Constant::Integer),
        Err(_) => {
            let real: f64 = text.parse().ok()?;
            real.is_finite().then(|| Constant::Real(if is_negative { -real } else { real }))
        }
    }
}

/// Integers up to this limit are exact as floating point numbers.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl Constant {
    /// The constant as an SQL literal, after the conversion by a column's affinity (sqlite.org,
    /// `datatype3.html`, section 3); `None` if the result isn't certain.
    fn stored(self, affinity: Affinity) -> Option<String> {
        let converted = match (self, affinity) {
            (Constant::Text(text), Affinity::Integer | Affinity::Numeric | Affinity::Real) => {
                let stored = || numeric(&text)?.stored(affinity);
                return stored().or_else(|| Some(quote_text(&text)));
            }
            (Constant::Real(real), Affinity::Integer | Affinity::Numeric)
                if real.fract() == 0.0 && real.abs() <= EXACT =>
            {
                #[expect(clippy::cast_possible_truncation, reason = "it is whole and in range")]
                Constant::Integer(real as i64)
            }
            (Constant::Integer(integer), Affinity::Real) =>
            {
                #[expect(clippy::cast_precision_loss, reason = "what is stored loses it too")]
                Constant::Real(integer as f64)
            }
            (Constant::Integer(integer), Affinity::Text) => Constant::Text(integer.to_string()),
            // SQLite chooses how many digits such a text has.
            (Constant::Real(_), Affinity::Text) => return None,
            (constant, _) => constant,
        };
        Some(match converted {
            Constant::Integer(converted) => converted.to_string(),
            Constant::Real(converted) => format!("{converted:?}"),
            Constant::Text(converted) => quote_text(&converted),
        })
    }
}

/// The number that SQLite converts a text to, if it does.
fn numeric(text: &str) -> Option<Constant> {
    let text = text.trim_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-');
    let begins = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    // Further digits may not be preserved.
    if !begins || !digits.chars().all(is_number) || digits.len() > 15 {
        return None;
    }
    number(digits, text.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(declared: &str, expressions: &[&str], expect: &str) {
        for expression in expressions {
            assert_eq!(
                default(expression, &Type::raw(declared), false),
                expect,
                "{declared}: {expression}"
            );
        }
    }

    #[test]
    fn equal_defaults_are_read_alike() {
        let one = ["1", "+1", "1.0", "0x1", "(1)", "- -1", "-(-1)", "'1'", "\"1\"", "TRUE", "1e0"];
        check("INTEGER", &one, "1");
        check("BOOLEAN", &one, "1");
        check("DECIMAL(10, 2)", &["9.5", "'9.50'", "+9.5"], "9.5");
        check("REAL", &["1", "1.0", "'1'", "+1"], "1.0");
        check("TEXT", &["1", "'1'", "0x1"], "'1'");
        check("", &["+1"], "1");
        check("INTEGER", &["-9223372036854775808"], "-9223372036854775808");
        check("INTEGER", &["0xFFFFFFFFFFFFFFFF", "-1"], "-1");
        check("INTEGER", &["''", "\"\""], "''");
        check("TEXT", &["'it''s'", "\"it's\""], "'it''s'");
        check("DATETIME", &["datetime('now')", "(datetime())"], "CURRENT_TIMESTAMP");
    }

    #[test]
    fn what_stores_something_else_is_read_as_something_else() {
        check("", &["1.0"], "1.0");
        check("TEXT", &["1.0"], "1.0");
        check("TEXT", &["'1.0'"], "'1.0'");
        check("BLOB", &["'1'"], "'1'");
        check("INTEGER", &["'0x1'"], "'0x1'");
        check("INTEGER", &["1 + 0"], "1 + 0");
        check("INTEGER", &["x'31'"], "x'31'");
        check("INTEGER", &["current_timestamp"], "current_timestamp");
        check("INTEGER", &["NULL"], "NULL");
        check("INTEGER", &["99999999999999999999"], "99999999999999999999");
        assert_eq!(default("'1'", &Type::raw("any"), true), "'1'");
    }
}
