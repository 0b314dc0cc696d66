//! The keys of attributes, and attributes as text.

use std::borrow::Cow;

use dbmigrate_runtime::Value;
use dbmigrate_runtime::schema::{DefaultValue, Deferrable, ForeignKey, ReferentialAction};
use unicode_width::UnicodeWidthStr as _;

use crate::render::text;

/// The longest line.
const WIDTH: usize = 100;

/// The longest list of keys in one line, as rustfmt has it.
const KEYS_WIDTH: usize = 70;

/// A key of an attribute.
#[derive(Clone)]
pub(super) enum Key {
    /// `length = 10`
    Plain(String),
    /// `unique(name = "...", columns(a, b))`
    List(&'static str, Vec<String>),
}

pub(super) fn named(name: &str) -> Vec<String> {
    if name.is_empty() { Vec::new() } else { vec![format!("name = {}", text(name))] }
}

pub(super) fn deferrable(deferrable: Deferrable) -> String {
    let when = match deferrable {
        Deferrable::InitiallyImmediate => "initially immediate",
        Deferrable::InitiallyDeferred => "initially deferred",
    };
    format!("deferrable = \"{when}\"")
}

/// What a foreign key does when its target changes.
pub(super) fn actions(key: &ForeignKey) -> Vec<String> {
    let action = |word: &str, action: ReferentialAction| {
        let what = action.sql().to_lowercase().replace(' ', "_");
        (action != ReferentialAction::NoAction).then(|| format!("{word} = {what}"))
    };
    let both = [action("on_delete", key.on_delete), action("on_update", key.on_update)];
    both.into_iter().flatten().chain(key.deferrable.map(deferrable)).collect()
}

pub(super) fn default(default: &DefaultValue) -> Option<String> {
    let sql = |text: String| format!("default = sql({text})");
    Some(match default {
        DefaultValue::Now => "default = now".to_owned(),
        DefaultValue::Sql(expression) => sql(text(expression)),
        DefaultValue::Literal(Value::Null) => return None,
        DefaultValue::Literal(Value::Bool(on)) => format!("default = {on}"),
        DefaultValue::Literal(Value::Integer(number)) => format!("default = {number}"),
        DefaultValue::Literal(Value::Real(number)) => format!("default = {number:?}"),
        DefaultValue::Literal(Value::Text(value)) => format!("default = {}", text(value)),
        DefaultValue::Literal(value @ Value::Blob(_)) => sql(text(&value.to_string())),
    })
}

/// A doc comment.
pub(super) fn comment(comment: Option<&str>, indent: &str) -> String {
    let Some(comment) = comment else { return String::new() };
    let text = comment.replace("\r\n", "\n");
    let lines = text.trim_end().split(['\n', '\r']);
    let line = |line: &str| {
        let line: String = line.chars().filter(|char| !is_unwritten(*char)).collect();
        format!("{indent}{}\n", format!("/// {line}").trim_end())
    };
    let is_empty = text.trim().is_empty();
    lines.filter(|_| !is_empty).map(line).collect()
}

/// Whether a doc comment says exactly this.
pub(super) fn is_said_by_comment(comment: &str) -> bool {
    comment.trim() == comment && !comment.chars().any(|char| is_unwritten(char) || char == '\n')
}

/// Letters that the compiler doesn't take in comments: control characters, and those that turn the
/// direction of what follows.
fn is_unwritten(char: char) -> bool {
    char.is_control() && char != '\t'
        || matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// An attribute with these keys, in one line if it fits.
pub(super) fn attribute(keys: &[Key], indent: &str) -> String {
    if keys.is_empty() {
        return String::new();
    }
    let line = keys.iter().map(Key::in_line).collect::<Vec<_>>().join(", ");
    // A single key may take the whole line.
    let room = match keys {
        [Key::Plain(_)] => WIDTH - indent.width() - "#[model()]".len(),
        _ => KEYS_WIDTH,
    };
    if line.width() <= room {
        return format!("{indent}#[model({line})]\n");
    }
    let inside = format!("{indent}    ");
    let keys: Vec<_> = keys.iter().map(|key| key.in_lines(&inside)).collect();
    format!("{indent}#[model(\n{}\n{indent})]\n", keys.join(",\n"))
}

impl Key {
    fn in_line(&self) -> Cow<'_, str> {
        match self {
            Key::Plain(text) => Cow::Borrowed(text),
            Key::List(word, parts) => Cow::Owned(format!("{word}({})", parts.join(", "))),
        }
    }

    /// The key in lines of its own, each part in one if they don't fit together.
    fn in_lines(&self, indent: &str) -> String {
        let line = format!("{indent}{}", self.in_line());
        match self {
            Key::List(word, parts)
                if line.width() >= WIDTH || parts.join(", ").width() > KEYS_WIDTH =>
            {
                let parts: Vec<_> =
                    parts.iter().map(|part| format!("{indent}    {part}")).collect();
                format!("{indent}{word}(\n{}\n{indent})", parts.join(",\n"))
            }
            Key::Plain(_) | Key::List(..) => line,
        }
    }
}
