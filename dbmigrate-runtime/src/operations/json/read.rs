//! Reads JSON without a copy of a text that has no escapes, and only numbers that are exact.
//!
//! It is our own since a history of a thousand tables is a megabyte that most commands read first:
//! the small libraries keep the members of an object in a map and numbers as floats, which takes
//! several times as long, and the fast ones would be half a dozen crates in every application.

use std::borrow::Cow;

use super::{EXACT, Json};

/// How deep arrays and objects may nest.
const DEEPEST: usize = 128;

pub(super) fn read(text: &str) -> Result<Json<'_>, String> {
    let mut reader = Reader { text, at: 0 };
    let json = reader.value(0)?;
    if reader.next_byte().is_some() {
        return Err(reader.unexpected("the end"));
    }
    Ok(json)
}

struct Reader<'a> {
    text: &'a str,
    /// Always at the start of a character.
    at: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: usize) -> Result<Json<'a>, String> {
        if depth > DEEPEST {
            return Err(format!("nested more than {DEEPEST} levels deep"));
        }
        match self.next_byte() {
            Some(b'"') => self.string().map(Json::Text),
            Some(b'{') => self.items(b'}', |reader| reader.member(depth)).map(Json::Object),
            Some(b'[') => self.items(b']', |reader| reader.value(depth + 1)).map(Json::Array),
            Some(b'-' | b'0'..=b'9') => self.integer(),
            Some(b'n') => self.word("null", Json::Null),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            _ => Err(self.unexpected("a value")),
        }
    }

    fn word(&mut self, word: &str, json: Json<'a>) -> Result<Json<'a>, String> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.unexpected("a value"));
        }
        self.at += word.len();
        Ok(json)
    }

    fn member(&mut self, depth: usize) -> Result<(Cow<'a, str>, Json<'a>), String> {
        if self.next_byte() != Some(b'"') {
            return Err(self.unexpected("a member"));
        }
        let key = self.string()?;
        self.expect(b':')?;
        Ok((key, self.value(depth + 1)?))
    }

    /// The items from the opening character, at which the reader is, to the closing one.
    fn items<T>(
        &mut self,
        close: u8,
        mut item: impl FnMut(&mut Self) -> Result<T, String>,
    ) -> Result<Vec<T>, String> {
        self.at += 1;
        let mut items = Vec::new();
        if self.next_byte() == Some(close) {
            self.at += 1;
            return Ok(items);
        }
        loop {
            items.push(item(self)?);
            if self.next_byte() == Some(close) {
                self.at += 1;
                return Ok(items);
            }
            self.expect(b',')?;
        }
    }

    /// A text from its opening quote, at which the reader is, to its closing one.
    fn string(&mut self) -> Result<Cow<'a, str>, String> {
        self.at += 1;
        let plain = self.plain()?;
        let mut text = Cow::Borrowed(plain);
        while self.text.as_bytes()[self.at] == b'\\' {
            self.at += 1;
            let escaped = self.escaped()?;
            let plain = self.plain()?;
            let text = text.to_mut();
            text.push(escaped);
            text.push_str(plain);
        }
        self.at += 1;
        Ok(text)
    }

    /// The characters before the next quote or backslash, at which the reader then is.
    fn plain(&mut self) -> Result<&'a str, String> {
        let rest = &self.text[self.at..];
        let end = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\') || byte < b' ');
        let end = end.ok_or("a text doesn't end")?;
        self.at += end;
        if rest.as_bytes()[end] < b' ' {
            return Err(self.unexpected("a text without control characters"));
        }
        Ok(&rest[..end])
    }

    /// The character that the characters after a backslash stand for.
    fn escaped(&mut self) -> Result<char, String> {
        let escaped = match self.text.as_bytes().get(self.at) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return Err(self.unexpected("an escape")),
        };
        self.at += 1;
        Ok(escaped)
    }

    /// A character as `u` and a unit of UTF-16, or as two of them with a backslash between.
    fn unicode(&mut self) -> Result<char, String> {
        let first = self.unit()?;
        let has_second = (0xd800..0xdc00).contains(&first);
        let second = has_second.then(|| {
            self.expect(b'\\')?;
            self.unit()
        });
        let units = [Some(first), second.transpose()?];
        let mut chars = char::decode_utf16(units.into_iter().flatten());
        let half = || format!("`\\u{first:04x}` is half a character");
        chars.next().and_then(Result::ok).ok_or_else(half)
    }

    fn unit(&mut self) -> Result<u16, String> {
        self.expect(b'u')?;
        let digits = self.text.get(self.at..self.at + 4);
        let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let unit = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok());
        let unit = unit.ok_or_else(|| self.unexpected("four hexadecimal digits"))?;
        self.at += 4;
        Ok(unit)
    }

    fn integer(&mut self) -> Result<Json<'a>, String> {
        let rest = &self.text[self.at..];
        let ends = |byte| !matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        let number = &rest[..rest.bytes().position(ends).unwrap_or(rest.len())];
        self.at += number.len();
        let integer = number.parse::<i64>().ok();
        let integer = integer.filter(|integer| (-EXACT..=EXACT).contains(integer));
        integer.map(Json::Int).ok_or_else(|| format!("unexpected number {number}"))
    }

    fn expect(&mut self, byte: u8) -> Result<(), String> {
        if self.next_byte() != Some(byte) {
            return Err(self.unexpected(&format!("`{}`", char::from(byte))));
        }
        self.at += 1;
        Ok(())
    }

    /// The next byte that isn't white space, at which the reader then is.
    fn next_byte(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = bytes.get(self.at) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    fn unexpected(&self, expected: &str) -> String {
        match self.text[self.at..].chars().next() {
            Some(found) => format!("expected {expected} at byte {}, found `{found}`", self.at),
            None => format!("expected {expected}, found the end"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let text = "plain, \"quoted\", \\, tab\t, nul\0, ü, 🦀";
        let json = Json::Object(vec![
            ("z".into(), Json::Array(vec![Json::Null, Json::Bool(true), Json::Bool(false)])),
            ("a\"".into(), Json::text(text)),
            ("".into(), Json::Array(vec![Json::Int(-EXACT), Json::Int(EXACT), Json::Int(0)])),
            ("empty".into(), Json::Array(vec![Json::Array(vec![]), Json::Object(vec![])])),
        ]);
        let written = json.to_string();
        assert_eq!(read(&written), Ok(json));
        assert_eq!(read(" [ 1 ,\n{ \"a\" :\t2 } ] \r\n").unwrap().to_string(), "[1,{\"a\":2}]");
        let escaped = r#""\"\\\/\b\f\n\r\t\u00fc\ud83E\uDd80""#;
        assert_eq!(read(escaped), Ok(Json::text("\"\\/\u{8}\u{c}\n\r\tü🦀")));
        // What has no escapes is not copied.
        assert!(matches!(read("\"ü\""), Ok(Json::Text(Cow::Borrowed("ü")))));
    }

    #[test]
    fn what_is_not_json_is_named() {
        let deep = "[".repeat(100_000);
        let cases = [
            ("", "expected a value, found the end"),
            ("[1", "expected `,`, found the end"),
            ("[1,]", "expected a value at byte 3, found `]`"),
            ("{\"a\"}", "expected `:` at byte 4, found `}`"),
            ("{1:2}", "expected a member at byte 1, found `1`"),
            ("nul", "expected a value at byte 0, found `n`"),
            ("1 ü", "expected the end at byte 2, found `ü`"),
            ("\"a", "a text doesn't end"),
            ("\"\\", "expected an escape, found the end"),
            ("\"\\x\"", "expected an escape at byte 2, found `x`"),
            ("\"\\u00g0\"", "expected four hexadecimal digits at byte 3, found `0`"),
            ("\"\\u00ü\"", "expected four hexadecimal digits at byte 3, found `0`"),
            ("\"\\ud83e\"", "expected `\\` at byte 7, found `\"`"),
            ("\"\\ud83e\\u0041\"", "`\\ud83e` is half a character"),
            ("\"\\udd80\"", "`\\udd80` is half a character"),
            ("\"a\nb\"", "expected a text without control characters at byte 2, found `\n`"),
            ("1.5", "unexpected number 1.5"),
            ("1e3", "unexpected number 1e3"),
            ("9007199254740993", "unexpected number 9007199254740993"),
            (&deep, "nested more than 128 levels deep"),
        ];
        for (text, error) in cases {
            assert_eq!(read(text), Err(error.to_owned()), "{text}");
        }
    }
}
