//! Reports the outcome for each file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::commands::Answer;
use crate::error::{Error, Result};
use crate::output::{self, Output, style};

/// Reports the outcome for a file as soon as it is known, and a summary at the end.
pub struct Report {
    out: Output,
    /// The word for files that had nothing pending.
    settled: &'static str,
    /// The width of the column of paths, if there is one.
    width: usize,
    results: Vec<(PathBuf, Result<Vec<String>>)>,
    /// Hints that were already given, since thousands of files may fail for the same reason.
    hints: BTreeSet<String>,
}

impl Report {
    pub fn new(out: Output, identifier: &str, files: &[PathBuf]) -> Report {
        let settled = match identifier {
            "head" | "heads" => "at head",
            _ => "unchanged",
        };
        let width = if style::is_for_people() {
            files.iter().map(|path| shown(path).chars().count()).max().unwrap_or_default()
        } else {
            0
        };
        Report { out, settled, width, results: Vec::new(), hints: BTreeSet::new() }
    }

    /// Adds the outcome for one file: the revisions that were run.
    pub fn add(&mut self, path: &Path, res: Result<Vec<String>>) {
        let shown = shown(path);
        let width = self.width;
        match &res {
            Ok(ran) if ran.is_empty() => {
                self.out.detail(format!("{shown:width$} {}", self.settled))
            }
            Ok(ran) => {
                let ran = style::paint(style::GOOD, &count(ran.len(), "revision"));
                self.out.done(format!("{shown:width$} {ran}"));
            }
            Err(err) => {
                let mut text = format!("{shown} {}", in_a_line(err));
                if let Some(hint) = err.get_hint().filter(|hint| !self.hints.contains(*hint)) {
                    text += &format!("\n  hint: {hint}");
                    self.hints.insert(hint.to_owned());
                }
                self.out.failure(text);
            }
        }
        self.results.push((path.to_owned(), res));
    }

    pub fn end(mut self) -> Answer {
        self.results.sort_by(|(a, _), (b, _)| a.cmp(b));
        let n = |is: fn(&Result<Vec<String>>) -> bool| {
            self.results.iter().filter(|(_, result)| is(result)).count()
        };
        let n_settled = n(|result| matches!(result, Ok(result) if result.is_empty()));
        let n_upgraded = n(|result| matches!(result, Ok(result) if !result.is_empty()));
        let n_failed = n(Result::is_err);
        let all = count(self.results.len(), "database");
        let settled = self.settled;
        let failed = format!("{n_failed} failed");
        let failed = if n_failed > 0 { style::paint(style::BAD, &failed) } else { failed };
        self.out.done(format!("{all}: {n_settled} {settled}, {n_upgraded} upgraded, {failed}"));
        if self.out.is_json() {
            let databases: Vec<_> =
                self.results.iter().map(|(path, result)| json(path, result)).collect();
            self.out.json(
                "upgrade",
                serde_json::json!({
                    "databases": databases,
                    "unchanged": n_settled,
                    "upgraded": n_upgraded,
                    "failed": n_failed,
                }),
            );
        }
        if n_failed > 0 { Answer::Failed } else { Answer::Done }
    }
}

/// The beginning of a file's line.
fn shown(path: &Path) -> String {
    format!("{}:", path.display())
}

fn json(path: &Path, res: &Result<Vec<String>>) -> serde_json::Value {
    let path = path.display().to_string();
    match res {
        Ok(ran) => serde_json::json!({ "path": path, "ran": ran }),
        Err(err) => serde_json::json!({ "path": path, "error": output::error_json(err) }),
    }
}

/// The message with its causes in one line, for a long list.
fn in_a_line(err: &Error) -> String {
    let parts = std::iter::once(err.message()).chain(err.causes().iter().map(String::as_str));
    let lines = |text: &str| text.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    parts.map(lines).collect::<Vec<_>>().join(": ")
}

fn count(n: usize, thing: &str) -> String {
    if n == 1 { format!("1 {thing}") } else { format!("{n} {thing}s") }
}
