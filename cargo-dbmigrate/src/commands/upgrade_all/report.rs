//! Reports the outcome for each database.

use std::collections::BTreeSet;

use dbmigrate_runtime::Barrier;

use super::targets::Target;
use crate::commands::Answer;
use crate::error::{Error, Result};
use crate::history;
use crate::output::{self, Output, style};

/// How a command speaks of what it does to a database.
#[derive(Debug, Clone, Copy)]
struct ReportedCommand {
    name: &'static str,
    did: &'static str,
    /// The member of a document with the revisions.
    revisions: &'static str,
}

/// What was done to a database.
#[derive(Debug, Default)]
pub struct Done {
    /// The revisions that were applied or stamped.
    pub revisions: Vec<String>,
    /// The barriers that an upgrade stopped before.
    pub barriers: Vec<Barrier>,
}

impl Done {
    /// Whether nothing was left to do.
    fn is_settled(&self) -> bool {
        self.revisions.is_empty()
    }
}

/// Reports the outcome for a database as soon as it is known, and a summary at the end.
pub struct Report {
    out: Output,
    command: ReportedCommand,
    /// The word for databases that had nothing pending.
    settled: &'static str,
    /// What is counted.
    thing: &'static str,
    /// The width of the column of names, if there is one.
    width: usize,
    results: Vec<(Target, Result<Done>)>,
    /// Hints that were already given, since thousands of databases may fail for the same reason.
    hints: BTreeSet<String>,
}

impl Report {
    /// `thing` is what the summary counts.
    pub fn new(
        out: Output,
        (identifier, thing): (&str, &'static str),
        targets: &[Target],
    ) -> Report {
        let settled = match identifier {
            "head" | "heads" => "at head",
            _ => "unchanged",
        };
        let width = if style::is_for_people() {
            targets.iter().map(|target| shown(target).chars().count()).max().unwrap_or_default()
        } else {
            0
        };
        let command = ReportedCommand { name: "upgrade", did: "upgraded", revisions: "ran" };
        Report { out, command, settled, thing, width, results: Vec::new(), hints: BTreeSet::new() }
    }

    /// The report of `stamp`.
    pub fn of_stamp(out: Output, targets: &[Target]) -> Report {
        Report {
            command: ReportedCommand { name: "stamp", did: "stamped", revisions: "entered" },
            settled: "stamped before",
            ..Report::new(out, ("", "database"), targets)
        }
    }

    /// Adds the outcome for one database.
    pub fn add(&mut self, target: &Target, res: Result<Done>) {
        let shown = shown(target);
        let width = self.width;
        match &res {
            Ok(done) if done.is_settled() => {
                self.out.detail(format!("{shown:width$} {}", self.settled))
            }
            Ok(done) => {
                let revisions = output::count(done.revisions.len(), "revision");
                let revisions = style::paint(style::GOOD, &revisions);
                self.out.done(format!("{shown:width$} {revisions}"));
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
        self.results.push((target.clone(), res));
    }

    /// Prints the summary and the document.
    pub fn end(self) -> Answer {
        let (out, command) = (self.out, self.command.name);
        let (answer, document) = self.end_with_document();
        document.into_iter().for_each(|document| out.json(command, document));
        answer
    }

    /// Prints the summary, and returns the document, if documents are asked for.
    pub fn end_with_document(mut self) -> (Answer, Option<serde_json::Value>) {
        self.results.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
        let n = |is: fn(&Result<Done>) -> bool| {
            self.results.iter().filter(|(_, result)| is(result)).count()
        };
        let n_settled = n(|result| matches!(result, Ok(done) if done.is_settled()));
        let n_upgraded = n(|result| matches!(result, Ok(done) if !done.is_settled()));
        let n_failed = n(Result::is_err);
        let all = output::count(self.results.len(), self.thing);
        let settled = self.settled;
        let ReportedCommand { did, revisions, .. } = self.command;
        let failed = format!("{n_failed} failed");
        let failed = if n_failed > 0 { style::paint(style::BAD, &failed) } else { failed };
        self.out.done(format!("{all}: {n_settled} {settled}, {n_upgraded} {did}, {failed}"));
        let document = self.out.is_json().then(|| {
            let json = |(target, result): &(_, _)| json(target, result, revisions);
            serde_json::json!({
                "databases": self.results.iter().map(json).collect::<Vec<_>>(),
                "unchanged": n_settled,
                did: n_upgraded,
                "failed": n_failed,
            })
        });
        let answer = if n_failed > 0 { Answer::Failed } else { Answer::Done };
        (answer, document)
    }
}

/// The beginning of a database's line.
fn shown(target: &Target) -> String {
    format!("{}:", target.name)
}

fn json(target: &Target, res: &Result<Done>, revisions: &str) -> serde_json::Value {
    let mut object = match res {
        Ok(Done { revisions: ids, barriers }) if barriers.is_empty() => {
            serde_json::json!({ revisions: ids })
        }
        Ok(Done { revisions: ids, barriers }) => {
            serde_json::json!({ revisions: ids, "barriers": history::barriers_json(barriers) })
        }
        Err(err) => serde_json::json!({ "error": output::error_json(err) }),
    };
    object[target.key()] = target.name.as_str().into();
    object
}

/// The message with its causes in one line, for a long list.
pub(in crate::commands) fn in_a_line(err: &Error) -> String {
    let parts = std::iter::once(err.message()).chain(err.causes().iter().map(String::as_str));
    let lines = |text: &str| {
        let mut lines = text.lines().map(str::trim);
        let first = lines.next().unwrap_or_default();
        let others = lines.collect::<Vec<_>>().join("; ");
        [first, &others].join(" ").trim_end().to_owned()
    };
    parts.map(lines).collect::<Vec<_>>().join(": ")
}
