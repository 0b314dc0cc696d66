//! Reads the constants of revision files from their text.

use std::ops::Range;
use std::path::PathBuf;

use dbmigrate_runtime::engine::revision::{Graph, Revision};
use syn::spanned::Spanned as _;

use super::all;
use crate::context::Context;
use crate::error::{Doing as _, Error, Result};
use crate::output::style;

/// The constants of a revision file, read without compiling it, for commands that have to work on a
/// file that doesn't compile.
pub struct Header {
    pub revision: Revision,
    pub path: PathBuf,
}

impl Header {
    /// Adds the message, which is the first line of the file's documentation.
    pub fn with_message(mut self) -> Header {
        let text = std::fs::read_to_string(&self.path).unwrap_or_default();
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let first = text.lines().find_map(|line| line.strip_prefix("//!"));
        self.revision.message = first.unwrap_or_default().trim().to_owned();
        self
    }
}

/// The graph of these headers.
///
/// # Errors
///
/// When the revisions don't form a graph.
pub fn graph(headers: &[Header]) -> Result<Graph> {
    Ok(Graph::new(headers.iter().map(|header| header.revision.clone()).collect())?)
}

/// Reads the constants of every revision file.
///
/// # Errors
///
/// When a file's constants can't be read: without them the order of revisions is unknown.
pub fn read(cx: &Context) -> Result<Vec<Header>> {
    let mut headers = Vec::new();
    for file in all(cx)? {
        let text = std::fs::read_to_string(&file.path)
            .doing(|| format!("read `{}`", file.path.display()))?;
        let shown = cx.project.shown(&file.path).to_string();
        let revision = header(&text).ok_or_else(|| {
            Error::new(format!("`{shown}` has no `REVISION` and `DOWN_REVISION` that can be read"))
                .hint("correct these constants, or delete the file if it is not a revision")
        })?;
        let revision = Revision { file: shown, ..revision };
        headers.push(Header { revision, path: file.path });
    }
    Ok(headers)
}

fn header(text: &str) -> Option<Revision> {
    // Only the lines of the constants have to be valid Rust; the rest may be in the middle of an
    // edit.
    let constant = |name: &str| {
        let at = text.find(&format!("const {name}:"))?;
        let value = text[at..].split_once('=')?.1.split_once(';')?.0;
        syn::parse_str::<syn::Expr>(value.trim()).ok()
    };
    let texts = |name: &str| match constant(name)? {
        syn::Expr::Reference(reference) => match *reference.expr {
            syn::Expr::Array(array) => Some(array.elems.iter().filter_map(text_of).collect()),
            _ => Some(Vec::new()),
        },
        _ => Some(Vec::new()),
    };
    Some(Revision {
        id: text_of(&constant("REVISION")?)?,
        parents: texts("DOWN_REVISION")?,
        branch_labels: texts("BRANCH_LABELS").unwrap_or_default(),
        depends_on: texts("DEPENDS_ON").unwrap_or_default(),
        replaces: texts("REPLACES").unwrap_or_default(),
        ..Revision::default()
    })
}

fn text_of(expr: &syn::Expr) -> Option<String> {
    match expr {
        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(lit), .. }) => Some(lit.value()),
        _ => None,
    }
}

/// A revision file with another parent.
#[derive(Debug, PartialEq, Eq)]
pub struct Edit {
    pub text: String,
    /// The changed lines, before and after.
    pub lines: Vec<(String, String)>,
}

/// Changes a revision file to follow `new` instead of `old`: in `DOWN_REVISION`, and in the line
/// `Revises:` of its header if that names the old parents. All other bytes stay the same. `None` if
/// the constant isn't written as a list of texts, or doesn't contain the old parents.
pub fn follow(text: &str, old: &[String], new: &str) -> Option<Edit> {
    let (span, value) = parents_span(text, old, new)?;
    let mut spans: Vec<(Range<usize>, &str)> = vec![(span, value.as_str())];
    spans.extend(revises_span(text, &style::parents_text(old)).map(|range| (range, new)));
    spans.sort_by_key(|(span, _)| span.start);
    let (mut edited, mut lines, mut at) = (String::new(), Vec::new(), 0);
    for (span, with) in spans {
        let line = line_around(text, &span);
        let (before, after) = (line.start..span.start, span.end..line.end);
        lines.push((text[line].to_owned(), format!("{}{with}{}", &text[before], &text[after])));
        edited += &text[at..span.start];
        edited += with;
        at = span.end;
    }
    edited += &text[at..];
    // The edited text must have the intended meaning, or else the original was misunderstood.
    parents_span(&edited, &[new.to_owned()], new)?;
    Some(Edit { text: edited, lines })
}

/// The position of the parents in `DOWN_REVISION`, and their replacement.
fn parents_span(text: &str, old: &[String], new: &str) -> Option<(Range<usize>, String)> {
    let source = text.strip_prefix('\u{feff}').unwrap_or(text);
    // A parser would skip the shebang, and count positions from after it.
    if source.starts_with("#!") && !source.starts_with("#![") {
        return None;
    }
    let file = syn::parse_file(source).ok()?;
    let mut constants = file.items.iter().filter_map(|item| match item {
        syn::Item::Const(item) if item.ident == "DOWN_REVISION" => Some(item),
        _ => None,
    });
    let (constant, None) = (constants.next()?, constants.next()) else { return None };
    let syn::Expr::Reference(value) = &*constant.expr else { return None };
    let syn::Expr::Array(array) = &*value.expr else { return None };
    let declared: Option<Vec<String>> = array.elems.iter().map(text_of).collect();
    // The type of an array contains its length.
    let is_slice = matches!(&*constant.ty, syn::Type::Reference(reference)
        if matches!(*reference.elem, syn::Type::Slice(_)));
    if declared? != old || !(is_slice || old.len() == 1) {
        return None;
    }
    let range = |expr: &syn::Expr| expr.span().byte_range();
    let span = match (array.elems.first(), array.elems.last()) {
        (Some(first), Some(last)) => range(first).start..range(last).end,
        _ => {
            let at = array.bracket_token.span.open().byte_range().end;
            at..at
        }
    };
    let skipped = text.len() - source.len();
    Some((span.start + skipped..span.end + skipped, format!("{new:?}")))
}

/// The position of the parents in the header.
fn revises_span(text: &str, old: &str) -> Option<Range<usize>> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let line_at = at;
        at += line.len();
        let line = line.trim_end();
        let inner = line.trim_start_matches('\u{feff}').trim_start();
        let Some(doc) = inner.strip_prefix("//!") else {
            // The header ends at the first line that is neither a comment nor an attribute.
            if inner.is_empty() || inner.starts_with("//") || inner.starts_with("#![") {
                continue;
            } else {
                return None;
            }
        };
        let Some(value) = doc.trim_start().strip_prefix("Revises:") else { continue };
        let rest = value.trim_start().strip_prefix(old)?;
        let end = line_at + line.len() - rest.len();
        let is_whole = !rest.starts_with(|c: char| c.is_alphanumeric() || "_,".contains(c));
        return is_whole.then_some(end - old.len()..end);
    }
    None
}

fn line_around(text: &str, span: &Range<usize>) -> Range<usize> {
    let start = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
    let rest = &text[span.end..];
    let end = rest.find(['\r', '\n']).unwrap_or(rest.len());
    start..span.end + end
}

#[cfg(test)]
mod tests;
