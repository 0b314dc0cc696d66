//! Expressions that map literals to other literals, parsed so that the mapping can be reversed.

use dbmigrate_runtime::engine::sql::{self, Kind, Lexicon, Token, until};

/// What an expression returns for each value of a column, as SQL literals.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapping {
    /// Old values with their new ones; the first match counts.
    pub pairs: Vec<(String, String)>,
    other: Other,
}

/// What happens to values that no pair mentions.
#[derive(Debug, Clone, PartialEq)]
enum Other {
    Kept,
    Value(String),
}

impl Mapping {
    /// Parses `CASE column WHEN ...`, `CASE WHEN column = ... THEN ...`, `iif(column = ..., ...)`, and
    /// each of them within `coalesce(..., ...)` or parentheses; `None` for all other expressions.
    pub fn of(expression: &str, column: &str, lexicon: &'static Lexicon) -> Option<Mapping> {
        read(&lexicon.significant(expression), column)
    }

    /// The new value for a value.
    pub fn apply<'a>(&'a self, value: &'a str) -> &'a str {
        let pair = self.pairs.iter().find(|(old, _)| old == value);
        match (pair, &self.other) {
            (Some((_, new)), _) | (None, Other::Value(new)) => new,
            (None, Other::Kept) => value,
        }
    }

    /// The values that are mapped to another one; `None` if these are all values that no pair
    /// mentions.
    pub fn replaced(&self) -> Option<Vec<&str>> {
        if self.other != Other::Kept {
            return None;
        }
        let olds = self.pairs.iter().enumerate().filter(|(idx, (old, _))| {
            let is_first = self.pairs[..*idx].iter().all(|(earlier, _)| earlier != old);
            is_first && self.apply(old) != old
        });
        Some(olds.map(|(_, (old, _))| old.as_str()).collect())
    }

    /// Whether no two of these values are mapped to the same value, and none to NULL.
    pub fn is_one_to_one(&self, values: &[String]) -> bool {
        let new: Vec<&str> = values.iter().map(|value| self.apply(value)).collect();
        let is_first = |(idx, value): (usize, &&str)| !new[..idx].contains(value);
        new.iter().enumerate().all(is_first) && !new.contains(&NULL)
    }
}

const NULL: &str = "NULL";

fn read(tokens: &[Token<'_>], column: &str) -> Option<Mapping> {
    match tokens {
        [open, inner @ .., close]
            if open.is_symbol("(") && close.is_symbol(")") && sql::is_balanced(inner) =>
        {
            read(inner, column)
        }
        [coalesce, open, inner @ .., close]
            if coalesce.is_word("coalesce") && open.is_symbol("(") && close.is_symbol(")") =>
        {
            read(until(inner, |token| token.is_symbol(","))?, column)
        }
        [iif, open, inner @ .., close]
            if iif.is_word("iif") && open.is_symbol("(") && close.is_symbol(")") =>
        {
            either(inner, column)
        }
        [case, inner @ .., end] if case.is_word("CASE") && end.is_word("END") => {
            cases(inner, column)
        }
        _ => None,
    }
}

/// Parses the arguments of `iif`.
fn either(tokens: &[Token<'_>], column: &str) -> Option<Mapping> {
    let is_comma = |token: &Token<'_>| token.is_symbol(",");
    let condition = until(tokens, is_comma)?;
    let rest = &tokens[condition.len() + 1..];
    let value = until(rest, is_comma)?;
    let olds = values(condition, column)?;
    let pairs = olds.into_iter().map(|old| Some((old.clone(), result(value, column, &old)?)));
    let other = match &rest[value.len() + 1..] {
        [name] if name.is_name(column) => Other::Kept,
        other => Other::Value(literal(other)?),
    };
    Some(Mapping { pairs: pairs.collect::<Option<_>>()?, other })
}

/// What a value becomes: a literal, or itself.
fn result(tokens: &[Token<'_>], column: &str, old: &str) -> Option<String> {
    match tokens {
        [name] if name.is_name(column) => Some(old.to_owned()),
        value => literal(value),
    }
}

/// Parses the part between `CASE` and `END`.
fn cases(tokens: &[Token<'_>], column: &str) -> Option<Mapping> {
    let (is_simple, mut rest) = match tokens {
        [subject, rest @ ..] if subject.is_name(column) => (true, rest),
        _ => (false, tokens),
    };
    let mut pairs = Vec::new();
    while let [when, after @ ..] = rest {
        if !when.is_word("WHEN") {
            break;
        }
        let condition = until(after, |token| token.is_word("THEN"))?;
        let after = &after[condition.len() + 1..];
        let is_end = |token: &Token<'_>| token.is_word("WHEN") || token.is_word("ELSE");
        let value = until(after, is_end).unwrap_or(after);
        rest = &after[value.len()..];
        let olds = if is_simple { vec![literal(condition)?] } else { values(condition, column)? };
        for old in olds {
            let new = result(value, column, &old)?;
            pairs.push((old, new));
        }
    }
    let other = match rest {
        [] => Other::Value(NULL.to_owned()),
        [word, name] if word.is_word("ELSE") && name.is_name(column) => Other::Kept,
        [word, value @ ..] if word.is_word("ELSE") => Other::Value(literal(value)?),
        _ => return None,
    };
    Some(Mapping { pairs, other })
}

/// The values for which a condition is true: `column = 'a'`, `column IN ('a', 'b')`, or several of
/// these joined by OR.
fn values(condition: &[Token<'_>], column: &str) -> Option<Vec<String>> {
    let mut values = Vec::new();
    for part in condition.split(|token| token.is_word("OR")) {
        match part {
            [name, equals, value @ ..]
                if name.is_name(column)
                    && (equals.is_symbol("=")
                        || equals.is_symbol("==")
                        || equals.is_word("IS")) =>
            {
                // NULL is not among the values.
                let value = literal(value)?;
                values.extend(Some(value).filter(|value| value != NULL));
            }
            [name, word, open, list @ .., close]
                if name.is_name(column)
                    && word.is_word("IN")
                    && open.is_symbol("(")
                    && close.is_symbol(")") =>
            {
                for value in list.split(|token| token.is_symbol(",")) {
                    values.push(literal(value)?);
                }
            }
            _ => return None,
        }
    }
    Some(values)
}

fn literal(tokens: &[Token<'_>]) -> Option<String> {
    match tokens {
        [value] if matches!(value.kind, Kind::Text | Kind::Number) => Some(value.text.to_owned()),
        [minus, value] if minus.is_symbol("-") && value.kind == Kind::Number => {
            Some(format!("-{}", value.text))
        }
        [value] if value.is_word(NULL) => Some(NULL.to_owned()),
        [value] if value.is_word("TRUE") => Some("1".to_owned()),
        [value] if value.is_word("FALSE") => Some("0".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dbmigrate_runtime::engine::sql::NEUTRAL;

    fn mapping(expression: &str) -> Option<Mapping> {
        Mapping::of(expression, "s", &NEUTRAL)
    }

    #[test]
    fn a_mapping_is_read_in_the_ways_that_people_write_it() {
        let olds = ["'a'".to_owned(), "'b'".to_owned()];
        for expression in [
            "CASE s WHEN 'a' THEN 'x' WHEN 'b' THEN 'y' END",
            "(CASE s WHEN 'a' THEN 'x' ELSE 'y' END)",
            "coalesce(CASE WHEN s = 'a' THEN 'x' WHEN s IN ('b') THEN 'y' ELSE s END, 'x')",
            "case when \"s\" = 'a' or s is null then 'x' else 'y' end",
            "iif(s = 'a', 'x', 'y')",
            "coalesce(IIF(s IN ('a'), 'x', 'y'), 'x')",
        ] {
            let mapping = mapping(expression).unwrap();
            let new: Vec<_> = olds.iter().map(|old| mapping.apply(old)).collect();
            assert_eq!(new, ["'x'", "'y'"], "{expression}");
            assert!(mapping.is_one_to_one(&olds), "{expression}");
        }
        for expression in ["CASE s WHEN 'a' THEN 'x' END", "CASE s WHEN 'a' THEN 'b' ELSE s END"] {
            assert!(!mapping(expression).unwrap().is_one_to_one(&olds), "{expression}");
        }
        for (expression, replaced) in [
            ("CASE s WHEN 'a' THEN 'x' WHEN 'a' THEN 'y' WHEN 'b' THEN s ELSE s END", vec!["'a'"]),
            ("coalesce(CASE WHEN s IN ('a', 'b') THEN NULL ELSE s END, 'x')", vec!["'a'", "'b'"]),
        ] {
            let mapping = mapping(expression).unwrap();
            assert_eq!(mapping.replaced(), Some(replaced), "{expression}");
        }
        let to_other = mapping("CASE s WHEN 'a' THEN 'x' ELSE 'y' END").unwrap();
        assert_eq!(to_other.replaced(), None);
        for expression in [
            "lower(s)",
            "CASE t WHEN 'a' THEN 'x' END",
            "CASE s WHEN 'a' THEN t END",
            "CASE",
            "",
            "iif(s = 'a', 'x')",
            "iif(t = 'a', 'x', 'y')",
        ] {
            assert_eq!(mapping(expression), None, "{expression}");
        }
    }
}
