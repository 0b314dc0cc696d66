//! The comments in a text.

use crate::dialect::sqlite::lexicon::LEXICON;
use crate::sql::Kind;

/// The comments of a text that are outside of parentheses.
pub(super) fn comments(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0;
    LEXICON.tokens(text).into_iter().filter_map(move |token| {
        depth += i32::from(token.is_symbol("(")) - i32::from(token.is_symbol(")"));
        (token.kind == Kind::Comment && depth == 0).then_some(token.text)
    })
}

pub(super) fn has_comment(text: &str) -> bool {
    text.contains(['-', '/']) && comments(text).next().is_some()
}
