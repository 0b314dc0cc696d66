//! Compares and searches expressions and statements by their tokens.

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
        let may_be_columns = may_be_columns(&tokens);
        tokens.iter().enumerate().any(|(idx, token)| {
            let no_column = token.kind == Kind::Word
                && (self.is_reserved(token.text) || self.is_value(token.text));
            if !may_be_columns[idx] || no_column || !token.is_name(own.column) {
                return false;
            }
            let before = |n: usize| idx.checked_sub(n).map(|idx| &tokens[idx]);
            let is_table = tokens.get(idx + 1).is_some_and(|next| next.is_symbol("."))
                || before(1).is_some_and(names_sources);
            if is_table {
                return false;
            }
            let sources = sources_around(&tokens, idx);
            let reads = |table: &str| sources.iter().any(|source| source.is_name(table));
            if before(1).is_some_and(|before| before.is_symbol(".")) {
                let is_own = before(2).is_some_and(|qualifier| qualifier.is_name(own.table));
                return is_own && !reads(own.table);
            }
            !own.tables.iter().any(|table| reads(table))
        })
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

/// Whether a table follows the word.
fn names_sources(token: &Token<'_>) -> bool {
    token.is_word("FROM") || token.is_word("JOIN")
}

/// The names of the tables that the subqueries around a token read.
fn sources_around<'t, 'a>(tokens: &'t [Token<'a>], idx: usize) -> Vec<&'t Token<'a>> {
    let mut sources = Vec::new();
    let mut depth = 0;
    let opening = (0..idx).rev().filter(|at| {
        depth += i32::from(tokens[*at].is_symbol(")")) - i32::from(tokens[*at].is_symbol("("));
        let opens = depth < 0;
        depth = depth.max(0);
        opens
    });
    for open in opening {
        let mut depth = 0;
        let inside = tokens[open + 1..].iter().take_while(|token| {
            depth += i32::from(token.is_symbol("(")) - i32::from(token.is_symbol(")"));
            depth >= 0
        });
        let inside: Vec<_> = inside.collect();
        if !inside.first().is_some_and(|first| first.is_word("SELECT") || first.is_word("WITH")) {
            continue;
        }
        // `FROM a, b` has several.
        let is_source = |pair: &&[&Token<'_>]| names_sources(pair[0]) || pair[0].is_symbol(",");
        sources.extend(inside.windows(2).filter(is_source).map(|pair| pair[1]));
    }
    sources
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
