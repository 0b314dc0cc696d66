//! Expressions that give some values of a column another one and keep the rest.
//!
//! SQLite takes `CASE a WHEN 'x' THEN 1 ELSE a END` whatever the types are. PostgreSQL wants one
//! type of all results, so what is kept has to be converted by itself.

use crate::dialect::POSTGRES;
use crate::sql::{Case, Token, quote};

/// A `CASE` expression over a column that changes its type.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cases {
    /// What follows `CASE`, if the conditions are values of it.
    subject: Option<String>,
    arms: Vec<Arm>,
    other: Option<Value>,
    /// The other arguments of `coalesce`, whose first one the expression is.
    for_null: Vec<String>,
}

#[derive(Debug, PartialEq, Eq)]
struct Arm {
    condition: String,
    value: Value,
}

#[derive(Debug, PartialEq, Eq)]
enum Value {
    /// That of the column.
    Kept,
    Given(String),
}

impl Cases {
    /// Parses an expression; `None` if it isn't a `CASE` that keeps values of the column. Nor is
    /// there anything to do for a boolean column that is compared with booleans.
    pub(super) fn of(expression: &str, column: &str, is_boolean: bool) -> Option<Cases> {
        let mut cases = Cases::parsed(expression, column)?;
        let keeps = cases.keeps();
        let is_own = |subject: &String| POSTGRES.same_expression(subject, &quote(column));
        if !is_boolean || !cases.subject.as_ref().is_some_and(is_own) {
            return keeps.then_some(cases);
        }
        // SQLite's booleans are numbers.
        let mut is_numbered = false;
        for arm in &mut cases.arms {
            let word = match arm.condition.as_str() {
                "0" => "FALSE",
                "1" => "TRUE",
                _ => continue,
            };
            word.clone_into(&mut arm.condition);
            is_numbered = true;
        }
        (keeps || is_numbered).then_some(cases)
    }

    fn parsed(expression: &str, column: &str) -> Option<Cases> {
        let tokens = POSTGRES.significant(expression);
        let (tokens, for_null) = match tokens.as_slice() {
            [coalesce, open, inner @ .., close]
                if coalesce.is_word("coalesce") && open.is_symbol("(") && close.is_symbol(")") =>
            {
                let mut arguments = arguments(inner)?.into_iter();
                (arguments.next()?, arguments.collect())
            }
            tokens => (tokens, Vec::new()),
        };
        let case = Case::of(tokens)?;
        let text = |tokens: &[Token<'_>]| {
            let (first, last) = (tokens.first()?, tokens.last()?);
            Some(expression[first.start..last.end()].to_owned())
        };
        let value = |tokens: &[Token<'_>]| match tokens {
            [name] if name.is_name(column) => Some(Value::Kept),
            tokens => text(tokens).map(Value::Given),
        };
        let arms = case
            .arms
            .iter()
            .map(|arm| Some(Arm { condition: text(arm.condition)?, value: value(arm.result)? }));
        Some(Cases {
            subject: case.subject.and_then(text),
            arms: arms.collect::<Option<_>>()?,
            other: case.other.and_then(value),
            for_null: for_null.into_iter().map(text).collect::<Option<_>>()?,
        })
    }

    /// Whether some rows keep their value.
    pub(super) fn keeps(&self) -> bool {
        let mut values = self.arms.iter().map(|arm| &arm.value).chain(&self.other);
        values.any(|value| *value == Value::Kept)
    }

    /// The expression with one result for the rows that get a value, and another one for those that
    /// keep theirs.
    pub(super) fn of_kept(&self, given: &str, kept: &str) -> String {
        self.with(|value| match value {
            Value::Kept => kept.to_owned(),
            Value::Given(_) => given.to_owned(),
        })
    }

    /// The expression with all its results of one type.
    pub(super) fn converted(&self, ty: &str, kept: &str) -> String {
        let given = |value: &String| format!("({value})::{ty}");
        let cases = self.with(|value| match value {
            Value::Kept => kept.to_owned(),
            Value::Given(value) => given(value),
        });
        if self.for_null.is_empty() {
            return cases;
        }
        let others: Vec<String> = self.for_null.iter().map(given).collect();
        format!("coalesce({cases}, {})", others.join(", "))
    }

    fn with(&self, result: impl Fn(&Value) -> String) -> String {
        let subject = self.subject.as_ref().map_or(String::new(), |subject| format!(" {subject}"));
        let arm = |arm: &Arm| format!(" WHEN {} THEN {}", arm.condition, result(&arm.value));
        let arms: String = self.arms.iter().map(arm).collect();
        let other =
            self.other.as_ref().map_or(String::new(), |other| format!(" ELSE {}", result(other)));
        format!("CASE{subject}{arms}{other} END")
    }
}

/// The arguments of a function; `None` for something else than a list.
fn arguments<'t, 'a>(tokens: &'t [Token<'a>]) -> Option<Vec<&'t [Token<'a>]>> {
    let mut depth = 0_usize;
    let mut arguments = Vec::new();
    let mut start = 0;
    for (idx, token) in tokens.iter().enumerate() {
        if token.is_symbol("(") || token.is_symbol("[") {
            depth += 1;
        } else if token.is_symbol(")") || token.is_symbol("]") {
            depth = depth.checked_sub(1)?;
        } else if token.is_symbol(",") && depth == 0 {
            arguments.push(&tokens[start..idx]);
            start = idx + 1;
        }
    }
    arguments.push(&tokens[start..]);
    (depth == 0).then_some(arguments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_converted_apart_from_what_is_given() {
        for (expression, expect) in [
            (
                "CASE n WHEN 'a' THEN 1 WHEN 'b' THEN -2 ELSE n END",
                "CASE n WHEN 'a' THEN (1)::t WHEN 'b' THEN (-2)::t ELSE K END",
            ),
            (
                "case when n in ('a') or \"n\" = 'b' then CASE m WHEN 1 THEN 2 ELSE 3 END else \"n\" end",
                "CASE WHEN n in ('a') or \"n\" = 'b' THEN (CASE m WHEN 1 THEN 2 ELSE 3 END)::t ELSE K END",
            ),
            ("CASE WHEN n = 1 THEN n ELSE 0 END", "CASE WHEN n = 1 THEN K ELSE (0)::t END"),
            ("CASE n WHEN 1 THEN n END", "CASE n WHEN 1 THEN K END"),
            (
                "coalesce(CASE n WHEN 'a' THEN 1 ELSE n END, f(2, 3), 0)",
                "coalesce(CASE n WHEN 'a' THEN (1)::t ELSE K END, (f(2, 3))::t, (0)::t)",
            ),
        ] {
            let cases = Cases::of(expression, "n", false).unwrap();
            assert_eq!(cases.converted("t", "K"), expect);
        }
        let cases = Cases::of("CASE n WHEN 1 THEN 'a' WHEN 0 THEN 'b' END", "n", true).unwrap();
        let expect = "CASE n WHEN TRUE THEN ('a')::t WHEN FALSE THEN ('b')::t END";
        assert_eq!(cases.converted("t", "K"), expect);
        for expression in [
            "CASE n WHEN 1 THEN 2 ELSE 3 END",
            "CASE m WHEN 1 THEN 2 ELSE m END",
            "CASE n WHEN 1 THEN 2 ELSE n END || 'x'",
            "CASE n WHEN 1 THEN 2 ELSE CASE n WHEN 1 THEN n END END",
            "CASE END",
            "coalesce(CASE n WHEN 1 THEN 2 ELSE n END, 3) + coalesce(n, 4)",
            "coalesce(4, CASE n WHEN 1 THEN 2 ELSE n END)",
            "CASE n WHEN 1 THEN n END || CASE n WHEN 2 THEN n END",
            "n",
            "",
        ] {
            assert_eq!(Cases::of(expression, "n", false), None, "{expression}");
        }
    }
}
