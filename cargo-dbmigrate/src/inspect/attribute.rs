//! The keys of attributes, and attributes as text.

use dbmigrate_runtime::Value;
use dbmigrate_runtime::schema::{DefaultValue, Deferrable, ForeignKey, ReferentialAction};

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
    let lines = comment.into_iter().flat_map(str::lines);
    lines.map(|line| format!("{indent}{}\n", format!("/// {line}").trim_end())).collect()
}

/// An attribute with these keys, in one line if it fits.
pub(super) fn attribute(keys: &[Key], indent: &str) -> String {
    if keys.is_empty() {
        return String::new();
    }
    let texts: Vec<_> = keys.iter().map(Key::in_line).collect();
    let line = texts.join(", ");
    if line.len() <= KEYS_WIDTH {
        return format!("{indent}#[model({line})]\n");
    }
    let inside = format!("{indent}    ");
    let keys: Vec<_> = keys.iter().map(|key| key.in_lines(&inside)).collect();
    format!("{indent}#[model(\n{}\n{indent})]\n", keys.join(",\n"))
}

impl Key {
    fn in_line(&self) -> String {
        match self {
            Key::Plain(text) => text.clone(),
            Key::List(word, parts) => format!("{word}({})", parts.join(", ")),
        }
    }

    /// The key in lines of its own, each part in one if they don't fit together.
    fn in_lines(&self, indent: &str) -> String {
        let line = format!("{indent}{}", self.in_line());
        match self {
            Key::List(word, parts)
                if line.len() >= WIDTH || parts.join(", ").len() > KEYS_WIDTH =>
            {
                let parts: Vec<_> =
                    parts.iter().map(|part| format!("{indent}    {part}")).collect();
                format!("{indent}{word}(\n{}\n{indent})", parts.join(",\n"))
            }
            Key::Plain(_) | Key::List(..) => line,
        }
    }
}
