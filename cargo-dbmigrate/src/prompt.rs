//! Questions to a person, on standard error.

use std::fmt;
use std::io::ErrorKind;
use std::sync::Once;

use dialoguer::console::Term;
use dialoguer::theme::Theme;
use dialoguer::{Confirm, Input, Select};

use crate::error::{Doing as _, Result};

/// The exit code of a command that a person interrupted, as shells have it.
const INTERRUPTED: i32 = 130;

/// What is asked ends in a question mark, and not in a colon behind it.
struct Questions;

impl Theme for Questions {
    fn format_select_prompt(&self, f: &mut dyn fmt::Write, prompt: &str) -> fmt::Result {
        f.write_str(prompt)
    }
}

/// Has one of the items chosen; enter takes the preselected one, if there is one.
pub fn select(question: &str, items: &[String], preselected: Option<usize>) -> Result<usize> {
    let select = Select::with_theme(&Questions).with_prompt(question).items(items);
    let select = preselected.into_iter().fold(select, Select::default);
    ask(question, || select.interact())
}

/// Has a text entered; without one it is the suggestion.
pub fn input(question: &str, suggestion: &str) -> Result<String> {
    let input: Input<'_, String> = Input::new();
    let input = input.with_prompt(question).default(suggestion.to_owned());
    ask(question, || input.interact_text())
}

/// Asks for a yes; anything else is a no.
pub fn confirm(question: &str) -> Result<bool> {
    let confirm = Confirm::new().with_prompt(question).default(false);
    ask(question, || confirm.interact())
}

fn ask<T>(question: &str, prompt: impl FnOnce() -> dialoguer::Result<T>) -> Result<T> {
    static ONCE: Once = Once::new();
    // Where there can be no handler an interrupt ends the process all the same.
    ONCE.call_once(|| drop(ctrlc::set_handler(|| interrupted())));
    match prompt() {
        // The handler runs beside it, and either may come first.
        Err(dialoguer::Error::IO(err)) if err.kind() == ErrorKind::Interrupted => interrupted(),
        res => res.doing(|| format!("ask: {question}")),
    }
}

/// A prompt hides the cursor, and an interrupt would leave it hidden in the person's shell.
fn interrupted() -> ! {
    let _ = Term::stderr().show_cursor();
    std::process::exit(INTERRUPTED)
}
