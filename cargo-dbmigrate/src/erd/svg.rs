//! A drawing of our own: tables in columns, those that are referred to on the right of those that
//! refer to them.

use std::fmt::Write as _;

use super::{Drawing, Entity, escaped};

const LINE: usize = 18;
const WIDE: usize = 260;
const GAP: usize = 90;
const BELOW: usize = 30;
const MARGIN: usize = 20;
/// How many characters fit into a line of a table.
const FITS: usize = 34;

/// A table's place.
struct Place {
    x: usize,
    y: usize,
    height: usize,
}

/// The drawing as SVG.
pub fn svg(drawing: &Drawing) -> String {
    let places = places(drawing);
    let width = places.iter().map(|place| place.x + WIDE).max().unwrap_or(0) + MARGIN;
    let height = places.iter().map(|place| place.y + place.height).max().unwrap_or(0) + MARGIN;
    let mut text = opening(width, height);
    for relation in &drawing.relations {
        let (from, to) = (&places[relation.from], &places[relation.to]);
        let bend = GAP / 2;
        let start = (from.x + WIDE, from.y + LINE / 2);
        // A table that refers to itself has its arrow on one side.
        let is_own = relation.from == relation.to;
        let end = if is_own { (start.0, start.1 + LINE) } else { (to.x, to.y + LINE / 2) };
        let before_end = if is_own { end.0 + bend } else { end.0.saturating_sub(bend) };
        let dashes = if relation.is_optional { " stroke-dasharray=\"4\"" } else { "" };
        let _ = writeln!(
            text,
            "<path d=\"M{} {} C{} {} {} {} {} {}\" fill=\"none\" stroke=\"{}\"{dashes}><title>{}\
             </title></path>",
            start.0,
            start.1,
            start.0 + bend,
            start.1,
            before_end,
            end.1,
            end.0,
            end.1,
            relation.change.colour(),
            escaped(&format!(
                "{} ({}) to {}",
                drawing.tables[relation.from].name,
                relation.columns,
                drawing.tables[relation.to].name
            ))
        );
    }
    for (table, place) in drawing.tables.iter().zip(&places) {
        entity(&mut text, table, place);
    }
    text.push_str("</svg>\n");
    text
}

/// The beginning of an image, with its background.
pub fn opening(width: usize, height: usize) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" \
         fill=\"#ffffff\"/>\n"
    )
}

fn entity(text: &mut String, table: &Entity, place: &Place) {
    let Place { x, y, height } = place;
    let colour = table.change.colour();
    let _ = writeln!(
        text,
        "<rect x=\"{x}\" y=\"{y}\" width=\"{WIDE}\" height=\"{height}\" fill=\"#ffffff\" \
         stroke=\"{colour}\"/>\n<rect x=\"{x}\" y=\"{y}\" width=\"{WIDE}\" height=\"{LINE}\" \
         fill=\"{colour}\"/>\n<text x=\"{}\" y=\"{}\" fill=\"#ffffff\" font-weight=\"bold\">{}</text>",
        x + 6,
        y + 13,
        short(&table.name)
    );
    for (nth, attribute) in table.attributes.iter().enumerate() {
        let null = if attribute.is_nullable { "?" } else { "" };
        let shown = format!("{}: {}{null} {}", attribute.name, attribute.ty, attribute.keys());
        let _ = writeln!(
            text,
            "<text x=\"{}\" y=\"{}\" fill=\"{}\">{}</text>",
            x + 6,
            y + 13 + LINE * (nth + 1),
            attribute.change.colour(),
            short(shown.trim_end())
        );
    }
}

/// A text that fits into a line.
fn short(text: &str) -> String {
    match text.char_indices().nth(FITS) {
        Some((end, _)) => escaped(&format!("{}...", &text[..end])),
        None => escaped(text),
    }
}

/// Places each table one column to the left of those that it refers to. Tables that refer to each
/// other in a circle end up as if one reference of the circle weren't there.
fn places(drawing: &Drawing) -> Vec<Place> {
    let n = drawing.tables.len();
    let mut depths = vec![0; n];
    for _ in 0..n {
        let mut is_settled = true;
        for relation in drawing.relations.iter().filter(|relation| relation.from != relation.to) {
            let depth = depths[relation.to] + 1;
            // A path without a circle has fewer steps than there are tables.
            if depths[relation.from] < depth && depth < n {
                depths[relation.from] = depth;
                is_settled = false;
            }
        }
        if is_settled {
            break;
        }
    }
    // A circle has raised its tables without end: no column stays empty.
    let mut used = depths.clone();
    used.sort_unstable();
    used.dedup();
    let n_columns = used.len();
    let mut bottoms = vec![MARGIN; n_columns];
    let place = |(table, depth): (&Entity, &usize)| {
        let column = n_columns - 1 - used.binary_search(depth).unwrap_or(0);
        let height = LINE * (table.attributes.len() + 1);
        let y = bottoms[column];
        bottoms[column] += height + BELOW;
        Place { x: MARGIN + column * (WIDE + GAP), y, height }
    };
    drawing.tables.iter().zip(&depths).map(place).collect()
}
