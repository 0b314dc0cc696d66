//! Questions to a person, on standard error.

use std::fmt;
use std::io::ErrorKind;

use dialoguer::console::{Term, measure_text_width};
use dialoguer::theme::Theme;
use dialoguer::{Confirm, Input, Select};

use crate::error::{Doing as _, Result};
use crate::interrupt;

/// A list to choose from. The library counts the lines to redraw, so every line has to fit the
/// terminal. The library only gets numbers, and the items are drawn here.
struct Choices<'a> {
    items: &'a [String],
    width: usize,
}

/// The prefix of the selected item; the others are indented by its width.
const CHOSEN: &str = "> ";

impl Choices<'_> {
    fn item<'t>(&'t self, number: &'t str) -> &'t str {
        let item = number.parse::<usize>().ok().and_then(|number| self.items.get(number));
        item.map_or(number, String::as_str)
    }

    fn lines(&self, number: &str) -> Vec<String> {
        wrapped(self.item(number), self.width.saturating_sub(CHOSEN.len()))
    }
}

impl Theme for Choices<'_> {
    /// Questions end in a question mark, so no colon is added.
    fn format_select_prompt(&self, f: &mut dyn fmt::Write, prompt: &str) -> fmt::Result {
        f.write_str(prompt)
    }

    fn format_select_prompt_item(
        &self,
        f: &mut dyn fmt::Write,
        number: &str,
        is_chosen: bool,
    ) -> fmt::Result {
        let mark = if is_chosen { CHOSEN } else { "  " };
        write!(f, "{mark}{}", self.lines(number).join("\n  "))
    }

    fn format_select_prompt_selection(
        &self,
        f: &mut dyn fmt::Write,
        prompt: &str,
        number: &str,
    ) -> fmt::Result {
        write!(f, "{prompt}: {}", self.item(number))
    }
}

/// Lets a person choose one of the items; enter takes the preselected one, if there is one.
pub fn select(question: &str, items: &[String], preselected: Option<usize>) -> Result<usize> {
    let (height, width) = size();
    let choices = Choices { items, width };
    let numbers: Vec<String> = (0..items.len()).map(|number| number.to_string()).collect();
    let tallest = numbers.iter().map(|number| choices.lines(number).len()).max().unwrap_or(1);
    let mut prompt = wrapped(question, width);
    let mut page = height.saturating_sub(prompt.len() + 1) / tallest;
    if page < items.len() {
        // The page number follows the question.
        prompt = wrapped(question, width.saturating_sub(" [Page 10/10] ".len()));
        page = height.saturating_sub(prompt.len() + 1) / tallest;
    }
    let select = Select::with_theme(&choices)
        .with_prompt(prompt.join("\n"))
        .items(&numbers)
        // The library subtracts two lines, for a prompt of one line.
        .max_length(page + 2);
    let select = preselected.into_iter().fold(select, Select::default);
    ask(question, || select.interact())
}

/// Lets a person enter a text; an empty one means the suggestion.
pub fn input(question: &str, suggestion: &str) -> Result<String> {
    let default = format!(" [{suggestion}]: ");
    let prompt = last_line(question, default.len() + ROOM);
    let input: Input<'_, String> = Input::new();
    let input = input.with_prompt(&prompt).default(suggestion.to_owned()).report(false);
    let answer = ask(question, || input.interact_text())?;
    // The library only clears the last line of the input, which may have had several.
    let typed = if answer == suggestion { 0 } else { measure_text_width(&answer) };
    let n_drawn = measure_text_width(&prompt) + measure_text_width(&default) + typed;
    let term = Term::stderr();
    let n_above = n_drawn / usize::from(term.size().1).max(1);
    let space = if prompt.is_empty() { "" } else { ": " };
    term.clear_last_lines(n_above)
        .and_then(|()| term.write_line(&format!("{prompt}{space}{answer}")))
        .doing(|| format!("ask: {question}"))?;
    Ok(answer)
}

/// Asks for confirmation; anything but a yes is a no.
pub fn confirm(question: &str) -> Result<bool> {
    let prompt = last_line(question, " [y/N] yes".len());
    let confirm = Confirm::new().with_prompt(prompt).default(false);
    ask(question, || confirm.interact())
}

/// How much of a line is left free for a short answer.
const ROOM: usize = 8;

/// Prints a question except for its last line, which the library draws, and redraws with `extra`
/// more characters. If those don't fit, the whole question is printed, and the answer gets its own
/// line.
fn last_line(question: &str, extra: usize) -> String {
    let (_, width) = size();
    let mut lines = wrapped(question, width);
    let has_room = lines.last().is_some_and(|last| measure_text_width(last) + extra <= width);
    let last = if has_room { lines.pop() } else { None };
    for line in lines {
        // If this can't be written, the prompt fails as well.
        let _ = Term::stderr().write_line(&line);
    }
    last.unwrap_or_default()
}

/// The height and width of the terminal. Its last column is left free, since terminals differ in
/// where the cursor is when it is filled.
fn size() -> (usize, usize) {
    let (height, width) = Term::stderr().size();
    (usize::from(height), usize::from(width).saturating_sub(1).max(MIN_WIDTH))
}

/// The minimum width that is assumed for a terminal.
const MIN_WIDTH: usize = 20;

/// A text in lines of at most this width, broken between words where possible.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for line in text.split('\n') {
        let indent = line.len() - line.trim_start_matches(' ').len();
        let mut current = " ".repeat(indent.min(width / 2));
        let mut is_empty = true;
        for word in line.split(' ').filter(|word| !word.is_empty()) {
            let space = if is_empty { "" } else { " " };
            if !is_empty && measure_text_width(&current) + 1 + measure_text_width(word) > width {
                lines.push(std::mem::take(&mut current));
            } else {
                current += space;
            }
            is_empty = false;
            for letter in word.chars() {
                let letter = letter.to_string();
                if measure_text_width(&current) + measure_text_width(&letter) > width {
                    lines.push(std::mem::take(&mut current));
                }
                current += &letter;
            }
        }
        lines.push(current);
    }
    lines
}

fn ask<T>(question: &str, prompt: impl FnOnce() -> dialoguer::Result<T>) -> Result<T> {
    interrupt::watch();
    match prompt() {
        // The interrupt handler runs concurrently, and either may come first.
        Err(dialoguer::Error::IO(err)) if err.kind() == ErrorKind::Interrupted => {
            interrupt::interrupted()
        }
        res => res.doing(|| format!("ask: {question}")),
    }
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn lines_fit_and_break_between_words() {
        assert_eq!(wrapped("is it so?", 20), ["is it so?"]);
        assert_eq!(wrapped("what do rows get there?", 12), ["what do rows", "get there?"]);
        assert_eq!(wrapped("a_very_long_name is", 8), ["a_very_l", "ong_name", "is"]);
        assert_eq!(wrapped("drops:\n  `user`\n", 10), ["drops:", "  `user`", ""]);
        assert_eq!(wrapped("名前を変える", 4), ["名前", "を変", "える"]);
    }
}
