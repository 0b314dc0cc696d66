//! Asks a person the questions that the difference of two schemas leaves open.

use crate::autogenerate::{Answers, Held, Need, Question, Rename, Why};
use crate::error::Result;
use crate::prompt;

/// Asks one question and records the answer; `held` counts the rows that need a value.
pub fn ask(question: &Question, held: impl Fn(&Need) -> Held, answers: &mut Answers) -> Result<()> {
    match question {
        Question::Rename(question) => rename(question, answers),
        Question::Fill(question) => {
            let expression = fill(question, &held(question))?;
            answers.fills.push(question.flag(expression.trim()));
            Ok(())
        }
    }
}

fn rename(rename: &Rename, answers: &mut Answers) -> Result<()> {
    let mut items: Vec<String> =
        rename.candidates.iter().map(|candidate| format!("renamed to `{candidate}`")).collect();
    items.push(format!("dropped ({})", rename.loss()));
    let preselected = rename.is_likely.then_some(0);
    let question = format!("Was {} `{}` renamed?", rename.what(), rename.old);
    let nth = prompt::select(&question, &items, preselected)?;
    match rename.candidates.get(nth) {
        Some(new) => answers.renames.push(rename.flag(new)),
        None => answers.dropped.push(rename.old.clone()),
    }
    Ok(())
}

fn fill(need: &Need, held: &Held) -> Result<String> {
    let removed = need.removed();
    if need.why == [Why::Values] && !removed.is_empty() {
        return variants(need, &removed, held);
    }
    if need.why == [Why::Narrower] {
        let mut items = vec!["keep them; an upgrade refuses values that don't fit".to_owned()];
        let counterpart = need.counterpart();
        items.extend(counterpart.iter().map(|expression| format!("convert them: {expression}")));
        items.push("another value".to_owned());
        let chosen = prompt::select(&sentence(&need.question(held)), &items, Some(0))?;
        match (chosen, counterpart) {
            (0, _) => return Ok(need.kept()),
            (1, Some(counterpart)) => return Ok(counterpart),
            _ => {}
        }
    }
    let rows = match need.was {
        None => "SQL",
        Some(_) => "SQL, for these rows only; for all rows if it names the column",
    };
    prompt::input(&format!("{} ({rows})", sentence(&need.question(held))), &need.suggestion())
}

/// Asks for a replacement for each removed value.
fn variants(need: &Need, removed: &[String], held: &Held) -> Result<String> {
    let choices = need.choices();
    let mut pairs = Vec::new();
    for old in removed {
        let question = format!(
            "`{}.{}` no longer allows '{old}': what value do rows that hold it get{}?",
            need.table,
            need.column.name,
            held.value(old)
        );
        let items: Vec<String> = choices.iter().map(|choice| format!("'{choice}'")).collect();
        let nth = prompt::select(&question, &items, Some(0))?;
        pairs.extend(choices.get(nth).map(|new| (old.clone(), new.clone())));
    }
    Ok(need.mapped(&pairs))
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().into_iter().flat_map(char::to_uppercase).chain(chars).collect()
}
