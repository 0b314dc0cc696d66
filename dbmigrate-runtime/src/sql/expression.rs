//! Compares and searches expressions and statements by their tokens.

use super::lexicon::Lexicon;
use super::{Kind, Token, is_one_of};

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
