//! SQL as tokens: enough to compare, search and rename in a text without a parser.
//!
//! The tokens depend on the database, whose rules are a [`Lexicon`]. Each dialect has its own; if
//! the database isn't known, [`NEUTRAL`] applies.

mod case;
mod expression;
mod lexer;
mod lexicon;
mod quotes;
mod rename;

use std::borrow::Cow;

pub use case::{Arm, Case};
pub(crate) use expression::without_parentheses;
pub use expression::{OwnColumn, is_balanced, until};
pub(crate) use lexicon::RULES;
pub use lexicon::{Comments, Lexicon, NEUTRAL, Names, Params, Statements, Words};
pub use quotes::{Escapes, Inside, Quotes};

/// A piece of SQL. The tokens of a text, concatenated, are the text.
#[derive(Debug, Clone, Copy)]
pub struct Token<'a> {
    /// The kind of token.
    pub kind: Kind,
    /// The text as it is written.
    pub text: &'a str,
    /// The position in the text, in bytes.
    pub start: usize,
    /// The rules that it was read by.
    lexicon: &'static Lexicon,
}

/// The kind of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// White space.
    Space,
    /// `-- to the end of the line` or `/* between these */`. For a comment whose content is run,
    /// such as MySQL's `/*!80000 this */`, its opening and closing marks.
    Comment,
    /// A keyword or a name without quotes.
    Word,
    /// A name in quotes.
    Quoted,
    /// A string literal.
    Text,
    /// `x'00ff'`.
    Blob,
    /// A number without a sign.
    Number,
    /// A placeholder such as `?1` or `:name`.
    Param,
    /// A session variable, such as MySQL's `@name`.
    Variable,
    /// An operator, a punctuation mark, or a character that SQL doesn't use.
    Symbol,
}

impl<'a> Token<'a> {
    /// The end of the token in the text, in bytes.
    pub fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// Whether it is neither white space nor a comment.
    pub fn is_significant(&self) -> bool {
        !matches!(self.kind, Kind::Space | Kind::Comment)
    }

    /// Whether it is a comment that ends with its line.
    pub fn is_line_comment(&self) -> bool {
        self.kind == Kind::Comment && !self.text.starts_with("/*") && self.text != "*/"
    }

    /// Whether it is this keyword, in any case.
    pub fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }

    /// Whether it is this name, with or without quotes.
    pub fn is_name(&self, name: &str) -> bool {
        self.identifier().is_some_and(|identifier| self.lexicon.names.same(&identifier, name))
    }

    /// Whether it is this operator or punctuation mark.
    pub fn is_symbol(&self, symbol: &str) -> bool {
        self.kind == Kind::Symbol && self.text == symbol
    }

    /// The name that a word or a quoted name stands for, as it is spelled in the catalog if its own
    /// spelling determines that.
    pub fn identifier(&self) -> Option<Cow<'a, str>> {
        let is_lowered = self.lexicon.names == Names::LowerUnlessQuoted
            && self.text.contains(|char: char| char.is_ascii_uppercase());
        match self.kind {
            Kind::Word if is_lowered => Some(Cow::Owned(self.text.to_ascii_lowercase())),
            Kind::Word => Some(Cow::Borrowed(self.text)),
            Kind::Quoted => self.unquoted(),
            Kind::Space
            | Kind::Comment
            | Kind::Text
            | Kind::Blob
            | Kind::Number
            | Kind::Param
            | Kind::Variable
            | Kind::Symbol => None,
        }
    }

    /// The content of a quoted name or a string literal, if it is closed.
    pub fn unquoted(&self) -> Option<Cow<'a, str>> {
        if !matches!(self.kind, Kind::Quoted | Kind::Text) {
            return None;
        }
        if let Some(quotes) = self.lexicon.quotes(self.text) {
            return quotes.content(self.text);
        }
        let tag = quotes::dollar_tag(self.text)?;
        let (_, is_closed) = self.lexicon.dollar_quoted(self.text)?;
        is_closed.then(|| Cow::Borrowed(&self.text[tag..self.text.len() - tag]))
    }

    /// Whether the token is complete: its quotes are, or its comment is, closed.
    pub fn is_closed(&self) -> bool {
        match self.kind {
            Kind::Quoted | Kind::Text | Kind::Blob => match self.lexicon.quotes(self.text) {
                Some(quotes) => quotes.len(self.text).is_some(),
                None => self.lexicon.dollar_quoted(self.text).is_some_and(|(_, closed)| closed),
            },
            Kind::Comment => self.lexicon.comment(self.text).is_none_or(|(_, closed)| closed),
            Kind::Space
            | Kind::Word
            | Kind::Number
            | Kind::Param
            | Kind::Variable
            | Kind::Symbol => true,
        }
    }
}

/// A name in double quotes, as in standard SQL.
pub fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text in single quotes, as in standard SQL.
pub fn quote_text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Whether the text starts with this word, in any case.
pub(crate) fn starts_with(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|text| text.eq_ignore_ascii_case(start))
}

/// The word at the beginning of a text, after blanks.
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub(crate) fn first_word(text: &str) -> &str {
    let text = text.trim_start();
    let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    &text[..end]
}

pub(crate) fn is_one_of(word: &str, words: &[&str]) -> bool {
    words.iter().any(|other| other.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests;
