//! Questions to a person, on standard error.

use std::sync::Once;

use dialoguer::console::Term;
use dialoguer::{Confirm, Input, Select};

use crate::error::{Doing as _, Result};

/// Has one of the items chosen.
pub fn select(question: &str, items: &[String]) -> Result<usize> {
    show_cursor_in_the_end();
    let select = Select::new().with_prompt(question).items(items).default(0);
    select.interact().doing(|| format!("ask: {question}"))
}

/// Has a text entered; without one it is the suggestion.
pub fn input(question: &str, suggestion: &str) -> Result<String> {
    show_cursor_in_the_end();
    let input: Input<'_, String> = Input::new();
    let input = input.with_prompt(question).default(suggestion.to_owned());
    input.interact_text().doing(|| format!("ask: {question}"))
}

/// Asks for a yes; anything else is a no.
pub fn confirm(question: &str) -> Result<bool> {
    show_cursor_in_the_end();
    let confirm = Confirm::new().with_prompt(question).default(false);
    confirm.interact().doing(|| format!("ask: {question}"))
}

/// A prompt hides the cursor, and an interrupt would leave it hidden in the person's shell.
fn show_cursor_in_the_end() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Where there can be no handler an interrupt ends the process all the same.
        let _ = ctrlc::set_handler(|| {
            let _ = Term::stderr().show_cursor();
            std::process::exit(130);
        });
    });
}
