//! Draws revisions for other programs: each above those that it follows, with a dashed line to those
//! that it only depends on.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::graph::{self, Node};
use crate::cli::Form;
use crate::erd::{Change, dot_text, escaped, mermaid_text, svg_opening};

const ROW: usize = 34;
const LANE: usize = 22;
const MARGIN: usize = 20;
/// How wide a character is, about.
const CHARACTER: usize = 7;

/// The picture in this form. Revisions are given newest first.
pub fn picture(form: Form, nodes: &[Node]) -> String {
    let drawing = Drawing::of(nodes);
    match form {
        Form::Mermaid => drawing.mermaid(),
        Form::Dot => drawing.dot(),
        Form::Svg => drawing.svg(),
    }
}

/// Revisions from top to bottom, with the lines between them.
struct Drawing {
    labels: Vec<String>,
    /// The lane in which each revision is.
    lanes: Vec<usize>,
    lines: Vec<Line>,
}

/// A line from a revision down to one that it follows.
struct Line {
    from: usize,
    to: usize,
    /// The lane in which it passes the revisions between them.
    lane: usize,
    /// Whether the revision only depends on the other one.
    is_dashed: bool,
}

impl Drawing {
    fn of(nodes: &[Node]) -> Drawing {
        let order = graph::order(nodes);
        let places: BTreeMap<&str, usize> =
            order.iter().enumerate().map(|(place, node)| (node.id.as_str(), place)).collect();
        let mut drawing = Drawing { labels: Vec::new(), lanes: Vec::new(), lines: Vec::new() };
        // The revision that each lane leads to.
        let mut open: Vec<Option<usize>> = Vec::new();
        for (from, node) in order.iter().enumerate() {
            let lane = open.iter().position(|to| *to == Some(from));
            let lane = lane.unwrap_or_else(|| free(&mut open));
            open.iter_mut().filter(|to| **to == Some(from)).for_each(|to| *to = None);
            let current = if node.is_current { " (current)" } else { "" };
            let message = if node.message.is_empty() { "" } else { ": " };
            drawing.labels.push(format!("{}{current}{message}{}", node.id, node.message));
            drawing.lanes.push(lane);
            let parents = node.parents.iter().map(|id| (id, false));
            let mut own = Some(lane);
            for (id, is_dashed) in parents.chain(node.needs.iter().map(|id| (id, true))) {
                let Some(to) = places.get(id.as_str()).copied().filter(|to| *to > from) else {
                    continue;
                };
                let lane = own.take().unwrap_or_else(|| free(&mut open));
                open[lane] = Some(to);
                drawing.lines.push(Line { from, to, lane, is_dashed });
            }
        }
        drawing
    }

    fn mermaid(&self) -> String {
        let mut text = "flowchart BT\n".to_owned();
        for (place, label) in self.labels.iter().enumerate() {
            let _ = writeln!(text, "    r{place}[{}]", mermaid_text(label));
        }
        for Line { from, to, is_dashed, .. } in &self.lines {
            let arrow = if *is_dashed { "-.->" } else { "-->" };
            let _ = writeln!(text, "    r{to} {arrow} r{from}");
        }
        text
    }

    fn dot(&self) -> String {
        let mut text = "digraph history {\n    rankdir=BT;\n    node [shape=box, \
                        fontname=\"sans-serif\"];\n"
            .to_owned();
        for (place, label) in self.labels.iter().enumerate() {
            let _ = writeln!(text, "    r{place} [label={}];", dot_text(label));
        }
        for Line { from, to, is_dashed, .. } in &self.lines {
            let style = if *is_dashed { " [style=dashed]" } else { "" };
            let _ = writeln!(text, "    r{to} -> r{from}{style};");
        }
        text + "}\n"
    }

    fn svg(&self) -> String {
        let n_lanes = self.lines.iter().map(|line| line.lane).chain(self.lanes.iter().copied());
        let beside = MARGIN + n_lanes.max().map_or(0, |last| last + 1) * LANE;
        let longest = self.labels.iter().map(|label| label.chars().count()).max().unwrap_or(0);
        let width = beside + longest * CHARACTER + MARGIN;
        let mut text = svg_opening(width, 2 * MARGIN + self.labels.len() * ROW);
        let colour = Change::None.colour();
        for line in &self.lines {
            let dashes = if line.is_dashed { " stroke-dasharray=\"4\"" } else { "" };
            let path = self.path(line);
            let _ =
                writeln!(text, "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\"{dashes}/>");
        }
        for (place, label) in self.labels.iter().enumerate() {
            let (x, y) = self.at(place);
            let _ = writeln!(
                text,
                "<circle cx=\"{x}\" cy=\"{y}\" r=\"5\" fill=\"{colour}\"/>\n\
                 <text x=\"{beside}\" y=\"{}\" fill=\"{colour}\">{}</text>",
                y + 4,
                escaped(label)
            );
        }
        text + "</svg>\n"
    }

    fn at(&self, place: usize) -> (usize, usize) {
        (MARGIN + self.lanes[place] * LANE, MARGIN + place * ROW + ROW / 2)
    }

    /// A line that leaves a revision to its lane, and its lane to the other revision, in bends.
    fn path(&self, line: &Line) -> String {
        let ((x1, y1), (x2, y2)) = (self.at(line.from), self.at(line.to));
        let bend = |(x1, y1): (usize, usize), (x2, y2): (usize, usize)| {
            format!("C{x1} {} {x2} {} {x2} {y2}", y1 + ROW / 2, y2 - ROW / 2)
        };
        if line.to == line.from + 1 {
            return format!("M{x1} {y1} {}", bend((x1, y1), (x2, y2)));
        }
        let x = MARGIN + line.lane * LANE;
        let (leaving, joining) = ((x, y1 + ROW), (x, y2 - ROW));
        format!(
            "M{x1} {y1} {} L{} {} {}",
            bend((x1, y1), leaving),
            joining.0,
            joining.1,
            bend(joining, (x2, y2))
        )
    }
}

/// The first lane that leads nowhere, or a new one.
fn free(open: &mut Vec<Option<usize>>) -> usize {
    open.iter().position(Option::is_none).unwrap_or_else(|| {
        open.push(None);
        open.len() - 1
    })
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn node(id: &str, message: &str, parents: &[&str], needs: &[&str]) -> Node {
        let owned = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
        Node {
            id: id.to_owned(),
            message: message.to_owned(),
            parents: owned(parents),
            needs: owned(needs),
            ..Node::default()
        }
    }

    fn nodes() -> Vec<Node> {
        vec![
            node("d4", "", &["c3", "b2"], &[]),
            Node { is_current: true, ..node("c3", "say \"<hi>\"", &["a1"], &[]) },
            node("b2", "posts", &["a1"], &["z9"]),
            node("a1", "users", &[], &[]),
            node("z9", "logs", &["gone"], &[]),
        ]
    }

    #[test]
    fn each_form_shows_revisions_and_what_they_follow() {
        expect![[r#"
            flowchart BT
                r0["d4"]
                r1["b2: posts"]
                r2["z9: logs"]
                r3["c3 (current): say #34;#60;hi#62;#34;"]
                r4["a1: users"]
                r3 --> r0
                r1 --> r0
                r4 --> r1
                r2 -.-> r1
                r4 --> r3
        "#]]
        .assert_eq(&picture(Form::Mermaid, &nodes()));
        expect![[r#"
            digraph history {
                rankdir=BT;
                node [shape=box, fontname="sans-serif"];
                r0 [label="d4"];
                r1 [label="b2: posts"];
                r2 [label="z9: logs"];
                r3 [label="c3 (current): say \"<hi>\""];
                r4 [label="a1: users"];
                r3 -> r0;
                r1 -> r0;
                r4 -> r1;
                r2 -> r1 [style=dashed];
                r4 -> r3;
            }
        "#]]
        .assert_eq(&picture(Form::Dot, &nodes()));
        expect![[r##"
            <svg xmlns="http://www.w3.org/2000/svg" width="274" height="210" font-family="sans-serif" font-size="12">
            <rect width="100%" height="100%" fill="#ffffff"/>
            <path d="M20 37 C20 54 20 54 20 71 L20 105 C20 122 20 122 20 139" fill="none" stroke="#333333"/>
            <path d="M20 37 C20 54 42 54 42 71" fill="none" stroke="#333333"/>
            <path d="M42 71 C42 88 42 88 42 105 L42 139 C42 156 20 156 20 173" fill="none" stroke="#333333"/>
            <path d="M42 71 C42 88 64 88 64 105" fill="none" stroke="#333333" stroke-dasharray="4"/>
            <path d="M20 139 C20 156 20 156 20 173" fill="none" stroke="#333333"/>
            <circle cx="20" cy="37" r="5" fill="#333333"/>
            <text x="86" y="41" fill="#333333">d4</text>
            <circle cx="42" cy="71" r="5" fill="#333333"/>
            <text x="86" y="75" fill="#333333">b2: posts</text>
            <circle cx="64" cy="105" r="5" fill="#333333"/>
            <text x="86" y="109" fill="#333333">z9: logs</text>
            <circle cx="20" cy="139" r="5" fill="#333333"/>
            <text x="86" y="143" fill="#333333">c3 (current): say &quot;&lt;hi&gt;&quot;</text>
            <circle cx="20" cy="173" r="5" fill="#333333"/>
            <text x="86" y="177" fill="#333333">a1: users</text>
            </svg>
        "##]].assert_eq(&picture(Form::Svg, &nodes()));
        assert_eq!(picture(Form::Mermaid, &[]), "flowchart BT\n");
    }
}
