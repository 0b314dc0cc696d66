//! Draws revisions with the lines between them, as `git log --graph` does.
//!
//! No crate draws in git's style: those that come close need extra rows for merges of three.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// A revision to draw.
#[derive(Debug, Clone, Default)]
pub struct Node {
    pub id: String,
    /// What it follows. Lines are drawn to those that are themselves in the drawing.
    pub parents: Vec<String>,
    /// What has to come after it, without a line.
    pub needs: Vec<String>,
    pub message: String,
    /// Whether the database is at it.
    pub is_current: bool,
    /// The text next to it.
    pub lines: Vec<String>,
}

/// The lines of the drawing. Revisions are given newest first; those of a branch are kept together.
pub fn draw(nodes: &[Node]) -> Vec<String> {
    let order = order(nodes);
    let places: BTreeMap<&str, usize> =
        order.iter().enumerate().map(|(place, node)| (node.id.as_str(), place)).collect();
    let mut drawing = Drawing::default();
    for (place, node) in order.iter().enumerate() {
        let mut parents: Vec<usize> = Vec::new();
        // Lines only lead down, even if a database contradicts that about revisions without files.
        for at in node.parents.iter().filter_map(|parent| places.get(parent.as_str()).copied()) {
            if at > place && !parents.contains(&at) {
                parents.push(at);
            }
        }
        drawing.node(place, &parents, &node.lines);
    }
    drawing.text
}

/// Orders each revision before those that it needs, and one line of history after the other.
pub fn order(nodes: &[Node]) -> Vec<&Node> {
    let places: BTreeMap<&str, usize> =
        nodes.iter().enumerate().map(|(place, node)| (node.id.as_str(), place)).collect();
    let needs = |place: usize| {
        let node = &nodes[place];
        let all = node.needs.iter().chain(&node.parents);
        all.filter_map(|id| places.get(id.as_str()).copied()).collect::<Vec<_>>()
    };
    let mut n_needed: BTreeMap<usize, usize> = BTreeMap::new();
    for at in (0..nodes.len()).flat_map(needs) {
        *n_needed.entry(at).or_default() += 1;
    }
    let mut open: Vec<usize> =
        (0..nodes.len()).rev().filter(|at| !n_needed.contains_key(at)).collect();
    let mut order = Vec::new();
    while let Some(place) = open.pop() {
        order.push(place);
        for need in needs(place) {
            let Entry::Occupied(mut count) = n_needed.entry(need) else { continue };
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
                open.push(need);
            }
        }
    }
    // The members of a circle, which can only come from a database.
    order.extend(n_needed.into_keys());
    order.into_iter().map(|at| &nodes[at]).collect()
}

/// The node that a lane leads to; `None` if the lane has ended.
type Lane = Option<usize>;

#[derive(Debug, Default)]
struct Drawing {
    lanes: Vec<Lane>,
    /// The lane that the previous node ended.
    ended: Option<usize>,
    /// The rows of the current node.
    rows: Vec<Vec<char>>,
    text: Vec<String>,
}

impl Drawing {
    fn node(&mut self, id: usize, parents: &[usize], lines: &[String]) {
        let lane = self.lanes.iter().position(|lane| *lane == Some(id));
        let at = lane.unwrap_or(self.lanes.len());
        if lane.is_none() {
            // Directly below the end of another history, the node would look like its parent.
            if self.ended == Some(at) {
                self.rows.push(self.straight());
            }
            self.lanes.push(Some(id));
        }
        self.ended = parents.is_empty().then_some(at);
        // A merge of three spans the lanes to its right, which make room.
        let n_wide = parents.len().saturating_sub(2);
        if at + 1 < self.lanes.len() {
            for _ in 0..n_wide {
                self.rows.push(self.moved(at + 1, '\\'));
                self.lanes.insert(at + 1, None);
            }
        } else {
            self.lanes.resize(at + 1 + n_wide, None);
        }
        let n_before = self.rows.len();
        let mut row = self.straight();
        row[2 * at] = '*';
        if n_wide > 0 {
            row[2 * at + 1..2 * (at + n_wide)].fill('-');
            row[2 * (at + n_wide)] = '.';
        }
        self.rows.push(row);
        let mut n_lanes = self.lanes.len();
        self.follow(at, parents);
        n_lanes = n_lanes.max(self.lanes.len());
        while self.join() {}
        self.write(n_before, 2 * n_lanes, lines);
    }

    /// Continues the lane of a node to its parents.
    fn follow(&mut self, at: usize, parents: &[usize]) {
        match parents {
            [] => self.lanes[at] = None,
            [parent] => self.lanes[at] = Some(*parent),
            [a, b] => {
                // If a neighbouring lane already leads to a parent, no separate lane is needed.
                for (one, other) in [(*a, *b), (*b, *a)] {
                    let (edge, sign) = match () {
                        () if at > 0 && self.lanes[at - 1] == Some(one) => (2 * at - 1, '/'),
                        () if self.lanes.get(at + 1) == Some(&Some(one)) => (2 * at + 1, '\\'),
                        () => continue,
                    };
                    self.lanes[at] = Some(other);
                    let mut row = self.straight();
                    row[edge] = sign;
                    return self.rows.push(row);
                }
                self.split(at, 0, parents);
            }
            _ => self.split(at, parents.len() - 2, parents),
        }
    }

    /// Creates a lane for each parent; `n_wide` of them already exist.
    fn split(&mut self, at: usize, n_wide: usize, parents: &[usize]) {
        let mut row = self.moved(at + 1 + n_wide, '\\');
        for at in at..at + parents.len() - 1 {
            row[2 * at + 1] = '\\';
        }
        self.rows.push(row);
        self.lanes.splice(at..=at + n_wide, parents.iter().map(|parent| Some(*parent)));
    }

    /// Removes the first lane that has ended, or that leads to the same node as a lane to its left.
    fn join(&mut self) -> bool {
        let earlier = |at: usize| self.lanes[..at].iter().position(|lane| *lane == self.lanes[at]);
        let is_over = |at: &usize| self.lanes[*at].is_none() || earlier(*at).is_some();
        let Some(at) = (0..self.lanes.len()).find(is_over) else { return false };
        let to = if self.lanes[at].is_some() { earlier(at) } else { None };
        match to {
            None if at + 1 == self.lanes.len() => {}
            None => self.rows.push(self.moved(at + 1, '/')),
            Some(to) => {
                let mut row = self.moved(at, '/');
                // Across the lanes in between.
                for at in to + 1..at - 1 {
                    row[2 * at + 1] = '_';
                }
                self.rows.push(row);
            }
        }
        self.lanes.remove(at);
        if let Some(to) = to.filter(|to| to + 1 < at) {
            let mut row = self.straight();
            row[2 * to + 1] = '/';
            self.rows.push(row);
        }
        true
    }

    /// A row in which all lanes go straight down.
    fn straight(&self) -> Vec<char> {
        self.lanes.iter().flat_map(|lane| [if lane.is_some() { '|' } else { ' ' }, ' ']).collect()
    }

    /// A row in which the lanes from `first` on move sideways by one.
    fn moved(&self, first: usize, sign: char) -> Vec<char> {
        let mut row = self.straight();
        for at in (first..self.lanes.len()).filter(|at| self.lanes[*at].is_some()) {
            row[2 * at] = ' ';
            row[if sign == '/' { 2 * at - 1 } else { 2 * at + 1 }] = sign;
        }
        row
    }

    /// Writes the rows of a node with its text, which starts next to the node.
    fn write(&mut self, n_before: usize, width: usize, lines: &[String]) {
        let rows = std::mem::take(&mut self.rows);
        let below = self.straight();
        let mut lines = lines.iter();
        for (idx, row) in rows.iter().enumerate() {
            let line = if idx < n_before { None } else { lines.next() };
            self.text.push(line_of(row, width, line.map_or("", String::as_str)));
        }
        for line in lines {
            self.text.push(line_of(&below, width, line));
        }
    }
}

fn line_of(row: &[char], width: usize, text: &str) -> String {
    let row: String = row.iter().collect();
    let row = row.trim_end();
    if text.is_empty() { row.to_owned() } else { format!("{row:width$}{text}") }
}

#[cfg(test)]
mod tests;
