//! `CASE` expressions in parts.

use super::Token;
use super::expression::until;

/// A `CASE` expression. None of its parts is empty.
#[derive(Debug)]
pub struct Case<'t, 'a> {
    /// What follows `CASE`, if the conditions are values of it.
    pub subject: Option<&'t [Token<'a>]>,
    /// Each `WHEN` with its `THEN`.
    pub arms: Vec<Arm<'t, 'a>>,
    /// What follows `ELSE`.
    pub other: Option<&'t [Token<'a>]>,
}

/// A `WHEN` with its `THEN`.
#[derive(Debug)]
pub struct Arm<'t, 'a> {
    /// What follows `WHEN`.
    pub condition: &'t [Token<'a>],
    /// What follows `THEN`.
    pub result: &'t [Token<'a>],
}

impl<'t, 'a> Case<'t, 'a> {
    /// Parses an expression that is a single `CASE`, given its tokens without white space and
    /// comments.
    pub fn of(tokens: &'t [Token<'a>]) -> Option<Case<'t, 'a>> {
        let [case, inner @ .., end] = tokens else { return None };
        if !case.is_word("CASE") || !end.is_word("END") || !is_nested(inner) {
            return None;
        }
        let subject = until(inner, |token| token.is_word("WHEN"))?;
        let mut rest = &inner[subject.len()..];
        let mut arms = Vec::new();
        while let [when, after @ ..] = rest {
            if !when.is_word("WHEN") {
                break;
            }
            let condition = until(after, |token| token.is_word("THEN"))?;
            let after = &after[condition.len() + 1..];
            let is_end = |token: &Token<'_>| token.is_word("WHEN") || token.is_word("ELSE");
            let result = until(after, is_end).unwrap_or(after);
            rest = &after[result.len()..];
            arms.push(Arm { condition, result });
        }
        let other = match rest {
            [] => None,
            [word, result @ ..] if word.is_word("ELSE") => Some(result),
            _ => return None,
        };
        let is_empty = |arm: &Arm<'_, '_>| arm.condition.is_empty() || arm.result.is_empty();
        if arms.iter().any(is_empty) || other.is_some_and(<[Token<'_>]>::is_empty) {
            return None;
        }
        Some(Case { subject: (!subject.is_empty()).then_some(subject), arms, other })
    }
}

/// Whether each parenthesis and each `CASE` among the tokens is closed after it is opened.
fn is_nested(tokens: &[Token<'_>]) -> bool {
    let mut open = Vec::new();
    tokens.iter().all(|token| match () {
        () if token.is_symbol("(") || token.is_word("CASE") => {
            open.push(token.is_symbol("("));
            true
        }
        () if token.is_symbol(")") => open.pop() == Some(true),
        () if token.is_word("END") => open.pop() == Some(false),
        () => true,
    }) && open.is_empty()
}
