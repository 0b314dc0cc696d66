//! Mermaid's `erDiagram`, which forges draw in Markdown.

use std::fmt::Write as _;

use super::{Attribute, Change, Drawing, Relation};

/// The drawing as Mermaid reads it.
pub fn mermaid(drawing: &Drawing) -> String {
    let mut text = "erDiagram\n".to_owned();
    for table in &drawing.tables {
        let _ = writeln!(text, "    {} {{", quoted(&titled(&table.name, table.change)));
        for attribute in &table.attributes {
            let _ = writeln!(text, "        {}", line(attribute));
        }
        text.push_str("    }\n");
    }
    for relation in &drawing.relations {
        let of = |place: usize| {
            let table = &drawing.tables[place];
            quoted(&titled(&table.name, table.change))
        };
        let label = quoted(&titled(&relation.columns, relation.change));
        let _ = writeln!(
            text,
            "    {} {} {} : {label}",
            of(relation.from),
            ends(relation),
            of(relation.to)
        );
    }
    text
}

/// A name with what happens to it.
fn titled(name: &str, change: Change) -> String {
    match change.word() {
        Some(word) => format!("{name} ({word})"),
        None => name.to_owned(),
    }
}

/// `}o--||`: how many rows there are on each side.
fn ends(relation: &Relation) -> String {
    let many = if relation.is_unique { "|o" } else { "}o" };
    let one = if relation.is_optional { "o|" } else { "||" };
    format!("{many}--{one}")
}

/// A text in quotes. What Mermaid's grammar has no place for, and what it would take for HTML, for
/// Markdown or for a formula, is written as a code, which it draws as the character.
pub fn quoted(text: &str) -> String {
    let mut quoted = "\"".to_owned();
    for sign in text.chars() {
        match sign {
            '"' | '%' | '\\' | '#' | '<' | '>' | '&' | '~' | '*' | '`' | '$' => {
                let _ = write!(quoted, "#{};", u32::from(sign));
            }
            sign if sign.is_control() => quoted.push(' '),
            sign => quoted.push(sign),
        }
    }
    quoted + "\""
}

/// Type and name are words; what they can't have is in the comment.
fn line(attribute: &Attribute) -> String {
    let (ty, name) = (word(&attribute.ty.replace(", ", "-")), word(&attribute.name));
    let mut parts = vec![ty, name.clone()];
    parts.push(attribute.keys());
    let mut remarks = Vec::new();
    if name != attribute.name {
        remarks.push(attribute.name.clone());
    }
    if attribute.is_nullable {
        remarks.push("may be NULL".to_owned());
    }
    remarks.extend(attribute.change.word().map(str::to_owned));
    if !remarks.is_empty() {
        parts.push(quoted(&remarks.join(", ")));
    }
    parts.retain(|part| !part.is_empty());
    parts.join(" ")
}

/// The text as a word of Mermaid's grammar.
fn word(text: &str) -> String {
    let is_letter = |sign: char| {
        sign.is_ascii_alphanumeric()
            || (('\u{c0}'..='\u{ffff}').contains(&sign) && sign.is_alphanumeric())
    };
    let fits = |sign: char| is_letter(sign) || matches!(sign, '_' | '-' | '(' | ')');
    let mut word: String = text.chars().map(|sign| if fits(sign) { sign } else { '_' }).collect();
    // `pk` and `pk-1` would begin with a key, and `pk_1` doesn't.
    let is_key = word.get(..2).is_some_and(|start| {
        let is_one = ["pk", "fk", "uk"].iter().any(|key| start.eq_ignore_ascii_case(key));
        is_one && !word[2..].starts_with(|sign: char| sign.is_ascii_alphanumeric() || sign == '_')
    });
    if is_key || !word.starts_with(|sign: char| sign.is_alphabetic() || sign == '_') {
        word.insert(0, '_');
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each was tried with Mermaid 11: without the codes and the underscores it doesn't parse.
    #[test]
    fn names_are_written_as_the_grammar_takes_them() {
        let words =
            ["id", "pk", "FK-1", "uk\u{e9}", "pk_1", "pkg", "1st", "gr\u{f6}\u{df}e", "\u{1f600}"];
        assert_eq!(
            words.map(word),
            ["id", "_pk", "_FK-1", "_uk\u{e9}", "pk_1", "pkg", "_1st", "gr\u{f6}\u{df}e", "_"]
        );
        assert_eq!(quoted("50% \\ \"a\" <b>\nc#1;"), "\"50#37; #92; #34;a#34; #60;b#62; c#35;1;\"");
    }
}
