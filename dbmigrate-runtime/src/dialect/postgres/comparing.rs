//! Which spellings PostgreSQL treats as equal.

use super::words;
use super::{FOLDING, POSTGRES};
use crate::dialect::Comparing;
use crate::sql::{Kind, Token};

pub(super) const COMPARING: Comparing = Comparing {
    folding: FOLDING,
    lexicon: &POSTGRES,
    names_checks: true,
    names_primary_keys: true,
    shares_index_names: true,
    keeps_definitions: false,
    now_is_sessions: false,
    keeps_comments: true,
    ty: words::shown,
    generates: "an identity column",
    default: plain,
};

/// An expression without the casts that PostgreSQL adds to constants.
pub(super) fn plain(sql: &str) -> String {
    let tokens = POSTGRES.significant(sql);
    let mut words: Vec<String> = Vec::with_capacity(tokens.len());
    let mut rest = tokens.as_slice();
    while let [token, after @ ..] = rest {
        // `(0)::numeric`
        if let [number, close, colons, cast @ ..] = after {
            let is_cast = close.is_symbol(")") && colons.is_symbol("::");
            if token.is_symbol("(") && number.kind == Kind::Number && is_cast {
                words.push(number.text.to_owned());
                rest = &cast[type_end(cast)..];
                continue;
            }
        }
        rest = after;
        let is_constant = matches!(token.kind, Kind::Text | Kind::Number)
            || ["TRUE", "FALSE", "NULL"].iter().any(|word| token.is_word(word));
        match after {
            [colons, cast @ ..] if is_constant && colons.is_symbol("::") => {
                rest = &cast[type_end(cast)..];
                let content = token.unquoted().filter(|text| is_number(text) && casts_number(cast));
                words.push(content.map_or_else(|| token.text.to_owned(), |text| text.into_owned()));
            }
            _ if token.kind == Kind::Word => words.push(token.text.to_ascii_lowercase()),
            _ => words.push(token.text.to_owned()),
        }
    }
    words.join(" ")
}

/// Whether two expressions only differ in casts of constants.
pub(super) fn is_plainly_same(a: &str, b: &str) -> bool {
    POSTGRES.same_expression(a, b) || POSTGRES.same_expression(&plain(a), &plain(b))
}

fn is_number(text: &str) -> bool {
    text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// Whether a cast is to a type of numbers.
fn casts_number(cast: &[Token<'_>]) -> bool {
    const NUMBERS: [&str; 7] =
        ["smallint", "integer", "bigint", "numeric", "real", "double", "decimal"];
    cast.first().is_some_and(|first| NUMBERS.iter().any(|number| first.is_word(number)))
        && !cast[..type_end(cast)].iter().any(|token| token.is_symbol("["))
}

/// How many tokens at the beginning are a type's name.
pub(super) fn type_end(tokens: &[Token<'_>]) -> usize {
    let is_word = |idx: usize, words: &[&str]| {
        tokens.get(idx).is_some_and(|token| words.iter().any(|word| token.is_word(word)))
    };
    let is_symbol =
        |idx: usize, symbol: &str| tokens.get(idx).is_some_and(|token| token.is_symbol(symbol));
    let is_name = |idx: usize| {
        tokens.get(idx).is_some_and(|token| matches!(token.kind, Kind::Word | Kind::Quoted))
    };
    if !is_name(0) {
        return 0;
    }
    let mut end = 1;
    while is_symbol(end, ".") && is_name(end + 1) {
        end += 2;
    }
    if is_word(0, &["character", "bit"]) && is_word(1, &["varying"])
        || is_word(0, &["double"]) && is_word(1, &["precision"])
    {
        end = 2;
    }
    let fields = ["year", "month", "day", "hour", "minute", "second", "to"];
    while is_word(0, &["interval"]) && is_word(end, &fields) {
        end += 1;
    }
    if is_symbol(end, "(") {
        let close = tokens[end..].iter().position(|token| token.is_symbol(")"));
        end += close.map_or(0, |close| close + 1);
    }
    if is_word(0, &["time", "timestamp"]) && is_word(end, &["with", "without"]) {
        end += 3;
    }
    while is_symbol(end, "[") && is_symbol(end + 1, "]") {
        end += 2;
    }
    end.min(tokens.len())
}

#[cfg(test)]
mod tests {
    use super::is_plainly_same;

    #[test]
    fn casts_of_constants_make_no_difference() {
        for (a, b) in [
            ("'abc'", "'abc'::character varying"),
            ("t = 'x'", "(t = 'x'::text)"),
            ("n > 0", "(n > (0)::numeric)"),
            ("-1", "'-1'::integer"),
            ("5", "'5'::bigint"),
            ("'{}'", "'{}'::text[]"),
            ("d >= '2020-01-01'", "(d >= '2020-01-01 00:00:00'::timestamp without time zone)"),
        ] {
            let same = !a.contains(">= '");
            assert_eq!(is_plainly_same(a, b), same, "{a} {b}");
        }
        assert!(is_plainly_same("a > '1 day'", "a > '1 day'::interval day to second"));
        assert!(is_plainly_same("m = 'ok'", "(m = 'ok'::other.\"Mood\")"));
        assert!(!is_plainly_same("'5'", "5"));
        assert!(!is_plainly_same("v = 'x'", "((v)::text = 'x'::text)"));
        assert!(!is_plainly_same("a::text = '1'", "(a = '1'::text)"));
    }
}
