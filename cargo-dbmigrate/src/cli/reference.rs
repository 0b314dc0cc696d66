//! The book's page about commands, generated from the declarations that parse them.

use std::path::Path;

use clap::builder::PossibleValue;
use clap::{Arg, Command, CommandFactory as _};
use expect_test::expect_file;

use super::Cli;
use super::examples::EXAMPLES;

#[test]
fn the_reference_lists_every_command_and_option() {
    let mut root = Cli::command().disable_help_subcommand(true);
    root.build();
    let mut page = String::from(
        "# Commands\n\nOptions can be given before or after the command. `--help` after a command \
         prints what\nthis page says about it. [Revision identifiers](identifiers.md) lists the \
         forms of `REV`, and\n[Exit codes and streams](exit-codes.md) what a command \
         returns.\n\n",
    );
    let commands: Vec<&Command> =
        root.get_subcommands().filter(|command| !command.is_hide_set()).collect();
    page += "| command | what it does |\n|---|---|\n";
    for command in &commands {
        let name = command.get_name();
        page += &format!("| [`{name}`](#{name}) | {} |\n", about(command));
    }
    page += "\n## Global options\n\nEvery command takes these.\n\n";
    page += &table(root.get_arguments().filter(|arg| arg.is_global_set()));
    for command in commands {
        page += &format!("\n## `{}`\n\n{}.\n\n", command.get_name(), about(command));
        if let Some(long) = command.get_long_about() {
            page += &format!("{}\n\n", cell(&long.to_string()));
        }
        page += &format!("```text\n{}\n```\n", usage(command));
        let own = table(command.get_arguments().filter(|arg| !arg.is_global_set()));
        page += &if own.is_empty() { own } else { format!("\n{own}") };
        if let Some(text) = command.get_after_help() {
            for paragraph in text.to_string().lines() {
                page += &format!("\n{}\n", cell(paragraph));
            }
        }
        page += &examples(command.get_name());
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/commands.md");
    expect_file![file].assert_eq(&page);
}

fn usage(command: &Command) -> String {
    let usage = command.clone().render_usage().to_string();
    usage.trim_start_matches("Usage: ").to_owned()
}

fn about(command: &Command) -> String {
    cell(&command.get_about().map(ToString::to_string).unwrap_or_default())
}

/// The examples at the end of the command's help.
fn examples(name: &str) -> String {
    let of_command = EXAMPLES.iter().filter(|(command, _)| *command == name);
    let lines = of_command.flat_map(|(_, examples)| examples);
    let rows: String =
        lines.map(|(line, what)| format!("| `cargo dbmigrate {line}` | {what} |\n")).collect();
    format!("\n| example | what it does |\n|---|---|\n{rows}")
}

/// A table of options, without `--help` and `--version`, which every command has.
fn table<'a>(args: impl Iterator<Item = &'a Arg>) -> String {
    let is_help = |arg: &&Arg| ["help", "version"].contains(&arg.get_id().as_str());
    let shown = args.filter(|arg| !arg.is_hide_set()).filter(|arg| !is_help(arg));
    let row = |arg: &Arg| format!("| `{}` | {} |\n", written(arg), explained(arg));
    let rows: String = shown.map(row).collect();
    match rows.as_str() {
        "" => rows,
        _ => format!("| option | meaning |\n|---|---|\n{rows}"),
    }
}

/// An option's help, with its default and its possible values.
fn explained(arg: &Arg) -> String {
    let help = arg.get_long_help().or(arg.get_help()).map(ToString::to_string).unwrap_or_default();
    let paragraphs: Vec<String> = help.split("\n\n").map(cell).collect();
    let text = paragraphs.join(". ").trim_end_matches('.').to_owned();
    if !arg.get_action().takes_values() {
        return text;
    }
    let choices = arg.get_possible_values();
    let choices = in_backticks(choices.iter().map(PossibleValue::get_name));
    let defaults = arg.get_default_values().iter().filter_map(|value| value.to_str());
    let default = in_backticks(defaults.filter(|value| !value.is_empty()));
    let facts = [("one of", choices), ("default:", default)].into_iter();
    let facts = facts.filter(|(_, values)| !values.is_empty());
    let facts: Vec<String> = facts.map(|(word, values)| format!("{word} {values}")).collect();
    if facts.is_empty() { text } else { format!("{text} ({})", facts.join("; ")) }
}

fn in_backticks<'a>(values: impl Iterator<Item = &'a str>) -> String {
    values.map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ")
}

/// An option as it is typed: `-m, --message <TEXT>`.
fn written(arg: &Arg) -> String {
    let values = arg.get_value_names().unwrap_or_default();
    let takes_value = arg.get_action().takes_values();
    let value = match values {
        [] => arg.get_id().to_string().to_uppercase(),
        names => names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
    };
    let short = arg.get_short().map(|letter| format!("-{letter}"));
    let long = arg.get_long().map(|name| format!("--{name}"));
    let names: Vec<String> = short.into_iter().chain(long).collect();
    let is_positional = names.is_empty();
    match (is_positional, takes_value) {
        (true, _) if arg.is_required_set() => cell(&format!("<{value}>")),
        (true, _) => cell(&format!("[{value}]")),
        (false, true) if arg.is_require_equals_set() => {
            cell(&format!("{}[=<{value}>]", names.join(", ")))
        }
        (false, true) => cell(&format!("{} <{value}>", names.join(", "))),
        (false, false) => names.join(", "),
    }
}

/// A text in a table's cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").split_whitespace().collect::<Vec<_>>().join(" ")
}
