//! The flags that answer the open questions of a difference, for messages.

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
    let unrenamed = line(migrations, models, answers, false)?;
    let mut certain = unrenamed.map(|line| line.changes).unwrap_or_default();
    let is_asked = |dropped: &str| {
        let mut renames = questions.iter();
        renames
            .any(|question| matches!(question, Question::Rename(rename) if rename.old == dropped))
    };
    let Changes { operations, losses, .. } = &mut certain;
    losses.retain(|idx, _| match &operations[*idx] {
        Operation::DropTable { table } => !is_asked(table),
        Operation::DropColumn { table, column } => !is_asked(&format!("{table}.{column}")),
        // Whether a fill discards something depends on the answer.
        _ => false,
    });
    Ok(Flags::Choices { each: questions.iter().map(choices).collect(), certain })
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
