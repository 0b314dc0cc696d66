//! What stands between quotes, and how it is written there.

use std::borrow::Cow;

use super::Kind;

/// One kind of quotes.
#[derive(Debug, PartialEq, Eq)]
pub struct Quotes {
    /// What begins it, with letters in upper case; in a text they are in any case.
    pub open: &'static str,
    /// What ends it.
    pub close: char,
    /// What it is: a name, a text or bytes.
    pub kind: Kind,
    /// How the closing mark is written inside, and what else means something there.
    pub inside: Inside,
}

/// What means something between quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inside {
    /// Nothing; the closing mark can't be there.
    Nothing,
    /// The closing mark twice is one inside.
    Twice,
    /// That, and a backslash with what follows it.
    Backslash(Escapes),
    /// The closing mark twice, and a backslash with the number of a character, as in PostgreSQL's
    /// `U&'\00e9'`.
    CodePoints,
}

/// What a backslash means with a character after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Escapes {
    /// As in PostgreSQL's `E'...'`.
    Postgres,
    /// As in MySQL's texts.
    Mysql,
}

impl Quotes {
    /// Whether the text begins with these quotes.
    pub(super) fn begin(&self, text: &str) -> bool {
        let (bytes, open) = (text.as_bytes(), self.open.as_bytes());
        bytes.len() >= open.len() && bytes[..open.len()].eq_ignore_ascii_case(open)
    }

    /// The length of what is quoted at the beginning of the text, with its quotes, if it is closed.
    pub(super) fn len(&self, text: &str) -> Option<usize> {
        let escape = match self.inside {
            Inside::Backslash(_) => '\\',
            Inside::Nothing | Inside::Twice | Inside::CodePoints => self.close,
        };
        let mut end = self.open.len();
        while let Some(at) = text[end..].find([self.close, escape]) {
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

    /// What is between the quotes of a text that is one quoted thing; `None` where it isn't closed,
    /// or where an escape in it stands for nothing.
    pub(super) fn content<'a>(&self, text: &'a str) -> Option<Cow<'a, str>> {
        self.len(text).filter(|len| *len == text.len())?;
        let inner = &text[self.open.len()..text.len() - self.close.len_utf8()];
        let twice = format!("{0}{0}", self.close);
        match self.inside {
            Inside::Twice | Inside::CodePoints | Inside::Backslash(_)
                if !inner.contains(['\\', self.close]) =>
            {
                Some(inner.into())
            }
            Inside::Nothing => Some(inner.into()),
            Inside::Twice => Some(inner.replace(&twice, &self.close.to_string()).into()),
            Inside::CodePoints => {
                code_points(&inner.replace(&twice, &self.close.to_string())).map(Cow::Owned)
            }
            Inside::Backslash(escapes) => escapes.decode(inner, self.close).map(Cow::Owned),
        }
    }
}

/// A text with its `\0041` and `\+000041` as characters.
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

/// The character with that number in hexadecimal digits.
fn code_point(digits: &str) -> Option<char> {
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    char::from_u32(u32::from_str_radix(digits, 16).ok().filter(|_| is_hex)?)
}

impl Escapes {
    /// A text with its escapes and doubled quotes as what they stand for.
    fn decode(self, text: &str, close: char) -> Option<String> {
        // Numbers stand for bytes, of which several may make a character.
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
            // For patterns, in which they are read once more.
            out.push(b'\\');
            escaped
        }
        other => other,
    };
    out.extend(char.encode_utf8(&mut [0; 4]).bytes());
}

/// The rest of the text after the escape.
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

/// The length of the text in dollar quotes at the beginning, and whether it is closed.
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
