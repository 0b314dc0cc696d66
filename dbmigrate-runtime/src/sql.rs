//! SQL as tokens: enough to compare, search and rename in a text without understanding it.

use std::borrow::Cow;

/// A piece of SQL. All tokens of a text, one after the other, are the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    /// What it is.
    pub kind: Kind,
    /// As it is written.
    pub text: &'a str,
    /// Where it begins in the text, in bytes.
    pub start: usize,
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// White space.
    Space,
    /// `-- to the end of the line` or `/* between these */`.
    Comment,
    /// A keyword or a name without quotes.
    Word,
    /// A name in double quotes, backticks or brackets.
    Quoted,
    /// A text in single quotes.
    Text,
    /// `x'00ff'`.
    Blob,
    /// A number without a sign.
    Number,
    /// A placeholder such as `?1` or `:name`.
    Param,
    /// An operator or punctuation mark, or a character that SQL doesn't know.
    Symbol,
}

impl<'a> Token<'a> {
    /// Where the token ends in the text, in bytes.
    pub fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// Whether it has a meaning: it is neither white space nor a comment.
    pub fn is_significant(&self) -> bool {
        !matches!(self.kind, Kind::Space | Kind::Comment)
    }

    /// Whether it is that keyword, in whatever case.
    pub fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }

    /// Whether it is that name, as a word or in quotes.
    pub fn is_name(&self, name: &str) -> bool {
        self.identifier().is_some_and(|identifier| identifier.eq_ignore_ascii_case(name))
    }

    /// Whether it is that mark.
    pub fn is_symbol(&self, symbol: &str) -> bool {
        self.kind == Kind::Symbol && self.text == symbol
    }

    /// The name that a word or a quoted name stands for.
    pub fn identifier(&self) -> Option<Cow<'a, str>> {
        match self.kind {
            Kind::Word => Some(Cow::Borrowed(self.text)),
            Kind::Quoted => self.unquoted(),
            Kind::Space
            | Kind::Comment
            | Kind::Text
            | Kind::Blob
            | Kind::Number
            | Kind::Param
            | Kind::Symbol => None,
        }
    }

    /// What is between the quotes of a quoted name or a text, if they are closed.
    pub fn unquoted(&self) -> Option<Cow<'a, str>> {
        let open = self.text.chars().next().filter(|c| matches!(c, '"' | '`' | '[' | '\''))?;
        let close = if open == '[' { ']' } else { open };
        let inner = self.text[1..].strip_suffix(close)?;
        let (close, twice) = (close.to_string(), format!("{close}{close}"));
        // `"a""` is open: its last two quotes are one inside of the name.
        let trailing = inner.len() - inner.trim_end_matches(close.as_str()).len();
        if open != '[' && trailing % 2 == 1 {
            return None;
        }
        let has_quotes = open != '[' && inner.contains(&twice);
        Some(if has_quotes { inner.replace(&twice, &close).into() } else { inner.into() })
    }

    /// Whether the token ends by itself: its quotes or its comment are closed.
    pub fn is_closed(&self) -> bool {
        match self.kind {
            Kind::Quoted | Kind::Text => self.unquoted().is_some(),
            Kind::Blob => self.text.len() > 2 && self.text.ends_with('\''),
            Kind::Comment => {
                !self.text.starts_with("/*") || self.text.len() > 3 && self.text.ends_with("*/")
            }
            Kind::Space | Kind::Word | Kind::Number | Kind::Param | Kind::Symbol => true,
        }
    }
}

/// The tokens of a text, whatever it is. What isn't closed goes to the end of the text.
pub fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::with_capacity(text.len() / 3);
    let mut start = 0;
    while start < text.len() {
        let (kind, len) = token(&text[start..]);
        tokens.push(Token { kind, text: &text[start..start + len], start });
        start += len;
    }
    tokens
}

/// The tokens of a text that have a meaning.
pub(crate) fn significant(text: &str) -> Vec<Token<'_>> {
    let mut tokens = tokens(text);
    tokens.retain(Token::is_significant);
    tokens
}

/// Marks of more than one character, longer ones first.
const SYMBOLS: &[&str] = &["->>", "::", "->", "||", "<=", "<>", "<<", ">=", ">>", "!=", "=="];

/// The kind and the length in bytes of the token at the beginning of a text that isn't empty.
fn token(text: &str) -> (Kind, usize) {
    let bytes = text.as_bytes();
    let after =
        |end: usize| text[end..].find(|c: char| !is_word(c)).map_or(text.len(), |n| end + n);
    match bytes[0] {
        b'\'' => (Kind::Text, quoted(text, '\'')),
        bytes @ (b'"' | b'`') => (Kind::Quoted, quoted(text, char::from(bytes))),
        b'[' => (Kind::Quoted, text.find(']').map_or(text.len(), |text| text + 1)),
        b'-' if text.starts_with("--") => (Kind::Comment, text.find('\n').unwrap_or(text.len())),
        b'/' if text.starts_with("/*") => {
            (Kind::Comment, text[2..].find("*/").map_or(text.len(), |text| text + 4))
        }
        b'x' | b'X' if bytes.get(1) == Some(&b'\'') => {
            (Kind::Blob, text[2..].find('\'').map_or(text.len(), |text| text + 3))
        }
        bytes if bytes.is_ascii_digit() => (Kind::Number, number(text)),
        b'.' if bytes.get(1).is_some_and(u8::is_ascii_digit) => (Kind::Number, number(text)),
        b'?' => {
            let end = text[1..].find(|c: char| !c.is_ascii_digit());
            (Kind::Param, end.map_or(text.len(), |end| end + 1))
        }
        b':' | b'@' | b'$' | b'#' if text[1..].starts_with(is_word) => (Kind::Param, after(1)),
        _ if text.starts_with(is_space) => {
            (Kind::Space, text.find(|c| !is_space(c)).unwrap_or(text.len()))
        }
        _ if text.starts_with(is_word) => (Kind::Word, after(0)),
        _ => {
            let known = SYMBOLS.iter().find(|candidate| text.starts_with(**candidate));
            (Kind::Symbol, known.map_or(1, |text| text.len()))
        }
    }
}

/// SQL's white space; a byte order mark is some too.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\x0c' | '\r' | '\u{feff}')
}

/// Every character outside of ASCII is part of a word, as in SQLite's tokenizer.
fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '$') || !c.is_ascii() && !is_space(c)
}

/// The length of the quoted text at the beginning, with its quotes; a quote twice is one inside.
fn quoted(text: &str, quote: char) -> usize {
    let mut end = 1;
    while let Some(at) = text[end..].find(quote) {
        end += at + 1;
        if !text[end..].starts_with(quote) {
            return end;
        }
        end += 1;
    }
    text.len()
}

/// The length of the number at the beginning, with what is written right behind it.
fn number(text: &str) -> usize {
    let bytes = text.as_bytes();
    let is_word_at = |n: usize| text[n..].starts_with(is_word);
    let mut end = 0;
    let is_hex = text.starts_with("0x") || text.starts_with("0X");
    while let Some(char) = text[end..].chars().next() {
        let is_exponent = !is_hex && matches!(char, 'e' | 'E');
        let is_signed = matches!(bytes.get(end + 1), Some(b'+' | b'-'));
        if is_exponent && is_signed && bytes.get(end + 2).is_some_and(u8::is_ascii_digit) {
            end += 2;
        } else if char == '.' && !text[..end].contains('.') || is_word_at(end) {
            end += char.len_utf8();
        } else {
            break;
        }
    }
    end
}

/// Whether two expressions are the same, but for white space, comments, the case of words, quotes
/// around names, and parentheses around the whole.
pub fn same_expression(a: &str, b: &str) -> bool {
    let (a, b) = (significant(a), significant(b));
    let (a, b) = (without_parentheses(&a), without_parentheses(&b));
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_token(a, b))
}

fn same_token(a: &Token<'_>, b: &Token<'_>) -> bool {
    match (a.kind, b.kind) {
        // `"null"` is a name and NULL isn't.
        (Kind::Word, Kind::Quoted) if is_value(a.text) || is_reserved(a.text) => false,
        (Kind::Quoted, Kind::Word) if is_value(b.text) || is_reserved(b.text) => false,
        (Kind::Word | Kind::Quoted, Kind::Word | Kind::Quoted) => {
            match (a.identifier(), b.identifier()) {
                (Some(a), Some(b)) => a.eq_ignore_ascii_case(&b),
                _ => a.text == b.text,
            }
        }
        (Kind::Number, Kind::Number) | (Kind::Blob, Kind::Blob) => {
            a.text.eq_ignore_ascii_case(b.text)
        }
        _ => a.kind == b.kind && a.text == b.text,
    }
}

/// Whether one of the statements changes the journal mode. SQLite passes that over in silence
/// where it is in a transaction that has written nothing yet.
pub fn sets_journal_mode(text: &str) -> bool {
    let tokens = significant(text);
    let is_first = |at: usize| at == 0 || tokens[at - 1].is_symbol(";");
    let sets = |at: usize| {
        // The name of a database may come before.
        let has_database = tokens.get(at + 2).is_some_and(|token| token.is_symbol("."));
        let name_at = if has_database { at + 3 } else { at + 1 };
        let name = tokens.get(name_at).and_then(Token::identifier);
        let value = tokens.get(name_at + 1);
        name.is_some_and(|name| name.eq_ignore_ascii_case("journal_mode"))
            && value.is_some_and(|token| token.is_symbol("=") || token.is_symbol("("))
    };
    (0..tokens.len()).any(|at| is_first(at) && tokens[at].is_word("pragma") && sets(at))
}

/// Whether each parenthesis among the tokens has its other one.
pub fn is_balanced(tokens: &[Token<'_>]) -> bool {
    let mut depth = 0;
    tokens.iter().all(|token| {
        depth += i32::from(token.is_symbol("(")) - i32::from(token.is_symbol(")"));
        depth >= 0
    }) && depth == 0
}

/// A name in double quotes, as SQL's standard has it.
pub fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text in single quotes.
pub fn quote_text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The tokens between parentheses that are around all of them.
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

/// An expression without parentheses, comments and white space around the whole.
pub(crate) fn unparenthesised(expression: &str) -> &str {
    let tokens = significant(expression);
    match without_parentheses(&tokens) {
        [] => "",
        [first, .., last] => &expression[first.start..last.end()],
        [one] => one.text,
    }
}

/// Whether a text has a name outside of comments and of texts in single quotes.
pub fn mentions(text: &str, name: &str) -> bool {
    // In most texts a plain search finds nothing. Quotes within a name are written twice.
    let (bytes, wanted) = (text.as_bytes(), name.as_bytes());
    let is_plain = !name.contains(['"', '`', '\'']) && !name.is_empty();
    if is_plain && !bytes.windows(wanted.len()).any(|pair| pair.eq_ignore_ascii_case(wanted)) {
        return false;
    }
    let tokens = tokens(text);
    tokens
        .iter()
        .filter_map(Token::identifier)
        .any(|identifier| identifier.eq_ignore_ascii_case(name))
}

/// Whether an expression has a name that may be that column's, so neither a function's nor a
/// collation's.
pub(crate) fn names_column(expression: &str, column: &str) -> bool {
    let tokens = significant(expression);
    tokens.iter().enumerate().any(|(idx, candidate)| {
        let is_call = tokens.get(idx + 1).is_some_and(|token| token.is_symbol("("));
        let is_collation = idx > 0 && tokens[idx - 1].is_word("COLLATE");
        let is_it = candidate
            .identifier()
            .is_some_and(|identifier| identifier.eq_ignore_ascii_case(column));
        is_it && !is_call && !is_collation
    })
}

/// The columns that a trigger's `UPDATE OF` names.
pub(crate) fn columns_of_update(trigger: &str) -> Vec<String> {
    let tokens = significant(trigger);
    // Before its body, which may hold words of any kind.
    let body = tokens.iter().position(|token| token.is_word("begin")).unwrap_or(tokens.len());
    let head = &tokens[..body];
    let of = head.windows(2).position(|pair| pair[0].is_word("update") && pair[1].is_word("of"));
    let Some(of) = of else { return Vec::new() };
    let columns = head[of + 2..].iter().take_while(|token| !token.is_word("on"));
    columns
        .filter_map(|token| token.identifier().map(|identifier| identifier.into_owned()))
        .collect()
}

/// Renames an identifier inside an SQL expression, as databases do when a column is renamed.
///
/// Comments and texts in single quotes stay. Names are compared without regard to case, quoted
/// ones too: one that kept its old name for a letter's case would become a text on SQLite. A name
/// isn't the column's where it calls a function, names a type or a collation, or ends a `CASE`; in
/// its place stands the new name, quoted.
pub fn rename_identifier(expression: &str, from: &str, to: &str) -> String {
    let quoted = quote(to);
    let tokens = tokens(expression);
    let mut out = String::with_capacity(expression.len());
    // Whether words name a type, as in `CAST(a AS text)`, and whether one names a collation.
    let (mut in_type, mut in_collation) = (false, false);
    let mut open_cases = 0_usize;
    for (idx, token) in tokens.iter().enumerate() {
        let next = tokens[idx + 1..].iter().find(|token| token.is_significant());
        let is_call = next.is_some_and(|token| token.is_symbol("("));
        let ends_case = open_cases > 0 && token.is_word("END");
        open_cases = open_cases + usize::from(token.is_word("CASE")) - usize::from(ends_case);
        let is_other = ends_case || in_type || in_collation;
        if token.is_significant() {
            in_collation = token.is_word("COLLATE");
            in_type = token.is_word("AS") || in_type && token.kind != Kind::Symbol;
        }
        let matches = match token.kind {
            _ if is_other => false,
            Kind::Word | Kind::Quoted => {
                token.identifier().is_some_and(|name| name.eq_ignore_ascii_case(from)) && !is_call
            }
            _ => false,
        };
        out.push_str(if matches { &quoted } else { token.text });
    }
    out
}

/// Renames a table where an SQL expression names it before a column, as databases do when a table
/// is renamed.
pub fn rename_qualifier(expression: &str, from: &str, to: &str) -> String {
    let quoted = quote(to);
    let tokens = tokens(expression);
    let mut out = String::with_capacity(expression.len());
    for (idx, token) in tokens.iter().enumerate() {
        let next = tokens[idx + 1..].iter().find(|token| token.is_significant());
        let matches = next.is_some_and(|token| token.is_symbol("."))
            && token.identifier().is_some_and(|identifier| identifier.eq_ignore_ascii_case(from));
        out.push_str(if matches { &quoted } else { token.text });
    }
    out
}

/// A text without the table's own name before its columns' names.
pub(crate) fn without_qualifier<'a>(text: &'a str, table: &str) -> Cow<'a, str> {
    if !text.contains('.') {
        return Cow::Borrowed(text);
    }
    let tokens = tokens(text);
    let mut out = String::with_capacity(text.len());
    let mut rest = tokens.as_slice();
    while let [token, after @ ..] = rest {
        let dot = after.iter().position(Token::is_significant);
        let dot = dot.filter(|dot| after[*dot].is_symbol("."));
        let is_own = |token: &Token<'_>| {
            token.identifier().is_some_and(|identifier| identifier.eq_ignore_ascii_case(table))
        };
        rest = match dot.filter(|_| is_own(token)) {
            Some(dot) => &after[dot + 1..],
            None => {
                out.push_str(token.text);
                after
            }
        };
    }
    Cow::Owned(out)
}

/// Words that are values, and names only in quotes.
pub(crate) fn is_value(word: &str) -> bool {
    is_one_of(word, &["TRUE", "FALSE", "CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP"])
}

/// Words that begin or join something in SQLite, so that they are names only in quotes.
///
/// They are the keywords of its tokenizer that its grammar doesn't let fall back to names.
pub(crate) fn is_reserved(word: &str) -> bool {
    is_one_of(word, RESERVED)
}

pub(crate) fn is_one_of(word: &str, words: &[&str]) -> bool {
    words.iter().any(|text| text.eq_ignore_ascii_case(word))
}

#[rustfmt::skip]
const RESERVED: &[&str] = &[
    "ADD", "ALL", "ALTER", "AND", "AS", "AUTOINCREMENT", "BETWEEN", "CASE", "CHECK", "COLLATE",
    "COMMIT", "CONSTRAINT", "CREATE", "DEFAULT", "DEFERRABLE", "DELETE", "DISTINCT", "DROP",
    "ELSE", "ESCAPE", "EXCEPT", "EXISTS", "FOREIGN", "FROM", "GROUP", "HAVING", "IN", "INDEX",
    "INSERT", "INTERSECT", "INTO", "IS", "ISNULL", "JOIN", "LIMIT", "NOT", "NOTHING", "NOTNULL",
    "NULL", "ON", "OR", "ORDER", "PRIMARY", "REFERENCES", "RETURNING", "SELECT", "SET", "TABLE",
    "THEN", "TO", "TRANSACTION", "UNION", "UNIQUE", "UPDATE", "USING", "VALUES", "WHEN", "WHERE",
];

/// Whether SQL may do more than change rows. A query that a person has run is run for what its
/// functions do, which may be anything.
pub(crate) fn may_change_objects(sql: &str) -> bool {
    let of_rows = ["INSERT", "REPLACE", "UPDATE", "DELETE", "WITH"];
    let of_objects = ["CREATE", "DROP", "ALTER", "PRAGMA", "ATTACH", "DETACH"];
    let tokens = significant(sql);
    let is_one_of =
        |token: &Token<'_>, words: &[&str]| words.iter().any(|word| token.is_word(word));
    let mut statements = tokens.split(|token| token.is_symbol(";")).filter_map(<[_]>::first);
    !statements.all(|token| is_one_of(token, &of_rows))
        || tokens.iter().any(|token| is_one_of(token, &of_objects))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NASTY: &[&str] = &[
        "",
        "'",
        "''",
        "'''",
        "\"",
        "\"\"\"",
        "`a``b`",
        "[a]]",
        "[",
        "x'",
        "x'0",
        "X'ff'",
        "/*",
        "/*/",
        "/**/",
        "/* a *",
        "--",
        "-- a\n--",
        "-",
        "/",
        "1e+",
        "1e+5",
        "1.5.5",
        ".5",
        ".",
        "0x1e+5",
        "12ab_c",
        "1_000",
        "a$b",
        "$a",
        "$",
        ":",
        "::a",
        "?12a",
        "@",
        "#x",
        "größe\u{a0}名前",
        "\u{feff}a",
        "\0",
        "a\0b",
        "->>->||<><<=",
        "\\",
        "😀'😀",
        "\r\n\t\x0b\x0c",
    ];

    #[test]
    fn tokens_are_the_text_whatever_it_is() {
        for a in NASTY {
            for b in NASTY {
                for text in [format!("{a}{b}"), format!("{a} {b}"), format!("{a}'{b}\n{a}")] {
                    let tokens = tokens(&text);
                    let whole: String = tokens.iter().map(|token| token.text).collect();
                    assert_eq!(whole, text);
                    for token in &tokens {
                        assert_eq!(&text[token.start..token.end()], token.text);
                        assert!(!token.text.is_empty());
                        let _ = (token.identifier(), token.is_closed());
                    }
                    let _ = (rename_identifier(&text, "a", "b"), unparenthesised(&text));
                    assert!(same_expression(&text, &text), "{text}");
                }
            }
        }
    }

    #[test]
    fn each_token_has_its_kind() {
        let kinds = |text| tokens(text).iter().map(|token| token.kind).collect::<Vec<_>>();
        assert_eq!(kinds("a\u{a0}b"), [Kind::Word]);
        assert_eq!(kinds("x'ab'"), [Kind::Blob]);
        assert_eq!(kinds("1.5e-3"), [Kind::Number]);
        assert_eq!(kinds("1-3"), [Kind::Number, Kind::Symbol, Kind::Number]);
        assert_eq!(kinds("a->>'b'"), [Kind::Word, Kind::Symbol, Kind::Text]);
        assert_eq!(kinds("varchar[10]"), [Kind::Word, Kind::Quoted]);
        assert_eq!(kinds("?1:a"), [Kind::Param, Kind::Param]);
        assert_eq!(kinds("--a\n/*b*/"), [Kind::Comment, Kind::Space, Kind::Comment]);
    }

    #[test]
    fn a_quoted_name_is_read_without_its_quotes() {
        let name = |text| tokens(text)[0].identifier().map(Cow::into_owned);
        assert_eq!(name("\"a\"\"b\"").unwrap(), "a\"b");
        assert_eq!(name("`a``b`").unwrap(), "a`b");
        assert_eq!(name("[a\"b]").unwrap(), "a\"b");
        assert_eq!(name("\"\"").unwrap(), "");
        assert_eq!(name("\"a\"\""), None);
        assert_eq!(name("\"a"), None);
        assert_eq!(name("'a'"), None);
    }

    #[test]
    fn expressions_are_the_same_but_for_how_they_are_written() {
        let same = |a, b| assert!(same_expression(a, b), "{a} != {b}");
        let other = |a, b| assert!(!same_expression(a, b), "{a} == {b}");
        same("a>0", "((A > 0)) -- positive");
        same("\"a\" IN ('x', 'y')", "`a` in('x','y')");
        same("x'AB' || 1E5", "X'ab' || 1e5");
        same("(a) + (b)", "(a)+(b)");
        other("(a) + (b)", "a + b");
        other("a = 'X'", "a = 'x'");
        other("a < = b", "a <= b");
        other("a IS NULL", "a IS \"null\"");
        other("a", "a b");
        other("'a'", "a");
    }

    #[test]
    fn a_name_in_a_text_or_a_comment_is_not_mentioned() {
        assert!(mentions("SELECT [Age] FROM t", "age"));
        assert!(mentions("\"age\" > 1", "age"));
        assert!(!mentions("'age' -- age\n/* age */ = ages", "age"));
    }

    #[test]
    fn the_end_of_a_case_is_no_name() {
        assert_eq!(
            rename_identifier("\"end\" > CASE WHEN \"end\" THEN 1 ELSE 0 END", "end", "to"),
            "\"to\" > CASE WHEN \"to\" THEN 1 ELSE 0 END"
        );
        assert_eq!(rename_identifier("end > 0", "end", "to"), "\"to\" > 0");
    }

    #[test]
    fn a_renamed_column_is_renamed_in_expressions_but_not_in_texts_or_calls() {
        let check = |expression, expect: &str| {
            assert_eq!(rename_identifier(expression, "lower", "name"), expect);
        };
        check("lower > 1", "\"name\" > 1");
        check("LOWER(lower) = 'lower'", "LOWER(\"name\") = 'lower'");
        check("\"lower\" = 'it''s lower'", "\"name\" = 'it''s lower'");
        check("lowercase OR 'unclosed lower", "lowercase OR 'unclosed lower");
        check("`lower` + [lower] /* lower */", "\"name\" + \"name\" /* lower */");
        check("CAST(lower AS lower) || lower", "CAST(\"name\" AS lower) || \"name\"");
        check("CAST(a AS big lower (10)) + lower", "CAST(a AS big lower (10)) + \"name\"");
        check("a COLLATE lower LIKE lower", "a COLLATE lower LIKE \"name\"");
        check("lower -- lower\n(lower)", "lower -- lower\n(\"name\")");
    }
}
