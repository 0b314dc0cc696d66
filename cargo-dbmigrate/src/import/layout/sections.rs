//! Both directions in one file, divided by comments.

use std::path::Path;

use dbmigrate_runtime::Direction;

use super::{Part, Script, entries, file_name, in_words, misnamed, numbered, program, read_text};
use crate::cli::Tool;
use crate::error::{Error, Result};
use crate::import::version::Version;

/// A comment that means something to a tool.
enum Note {
    Begins(Direction),
    NoTransaction,
    /// It divides statements, which isn't needed here.
    Divides,
    Unknown,
}

pub(super) fn parts(tool: Tool, dir: &Path) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    for file in entries(dir)?.into_iter().filter(|path| path.is_file()) {
        let name = file_name(&file);
        if name.ends_with("_test.go") {
            continue;
        }
        let numbered_stem = |extension: &str| numbered(name.strip_suffix(extension)?, "_");
        if tool == Tool::Goose && numbered_stem(".go").is_some() {
            return Err(program(&file));
        }
        if !name.ends_with(".sql") {
            continue;
        }
        let Some((version, stem)) = numbered_stem(".sql") else {
            return Err(misnamed(tool, &file));
        };
        let Sections { up, down, no_transaction } = sections(tool, &file, &read_text(&file)?)?;
        let directions = [(Direction::Upgrade, Some(up)), (Direction::Downgrade, down)];
        for (direction, sql) in directions {
            let Some(sql) = sql.filter(|sql| direction == Direction::Upgrade || !sql.is_empty())
            else {
                continue;
            };
            parts.push(Part {
                version: Version::new(version),
                name: in_words(stem),
                direction,
                script: Script { file: file.clone(), sql },
                no_transaction,
            });
        }
    }
    Ok(parts)
}

/// The sections of a file.
struct Sections {
    up: String,
    down: Option<String>,
    no_transaction: bool,
}

fn sections(tool: Tool, file: &Path, text: &str) -> Result<Sections> {
    let (mut up, mut down) = (None::<String>, None::<String>);
    let mut no_transaction = false;
    let mut current = None;
    let mut stray = None;
    // Editors on Windows start a file with a byte order mark.
    let text = text.trim_start_matches('\u{feff}');
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        let Some(words) = note(tool, line) else {
            let section = match current {
                Some(Direction::Upgrade) => up.as_mut(),
                Some(Direction::Downgrade) => down.as_mut(),
                None => None,
            };
            let is_stray =
                section.is_none() && !line.trim().is_empty() && !line.trim().starts_with("--");
            stray = stray.or(is_stray.then_some((number, line.trim())));
            section.into_iter().for_each(|section| section.push_str(line));
            continue;
        };
        no_transaction |= tool == Tool::Dbmate && words.contains("transaction:false");
        match meaning(words) {
            Note::Begins(direction) => {
                current = Some(direction);
                let section = match direction {
                    Direction::Upgrade => &mut up,
                    Direction::Downgrade => &mut down,
                };
                section.get_or_insert_default();
            }
            Note::NoTransaction => no_transaction = true,
            Note::Divides => {}
            Note::Unknown => {
                let message =
                    format!("`{}` has `{}`, which is unknown", file.display(), line.trim());
                return Err(
                    Error::new(message).hint("replace it by what it stands for, and import again")
                );
            }
        }
    }
    if let (Some(_), Some((number, line))) = (&up, stray) {
        let (file, mark) = (file.display(), mark(tool));
        let message = format!("`{file}` has a line before `{mark}`, line {number}: `{line}`");
        return Err(Error::new(message)
            .hint(format!("move it below: {tool} itself does not run such a file")));
    }
    match up {
        Some(up) => Ok(Sections { up, down, no_transaction }),
        None => Err(misnamed(tool, file)),
    }
}

/// The line that begins what is applied.
pub(super) fn mark(tool: Tool) -> &'static str {
    if tool == Tool::Goose { "-- +goose Up" } else { "-- migrate:up" }
}

/// The words after a tool's own mark.
fn note(tool: Tool, line: &str) -> Option<&str> {
    let comment = line.trim().strip_prefix("--")?.trim_start();
    let mark = if tool == Tool::Goose { "+goose " } else { "migrate:" };
    comment.strip_prefix(mark).map(str::trim)
}

fn meaning(words: &str) -> Note {
    let word = words.to_ascii_lowercase();
    match word.split_whitespace().next().unwrap_or_default() {
        "up" => Note::Begins(Direction::Upgrade),
        "down" => Note::Begins(Direction::Downgrade),
        "no" => Note::NoTransaction,
        "statementbegin" | "statementend" => Note::Divides,
        _ => Note::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_divided_by_its_notes() {
        let text = "-- +goose NO TRANSACTION\n-- +goose Up\n-- +goose StatementBegin\nA;\n\
                    -- +goose StatementEnd\n-- a comment\nB;\n\n-- +goose Down\nC;\n";
        let found = sections(Tool::Goose, Path::new("1_a.sql"), text).unwrap();
        assert_eq!(found.up, "A;\n-- a comment\nB;\n\n");
        assert_eq!(found.down.as_deref(), Some("C;\n"));
        assert!(found.no_transaction);
        let text = "-- migrate:up transaction:false\nA;\n-- migrate:down\n";
        let found = sections(Tool::Dbmate, Path::new("1_a.sql"), text).unwrap();
        assert_eq!((found.up.as_str(), found.down.as_deref()), ("A;\n", Some("")));
        assert!(found.no_transaction);
    }

    #[test]
    fn what_only_the_tool_understands_is_refused() {
        let text = "-- +goose ENVSUB ON\n-- +goose Up\nA;\n";
        let err = sections(Tool::Goose, Path::new("1_a.sql"), text).err().unwrap();
        assert_eq!(
            err.to_string(),
            "`1_a.sql` has `-- +goose ENVSUB ON`, which is unknown\n  \
             hint: replace it by what it stands for, and import again"
        );
    }
}
