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

/// A name may have any characters but a double quote.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "'").replace(['\n', '\r'], " "))
}

/// Type and name are words; what they can't have is in the comment.
fn line(attribute: &Attribute) -> String {
    let word = |text: &str| -> String {
        let fits = |sign: char| sign.is_alphanumeric() || matches!(sign, '_' | '-' | '(' | ')');
        let mut word: String =
            text.chars().map(|sign| if fits(sign) { sign } else { '_' }).collect();
        if !word.starts_with(|sign: char| sign.is_alphabetic() || sign == '_') {
            word.insert(0, '_');
        }
        word
    };
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
