//! Graphviz' DOT.

use std::fmt::Write as _;

use super::{Change, Drawing, escaped};

/// The drawing as Graphviz reads it.
pub fn dot(drawing: &Drawing) -> String {
    let mut text =
        "digraph schema {\n    rankdir=LR;\n    node [shape=plain, fontname=\"sans-serif\"];\n"
            .to_owned();
    for (place, table) in drawing.tables.iter().enumerate() {
        let mut rows = format!(
            "<tr><td colspan=\"2\" bgcolor=\"#eeeeee\">{}</td></tr>",
            coloured(&format!("<b>{}</b>", escaped(&table.name)), table.change)
        );
        for attribute in &table.attributes {
            let null = if attribute.is_nullable { "?" } else { "" };
            let ty = escaped(&format!("{}{null} {}", attribute.ty, attribute.keys()));
            let _ = write!(
                rows,
                "<tr><td align=\"left\">{}</td><td align=\"left\">{}</td></tr>",
                coloured(&escaped(&attribute.name), attribute.change),
                coloured(ty.trim_end(), attribute.change)
            );
        }
        let _ = writeln!(
            text,
            "    t{place} [label=<<table border=\"0\" cellborder=\"1\" cellspacing=\"0\">{rows}</table>>];"
        );
    }
    for relation in &drawing.relations {
        let label = quoted(&relation.columns);
        let style = if relation.is_optional { ", style=dashed" } else { "" };
        let _ = writeln!(
            text,
            "    t{} -> t{} [label={label}, color=\"{}\"{style}];",
            relation.from,
            relation.to,
            relation.change.colour()
        );
    }
    text.push_str("}\n");
    text
}

/// A text in quotes.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn coloured(text: &str, change: Change) -> String {
    match change {
        // Graphviz has no empty font.
        _ if text.is_empty() => String::new(),
        Change::None => text.to_owned(),
        change => format!("<font color=\"{}\">{text}</font>", change.colour()),
    }
}
