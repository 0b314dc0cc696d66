//! Compares and searches expressions and statements by their tokens.

use std::borrow::Cow;
use std::ops::Range;

use super::lexicon::Lexicon;
use super::rename::may_be_columns;
use super::{Kind, Token, is_one_of};

/// A column of the rows that an expression is about.
#[derive(Debug, Clone, Copy)]
pub struct OwnColumn<'a> {
    /// The rows' table.
    pub table: &'a str,
    /// The column.
    pub column: &'a str,
    /// The tables with a column of this name, including the own one. In a subquery that reads one of
    /// them, the name is that column's.
    pub tables: &'a [String],
}

impl Lexicon {
    /// Whether two expressions are the same, apart from white space, comments, the case of words,
    /// quotes around names, and parentheses around the whole expression.
    pub fn same_expression(&'static self, a: &str, b: &str) -> bool {
        if a == b {
            return true;
        }
        let (a, b) = (self.significant(a), self.significant(b));
        let (a, b) = (without_parentheses(&a), without_parentheses(&b));
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| self.same_token(a, b))
    }

    fn same_token(&self, a: &Token<'_>, b: &Token<'_>) -> bool {
        let is_no_name = |word: &str| self.is_value(word) || self.is_reserved(word);
        match (a.kind, b.kind) {
            // `"null"` is a name, but NULL isn't.
            (Kind::Word, Kind::Quoted) if is_no_name(a.text) => false,
            (Kind::Quoted, Kind::Word) if is_no_name(b.text) => false,
            (Kind::Word | Kind::Quoted, Kind::Word | Kind::Quoted) => {
                match (a.identifier(), b.identifier()) {
                    (Some(a), Some(b)) => self.names.same(&a, &b),
                    _ => a.text == b.text,
                }
            }
            (Kind::Number, Kind::Number) | (Kind::Blob, Kind::Blob) => {
                a.text.eq_ignore_ascii_case(b.text)
            }
            (Kind::Text, Kind::Text) => {
                let same = a.unquoted().zip(b.unquoted()).is_some_and(|(a, b)| a == b);
                same || a.text == b.text
            }
            _ => a.kind == b.kind && a.text == b.text,
        }
    }

    /// An expression without surrounding parentheses, comments and white space.
    pub(crate) fn unparenthesised<'a>(&'static self, expression: &'a str) -> &'a str {
        let tokens = self.significant(expression);
        match without_parentheses(&tokens) {
            [] => "",
            [first, .., last] => &expression[first.start..last.end()],
            [one] => one.text,
        }
    }

    /// Whether a text contains a name outside of comments and string literals.
    pub fn mentions(&'static self, text: &str, name: &str) -> bool {
        // A plain search rules out most texts. Names with quotes or escapes may be written in
        // several ways.
        let (bytes, wanted) = (text.as_bytes(), name.as_bytes());
        let is_plain = !name.contains(['"', '`', '\'']) && !name.is_empty() && !text.contains('\\');
        if is_plain && !bytes.windows(wanted.len()).any(|part| part.eq_ignore_ascii_case(wanted)) {
            return false;
        }
        self.tokens(text).iter().any(|token| token.is_name(name))
    }

    /// Whether an expression depends on a column of its own row. A function, a type, or a column of
    /// another table may have the same name.
    pub fn names_own_column(&'static self, expression: &str, own: OwnColumn<'_>) -> bool {
        if !self.mentions(expression, own.column) {
            return false;
        }
        let tokens = self.significant(expression);
        !self.own_columns(&tokens, own).is_empty()
    }

    /// The name of something that a subquery reads, and that isn't among the known tables, if a name
    /// in the subquery may be the column's or that of a column there: `n` in `(SELECT n FROM v)`.
    pub fn unclear_source(
        &'static self,
        expression: &str,
        own: OwnColumn<'_>,
        is_known: impl Fn(&str) -> bool,
    ) -> Option<String> {
        let tokens = self.significant(expression);
        let own_columns = self.own_columns(&tokens, own);
        let mut sources = own_columns.iter().flat_map(|bare| bare.sources.iter());
        let unclear = sources.find(|source| {
            let name = source.name.identifier();
            !source.is_subquery() && !name.is_some_and(|name| is_known(&name))
        });
        unclear.and_then(|source| source.visible().identifier()).map(Cow::into_owned)
    }

    /// The places where an expression names a column of its own row.
    fn own_columns<'t, 'a>(
        &'static self,
        tokens: &'t [Token<'a>],
        own: OwnColumn<'_>,
    ) -> Vec<OwnName<'t, 'a>> {
        let may_be_columns = may_be_columns(tokens);
        let mut own_columns = Vec::new();
        for (idx, token) in tokens.iter().enumerate() {
            let no_column = token.kind == Kind::Word
                && (self.is_reserved(token.text) || self.is_value(token.text));
            let is_qualifier = tokens.get(idx + 1).is_some_and(|next| next.is_symbol("."));
            if !may_be_columns[idx] || no_column || is_qualifier || !token.is_name(own.column) {
                continue;
            }
            let sources = sources_around(tokens, idx);
            if sources.iter().any(|source| source.is_named_at(idx)) {
                continue;
            }
            let before = |n: usize| idx.checked_sub(n).map(|idx| &tokens[idx]);
            if before(1).is_some_and(|before| before.is_symbol(".")) {
                let is_own = before(2).is_some_and(|qualifier| qualifier.is_name(own.table))
                    && !sources.iter().any(|source| source.visible().is_name(own.table));
                if is_own {
                    own_columns.push(OwnName { sources: Vec::new() });
                }
            } else if !sources.iter().any(|source| source.has(tokens, own)) {
                own_columns.push(OwnName { sources });
            }
        }
        own_columns
    }

    /// Whether an expression contains a name that may be this column's, because it isn't that of a
    /// function, a type or a collation.
    pub(crate) fn names_column(&'static self, expression: &str, column: &str) -> bool {
        let tokens = self.significant(expression);
        tokens.iter().enumerate().any(|(idx, token)| {
            let is_call = tokens.get(idx + 1).is_some_and(|next| next.is_symbol("("));
            let before = idx.checked_sub(1).map(|before| &tokens[before]);
            let is_other =
                before.is_some_and(|before| before.is_word("COLLATE") || before.is_symbol("::"));
            token.is_name(column) && !is_call && !is_other
        })
    }

    /// Whether SQL may change more than rows. A hand-written query is run for the effects of its
    /// functions, which may be anything.
    pub(crate) fn may_change_objects(&'static self, sql: &str) -> bool {
        let tokens = self.significant(sql);
        let is_one_of = |token: &Token<'_>, words: &[&str]| {
            token.kind == Kind::Word && is_one_of(token.text, words)
        };
        let mut statements = tokens.split(|token| token.is_symbol(";")).filter_map(<[_]>::first);
        !statements.all(|first| is_one_of(first, self.statements.of_rows))
            || tokens.iter().any(|token| is_one_of(token, self.statements.of_objects))
    }
}

/// A place where an expression names a column of its own row.
struct OwnName<'t, 'a> {
    /// What the subqueries around it read, unless the name is qualified.
    sources: Vec<Source<'t, 'a>>,
}

/// What a subquery reads.
#[derive(Debug, Clone)]
struct Source<'t, 'a> {
    /// The name of a table, a view or a function without its schema, or the parenthesis that opens
    /// a subquery.
    name: &'t Token<'a>,
    /// The other name that it has in the subquery.
    alias: Option<&'t Token<'a>>,
    /// The position of the first token.
    start: usize,
    /// The arguments of a function, or another subquery.
    inside: Range<usize>,
    /// The position after the last token.
    end: usize,
}

impl<'t, 'a> Source<'t, 'a> {
    fn is_subquery(&self) -> bool {
        self.name.is_symbol("(")
    }

    /// The name that qualifies its columns.
    fn visible(&self) -> &'t Token<'a> {
        self.alias.unwrap_or(self.name)
    }

    /// Whether the token is part of its names.
    fn is_named_at(&self, idx: usize) -> bool {
        (self.start..self.end).contains(&idx) && !self.inside.contains(&idx)
    }

    /// Whether it is known to have a column of this name.
    fn has(&self, tokens: &[Token<'_>], own: OwnColumn<'_>) -> bool {
        if self.is_subquery() {
            let mut names = tokens[self.inside.clone()].iter();
            return names.any(|token| token.is_name(own.column));
        }
        own.tables.iter().any(|table| self.name.is_name(table))
    }
}

/// What the subqueries around a token read, except for a function or a subquery there that the token
/// is in.
fn sources_around<'t, 'a>(tokens: &'t [Token<'a>], idx: usize) -> Vec<Source<'t, 'a>> {
    let mut depth = 0;
    let opening = (0..idx).rev().filter(|at| {
        depth += i32::from(tokens[*at].is_symbol(")")) - i32::from(tokens[*at].is_symbol("("));
        let opens = depth < 0;
        depth = depth.max(0);
        opens
    });
    let first = |open: usize| tokens.get(open + 1);
    let is_query = |open: &usize| {
        first(*open).is_some_and(|first| first.is_word("SELECT") || first.is_word("WITH"))
    };
    let sources = opening.filter(is_query).flat_map(|open| sources_of(tokens, open + 1));
    sources.filter(|source| !source.inside.contains(&idx)).collect()
}

/// The words that end the list of what a query reads.
const AFTER_SOURCES: &[&str] = &[
    "WHERE",
    "GROUP",
    "HAVING",
    "ORDER",
    "LIMIT",
    "OFFSET",
    "FETCH",
    "WINDOW",
    "UNION",
    "EXCEPT",
    "INTERSECT",
    "SELECT",
];

/// The words that can follow what a query reads.
const AFTER_A_SOURCE: &[&str] = &[
    "ON",
    "USING",
    "JOIN",
    "LEFT",
    "RIGHT",
    "FULL",
    "INNER",
    "CROSS",
    "NATURAL",
    "INDEXED",
    "NOT",
    "TABLESAMPLE",
    "FOR",
    "WITH",
];

/// What the query reads that begins at this token and ends with its parenthesis.
fn sources_of<'t, 'a>(tokens: &'t [Token<'a>], start: usize) -> Vec<Source<'t, 'a>> {
    let mut sources = Vec::new();
    let (mut is_list, mut is_next) = (false, false);
    // Parentheses around joins.
    let mut joins = 0_usize;
    let mut idx = start;
    while let Some(token) = tokens.get(idx) {
        let is_distinct = idx > start && tokens[idx - 1].is_word("DISTINCT");
        match () {
            // `a IS DISTINCT FROM b`
            () if token.is_word("FROM") && !is_distinct => (is_list, is_next) = (true, true),
            () if token.is_word("JOIN") => is_next = true,
            () if token.is_symbol(",") && is_list => is_next = true,
            () if token.kind == Kind::Word && is_one_of(token.text, AFTER_SOURCES) => {
                is_list = false;
            }
            () if is_next && (token.is_word("LATERAL") || token.is_word("ONLY")) => {}
            () if is_next && token.is_symbol("(") => {
                let is_subquery = tokens.get(idx + 1).is_some_and(|first| {
                    ["SELECT", "WITH", "VALUES"].iter().any(|word| first.is_word(word))
                });
                if is_subquery {
                    let source = source_at(tokens, idx, idx);
                    idx = source.end;
                    sources.push(source);
                    is_next = false;
                    continue;
                }
                joins += 1;
            }
            () if is_next && token.identifier().is_some() => {
                let mut last = idx;
                while tokens.get(last + 1).is_some_and(|next| next.is_symbol(".")) {
                    last += 2;
                }
                let Some(_) = tokens.get(last) else { break };
                let source = source_at(tokens, idx, last);
                idx = source.end;
                sources.push(source);
                is_next = false;
                continue;
            }
            () if token.is_symbol("(") => {
                idx = closing(tokens, idx);
            }
            () if token.is_symbol(")") => {
                let Some(left) = joins.checked_sub(1) else { break };
                joins = left;
            }
            () => {}
        }
        idx += 1;
    }
    sources
}

/// The source whose name is between these tokens.
fn source_at<'t, 'a>(tokens: &'t [Token<'a>], start: usize, last: usize) -> Source<'t, 'a> {
    let open = if tokens[last].is_symbol("(") { last } else { last + 1 };
    let is_open = tokens.get(open).is_some_and(|next| next.is_symbol("("));
    let close = if is_open { closing(tokens, open) } else { last };
    let inside = if is_open { open + 1..close } else { 0..0 };
    let has_as = tokens.get(close + 1).is_some_and(|next| next.is_word("AS"));
    let named = close + 1 + usize::from(has_as);
    let is_alias = |token: &&Token<'_>| {
        token.kind == Kind::Quoted
            || token.kind == Kind::Word
                && !is_one_of(token.text, AFTER_SOURCES)
                && !is_one_of(token.text, AFTER_A_SOURCE)
    };
    let alias = tokens.get(named).filter(is_alias);
    let end = if alias.is_some() { named + 1 } else { close + 1 };
    Source { name: &tokens[last], alias, start, inside, end }
}

/// The position of the parenthesis that closes this one, or the end.
fn closing(tokens: &[Token<'_>], open: usize) -> usize {
    let mut depth = 0;
    let closes = tokens[open..].iter().position(|token| {
        depth += i32::from(token.is_symbol("(")) - i32::from(token.is_symbol(")"));
        depth == 0
    });
    closes.map_or(tokens.len(), |at| open + at)
}

/// The tokens before the first one that matches, outside of parentheses and of another `CASE`.
pub fn until<'a, 'b>(
    tokens: &'b [Token<'a>],
    is_end: impl Fn(&Token<'a>) -> bool,
) -> Option<&'b [Token<'a>]> {
    let mut depth = 0;
    for (idx, token) in tokens.iter().enumerate() {
        if depth == 0 && is_end(token) {
            return Some(&tokens[..idx]);
        }
        let opens = token.is_symbol("(") || token.is_word("CASE");
        let closes = token.is_symbol(")") || token.is_word("END");
        depth += i32::from(opens) - i32::from(closes);
    }
    None
}

/// Whether all parentheses among the tokens are matched.
pub fn is_balanced(tokens: &[Token<'_>]) -> bool {
    let mut depth = 0;
    tokens.iter().all(|token| {
        depth += i32::from(token.is_symbol("(")) - i32::from(token.is_symbol(")"));
        depth >= 0
    }) && depth == 0
}

/// The tokens inside of parentheses that enclose all of them.
pub(crate) fn without_parentheses<'t, 'a>(mut tokens: &'t [Token<'a>]) -> &'t [Token<'a>] {
    while let [first, inner @ .., last] = tokens {
        let is_around =
            first.is_symbol("(") && last.is_symbol(")") && !inner.is_empty() && is_balanced(inner);
        if !is_around {
            break;
        }
        tokens = inner;
    }
    tokens
}
