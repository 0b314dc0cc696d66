//! Replaces names in an expression, as databases do when a column or a table is renamed.

use std::borrow::Cow;

use super::lexicon::Lexicon;
use super::{Kind, Token, is_one_of, quote};

/// Words that can continue the name of a type.
const AFTER_A_TYPE: &[&str] = &["PRECISION", "VARYING", "WITH", "WITHOUT", "TIME", "ZONE"];

/// For each token, whether it may name a column, because it doesn't call a function, name a type or
/// a collation, or end a `CASE`.
pub(super) fn may_be_columns(tokens: &[Token<'_>]) -> Vec<bool> {
    // Whether the current words name a type, as in `CAST(a AS text)`, or a collation.
    let (mut in_type, mut in_collation) = (false, false);
    // The same for a type as in `a::double precision`, which other words may follow.
    let mut in_cast = false;
    let mut open_cases = 0_usize;
    let mut before: Option<&Token<'_>> = None;
    let mut may_be_columns = Vec::with_capacity(tokens.len());
    for (idx, token) in tokens.iter().enumerate() {
        let next = tokens[idx + 1..].iter().find(|token| token.is_significant());
        let is_call = next.is_some_and(|next| next.is_symbol("("));
        // `date '2026-12-31'`
        let is_prefix =
            token.kind == Kind::Word && next.is_some_and(|next| next.kind == Kind::Text);
        let ends_case = open_cases > 0 && token.is_word("END");
        open_cases = open_cases + usize::from(token.is_word("CASE")) - usize::from(ends_case);
        if token.is_significant() {
            let begins_cast = before.is_some_and(|before| before.is_symbol("::"));
            in_cast = begins_cast || in_cast && is_one_of(token.text, AFTER_A_TYPE);
        }
        let is_other = ends_case || in_type || in_cast || in_collation;
        if token.is_significant() {
            in_collation = token.is_word("COLLATE");
            in_type = token.is_word("AS") || in_type && token.kind != Kind::Symbol;
            before = Some(token);
        }
        may_be_columns.push(!is_other && !is_call && !is_prefix);
    }
    may_be_columns
}

impl Lexicon {
    /// Renames a column in an SQL expression, as databases do when a column is renamed.
    ///
    /// Comments and string literals stay unchanged. A name isn't the column's if it calls a
    /// function, names a type or a collation, or ends a `CASE`. The column's name is replaced by
    /// the new name in quotes. If the database isn't known, quoted names are also matched in any
    /// case: on SQLite, a name that kept its old spelling because of its case would become a text.
    pub fn rename_identifier(&'static self, expression: &str, from: &str, to: &str) -> String {
        let quoted = quote(to);
        let tokens = self.tokens(expression);
        let may_be_columns = may_be_columns(&tokens);
        let renamed = tokens.iter().zip(may_be_columns).map(|(token, may_be_column)| {
            if may_be_column && token.is_name(from) { &quoted } else { token.text }
        });
        renamed.collect()
    }

    /// Renames a table where an SQL expression uses its name as a qualifier of a column, as
    /// databases do when a table is renamed.
    pub fn rename_qualifier(&'static self, expression: &str, from: &str, to: &str) -> String {
        let quoted = quote(to);
        let tokens = self.tokens(expression);
        let mut out = String::with_capacity(expression.len());
        for (idx, token) in tokens.iter().enumerate() {
            let next = tokens[idx + 1..].iter().find(|token| token.is_significant());
            let is_qualifier = next.is_some_and(|next| next.is_symbol(".")) && token.is_name(from);
            out.push_str(if is_qualifier { &quoted } else { token.text });
        }
        out
    }

    /// A text without the table's own name as a qualifier of its columns.
    pub(crate) fn without_qualifier<'a>(&'static self, text: &'a str, table: &str) -> Cow<'a, str> {
        if !text.contains('.') {
            return Cow::Borrowed(text);
        }
        let tokens = self.tokens(text);
        let mut out = String::with_capacity(text.len());
        let mut rest = tokens.as_slice();
        while let [token, after @ ..] = rest {
            let dot = after.iter().position(Token::is_significant);
            let dot = dot.filter(|dot| after[*dot].is_symbol("."));
            rest = match dot.filter(|_| token.is_name(table)) {
                Some(dot) => &after[dot + 1..],
                None => {
                    out.push_str(token.text);
                    after
                }
            };
        }
        Cow::Owned(out)
    }
}
