//! What happens to comments when a part of a definition is removed.
//!
//! A removed column or constraint takes along the comments on its own lines and directly above it.
//! All other comments stay. SQLite's own statements also remove comments of neighbouring items, so
//! a definition can tell where that would happen.

use super::edit::Writer;
use super::trivia::has_comment;
use super::{Clause, ColumnItem, ConstraintItem, Definition, Layout};
use crate::dialect::sqlite::lexicon::LEXICON;
use crate::sql::Kind;

/// The end of the first line of a text. A `/* ... */` comment doesn't end a line, even if it spans
/// several lines itself.
fn line_end(text: &str) -> Option<usize> {
    let mut spaces = LEXICON.tokens(text).into_iter().filter(|token| token.kind == Kind::Space);
    spaces.find_map(|space| Some(space.start + space.text.find('\n')?))
}

fn ends_line(text: &str) -> bool {
    line_end(text).is_some()
}

/// Comments around an item that stay when it is removed.
#[derive(Debug, Default, PartialEq, Eq)]
struct Left {
    /// Comments above the item.
    above: String,
    /// Comments at the end of the item's line, if the line has other items as well.
    on_line: String,
}

impl Clause {
    /// The comments before the clause including the white space before them; empty if there are
    /// none.
    pub(super) fn comments_before(&self) -> &str {
        if has_comment(&self.lead) { self.lead.trim_ascii_end() } else { "" }
    }
}

impl Definition {
    /// Inserts a column at this position.
    pub(crate) fn insert_column(&mut self, place: usize, mut item: ColumnItem) {
        if let (0, Some(first)) = (place, self.columns.first_mut()) {
            // A comment on the line of the opening parenthesis is about the table.
            let lead = first.layout.lead.clone().unwrap_or_default();
            let (on_line, rest) = lead.split_at(line_end(&lead).unwrap_or(0));
            if has_comment(on_line) {
                first.layout.lead = Some(rest.to_owned());
                item.layout.lead = Some(format!("{on_line}{}", self.style()));
            }
        }
        self.columns.insert(place, item);
    }

    /// Removes the column at this position.
    pub(crate) fn remove_column(&mut self, idx: usize) {
        self.release(idx);
        self.columns.remove(idx);
    }

    /// Removes the constraint at this position.
    pub(crate) fn remove_constraint(&mut self, idx: usize) {
        self.release(self.columns.len() + idx);
        self.constraints.remove(idx);
    }

    /// Removes the constraints that match, and returns whether there were any.
    pub(crate) fn remove_constraints(&mut self, remove: impl Fn(&ConstraintItem) -> bool) -> bool {
        let mut found = false;
        while let Some(idx) = self.constraints.iter().position(&remove) {
            self.remove_constraint(idx);
            found = true;
        }
        found
    }

    /// Moves the comments around an item that don't belong to it to its neighbours.
    fn release(&mut self, nth: usize) {
        let Left { above, on_line } = self.left(nth);
        if let (false, Some(previous)) = (on_line.is_empty(), nth.checked_sub(1)) {
            if let Some(layout) = self.layout_mut(previous) {
                layout.trailing += &on_line;
            }
        }
        if above.is_empty() {
            return;
        }
        let style = self.style();
        let joined = |rest: &str| {
            let mut out = Writer::default();
            out.push(&above);
            // A comment directly above an item would be taken for the item's own.
            out.push(if ends_line(&above) { "\n" } else { "" });
            out.push(if ends_line(rest) { "" } else { &style });
            out.push(rest);
            out.finish()
        };
        match self.layout_mut(nth + 1) {
            Some(next) => next.lead = Some(joined(next.lead.as_deref().unwrap_or(&style))),
            None => self.close = joined(&self.close),
        }
    }

    /// The comments around an item that don't belong to it.
    fn left(&self, nth: usize) -> Left {
        let Some(item) = self.layout(nth) else { return Left::default() };
        let lead = item.lead.as_deref().unwrap_or_default();
        let mut left = Left { above: above(lead, nth == 0).to_owned(), on_line: String::new() };
        let previous = nth.checked_sub(1).and_then(|previous| self.layout(previous));
        let shares_line = previous.is_some_and(|layout| {
            ![&*layout.after, &*layout.trailing, lead].iter().any(|text| ends_line(text))
        });
        if shares_line {
            let is_to_line_end = ends_line(&item.after);
            for text in [is_to_line_end.then_some(&item.after), Some(&item.trailing)] {
                let text = text.map_or("", |text| text.trim_ascii_end());
                left.on_line += if has_comment(text) { text } else { "" };
            }
        } else {
            // The comments before a comma that starts a later line.
            let below = line_end(&item.after).map_or("", |end| item.after[end..].trim_ascii_end());
            left.above += if has_comment(below) { below } else { "" };
        }
        left
    }

    fn layout(&self, nth: usize) -> Option<&Layout> {
        let columns = self.columns.iter().map(|column_item| &column_item.layout);
        columns.chain(self.constraints.iter().map(|constraint| &constraint.layout)).nth(nth)
    }

    fn layout_mut(&mut self, nth: usize) -> Option<&mut Layout> {
        let columns = self.columns.iter_mut().map(|column_item| &mut column_item.layout);
        columns.chain(self.constraints.iter_mut().map(|constraint| &mut constraint.layout)).nth(nth)
    }

    fn has_comment_at_end(&self, nth: usize) -> bool {
        let is_last = nth + 1 == self.columns.len() + self.constraints.len();
        is_last
            && (has_comment(&self.close)
                || self.layout(nth).is_some_and(|layout| has_comment(&layout.trailing)))
    }

    /// Whether SQLite's own `DROP COLUMN` would remove comments that aren't the column's: it
    /// removes the text up to the next column's name, or from the last comma on.
    pub(crate) fn drop_column_loses_comments(&self, idx: usize) -> bool {
        let left = self.left(idx);
        if idx + 1 < self.columns.len() {
            let next = self.layout(idx + 1).and_then(|layout| layout.lead.as_deref());
            return !left.on_line.is_empty() || next.is_some_and(has_comment);
        }
        let previous = idx.checked_sub(1).and_then(|previous| self.layout(previous));
        left != Left::default()
            || previous.is_some_and(|layout| has_comment(&layout.trailing))
            || self.constraints.is_empty() && has_comment(&self.close)
    }

    /// Whether SQLite's own statement would remove comments together with these clauses of a
    /// column: it removes the text up to the next word.
    pub(crate) fn drop_clause_loses_comments(
        &self,
        column: usize,
        removed: impl Fn(&Clause) -> bool,
    ) -> bool {
        let Some(item) = self.columns.get(column) else { return false };
        item.clauses.iter().enumerate().filter(|(_, clause)| removed(clause)).any(
            |(idx, clause)| {
                let after = item.clauses.get(idx + 1).map_or(&item.layout.after, |next| &next.lead);
                let is_last = idx + 1 == item.clauses.len();
                [&clause.lead, &clause.text, after].iter().any(|text| has_comment(text))
                    || is_last && self.has_comment_at_end(column)
            },
        )
    }

    /// Whether SQLite's own `DROP CONSTRAINT` would remove comments.
    pub(crate) fn drop_constraint_loses_comments(&self, name: &str) -> bool {
        let is_named = |found: &Option<String>| {
            found.as_deref().is_some_and(|found| found.eq_ignore_ascii_case(name))
        };
        let in_columns = (0..self.columns.len())
            .any(|column| self.drop_clause_loses_comments(column, |clause| is_named(&clause.name)));
        let mut of_table = self
            .constraints
            .iter()
            .enumerate()
            .filter(|(_, constraint)| is_named(&constraint.name));
        in_columns
            || of_table.any(|(idx, constraint)| {
                let nth = self.columns.len() + idx;
                let layouts = [self.layout(nth - 1), self.layout(nth), self.layout(nth + 1)];
                let around = layouts.into_iter().flatten().any(|layout| {
                    let lead = layout.lead.as_deref().unwrap_or_default();
                    [lead, &layout.after, &layout.trailing].iter().any(|text| has_comment(text))
                });
                around || has_comment(constraint.text()) || self.has_comment_at_end(nth)
            })
    }
}

/// The part of the text before an item that isn't about the item: what is on the line of the
/// opening parenthesis, or separated by a blank line.
fn above(lead: &str, is_first: bool) -> &str {
    let tokens = LEXICON.tokens(lead);
    let is_blank_line = |text: &str| text.matches('\n').count() > 1;
    let apart =
        tokens.iter().rposition(|token| token.kind == Kind::Space && is_blank_line(token.text));
    let apart = apart.map_or(0, |idx| tokens[idx].start);
    let on_first_line = if is_first { line_end(lead).unwrap_or(0) } else { 0 };
    let text = lead[..apart.max(on_first_line)].trim_ascii_end();
    if has_comment(text) { text } else { "" }
}
