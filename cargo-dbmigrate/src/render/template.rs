//! The template of a revision module: text with placeholders.

use crate::error::{Error, Result};

/// The names that a placeholder can have.
pub const NAMES: [&str; 10] = [
    "message",
    "rev",
    "revises",
    "create_date",
    "down_revision",
    "branch_labels",
    "depends_on",
    "runtime",
    UPGRADE,
    DOWNGRADE,
];

/// The bodies of the two functions. Without a placeholder for them a revision would lose its
/// operations.
const UPGRADE: &str = "upgrade";
const DOWNGRADE: &str = "downgrade";
const BODIES: [&str; 2] = [UPGRADE, DOWNGRADE];

/// The indentation of statements in a body.
const INDENT: &str = "    ";

/// A template whose placeholders have been checked.
#[derive(Debug, Clone)]
pub struct Template {
    /// The file's name, for messages.
    name: String,
    pieces: Vec<Piece>,
}

/// A part of a template, and the line where it starts.
#[derive(Debug, Clone)]
struct Piece {
    line: usize,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Text(String),
    Value(&'static str),
    /// A body on lines of its own, with the indentation of each line.
    Lines(&'static str, String),
}

/// A filled template.
pub struct Filled {
    pub text: String,
    /// For each line of the text, the line of the template that it comes from.
    origins: Vec<usize>,
}

impl Template {
    /// Parses a template. `${name}` is a placeholder, `$$` a dollar sign.
    ///
    /// # Errors
    ///
    /// A placeholder that is unknown or unclosed, a `$` that starts no placeholder, and a missing
    /// placeholder for a body.
    pub fn parse(name: &str, text: &str) -> Result<Template> {
        let mut template = Template { name: name.to_owned(), pieces: Vec::new() };
        let line_of = |at: usize| text[..at].matches('\n').count() + 1;
        // How far the text has been read.
        let mut at = 0;
        while let Some(n) = text[at..].find('$') {
            let start = at + n;
            let mut before = &text[at..start];
            let (first_line, line) = (line_of(at), line_of(start));
            let after = &text[start + 1..];
            let kind = if after.starts_with('$') {
                at = start + 2;
                Kind::Text("$".to_owned())
            } else {
                let name = template.placeholder(after, line)?;
                at = start + "${}".len() + name.len();
                match alone(text, start, at).filter(|_| BODIES.contains(&name)) {
                    Some((indent, next)) => {
                        before = before.strip_suffix(indent).unwrap_or(before);
                        at = next;
                        Kind::Lines(name, indent.to_owned())
                    }
                    None => Kind::Value(name),
                }
            };
            template.pieces.push(Piece { line: first_line, kind: Kind::Text(before.to_owned()) });
            template.pieces.push(Piece { line, kind });
        }
        let rest = Kind::Text(text[at..].to_owned());
        template.pieces.push(Piece { line: line_of(at), kind: rest });
        for body in BODIES {
            let is_body = |piece: &Piece| matches!(piece.kind, Kind::Value(name) | Kind::Lines(name, _) if name == body);
            if !template.pieces.iter().any(is_body) {
                let what = format!(
                    "there is no `${{{body}}}`, so the operations of a revision would be lost"
                );
                return Err(template.wrong(None, &what).hint(function(body)));
            }
        }
        Ok(template)
    }

    /// The name in a placeholder, given the text after the `$`.
    fn placeholder(&self, after: &str, line: usize) -> Result<&'static str> {
        let Some(inner) = after.strip_prefix('{') else {
            return Err(self
                .wrong(Some(line), "a `$` that begins no placeholder")
                .hint("a placeholder is `${name}`, and `$$` is a dollar sign"));
        };
        let Some((inner, _)) = inner.split_once('}').filter(|(text, _)| !text.contains('\n'))
        else {
            return Err(self
                .wrong(Some(line), "a placeholder that is not closed")
                .hint("a placeholder is `${name}`, and `$$` is a dollar sign"));
        };
        NAMES.into_iter().find(|name| *name == inner).ok_or_else(|| {
            let known: Vec<_> = NAMES.iter().map(|name| format!("`${{{name}}}`")).collect();
            self.wrong(Some(line), &format!("unknown placeholder `${{{inner}}}`"))
                .hint(format!("known are {}; `$$` is a dollar sign", known.join(", ")))
        })
    }

    /// Fills the template with these values. A body starts and ends with a line break, or is empty;
    /// if its placeholder is alone on a line, the lines of the body get the same indentation.
    pub fn fill(&self, value: impl Fn(&str) -> String) -> Filled {
        let mut filled = Filled { text: String::new(), origins: vec![1] };
        for Piece { line, kind } in &self.pieces {
            match kind {
                Kind::Text(text) => filled.push(text, *line, 1),
                Kind::Value(name) => filled.push(&value(name), *line, 0),
                Kind::Lines(name, indent) => {
                    for statement in value(name).lines().skip(1) {
                        let statement = statement.strip_prefix(INDENT).unwrap_or(statement);
                        filled.push(&format!("{indent}{statement}\n"), *line, 0);
                    }
                }
            }
        }
        filled
    }

    /// The error that the template can't produce a revision.
    pub fn wrong(&self, line: Option<usize>, what: &str) -> Error {
        let line = line.map_or(String::new(), |line| format!(":{line}"));
        Error::new(format!(
            "failed to write a revision from the template `{}{line}`: {what}",
            self.name
        ))
    }
}

impl Filled {
    /// The line of the template that a line of the text comes from, both counted from 1.
    pub fn origin(&self, line: usize) -> Option<usize> {
        self.origins.get(line.checked_sub(1)?).or(self.origins.last()).copied()
    }

    /// Adds text that starts at this line of the template; the line number increases by `step` per
    /// line.
    fn push(&mut self, text: &str, mut line: usize, step: usize) {
        if text.is_empty() {
            return;
        }
        if let Some(last) = self.origins.last_mut().filter(|_| !is_mid_line(&self.text)) {
            *last = line;
        }
        for _ in text.matches('\n') {
            line += step;
            self.origins.push(line);
        }
        self.text += text;
    }
}

/// Whether the following text is on the same line.
fn is_mid_line(text: &str) -> bool {
    !text.is_empty() && !text.ends_with('\n')
}

/// The indentation of a placeholder that is alone on its line, and the position of the next line.
fn alone(text: &str, start: usize, end: usize) -> Option<(&str, usize)> {
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let next = text[end..].find('\n').map_or(text.len(), |at| end + at + 1);
    let (indent, after) = (&text[line_start..start], &text[end..next]);
    (indent.trim().is_empty() && after.trim().is_empty()).then_some((indent, next))
}

/// The function that contains this body.
pub fn function(name: &str) -> String {
    format!("a revision has `pub fn {name}(op: &mut Operations) {{${{{name}}}}}`")
}
