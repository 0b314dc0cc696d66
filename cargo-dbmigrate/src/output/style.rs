//! The appearance of results for people: colours, and aligned columns.
//!
//! Text is always styled here; printing removes the colours where they can't be seen.

use std::fmt::Write as _;
use std::io::IsTerminal as _;

use anstyle::{AnsiColor, Style};

pub const GOOD: Style = AnsiColor::Green.on_default();
pub const BAD: Style = AnsiColor::Red.on_default();
pub const CHANGED: Style = AnsiColor::Yellow.on_default();
pub const LABEL: Style = AnsiColor::Yellow.on_default();
pub const HERE: Style = AnsiColor::Cyan.on_default();
const ID: Style = Style::new().bold();

/// Text with a style.
pub fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// A revision's id.
pub fn id(text: &str) -> String {
    paint(ID, text)
}

/// A description of what was found, in the colour of an addition, a removal or a change.
pub fn found(text: &str) -> String {
    let words = text.strip_prefix("Detected ").unwrap_or(text);
    let style = match words.split(' ').next() {
        Some("added") => GOOD,
        Some("removed") => BAD,
        _ => CHANGED,
    };
    paint(style, text)
}

/// Whether columns may be aligned, because a person reads them and not a program that splits lines.
pub fn is_for_people() -> bool {
    anstream::ColorChoice::global() == anstream::ColorChoice::Always
        || std::io::stdout().is_terminal()
}

/// Lines of `key: value`, with the values aligned if a person reads them.
pub fn entries(entries: &[(&str, String)]) -> String {
    let width = if is_for_people() {
        entries.iter().map(|(key, _)| key.len() + 1).max().unwrap_or_default()
    } else {
        0
    };
    entries.iter().fold(String::new(), |mut text, (key, value)| {
        let _ = writeln!(text, "{:width$} {value}", format!("{key}:"));
        text
    })
}

/// `<base>` or the parents' ids.
pub fn parents_text(parents: &[String]) -> String {
    if parents.is_empty() { "<base>".to_owned() } else { parents.join(", ") }
}
