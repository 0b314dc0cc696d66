//! The parts of a `CREATE TABLE` as `SHOW CREATE TABLE` writes it.

use super::column::Definition;
use super::flavor::Flavor;
use crate::sql::{Kind, Token};

/// A statement in parts.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Parsed {
    pub(super) temporary: bool,
    pub(super) name: String,
    pub(super) columns: Vec<ColumnPart>,
    pub(super) keys: Vec<KeyPart>,
    pub(super) checks: Vec<CheckPart>,
    pub(super) foreign_keys: Vec<ForeignKeyPart>,
    /// The options by name, in upper case.
    pub(super) options: Vec<(String, String)>,
    /// What isn't understood.
    pub(super) unknown: Vec<String>,
    /// The statement, where it isn't understood at all.
    pub(super) unread: Option<String>,
}

/// A column.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct ColumnPart {
    pub(super) name: String,
    pub(super) definition: Definition,
    /// The words that aren't understood.
    pub(super) unknown: Vec<String>,
    /// Whether a change has given it a definition that isn't known as the server writes it.
    pub(super) is_outdated: bool,
}

/// A key.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct KeyPart {
    /// The words before the name: `PRIMARY`, `UNIQUE`, `FULLTEXT` or nothing.
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) terms: Vec<Term>,
    /// The words behind the parentheses.
    pub(super) rest: Vec<String>,
}

/// A column or an expression of a key.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Term {
    pub(super) column: Option<String>,
    pub(super) expression: String,
    pub(super) prefix: Option<u32>,
    pub(super) descending: bool,
}

/// A check.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct CheckPart {
    pub(super) name: String,
    pub(super) condition: String,
    pub(super) is_enforced: bool,
}

/// A foreign key.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct ForeignKeyPart {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    pub(super) target: String,
    pub(super) target_columns: Vec<String>,
    pub(super) on_delete: String,
    pub(super) on_update: String,
}

/// Reads a statement; `None` if it isn't a table with a list of columns and keys.
pub(super) fn parse(flavor: Flavor, sql: &str) -> Option<Parsed> {
    let tokens = flavor.lexicon().significant(sql);
    let open = tokens.iter().position(|token| token.is_symbol("("))?;
    let close = matching(&tokens, open)?;
    let [create, words @ .., name] = &tokens[..open] else { return None };
    let temporary = words.iter().any(|token| token.is_word("TEMPORARY"));
    if !create.is_word("CREATE") || !words.last()?.is_word("TABLE") {
        return None;
    }
    let name = name.identifier()?.into_owned();
    let mut parsed = Parsed { temporary, name, ..Parsed::default() };
    for part in split(&tokens[open + 1..close]) {
        parsed.part(sql, part);
    }
    parsed.read_options(&tokens[close + 1..]);
    Some(parsed)
}

/// Whether a statement creates a view.
pub(super) fn is_view(flavor: Flavor, sql: &str) -> bool {
    let tokens = flavor.lexicon().significant(sql);
    tokens.iter().take_while(|token| !token.is_word("AS")).any(|token| token.is_word("VIEW"))
}

/// Where the parentheses that open here are closed.
fn matching(tokens: &[Token<'_>], open: usize) -> Option<usize> {
    let mut depth = 0;
    for (idx, token) in tokens.iter().enumerate().skip(open) {
        if token.is_symbol("(") {
            depth += 1;
        } else if token.is_symbol(")") {
            depth -= 1;
            if depth == 0 {
                return Some(idx);
            }
        }
    }
    None
}

/// The parts between commas.
fn split<'t, 'a>(tokens: &'t [Token<'a>]) -> Vec<&'t [Token<'a>]> {
    let mut parts = Vec::new();
    let (mut start, mut depth) = (0, 0);
    for (idx, token) in tokens.iter().enumerate() {
        if token.is_symbol("(") {
            depth += 1;
        } else if token.is_symbol(")") {
            depth -= 1;
        } else if token.is_symbol(",") && depth == 0 {
            parts.push(&tokens[start..idx]);
            start = idx + 1;
        }
    }
    parts.push(&tokens[start..]);
    parts.retain(|part| !part.is_empty());
    parts
}

/// The text of some tokens.
fn text<'s>(sql: &'s str, tokens: &[Token<'_>]) -> &'s str {
    match (tokens.first(), tokens.last()) {
        (Some(first), Some(last)) => &sql[first.start..last.end()],
        _ => "",
    }
}

/// The names in parentheses.
fn names(tokens: &[Token<'_>]) -> Vec<String> {
    tokens.iter().filter_map(Token::identifier).map(|name| name.into_owned()).collect()
}

impl Parsed {
    fn part(&mut self, sql: &str, part: &[Token<'_>]) {
        let Some(first) = part.first() else { return };
        if first.kind == Kind::Quoted {
            let name = first.identifier().unwrap_or_default().into_owned();
            let (definition, unknown) = Definition::read(sql, &part[1..]);
            self.columns.push(ColumnPart { name, definition, unknown, is_outdated: false });
            return;
        }
        let understood = if first.is_word("CONSTRAINT") {
            self.constraint(sql, part)
        } else {
            self.key(sql, part)
        };
        if understood.is_none() {
            self.unknown.push(text(sql, part).to_owned());
        }
    }

    fn key(&mut self, sql: &str, part: &[Token<'_>]) -> Option<()> {
        let at = part.iter().position(|token| token.is_word("KEY"))?;
        let kind = part[..at].first().map_or("", |token| token.text).to_ascii_uppercase();
        let open = part.iter().position(|token| token.is_symbol("("))?;
        let close = matching(part, open)?;
        let name = part[at + 1..open].iter().find_map(Token::identifier);
        let mut terms = Vec::new();
        for term in split(&part[open + 1..close]) {
            terms.push(Term::read(sql, term)?);
        }
        self.keys.push(KeyPart {
            kind,
            name: name.map_or_else(|| "PRIMARY".to_owned(), |name| name.into_owned()),
            terms,
            rest: part[close + 1..].iter().map(|token| token.text.to_owned()).collect(),
        });
        Some(())
    }

    fn constraint(&mut self, sql: &str, part: &[Token<'_>]) -> Option<()> {
        let name = part.get(1)?.identifier()?.into_owned();
        let open = part.iter().position(|token| token.is_symbol("("))?;
        let close = matching(part, open)?;
        let is = |word: &str| part[2..open].iter().any(|token| token.is_word(word));
        if is("CHECK") {
            let rest = &part[close + 1..];
            self.checks.push(CheckPart {
                name,
                condition: text(sql, &part[open + 1..close]).to_owned(),
                is_enforced: !rest.iter().any(|token| token.is_word("ENFORCED")),
            });
            return Some(());
        }
        if !is("FOREIGN") {
            return None;
        }
        let rest = &part[close + 1..];
        let target_open = rest.iter().position(|token| token.is_symbol("("))?;
        let target_close = matching(rest, target_open)?;
        let target = rest[..target_open].last()?.identifier()?.into_owned();
        let behind = &rest[target_close + 1..];
        let action = |event: &str| {
            let at =
                behind.windows(2).position(|pair| pair[0].is_word("ON") && pair[1].is_word(event));
            let words = at.map_or(&[][..], |at| &behind[at + 2..]);
            let words = words.iter().take_while(|token| !token.is_word("ON"));
            words.map(|token| token.text.to_ascii_uppercase()).collect::<Vec<_>>().join(" ")
        };
        self.foreign_keys.push(ForeignKeyPart {
            name,
            columns: names(&part[open + 1..close]),
            target,
            target_columns: names(&rest[target_open + 1..target_close]),
            on_delete: action("DELETE"),
            on_update: action("UPDATE"),
        });
        Some(())
    }

    fn read_options(&mut self, tokens: &[Token<'_>]) {
        let mut rest = tokens;
        while let Some((first, behind)) = rest.split_first() {
            match behind {
                [equals, value, behind @ ..] if equals.is_symbol("=") => {
                    let value = value
                        .unquoted()
                        .map_or_else(|| value.text.to_owned(), |text| text.into_owned());
                    let name = first.identifier().unwrap_or(first.text.into());
                    self.options.push((name.to_ascii_uppercase(), value));
                    rest = behind;
                }
                _ if first.is_word("DEFAULT") => rest = behind,
                _ => {
                    let words: Vec<_> = rest.iter().map(|token| token.text).collect();
                    self.unknown.push(words.join(" "));
                    return;
                }
            }
        }
    }

    /// The column with this name.
    pub(super) fn column(&self, name: &str) -> Option<&ColumnPart> {
        self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// The value of an option.
    pub(super) fn option(&self, name: &str) -> Option<&str> {
        let found = self.options.iter().find(|(option, _)| option == name);
        found.map(|(_, value)| value.as_str())
    }
}

impl KeyPart {
    /// Whether nothing but a hash is said of it. MariaDB says so, too, where it has chosen one.
    pub(super) fn is_hashed(&self) -> bool {
        self.rest.iter().map(|word| word.to_ascii_uppercase()).eq(["USING", "HASH"])
    }

    /// The words behind the parentheses that no schema represents.
    pub(super) fn words(&self) -> Option<String> {
        if self.is_hashed() {
            return None;
        }
        // A comment that only some servers run.
        let words = self.rest.iter().filter(|word| !word.starts_with("/*!") && *word != "*/");
        let words: Vec<_> = words.map(String::as_str).collect();
        Some(words.join(" ")).filter(|words| !words.is_empty())
    }
}

impl Term {
    fn read(sql: &str, term: &[Token<'_>]) -> Option<Term> {
        let (first, rest) = term.split_first()?;
        let descending = term.last().is_some_and(|token| token.is_word("DESC"));
        if first.is_symbol("(") {
            let close = matching(term, 0)?;
            let expression = text(sql, &term[1..close]).to_owned();
            return Some(Term { expression, descending, ..Term::default() });
        }
        let prefix = match rest {
            [open, number, ..] if open.is_symbol("(") => number.text.parse().ok(),
            _ => None,
        };
        let column = Some(first.identifier()?.into_owned());
        Some(Term { column, prefix, descending, ..Term::default() })
    }
}
