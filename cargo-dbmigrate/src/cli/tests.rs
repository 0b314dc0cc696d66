//! Every command that messages, help and documentation tell people to type must be accepted.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser as _;
use proc_macro2::{TokenStream, TokenTree};

use super::examples::EXAMPLES;
use super::{Cli, of_one_command};

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package is in the repository")
}

/// The files below a directory.
fn files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("a directory of the repository") {
        let path = entry.expect("a file of the repository").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match path.is_dir() {
            true if matches!(name.as_str(), "target" | "fixtures" | ".git") => {}
            true => files(&path, found),
            false => found.push(path),
        }
    }
}

/// The texts in a Rust file: its string literals and its documentation.
fn texts(tokens: TokenStream, found: &mut Vec<String>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => texts(group.stream(), found),
            TokenTree::Literal(literal) => {
                if let Ok(syn::Lit::Str(text)) = syn::parse_str(&literal.to_string()) {
                    found.push(text.value());
                }
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) => {}
        }
    }
}

/// The tool's commands in a text, between backticks or on their own line, without redirections and
/// pipes.
fn commands(text: &str) -> Vec<String> {
    let mut commands = Vec::new();
    for (at, _) in text.match_indices("cargo dbmigrate ") {
        let before = text[..at].trim_end_matches([' ', '$']);
        let line = before.is_empty() || before.ends_with('\n');
        let quoted = text[..at].ends_with('`');
        let end: &[char] = if quoted { &['`'] } else { &['\n', '`', '#'] };
        if !line && !quoted {
            continue;
        }
        let rest = &text[at..];
        let end = rest.find(end).unwrap_or(rest.len());
        // The inserted text is a whole command, which is checked elsewhere.
        if rest.starts_with("cargo dbmigrate {") {
            continue;
        }
        let command = rest[..end].replace('\n', " ");
        let end = [" | ", " > "].iter().filter_map(|sign| command.find(sign)).min();
        commands.push(command[..end.unwrap_or(command.len())].to_owned());
    }
    commands
}

/// The words of a command, with something in place of the inserted values.
fn words(command: &str) -> Vec<String> {
    let mut filled = String::new();
    let mut rest = command;
    while let Some((before, after)) = rest.split_once('{') {
        filled += before;
        // The sign is part of a format specifier: `{steps:+}`.
        filled += "a1";
        rest = after.split_once('}').map_or("", |(_, rest)| rest);
    }
    filled += rest;
    let parts = filled.split(['"', '\'']).enumerate();
    let words = parts.flat_map(|(nth, part)| match nth % 2 {
        1 => vec![part.to_owned()],
        _ => part.split_whitespace().map(str::to_owned).collect(),
    });
    // Skips the word `cargo`.
    words.skip(1).map(|word| word.trim_matches(['[', ']']).replace("...", "")).collect()
}

#[test]
fn every_command_that_a_text_names_is_one_that_the_tool_takes() {
    let root = repository();
    let mut paths = Vec::new();
    for dir in ["cargo-dbmigrate/src", "dbmigrate-runtime/src", "dbmigrate-derive/src", "docs"] {
        files(&root.join(dir), &mut paths);
    }
    files(&root.join("examples"), &mut paths);
    paths.push(root.join("README.md"));
    // The generated page contains placeholders such as `[OPTIONS]`.
    paths.retain(|path| !path.ends_with("docs/reference/commands.md"));
    let mut seen = BTreeSet::new();
    let mut wrong = Vec::new();
    for path in paths {
        let Ok(source) = fs::read_to_string(&path) else { continue };
        let mut found = Vec::new();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let tokens = source.parse().unwrap_or_else(|err| panic!("{path:?}: {err}"));
            texts(tokens, &mut found);
        } else {
            found.push(source);
        }
        for command in found.iter().flat_map(|text| commands(text)) {
            let words = words(&command);
            if command.contains('<') {
                wrong.push(format!("{command}\n  leaves open what is meant by `<...>`"));
            } else if words.len() > 1 {
                let whole = Cli::try_parse_from(&words);
                let args: Vec<OsString> = words.iter().map(OsString::from).collect();
                let alone = of_one_command(&args).map(|cli| format!("{cli:?}"));
                let may_differ = alone.is_none() && words[1].starts_with('-');
                let expected = whole.as_ref().ok().map(|cli| format!("{cli:?}"));
                assert!(may_differ || alone == expected, "{command}\n{alone:?}\n{expected:?}");
                if let Err(err) = whole {
                    if err.exit_code() != 0 {
                        wrong.push(format!("{command}, in {}\n  {err}", path.display()));
                    }
                }
                seen.insert(command);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Fewer would mean that the search itself is broken.
    assert!(seen.len() > 40, "{seen:#?}");
}

#[test]
fn every_command_has_two_examples_of_its_own_that_it_takes() {
    let root = super::command();
    let mut names: Vec<&str> = root.get_subcommands().map(clap::Command::get_name).collect();
    names.push("");
    names.sort_unstable();
    let mut with: Vec<&str> = EXAMPLES.iter().map(|(name, _)| *name).collect();
    with.sort_unstable();
    assert_eq!(with, names);
    for (line, _) in EXAMPLES.iter().flat_map(|(_, examples)| examples) {
        let words = words(&format!("cargo dbmigrate {line}"));
        Cli::try_parse_from(words).unwrap_or_else(|err| panic!("{line}: {err}"));
    }
}
