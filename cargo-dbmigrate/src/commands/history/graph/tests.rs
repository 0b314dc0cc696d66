//! Drawings as text.

use std::collections::BTreeSet;

use expect_test::{Expect, expect};
use proptest::prelude::*;
use proptest::sample::Index;

use super::{Node, draw};

/// Draws revisions, each as `id: parents` or `id: parents / needs`, newest first.
#[track_caller]
fn check(revisions: &[&str], expect: Expect) {
    let nodes: Vec<Node> = revisions.iter().map(|revision| node(revision)).collect();
    expect.assert_eq(&drawn(&nodes));
}

fn node(text: &str) -> Node {
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
    let (id, parents) = text.split_once(':').unwrap();
    let (parents, needs) = parents.split_once('/').unwrap_or((parents, ""));
    let lines = vec![id.to_owned()];
    Node {
        id: id.to_owned(),
        parents: words(parents),
        needs: words(needs),
        lines,
        ..Node::default()
    }
}

fn drawn(nodes: &[Node]) -> String {
    draw(nodes).iter().map(|draw| format!("{draw}\n")).collect()
}

#[test]
fn a_line_and_nothing() {
    check(
        &["c: b", "b: a", "a:"],
        expect![[r#"
        * c
        * b
        * a
    "#]],
    );
    check(&[], expect![[r#""#]]);
}

#[test]
fn a_fork() {
    check(
        &["d: c", "b: a", "c: a", "a:"],
        expect![[r#"
        * d
        * c
        | * b
        |/
        * a
    "#]],
    );
    check(
        &["d: a", "c: a", "b: a", "a:"],
        expect![[r#"
        * d
        | * c
        |/
        | * b
        |/
        * a
    "#]],
    );
}

#[test]
fn a_merge() {
    check(
        &["e: d b", "d: c", "c: a", "b: a", "a:"],
        expect![[r#"
        *   e
        |\
        | * b
        * | d
        * | c
        |/
        * a
    "#]],
    );
    // Into a line that continues next to it.
    check(
        &["f: e", "e: d b", "g: d", "d: a", "b: a", "a:"],
        expect![[r#"
        * f
        *   e
        |\
        | * b
        | | * g
        | |/
        |/|
        * | d
        |/
        * a
    "#]],
    );
    check(
        &["z: a", "e: d b", "d: a", "b: a", "a:"],
        expect![[r#"
        * z
        | *   e
        | |\
        | | * b
        | |/
        |/|
        | * d
        |/
        * a
    "#]],
    );
}

#[test]
fn a_merge_of_three_and_more() {
    check(
        &["e: d c b", "d: a", "c: a", "b: a", "a:"],
        expect![[r#"
        *-.   e
        |\ \
        | | * b
        | * | c
        | |/
        * | d
        |/
        * a
    "#]],
    );
    check(
        &["f: e d c b", "e: a", "d: a", "c: a", "b: a", "a:"],
        expect![[r#"
        *---.   f
        |\ \ \
        | | | * b
        | | * | c
        | | |/
        | * | d
        | |/
        * | e
        |/
        * a
    "#]],
    );
    // With other lines on both sides.
    check(
        &["y: x", "e: d c b", "z: b", "d: a", "c: a", "b: a", "x: a", "a:"],
        expect![[r#"
        * y
        * x
        | *-.   e
        | |\ \
        | | * | c
        | |/ /
        |/| |
        | * | d
        |/ /
        | | * z
        | |/
        | * b
        |/
        * a
    "#]],
    );
}

#[test]
fn a_criss_cross() {
    check(
        &["f: d c", "e: c d", "d: b", "c: b", "b:"],
        expect![[r#"
        *   f
        |\
        | | * e
        | |/|
        | |/
        |/|
        * | d
        | * c
        |/
        * b
    "#]],
    );
}

#[test]
fn an_edge_over_other_lanes() {
    check(
        &["e: a", "d: b", "c: z", "f: a", "b:", "z:", "a:"],
        expect![[r#"
            * e
            | * d
            | * b
            |
            | * c
            | * z
            |
            | * f
            |/
            * a
        "#]],
    );
    check(
        &["h: a", "g: b", "f: c", "e: d", "i: a", "d: c", "c: b", "b: a", "a:"],
        expect![[r#"
        * h
        | * g
        | | * f
        | | | * e
        | | | * d
        | | |/
        | | * c
        | |/
        | * b
        |/
        | * i
        |/
        * a
    "#]],
    );
}

#[test]
fn an_edge_over_two_lanes() {
    check(
        &["x: a", "y: p q", "t: a", "u: p q", "q:", "p:", "a:"],
        expect![[r#"
            * x
            | *   y
            | |\
            | | | * t
            | |_|/
            |/| |
            * | | a
             / /
            | | * u
            | |/|
            | |/
            |/|
            | * q
            * p
        "#]],
    );
}

#[test]
fn two_bases() {
    check(
        &["d: b", "c: a", "b:", "a:"],
        expect![[r#"
            * d
            * b

            * c
            * a
        "#]],
    );
    check(
        &["d: b", "c: a", "e: c d", "b:", "a:"],
        expect![[r#"
        *   e
        |\
        | * d
        | * b
        * c
        * a
    "#]],
    );
}

/// A history that ends next to one that continues gives up its lane.
#[test]
fn an_end_beside_another_history() {
    check(
        &["m: p q", "t: q", "p:", "q:"],
        expect![[r#"
        *   m
        |\
        * | p
         /
        | * t
        |/
        * q
    "#]],
    );
}

/// A dependency is drawn below, without a line.
#[test]
fn a_dependency() {
    check(
        &["a2: a1", "b2: b1 / a2", "b1:", "a1:"],
        expect![[r#"
            * b2
            * b1

            * a2
            * a1
        "#]],
    );
}

/// No lines lead out of a range.
#[test]
fn a_part() {
    check(
        &["e: d b", "d: c"],
        expect![[r#"
        * e
        * d
    "#]],
    );
}

#[test]
fn more_than_a_line_of_text() {
    let mut nodes: Vec<Node> =
        ["e: d b", "d: a", "b: a", "a:"].iter().map(|text| node(text)).collect();
    for node in &mut nodes {
        let more = ["Parent: ...", "", "    message"].map(str::to_owned);
        node.lines.extend(more);
    }
    expect![[r#"
        *   e
        |\  Parent: ...
        | |
        | |     message
        | * b
        | | Parent: ...
        | |
        | |     message
        * | d
        |/  Parent: ...
        |
        |       message
        * a
          Parent: ...

              message
    "#]]
    .assert_eq(&drawn(&nodes));
}

/// A version table may contain anything about revisions whose files are missing.
#[test]
fn a_circle_is_drawn_as_it_comes() {
    check(
        &["c: b", "b: c", "a: a"],
        expect![[r#"
            * c
            * b

            * a
        "#]],
    );
}

/// For every history: each revision is drawn once, in a valid order, and every lane leads to a
/// node.
#[test]
fn every_history_can_be_drawn() {
    // For each revision, which earlier revisions it follows or needs.
    let edges = proptest::collection::vec((any::<Index>(), any::<bool>()), 0..5);
    proptest!(|(history in proptest::collection::vec(edges, 0..24))| {
        let nodes: Vec<Node> = history.iter().enumerate().rev().map(|(idx, edges)| {
            let mut node = node(&format!("r{idx}:"));
            for (index, is_parent) in edges.iter().filter(|_| idx > 0) {
                let id = format!("r{}", index.index(idx));
                if *is_parent { node.parents.push(id) } else { node.needs.push(id) }
            }
            node
        }).collect();
        let rows = draw(&nodes);
        let text = rows.join("\n");
        let words: Vec<&str> = text.split_whitespace().filter(|word| word.starts_with('r')).collect();
        prop_assert_eq!(words.len(), nodes.len(), "{}", text);
        let place = |id: &str| words.iter().position(|word| *word == id);
        for node in &nodes {
            for parent in node.parents.iter().chain(&node.needs) {
                prop_assert!(place(&node.id) < place(parent), "{} {}\n{}", node.id, parent, text);
            }
        }
        let last = rows.last().map_or("", String::as_str);
        prop_assert!(!last.contains(['|', '/', '\\']), "{}", text);
        // Where lines cross, they can't be told apart.
        let is_clear = !text.contains("/|");
        for node in &nodes {
            let found = followed(&rows, &node.id);
            let parents: BTreeSet<String> = node.parents.iter().cloned().collect();
            let holds = if is_clear { found == parents } else { found.is_superset(&parents) };
            prop_assert!(holds, "{}: {:?}, not {:?}\n{}", node.id, found, parents, text);
        }
    });
}

/// The nodes that can be reached from one node by following the drawn lines.
fn followed(rows: &[String], id: &str) -> BTreeSet<String> {
    let label = |row: &str| {
        row.split_whitespace().last().filter(|word| word.starts_with('r')).map(str::to_owned)
    };
    let drawn =
        |row: &String| row.split('r').next().unwrap_or_default().chars().collect::<Vec<_>>();
    let drawing: Vec<Vec<char>> = rows.iter().map(drawn).collect();
    let sign = |row: usize, at: usize| drawing[row].get(at).copied().unwrap_or(' ');
    let first = rows.iter().position(|row| label(row).as_deref() == Some(id)).unwrap();
    let star = drawing[first].iter().position(|c| *c == '*').unwrap();
    let end =
        (star..).find(|candidate| !['*', '-', '.'].contains(&sign(first, *candidate))).unwrap();
    let mut found = BTreeSet::new();
    // Where lines enter a row from above.
    let mut open: Vec<(usize, usize)> =
        (star..end).step_by(2).map(|found| (first + 1, found)).collect();
    while let Some((row, at)) = open.pop() {
        if row == rows.len() {
            continue;
        }
        match sign(row, at) {
            '|' => open.push((row + 1, at)),
            '*' => found.extend(label(&rows[row])),
            _ => {}
        }
        if sign(row, at + 1) == '\\' {
            open.push((row + 1, at + 2));
        }
        if at > 0 && sign(row, at - 1) == '/' {
            let over = (1..).take_while(|candidate| {
                at > 2 * candidate && sign(row, at - 1 - 2 * candidate) == '_'
            });
            open.push((row + 1, at - 2 - 2 * over.count()));
        }
    }
    found
}
