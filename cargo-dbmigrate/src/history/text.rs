//! Descriptions of revisions for people.

use std::fmt::Write as _;

use dbmigrate_runtime::engine::revision::Revision;
use dbmigrate_runtime::engine::version_table;

use super::History;
use crate::context::Context;
use crate::output::style;

/// A revision's message, or a placeholder if it has none.
pub fn message(text: &str) -> &str {
    if text.is_empty() { "empty message" } else { text }
}

/// Marks an applied revision that the project no longer has.
pub const GONE: &str = " (applied, file missing)";

/// A revision as `show` and the lists with `-v` print it, followed by an empty line.
pub fn entry(cx: &Context, history: &History, revision: &Revision, current: &[&str]) -> String {
    let parents = if revision.parents.len() > 1 { "Merges" } else { "Parent" };
    let mut entries = vec![
        ("Rev", style::id(&revision.id) + &history.marks(revision, current)),
        (parents, style::parents_text(&revision.parents)),
    ];
    let depends_on = history.graph.dependencies(revision);
    if !depends_on.is_empty() {
        entries.push(("Also depends on", depends_on.join(", ")));
    }
    let children = history.graph.children(&revision.id);
    if children.len() > 1 {
        entries.push(("Branches into", children.join(", ")));
    }
    let replaced: Vec<_> = revision.replaced().collect();
    if !replaced.is_empty() {
        entries.push(("Replaces", replaced.join(", ")));
    }
    let labels = history.graph.labels(&revision.id);
    if !labels.is_empty() {
        entries.push(("Branch names", labels.join(", ")));
    }
    let path = history.path(&revision.id);
    if let Some(path) = path {
        entries.push(("Path", cx.project.shown(path).to_string()));
    }
    let mut text = style::entries(&entries);
    text.push('\n');
    let source = path.and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
    let docs = source.lines().map_while(|line| line.strip_prefix("//!"));
    for line in docs {
        let line = line.strip_prefix(' ').unwrap_or(line);
        let _ = writeln!(text, "{}", format!("    {line}").trim_end());
    }
    text.push('\n');
    text
}

/// As [`entry`], for a revision that exists only in the database.
pub fn gone_entry(entry: &version_table::Entry) -> String {
    let parents = if entry.parents.len() > 1 { "Merges" } else { "Parent" };
    let entries = style::entries(&[
        ("Rev", style::id(&entry.id) + &style::paint(style::BAD, GONE)),
        (parents, style::parents_text(&entry.parents)),
        ("Applied", format!("{} by dbmigrate {}", entry.applied_at, entry.tool_version)),
    ]);
    format!("{entries}\n    {}\n\n", message(&entry.message))
}
