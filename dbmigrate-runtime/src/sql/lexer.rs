//! Splits a text into tokens, by the lexical rules of a database.

use super::lexicon::Lexicon;
use super::quotes::{Quotes, dollar_quoted};
use super::{Kind, Token};

impl Lexicon {
    /// The tokens of any text. A token that isn't closed extends to the end of the text.
    pub fn tokens<'a>(&'static self, text: &'a str) -> Vec<Token<'a>> {
        self.tokens_that(text, |_| true)
    }

    /// The tokens of a text without white space and comments.
    pub fn significant<'a>(&'static self, text: &'a str) -> Vec<Token<'a>> {
        self.tokens_that(text, Token::is_significant)
    }

    fn tokens_that<'a>(
        &'static self,
        text: &'a str,
        is_wanted: impl Fn(&Token<'a>) -> bool,
    ) -> Vec<Token<'a>> {
        let mut tokens = Vec::with_capacity(text.len() / 6 + 4);
        let mut start = 0;
        // Whether the position is within a comment whose content is run.
        let mut is_executed = false;
        while start < text.len() {
            let rest = &text[start..];
            let (kind, len) = if is_executed && rest.starts_with("*/") {
                is_executed = false;
                (Kind::Comment, 2)
            } else {
                is_executed |= self.executed_mark(rest).is_some();
                self.token(rest)
            };
            let token = Token { kind, text: &rest[..len], start, lexicon: self };
            if is_wanted(&token) {
                tokens.push(token);
            }
            start += len;
        }
        tokens
    }

    /// The quotes at the beginning of the text.
    pub(super) fn quotes(&self, text: &str) -> Option<&'static Quotes> {
        self.quotes.iter().find(|quotes| quotes.begin(text))
    }

    /// The kind and the length in bytes of the token at the beginning of a text that isn't empty.
    fn token(&self, text: &str) -> (Kind, usize) {
        // Most tokens are one of these, and no other token begins with such a character.
        let first = text.as_bytes()[0];
        if first <= b' ' && text.starts_with(self.spaces) {
            return (Kind::Space, end_of(text, |char| self.spaces.contains(&char)));
        }
        if matches!(first, b'(' | b')' | b',') {
            return (Kind::Symbol, 1);
        }
        if let Some(quotes) = self.quotes(text) {
            return (quotes.kind, quotes.len(text).unwrap_or(text.len()));
        }
        // No other token that is left begins with a letter.
        if first.is_ascii_alphabetic() {
            return (Kind::Word, self.word(text));
        }
        if let Some((len, _)) = self.dollar_quoted(text) {
            return (Kind::Text, len);
        }
        if let Some((len, _)) = self.comment(text) {
            return (Kind::Comment, len);
        }
        if let Some(number) = self.number(text) {
            return number;
        }
        if let Some(len) = self.param(text) {
            return (Kind::Param, len);
        }
        if let Some(len) = self.variable(text) {
            return (Kind::Variable, len);
        }
        if text.starts_with(self.spaces) {
            return (Kind::Space, end_of(text, |char| self.spaces.contains(&char)));
        }
        let is_first = |char| self.is_word(char) && (char != '$' || self.words.dollar_first);
        if text.starts_with(is_first) {
            return (Kind::Word, self.word(text));
        }
        (Kind::Symbol, self.symbol(text))
    }

    /// The length of the word at the beginning.
    fn word(&self, text: &str) -> usize {
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$');
        let len = text.bytes().take_while(is_plain).count();
        if text.as_bytes().get(len).is_none_or(u8::is_ascii) {
            return len;
        }
        end_of(text, |char| self.is_word(char))
    }

    /// Every character outside of ASCII is part of a word, as in the tokenizers of all databases.
    fn is_word(&self, char: char) -> bool {
        char.is_ascii_alphanumeric()
            || matches!(char, '_' | '$')
            || !char.is_ascii() && !self.spaces.contains(&char)
    }

    /// The length of the dollar-quoted text at the beginning, and whether it is closed.
    pub(super) fn dollar_quoted(&self, text: &str) -> Option<(usize, bool)> {
        if self.has_dollar_quotes { dollar_quoted(text) } else { None }
    }

    /// The length of the opening mark of a comment whose content is run, at the beginning of the
    /// text.
    fn executed_mark(&self, text: &str) -> Option<usize> {
        if !text.starts_with("/*") {
            return None;
        }
        let mark = self.comments.executed.iter().find(|mark| text.starts_with(**mark))?;
        // The minimum version of the server that runs the content.
        Some(mark.len() + end_of(&text[mark.len()..], |char| char.is_ascii_digit()))
    }

    /// The length of the comment at the beginning, and whether it is closed.
    pub(super) fn comment(&self, text: &str) -> Option<(usize, bool)> {
        if let Some(len) = self.executed_mark(text) {
            return Some((len, true));
        }
        let mark = self.comments.line.iter().find(|mark| text.starts_with(**mark));
        let begins_line = |mark: &str| {
            let after = text[mark.len()..].chars().next();
            let is_apart =
                after.is_none_or(|char| self.spaces.contains(&char) || char.is_ascii_control());
            mark != "--" || !self.comments.dashes_need_space || is_apart
        };
        if mark.is_some_and(|mark| begins_line(mark)) {
            return Some((text.find('\n').unwrap_or(text.len()), true));
        }
        let mut end = text.starts_with("/*").then_some(2)?;
        let mut depth = 1;
        while depth > 0 {
            let Some(at) = text[end..].find(['*', '/']) else { return Some((text.len(), false)) };
            end += at;
            if text[end..].starts_with("*/") {
                depth -= 1;
                end += 2;
            } else if self.comments.nested && text[end..].starts_with("/*") {
                depth += 1;
                end += 2;
            } else {
                end += 1;
            }
        }
        Some((end, true))
    }

    /// The length of the placeholder at the beginning.
    fn param(&self, text: &str) -> Option<usize> {
        let mut chars = text.chars();
        let (mark, rest) = (chars.next()?, chars.as_str());
        let n_digits = end_of(rest, |char| char.is_ascii_digit());
        if mark == '?' {
            return (self.params.alone || n_digits > 0).then_some(1 + n_digits);
        }
        if self.params.numbered.contains(&mark) && n_digits > 0 {
            return Some(mark.len_utf8() + n_digits);
        }
        if !self.params.named.contains(&mark) {
            return None;
        }
        let n_word = end_of(rest, |char| self.is_word(char));
        (n_word > 0).then_some(mark.len_utf8() + n_word)
    }

    /// The length of the session variable at the beginning.
    fn variable(&self, text: &str) -> Option<usize> {
        if !self.has_variables {
            return None;
        }
        let name = text.strip_prefix('@')?;
        let name = name.strip_prefix('@').unwrap_or(name);
        let begin = text.len() - name.len();
        match self.quotes(name) {
            Some(quotes) => Some(begin + quotes.len(name).unwrap_or(name.len())),
            None => {
                let len = end_of(name, |char| self.is_word(char) || char == '.');
                (len > 0).then_some(begin + len)
            }
        }
    }

    /// The number, or the word that starts with a digit, at the beginning. Characters that directly
    /// follow a number belong to it.
    fn number(&self, text: &str) -> Option<(Kind, usize)> {
        let bytes = text.as_bytes();
        let is_fraction = bytes[0] == b'.' && bytes.get(1).is_some_and(u8::is_ascii_digit);
        if !bytes[0].is_ascii_digit() && !is_fraction {
            return None;
        }
        let is_hex = text.starts_with("0x") || text.starts_with("0X");
        let mut end = 0;
        while let Some(char) = text[end..].chars().next() {
            let is_exponent = !is_hex && matches!(char, 'e' | 'E');
            let is_signed = matches!(bytes.get(end + 1), Some(b'+' | b'-'));
            if is_exponent && is_signed && bytes.get(end + 2).is_some_and(u8::is_ascii_digit) {
                end += 2;
            } else if char == '.' && !text[..end].contains('.') || self.is_word(char) {
                end += char.len_utf8();
            } else {
                break;
            }
        }
        let word = &text[..end_of(text, |char| self.is_word(char))];
        // The following characters may be the sign of an exponent, or a fraction.
        let is_part = end > word.len() && is_numeric(word.trim_end_matches(['e', 'E']));
        if self.words.digit_first && !word.is_empty() && !is_part && !is_numeric(word) {
            return Some((Kind::Word, word.len()));
        }
        Some((Kind::Number, end))
    }

    /// The length of the operator or punctuation mark at the beginning.
    fn symbol(&self, text: &str) -> usize {
        let run = end_of(text, |char| self.operators.contains(char));
        let comment = ["--", "/*"].iter().filter_map(|mark| text[..run].find(mark)).min();
        let run = comment.unwrap_or(run);
        if run > 1 {
            // An operator can only end in a sign if it contains one of these characters
            // (PostgreSQL's manual, 4.1.3): `a=-1` is a comparison with `-1`.
            let text = &text[..run];
            let is_free = text.contains(|char| "~!@#%^&|`?".contains(char));
            let without = text.trim_end_matches(['+', '-']).len().max(1);
            return if is_free { run } else { without };
        }
        let known = self.symbols.iter().find(|symbol| text.starts_with(**symbol));
        known.map_or(1, |symbol| symbol.len())
    }
}

/// Whether a word that starts with a digit is a number, by its digits, base or exponent.
fn is_numeric(word: &str) -> bool {
    let is = |part: &str, is_digit: fn(&u8) -> bool| {
        !part.is_empty() && part.as_bytes().iter().all(is_digit)
    };
    let (mantissa, exponent) = word.split_once(['e', 'E']).unwrap_or((word, "0"));
    let binary = |digit: &u8| matches!(digit, b'0' | b'1');
    is(mantissa, u8::is_ascii_digit) && is(exponent, u8::is_ascii_digit)
        || word.strip_prefix("0x").is_some_and(|digits| is(digits, u8::is_ascii_hexdigit))
        || word.strip_prefix("0b").is_some_and(|digits| is(digits, binary))
}

/// Where the leading characters that satisfy the condition end.
fn end_of(text: &str, is_such: impl Fn(char) -> bool) -> usize {
    text.find(|char| !is_such(char)).unwrap_or(text.len())
}
