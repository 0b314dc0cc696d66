//! Expressions that map literals to other literals, parsed so that the mapping can be reversed.

use std::borrow::Cow;

use dbmigrate_runtime::engine::sql::{self, Case, Kind, Lexicon, Token, quote_text, until};

/// What an expression returns for each value of a column, as SQL literals.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapping {
    /// Old values with their new ones; the first match counts.
    pub pairs: Vec<(String, String)>,
    other: Other,
    /// Whether NULL becomes another value.
    is_coalesced: bool,
}

/// What happens to values that no pair mentions.
#[derive(Debug, Clone, PartialEq)]
enum Other {
    /// These functions are applied, one after the other; without any, the values are kept.
    Of(Vec<Function>),
    Value(String),
}

/// A function whose result for a text is known without a database.
#[derive(Debug, Clone, PartialEq)]
enum Function {
    Lower,
    Upper,
    Replace(String, String),
}

/// What is known of values that a mapping doesn't list.
#[derive(Debug, Clone, Copy)]
pub struct Unlisted {
    /// Whether they are integers and not texts.
    pub are_integers: bool,
    /// Whether a row that gets NULL is refused.
    pub is_null_refused: bool,
}

impl Mapping {
    /// Parses `CASE column WHEN ...`, `CASE WHEN column = ... THEN ...`, `iif(column = ..., ...)`,
    /// `lower(column)`, `upper(column)`, `replace(column, ...)`, and each of them within
    /// `coalesce(..., ...)` or parentheses; `None` for all other expressions, whose results only a
    /// database knows.
    pub fn of(expression: &str, column: &str, lexicon: &'static Lexicon) -> Option<Mapping> {
        read(&lexicon.significant(expression), column)
    }

    /// The new value for a value, if it is known.
    pub fn apply<'a>(&'a self, value: &'a str) -> Option<Cow<'a, str>> {
        let pair = self.pairs.iter().find(|(old, _)| old == value);
        match (pair, &self.other) {
            (Some((_, new)), _) | (None, Other::Value(new)) => Some(Cow::Borrowed(new)),
            (None, Other::Of(functions)) => applied(functions, value),
        }
    }

    /// The values that are mapped to another one; `None` if these are all values that no pair
    /// mentions.
    pub fn replaced(&self) -> Option<Vec<&str>> {
        if self.other != Other::Of(Vec::new()) {
            return None;
        }
        Some(self.listed().filter(|(old, new)| old != new).map(|(old, _)| old).collect())
    }

    /// The pairs that count.
    fn listed(&self) -> impl Iterator<Item = (&str, &str)> {
        let firsts =
            self.pairs.iter().enumerate().filter(|(idx, (old, _))| {
                self.pairs[..*idx].iter().all(|(earlier, _)| earlier != old)
            });
        firsts.map(|(_, (old, new))| (old.as_str(), new.as_str()))
    }

    /// Whether no two of these values are mapped to the same value, and none to NULL.
    pub fn is_one_to_one(&self, values: &[String]) -> bool {
        let new: Option<Vec<_>> = values.iter().map(|value| self.apply(value)).collect();
        new.is_some_and(|new| are_distinct(new.iter().map(AsRef::as_ref)))
    }

    /// The same for values of which none is known: those that pairs mention are mapped to values of
    /// their own, and the rest is kept or refused. A value to which one is mapped may be among the
    /// rest, unless it is mapped to another one itself, or the rest are integers and it is a word.
    pub fn is_one_to_one_for_any(&self, unlisted: Unlisted) -> bool {
        let is_plain = |old: &str| {
            let is_integer = || old.parse::<i64>().is_ok_and(|number| number.to_string() == old);
            if unlisted.are_integers { is_integer() } else { old.starts_with('\'') }
        };
        if !self.listed().all(|(old, _)| is_plain(old))
            || !are_distinct(self.listed().map(|(_, new)| new))
        {
            return false;
        }
        let is_listed = |new: &str| self.listed().any(|(old, _)| same_value(old, new));
        let is_word = |new: &str| {
            let inner = new.strip_prefix('\'');
            inner.is_some_and(|inner| inner.starts_with(|c: char| c.is_ascii_alphabetic()))
        };
        match &self.other {
            Other::Of(functions) => {
                functions.is_empty()
                    && self
                        .listed()
                        .all(|(_, new)| is_listed(new) || unlisted.are_integers && is_word(new))
            }
            Other::Value(value) => value == NULL && unlisted.is_null_refused && !self.is_coalesced,
        }
    }
}

const NULL: &str = "NULL";

/// Whether all of these literals are different values, and none is NULL.
fn are_distinct<'a>(literals: impl Iterator<Item = &'a str>) -> bool {
    let mut seen: Vec<&str> = Vec::new();
    for literal in literals {
        if literal == NULL || seen.iter().any(|other| same_value(other, literal)) {
            return false;
        }
        seen.push(literal);
    }
    true
}

/// Whether two literals may be the same value in a column: `1`, `1.0` and `'1'` are.
fn same_value(one: &str, other: &str) -> bool {
    let content = |literal: &'_ str| -> String {
        let text = literal.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
        text.unwrap_or(literal).trim().to_owned()
    };
    let number = |text: &str| {
        let is_number = text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
        text.parse::<f64>().ok().filter(|_| is_number)
    };
    let (one, other) = (content(one), content(other));
    one == other || number(&one).is_some_and(|one| number(&other) == Some(one))
}

/// The result of functions for a literal. Databases differ in the case of letters other than those
/// of ASCII, and in what a backslash is.
fn applied<'a>(functions: &[Function], value: &'a str) -> Option<Cow<'a, str>> {
    if functions.is_empty() {
        return Some(Cow::Borrowed(value));
    }
    let text = value.strip_prefix('\'')?.strip_suffix('\'')?.replace("''", "'");
    let is_plain = text.is_ascii() && !text.contains('\\');
    let result = functions.iter().fold(text, |text, function| match function {
        Function::Lower => text.to_ascii_lowercase(),
        Function::Upper => text.to_ascii_uppercase(),
        Function::Replace(from, _) if from.is_empty() => text,
        Function::Replace(from, to) => text.replace(from, to),
    });
    is_plain.then(|| Cow::Owned(quote_text(&result)))
}

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
            let first = until(inner, |token| token.is_symbol(","))?;
            Some(Mapping { is_coalesced: true, ..read(first, column)? })
        }
        [iif, open, inner @ .., close]
            if iif.is_word("iif") && open.is_symbol("(") && close.is_symbol(")") =>
        {
            either(inner, column)
        }
        [case, ..] if case.is_word("CASE") => cases(&Case::of(tokens)?, column),
        _ => {
            let functions = functions(tokens, column).filter(|functions| !functions.is_empty())?;
            Some(Mapping { pairs: Vec::new(), other: Other::Of(functions), is_coalesced: false })
        }
    }
}

/// Parses functions that are applied to the column, innermost first.
fn functions(tokens: &[Token<'_>], column: &str) -> Option<Vec<Function>> {
    let (name, inner) = match tokens {
        [name] if name.is_name(column) => return Some(Vec::new()),
        [name, open, inner @ .., close]
            if open.is_symbol("(") && close.is_symbol(")") && sql::is_balanced(inner) =>
        {
            (name, inner)
        }
        _ => return None,
    };
    let (function, of) = match arguments(inner).as_slice() {
        [of] if name.is_word("lower") => (Function::Lower, *of),
        [of] if name.is_word("upper") => (Function::Upper, *of),
        [of, [from], [to]] if name.is_word("replace") => {
            (Function::Replace(text(from)?, text(to)?), *of)
        }
        _ => return None,
    };
    let mut functions = functions(of, column)?;
    functions.push(function);
    Some(functions)
}

/// What commas separate outside of parentheses.
fn arguments<'a, 'b>(mut tokens: &'b [Token<'a>]) -> Vec<&'b [Token<'a>]> {
    let mut arguments = Vec::new();
    while let Some(argument) = until(tokens, |token| token.is_symbol(",")) {
        arguments.push(argument);
        tokens = &tokens[argument.len() + 1..];
    }
    arguments.push(tokens);
    arguments
}

/// The content of a string literal that means the same to all databases.
fn text(token: &Token<'_>) -> Option<String> {
    let content = token.unquoted().filter(|_| token.kind == Kind::Text)?;
    (content.is_ascii() && !content.contains('\\')).then(|| content.into_owned())
}

/// Parses the arguments of `iif`.
fn either(tokens: &[Token<'_>], column: &str) -> Option<Mapping> {
    let [condition, value, other] = arguments(tokens).try_into().ok()?;
    let olds = values(condition, column)?;
    let pairs = olds.into_iter().map(|old| Some((old.clone(), result(value, column, &old)?)));
    let (pairs, other) = (pairs.collect::<Option<_>>()?, rest(other, column)?);
    Some(Mapping { pairs, other, is_coalesced: false })
}

/// What a value becomes: a literal, itself, or what functions make of it.
fn result(tokens: &[Token<'_>], column: &str, old: &str) -> Option<String> {
    match functions(tokens, column) {
        Some(functions) => applied(&functions, old).map(Cow::into_owned),
        None => literal(tokens),
    }
}

/// What the values become that no pair mentions.
fn rest(tokens: &[Token<'_>], column: &str) -> Option<Other> {
    functions(tokens, column).map(Other::Of).or_else(|| literal(tokens).map(Other::Value))
}

fn cases(case: &Case<'_, '_>, column: &str) -> Option<Mapping> {
    let is_simple = match case.subject {
        None => false,
        Some([subject]) if subject.is_name(column) => true,
        Some(_) => return None,
    };
    let mut pairs = Vec::new();
    for arm in &case.arms {
        let condition = arm.condition;
        let olds = if is_simple { vec![literal(condition)?] } else { values(condition, column)? };
        for old in olds {
            let new = result(arm.result, column, &old)?;
            pairs.push((old, new));
        }
    }
    let other = match case.other {
        None => Other::Value(NULL.to_owned()),
        Some(other) => rest(other, column)?,
    };
    Some(Mapping { pairs, other, is_coalesced: false })
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
        [value] if value.kind == Kind::Text => {
            Some(text(value).map_or_else(|| value.text.to_owned(), |text| quote_text(&text)))
        }
        [value] if value.kind == Kind::Number => Some(value.text.to_owned()),
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
            "replace(replace(s, 'a', 'x'), 'b', 'y')",
            "CASE s WHEN 'b' THEN 'y' ELSE lower(replace(upper(s), 'A', 'X')) END",
            "CASE WHEN s IN ('a', 'b') THEN replace(replace(s, 'a', 'x'), 'b', 'y') END",
        ] {
            let mapping = mapping(expression).unwrap();
            let new: Vec<_> = olds.iter().filter_map(|old| mapping.apply(old)).collect();
            assert_eq!(new, ["'x'", "'y'"], "{expression}");
            assert!(mapping.is_one_to_one(&olds), "{expression}");
        }
        for expression in [
            "CASE s WHEN 'a' THEN 'x' END",
            "CASE s WHEN 'a' THEN 'b' ELSE s END",
            "replace(s, 'a', 'b')",
            "CASE s WHEN 'a' THEN 1 WHEN 'b' THEN '1.0' END",
        ] {
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
            "lower(t)",
            "lower(s, 'a')",
            "replace(s, t, 'x')",
            "trim(s)",
            "s",
            "CASE s WHEN 'a' THEN s END || CASE s WHEN 'b' THEN s END",
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

    #[test]
    fn values_that_are_not_listed_are_kept_or_refused() {
        let integers = Unlisted { are_integers: true, is_null_refused: false };
        let texts = Unlisted { are_integers: false, ..integers };
        let keeps = |expression: &str, unlisted: Unlisted| {
            mapping(expression).unwrap().is_one_to_one_for_any(unlisted)
        };
        for expression in [
            "CASE s WHEN 1 THEN 'one' WHEN -2 THEN 'two' ELSE s END",
            "CASE s WHEN 1 THEN 2 WHEN 2 THEN 1 ELSE s END",
            "CASE s WHEN 1 THEN 1 ELSE s END",
        ] {
            assert!(keeps(expression, integers), "{expression}");
        }
        assert!(keeps("CASE s WHEN 'a' THEN 'b' WHEN 'b' THEN 'a' ELSE s END", texts));
        let listed = "CASE s WHEN 1 THEN 'a' WHEN 2 THEN 'b' END";
        assert!(keeps(listed, Unlisted { is_null_refused: true, ..integers }));
        assert!(!keeps(listed, integers));
        let coalesced = format!("coalesce({listed}, 'c')");
        assert!(!keeps(&coalesced, Unlisted { is_null_refused: true, ..integers }));
        for expression in [
            // What they become may be there already.
            "CASE s WHEN 1 THEN 2 ELSE s END",
            "CASE s WHEN 1 THEN '2' WHEN 3 THEN 'three' ELSE s END",
            "CASE s WHEN 1 THEN 'a' WHEN 2 THEN 'a' ELSE s END",
            "CASE s WHEN 1 THEN 'a' ELSE 'b' END",
            "CASE s WHEN 1 THEN NULL ELSE s END",
            "CASE s WHEN 1.0 THEN 'a' ELSE s END",
            "CASE s WHEN 1 THEN 'a' ELSE lower(s) END",
        ] {
            assert!(!keeps(expression, integers), "{expression}");
        }
        for expression in
            ["CASE s WHEN 'a' THEN 'x' ELSE s END", "CASE s WHEN 1 THEN 1 ELSE s END", "lower(s)"]
        {
            assert!(!keeps(expression, texts), "{expression}");
        }
    }
}
