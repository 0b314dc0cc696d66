//! Parses `CREATE INDEX`, and the terms that it has in common with keys.

use std::ops::Range;

use super::cursor::Cursor;
use crate::schema::{Index, IndexColumn, IndexTerm};
use crate::sql::{Kind, Token, without_parentheses};

/// A `CREATE INDEX` statement.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct IndexDefinition {
    /// Whether the indexed values are unique.
    pub unique: bool,
    /// The index's name, unquoted.
    pub name: String,
    /// The table's name, unquoted.
    pub table: String,
    /// The indexed columns and expressions, in order.
    pub columns: Vec<IndexColumn>,
    /// The condition of a partial index.
    pub filter: Option<String>,
}

impl IndexDefinition {
    /// Parses a `CREATE INDEX` statement.
    ///
    /// # Errors
    ///
    /// What could not be parsed, and where.
    pub(crate) fn parse(sql: &str) -> Result<IndexDefinition, String> {
        let mut cursor = Cursor::new(sql)?;
        cursor.expect(&["CREATE"])?;
        let unique = cursor.eat(&["UNIQUE"]);
        cursor.expect(&["INDEX"])?;
        cursor.eat(&["IF", "NOT", "EXISTS"]);
        let mut name = cursor.name("an index's name")?;
        if cursor.eat_symbol(".") {
            name = cursor.name("an index's name")?;
        }
        cursor.expect(&["ON"])?;
        let table = cursor.name("a table's name")?;
        let (columns, _) = terms(&mut cursor, false)?;
        let mut filter = None;
        if cursor.eat(&["WHERE"]) {
            let condition = cursor.rest()?;
            if condition.is_empty() {
                return Err(cursor.expected("a condition"));
            }
            filter = Some(condition.to_owned());
        }
        cursor.eat_symbol(";");
        cursor.expect_end()?;
        Ok(IndexDefinition { unique, name, table, columns, filter })
    }

    /// The index without its table.
    pub(crate) fn index(self) -> Index {
        let IndexDefinition { unique, name, columns, filter, .. } = self;
        Index { name, columns, unique, filter: filter.map(Into::into), ..Index::default() }
    }
}

/// The terms between parentheses, and whether `AUTOINCREMENT` follows the last one.
pub(super) fn terms(
    cursor: &mut Cursor<'_>,
    may_increment: bool,
) -> Result<(Vec<IndexColumn>, bool), String> {
    cursor.expect_symbol("(")?;
    let mut terms = Vec::new();
    loop {
        let mut tokens = cursor.balanced(&[","])?;
        let is_last = cursor.is_at_symbol(")");
        let has_word = cursor.slice(tokens.clone()).last();
        let increments = has_word.is_some_and(|token| token.is_word("AUTOINCREMENT"));
        let increments = may_increment && is_last && increments;
        tokens.end -= usize::from(increments);
        if tokens.is_empty() {
            return Err(cursor.expected("a column or an expression"));
        }
        terms.push(term(cursor, tokens)?);
        if is_last {
            cursor.expect_symbol(")")?;
            return Ok((terms, increments));
        }
        cursor.expect_symbol(",")?;
    }
}

fn term(cursor: &Cursor<'_>, range: Range<usize>) -> Result<IndexColumn, String> {
    let mut tokens = cursor.slice(range.clone());
    if let [_, .., nulls, which] = tokens {
        if nulls.is_word("NULLS") && (which.is_word("FIRST") || which.is_word("LAST")) {
            return Err(format!("SQLite has no index with `NULLS {}`", which.text));
        }
    }
    let mut descending = false;
    if let [before @ .., last, order] = tokens {
        let is_order = order.is_word("ASC") || order.is_word("DESC");
        // `DESC` after an operator is a column, as in `a || desc`.
        if is_order && (last.kind != Kind::Symbol || last.is_symbol(")")) {
            descending = order.is_word("DESC");
            tokens = &tokens[..=before.len()];
        }
    }
    let mut collation = None;
    loop {
        tokens = without_parentheses(tokens);
        let [head @ .., collate, name] = tokens else { break };
        // In `a || b COLLATE x` the collation applies to `b` only.
        if !collate.is_word("COLLATE") || !is_primary(head) {
            break;
        }
        let name = name.identifier().or_else(|| name.unquoted());
        let name = name.ok_or_else(|| "expected a collation after `COLLATE`".to_owned())?;
        // If there are several, the last one is the outermost and counts.
        collation.get_or_insert(name.into_owned());
        tokens = head;
    }
    let name = match tokens {
        [token] if token.kind == Kind::Text => token.unquoted(),
        [token] => token.identifier(),
        _ => None,
    };
    let term = match name {
        Some(name) => IndexTerm::Column(name.into_owned()),
        None => {
            let offset = tokens.first().map_or(0, |first| {
                let all = cursor.slice(range.clone());
                all.iter().position(|token| token.start == first.start).unwrap_or(0)
            });
            let from = range.start + offset;
            IndexTerm::Expression(cursor.text(from..from + tokens.len()).into())
        }
    };
    Ok(IndexColumn {
        term,
        descending,
        collation,
        prefix: None,
        opclass: None,
        nulls: None,
        operator: None,
    })
}

/// Whether a following `COLLATE` applies to all of these tokens: a name, a call, or parentheses.
fn is_primary(tokens: &[Token<'_>]) -> bool {
    match tokens {
        [_] => true,
        [.., collate, _] if collate.is_word("COLLATE") => is_primary(&tokens[..tokens.len() - 2]),
        [first, group @ ..] if first.kind == Kind::Word || first.kind == Kind::Quoted => {
            is_group(group)
        }
        _ => is_group(tokens),
    }
}

/// Whether these tokens are enclosed in a single pair of parentheses.
fn is_group(tokens: &[Token<'_>]) -> bool {
    let mut depth = 0;
    let n_outside = tokens
        .iter()
        .take(tokens.len().saturating_sub(1))
        .filter(|token| {
            depth += i32::from(token.is_symbol("(")) - i32::from(token.is_symbol(")"));
            depth <= 0
        })
        .count();
    tokens.len() > 1 && n_outside == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(term: &str, expect: &str) {
        let sql = format!("CREATE INDEX i ON t ({term})");
        let index = IndexDefinition::parse(&sql).unwrap_or_else(|err| panic!("{sql}\n{err}"));
        let terms: Vec<_> = index.columns.iter().map(ToString::to_string).collect();
        assert_eq!(terms.join(", "), expect, "{sql}");
    }

    #[test]
    fn a_term_is_a_column_or_an_expression_with_order_and_collation() {
        check("a, \"b c\" DESC, [d] ASC, 'e'", "a, b c desc, d, e");
        check("a COLLATE NOCASE DESC", "a collate NOCASE desc");
        check("(a COLLATE \"x y\") desc", "a collate x y desc");
        check("((a))", "a");
        check(
            "desc, desc desc, collate_ COLLATE x COLLATE y",
            "desc, desc desc, collate_ collate y",
        );
        check("lower(a) COLLATE NOCASE", "(lower(a)) collate NOCASE");
        check("( a + b ) COLLATE x DESC", "(a + b) collate x desc");
        check("a || b COLLATE x", "(a || b COLLATE x)");
        check("a || desc", "(a || desc)");
        check("(a) + (b)", "((a) + (b))");
        check("coalesce(a, b), max(c, (d))", "(coalesce(a, b)), (max(c, (d)))");
        check("1, NULL", "(1), NULL");
        check("a -- c\n, /* d */ b", "a, b");
    }

    #[test]
    fn an_index_has_a_table_and_maybe_a_condition() {
        let sql = "CREATE UNIQUE INDEX IF NOT EXISTS main.[i x] ON \"t\" (a) \
                   WHERE (a > 0 AND b IS NOT NULL) -- end\n;";
        let index = IndexDefinition::parse(sql).unwrap();
        assert!(index.unique);
        assert_eq!((index.name.as_str(), index.table.as_str()), ("i x", "t"));
        assert_eq!(index.filter.as_deref(), Some("(a > 0 AND b IS NOT NULL)"));
    }

    #[test]
    fn what_is_not_an_index_is_an_error() {
        let check = |sql: &str, expect: &str| {
            assert_eq!(IndexDefinition::parse(sql).unwrap_err(), expect, "{sql}");
        };
        check("CREATE INDEX i ON t ()", "expected a column or an expression at `)`");
        check("CREATE INDEX i ON t (a,)", "expected a column or an expression at `)`");
        check("CREATE INDEX i ON t (a", "expected `)` at the end");
        check("CREATE INDEX i ON t (a) WHERE", "expected a condition at the end");
        check("CREATE INDEX i ON t (a) WHERE (b", "expected `)` at the end");
        check("CREATE INDEX i ON t (a) WHERE b) c", "expected the end of the statement at `) c`");
        check("CREATE INDEX i ON t (a NULLS LAST)", "SQLite has no index with `NULLS LAST`");
        check("CREATE TABLE t (a)", "expected `INDEX` at `TABLE t (a)`");
    }
}
