//! The flags that answer the open questions of a difference, for messages.

use std::collections::{BTreeMap, BTreeSet};

use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::Schema;

use super::{Answers, Changes, Outcome, Question, Rename, changes, shell};
use crate::error::Result;
use crate::models::Models;

/// How flags can answer questions.
#[derive(Debug, Clone)]
pub enum Flags {
    /// Lines of flags, each of which answers all questions in its own way.
    Lines(Vec<Line>),
    /// If several renames are equally likely: the choices for each question.
    Choices {
        each: Vec<String>,
        /// What is discarded whichever choice is made.
        certain: Changes,
        /// What is discarded where it isn't renamed, if something is discarded in any case.
        unrenamed: Changes,
    },
}

/// Flags, and what the revision would discard with them.
#[derive(Debug, Clone)]
pub struct Line {
    pub flags: String,
    pub changes: Changes,
}

/// The flags that answer these questions.
///
/// # Errors
///
/// As [`changes`].
pub fn flags(
    migrations: &Schema,
    models: &Models,
    answers: &Answers,
    questions: &[Question],
) -> Result<Flags> {
    let asks_renames = questions.iter().any(|question| matches!(question, Question::Rename(_)));
    let unclear = |question: &Question| match question {
        Question::Rename(rename) => !rename.is_likely,
        Question::Fill(_) => false,
    };
    if questions.iter().any(unclear) {
        return chosen(migrations, models, answers, questions);
    }
    let ways = if asks_renames { &[true, false][..] } else { &[true] };
    let lines = ways.iter().map(|with_renames| line(migrations, models, answers, *with_renames));
    let lines = lines.collect::<Result<Option<Vec<Line>>>>()?;
    match lines {
        Some(lines) => Ok(Flags::Lines(lines)),
        None => chosen(migrations, models, answers, questions),
    }
}

fn chosen(
    migrations: &Schema,
    models: &Models,
    answers: &Answers,
    questions: &[Question],
) -> Result<Flags> {
    let line = line(migrations, models, answers, false)?;
    let mut certain = line.map(|line| line.changes).unwrap_or_default();
    let renames: Vec<&Rename> = questions
        .iter()
        .filter_map(|question| match question {
            Question::Rename(rename) => Some(rename),
            Question::Fill(_) => None,
        })
        .collect();
    let is_asked = |dropped: &str| renames.iter().any(|rename| rename.old == dropped);
    let is_of_asked = |operation: &Operation| match operation {
        Operation::DropTable { table } => Some(is_asked(table)),
        Operation::DropColumn { table, column } => Some(is_asked(&format!("{table}.{column}"))),
        // Whether a fill discards something depends on the answer.
        _ => None,
    };
    let mut unrenamed = certain.clone();
    certain.losses.retain(|idx, _| is_of_asked(&certain.operations[*idx]) == Some(false));
    if certain.losses.is_empty() && can_all_be_renamed(&renames) {
        unrenamed.losses.clear();
    }
    unrenamed.losses.retain(|idx, _| is_of_asked(&unrenamed.operations[*idx]) == Some(true));
    Ok(Flags::Choices { each: questions.iter().map(choices).collect(), certain, unrenamed })
}

/// Whether there is a new name for each of them.
fn can_all_be_renamed(renames: &[&Rename]) -> bool {
    let mut holders = BTreeMap::new();
    (0..renames.len()).all(|nth| finds_name(nth, renames, &mut holders, &mut BTreeSet::new()))
}

/// Gives the nth one a new name, for which others may have to take other ones.
fn finds_name<'a>(
    nth: usize,
    renames: &[&'a Rename],
    holders: &mut BTreeMap<&'a str, usize>,
    tried: &mut BTreeSet<&'a str>,
) -> bool {
    let rename: &'a Rename = renames[nth];
    rename.candidates.iter().any(|new| {
        let is_free = tried.insert(new)
            && match holders.get(new.as_str()).copied() {
                Some(holder) => finds_name(holder, renames, holders, tried),
                None => true,
            };
        if is_free {
            holders.insert(new, nth);
        }
        is_free
    })
}

/// `--rename user.name:user.login | --rename user.name:user.nick`
fn choices(question: &Question) -> String {
    match question {
        Question::Rename(rename) => {
            let each = rename.candidates.iter().map(|new| shell("--rename", &rename.flag(new)));
            each.collect::<Vec<_>>().join(" | ")
        }
        Question::Fill(need) => shell("--fill", &need.flag(&need.suggestion())),
    }
}

/// A line that renames, or that renames nothing; `None` if an answer leaves a choice open.
fn line(
    migrations: &Schema,
    models: &Models,
    answers: &Answers,
    with_renames: bool,
) -> Result<Option<Line>> {
    let mut answers = answers.clone();
    let mut flags = Vec::new();
    loop {
        let questions = match changes(migrations, models, &answers)? {
            Outcome::Questions(questions) => questions,
            Outcome::Changes(changes) => {
                let discards = !changes.losses.is_empty();
                flags.extend(discards.then(|| "--allow-destructive".to_owned()));
                return Ok(Some(Line { flags: flags.join(" "), changes }));
            }
        };
        match questions.into_iter().next() {
            Some(Question::Rename(rename)) if with_renames => {
                let Rename { candidates, is_likely, .. } = &rename;
                let Some(new) = candidates.first().filter(|_| *is_likely) else { return Ok(None) };
                let rename = rename.flag(new);
                flags.push(shell("--rename", &rename));
                answers.renames.push(rename);
            }
            Some(Question::Rename(_)) => {
                flags.push("--no-renames".to_owned());
                answers.no_renames = true;
            }
            Some(Question::Fill(need)) => {
                let fill = need.flag(&need.suggestion());
                flags.push(shell("--fill", &fill));
                answers.fills.push(fill);
            }
            None => return Ok(None),
        }
    }
}
