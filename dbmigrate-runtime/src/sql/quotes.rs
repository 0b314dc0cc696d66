//! Quotes, and how their content is written.

use std::borrow::Cow;

use super::{Kind, starts_with};

/// One kind of quotes.
#[derive(Debug, PartialEq, Eq)]
pub struct Quotes {
    /// The opening mark, with letters in upper case; texts may use any case.
    pub open: &'static str,
    /// The closing mark.
    pub close: char,
    /// The kind of token: a name, a text or bytes.
    pub kind: Kind,
    /// How the closing mark and other special characters are written inside.
    pub inside: Inside,
}

/// What is special between quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inside {
    /// Nothing; the content can't contain the closing mark.
    Nothing,
    /// A doubled closing mark stands for a single one.
    Twice,
    /// The same, and a backslash escapes what follows it.
    Backslash(Escapes),
    /// A doubled closing mark, and a backslash with a character's code, as in PostgreSQL's
    /// `U&'\00e9'`.
    CodePoints,
}

/// The meaning of a backslash followed by a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Escapes {
    /// As in PostgreSQL's `E'...'`.
    Postgres,
    /// As in MySQL's string literals.
    Mysql,
}

impl Quotes {
    /// Whether the text starts with these quotes.
    pub(super) fn begin(&self, text: &str) -> bool {
        let first = |text: &str| text.bytes().next().map(|byte| byte.to_ascii_uppercase());
        first(text) == first(self.open) && starts_with(text, self.open)
    }

    /// The length of the quoted part at the beginning of the text, including its quotes, if it is
    /// closed.
    pub(super) fn len(&self, text: &str) -> Option<usize> {
        let escape = match self.inside {
            Inside::Backslash(_) => '\\',
            Inside::Nothing | Inside::Twice | Inside::CodePoints => self.close,
        };
        // Both are ASCII, so they are never a part of another character.
        let is_mark = |byte: &u8| [self.close, escape].contains(&char::from(*byte));
        let mut end = self.open.len();
        while let Some(at) = text.as_bytes()[end..].iter().position(is_mark) {
            end += at + 1;
            let is_escape = self.inside != Inside::Nothing
                && (!text[..end].ends_with(self.close) || text[end..].starts_with(self.close));
            if !is_escape {
                return Some(end);
            }
            end += text[end..].chars().next()?.len_utf8();
        }
        None
    }

    /// The content of a text that consists of one quoted part; `None` if it isn't closed, or if an
    /// escape in it is invalid.
    pub(super) fn content<'a>(&self, text: &'a str) -> Option<Cow<'a, str>> {
        self.len(text).filter(|len| *len == text.len())?;
        let inner = &text[self.open.len()..text.len() - self.close.len_utf8()];
        let once = || inner.replace(&format!("{0}{0}", self.close), &self.close.to_string());
        match self.inside {
            Inside::Twice | Inside::CodePoints | Inside::Backslash(_)
                if !inner.contains(['\\', self.close]) =>
            {
                Some(inner.into())
            }
            Inside::Nothing => Some(inner.into()),
            Inside::Twice => Some(once().into()),
            Inside::CodePoints => code_points(&once()).map(Cow::Owned),
            Inside::Backslash(escapes) => escapes.decode(inner, self.close).map(Cow::Owned),
        }
    }
}

/// A text with its escapes, such as `\0041` and `\+000041`, replaced by characters.
fn code_points(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        if let Some(after) = after.strip_prefix('\\') {
            out.push('\\');
            rest = after;
            continue;
        }
        let (digits, len) = match after.strip_prefix('+') {
            Some(digits) => (digits, 6),
            None => (after, 4),
        };
        out.push(code_point(digits.get(..len)?)?);
        rest = &digits[len..];
    }
    out.push_str(rest);
    Some(out)
}

/// The character with this code in hexadecimal digits.
fn code_point(digits: &str) -> Option<char> {
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    char::from_u32(u32::from_str_radix(digits, 16).ok().filter(|_| is_hex)?)
}

impl Escapes {
    /// A text with its escapes and doubled quotes replaced by what they stand for.
    fn decode(self, text: &str, close: char) -> Option<String> {
        // Numeric escapes stand for bytes, and several bytes may form a character.
        let mut out = Vec::with_capacity(text.len());
        let mut buffer = [0; 4];
        let mut rest = text.chars();
        while let Some(char) = rest.next() {
            if char != '\\' {
                if char == close {
                    rest.next();
                }
                out.extend(char.encode_utf8(&mut buffer).bytes());
                continue;
            }
            let escaped = rest.next()?;
            match self {
                Escapes::Mysql => mysql(escaped, &mut out),
                Escapes::Postgres => rest = postgres(escaped, rest.as_str(), &mut out)?.chars(),
            }
        }
        String::from_utf8(out).ok()
    }
}

fn mysql(escaped: char, out: &mut Vec<u8>) {
    let char = match escaped {
        '0' => '\0',
        'b' => '\x08',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'Z' => '\x1a',
        '%' | '_' => {
            // Kept as an escape for patterns, which are parsed once more.
            out.push(b'\\');
            escaped
        }
        other => other,
    };
    out.extend(char.encode_utf8(&mut [0; 4]).bytes());
}

/// Decodes one escape and returns the text after it.
fn postgres<'a>(escaped: char, rest: &'a str, out: &mut Vec<u8>) -> Option<&'a str> {
    let digits = |radix, at_most| {
        let end = rest.char_indices().take(at_most).take_while(|(_, char)| char.is_digit(radix));
        end.last().map_or(0, |(at, _)| at + 1)
    };
    let byte = |digits: &str, radix| u8::from_str_radix(digits, radix).ok();
    let char = match escaped {
        'x' if digits(16, 2) > 0 => {
            let end = digits(16, 2);
            out.push(byte(&rest[..end], 16)?);
            return Some(&rest[end..]);
        }
        '0'..='7' => {
            let end = digits(8, 2);
            out.push(byte(&format!("{escaped}{}", &rest[..end]), 8)?);
            return Some(&rest[end..]);
        }
        'u' | 'U' => {
            let len = if escaped == 'u' { 4 } else { 8 };
            let char = code_point(rest.get(..len)?)?;
            out.extend(char.encode_utf8(&mut [0; 4]).bytes());
            return Some(&rest[len..]);
        }
        'b' => '\x08',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        other => other,
    };
    out.extend(char.encode_utf8(&mut [0; 4]).bytes());
    Some(rest)
}

/// The length of the dollar-quoted text at the beginning, and whether it is closed.
pub(super) fn dollar_quoted(text: &str) -> Option<(usize, bool)> {
    let tag = &text[..dollar_tag(text)?];
    match text[tag.len()..].find(tag) {
        Some(at) => Some((tag.len() + at + tag.len(), true)),
        None => Some((text.len(), false)),
    }
}

/// The length of the `$tag$` at the beginning.
pub(super) fn dollar_tag(text: &str) -> Option<usize> {
    let rest = text.strip_prefix('$')?;
    let is_part = |char: char| char == '_' || char.is_ascii_alphanumeric() || !char.is_ascii();
    let end = rest.find(|char| !is_part(char))?;
    let is_tag =
        rest[end..].starts_with('$') && !rest.starts_with(|char: char| char.is_ascii_digit());
    is_tag.then_some(end + 2)
}
