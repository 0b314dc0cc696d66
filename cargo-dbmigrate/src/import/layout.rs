//! The files of other tools: which of them are migrations, and what their parts are.

mod directories;
mod files;
mod sections;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use dbmigrate_runtime::Direction;
use jiff::Timestamp;

use super::tool;
use super::version::Version;
use crate::cli::Tool;
use crate::error::{Doing as _, Error, Result};

/// A migration of another tool.
#[derive(Debug, Clone)]
pub struct Foreign {
    pub version: Version,
    /// Its name in words.
    pub name: String,
    /// When it was written, if that is known.
    pub created: Option<Timestamp>,
    pub up: Script,
    pub down: Option<Script>,
    /// Whether the tool runs it outside of a transaction.
    pub no_transaction: bool,
    /// Whether it also runs a program, which is not taken over.
    pub unprinted: bool,
    /// Whether its tool fails to print the way back.
    pub unprinted_down: bool,
}

/// The SQL of one direction.
#[derive(Debug, Clone)]
pub struct Script {
    pub file: PathBuf,
    pub sql: String,
}

/// The part of a migration that a file, or a section of it, has.
struct Part {
    version: Version,
    name: String,
    direction: Direction,
    script: Script,
    no_transaction: bool,
}

/// What a file's name says.
enum Named {
    Migration {
        version: Version,
        name: String,
        direction: Direction,
    },
    /// Not a migration: the tool doesn't read it either.
    Other,
    /// It looks like a migration, and isn't named like one.
    Misnamed,
    /// A migration, which is a program.
    Program,
}

/// Reads the migrations of a directory, in their order.
///
/// # Errors
///
/// A file that can't be read or isn't named as the tool names its files, two migrations of one
/// version, a way back without a way there, and no migration at all.
pub fn read(tool: Tool, dir: &Path) -> Result<Vec<Foreign>> {
    let parts = match tool {
        Tool::Diesel | Tool::RusqliteMigration => directories::parts(tool, dir)?,
        Tool::Sqlx | Tool::Refinery | Tool::GolangMigrate | Tool::Flyway => {
            files::parts(tool, dir)?
        }
        Tool::Goose | Tool::Dbmate => sections::parts(tool, dir)?,
        // They print their SQL.
        Tool::Alembic | Tool::FlaskMigrate | Tool::Django | Tool::SeaOrm => Vec::new(),
    };
    if parts.is_empty() {
        let message = format!("`{}` has no migrations of {tool}", dir.display());
        return Err(Error::new(message).hint(format!("they are named {}", tool::naming(tool))));
    }
    if !matches!(tool, Tool::Goose | Tool::Dbmate) {
        parts.iter().try_for_each(|part| refuse_sections(&part.script))?;
    }
    let migrations = joined(parts)?;
    if tool == Tool::RusqliteMigration {
        refuse_gap(&migrations)?;
    }
    Ok(migrations)
}

/// Fails if a script is a migration of a tool with both directions in one file: both would run.
fn refuse_sections(script: &Script) -> Result<()> {
    for tool in [Tool::Goose, Tool::Dbmate] {
        let mark = sections::mark(tool);
        let is_mark = |line: &str| line.trim().eq_ignore_ascii_case(mark);
        if script.sql.lines().any(is_mark) {
            let file = script.file.display();
            let message = format!("`{file}` is a migration of {tool}: it has the line `{mark}`");
            let name = tool.name();
            return Err(
                Error::new(message).hint(format!("take the directory over with `import {name}`"))
            );
        }
    }
    Ok(())
}

/// The parts of each version as one migration.
fn joined(parts: Vec<Part>) -> Result<Vec<Foreign>> {
    let mut ups: BTreeMap<Version, Part> = BTreeMap::new();
    let mut downs: BTreeMap<Version, Part> = BTreeMap::new();
    for part in parts {
        let of_direction = match part.direction {
            Direction::Upgrade => &mut ups,
            Direction::Downgrade => &mut downs,
        };
        if let Some(other) = of_direction.get(&part.version) {
            return Err(Error::new(format!(
                "two migrations have version `{}`: `{}` and `{}`",
                part.version.text,
                other.script.file.display(),
                part.script.file.display()
            ))
            .hint("give one of them another version, as the tool itself requires"));
        }
        of_direction.insert(part.version.clone(), part);
    }
    let mut migrations = Vec::new();
    for (version, up) in ups {
        let down = downs.remove(&version);
        migrations.push(Foreign {
            name: up.name,
            no_transaction: up.no_transaction
                || down.as_ref().is_some_and(|down| down.no_transaction),
            up: up.script,
            unprinted: false,
            unprinted_down: false,
            created: version.time(),
            down: down.map(|down| down.script),
            version,
        });
    }
    match downs.into_values().next() {
        None => Ok(migrations),
        Some(down) => Err(Error::new(format!(
            "`{}` undoes version `{}`, and no file applies it",
            down.script.file.display(),
            down.version.text
        ))
        .hint("restore the missing file, or remove this one")),
    }
}

/// Fails if the numbers don't count from 1: the tool records only how many are applied.
fn refuse_gap(migrations: &[Foreign]) -> Result<()> {
    for (place, migration) in migrations.iter().enumerate() {
        if migration.version != Version::new(&(place + 1).to_string()) {
            let message = format!(
                "there is no migration {}: `{}` comes next",
                place + 1,
                migration.up.file.display()
            );
            return Err(Error::new(message).hint("the numbers count from 1 without a gap"));
        }
    }
    Ok(())
}

fn read_text(file: &Path) -> Result<String> {
    let bytes = fs::read(file).doing(|| format!("read `{}`", file.display()))?;
    String::from_utf8(bytes).map_err(|err| {
        let valid = &err.as_bytes()[..err.utf8_error().valid_up_to()];
        let line = 1 + valid.iter().filter(|byte| **byte == b'\n').count();
        Error::new(format!("`{}` is not UTF-8 on line {line}", file.display()))
            .hint("import a copy of the directory in which it is saved as UTF-8")
    })
}

/// The entries of a directory, by name.
fn entries(dir: &Path) -> Result<Vec<PathBuf>> {
    let failed = || format!("read the directory `{}`", dir.display());
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir).doing(failed)? {
        let path = entry.doing(failed)?.path();
        // Editors mark files that they have open by hidden links to nothing.
        if path.is_symlink() && !path.exists() && !file_name(&path).starts_with('.') {
            let message = format!("`{}` is a link to nothing", path.display());
            return Err(Error::new(message).hint("restore what it points to, or remove it"));
        }
        paths.push(path);
    }
    paths.sort();
    Ok(paths)
}

/// A file's name, as text.
fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A name in words: `create_users` as `create users`.
fn in_words(name: &str) -> String {
    name.replace('_', " ").trim().to_owned()
}

/// The digits at the beginning, and what follows them after a separator.
fn numbered<'a>(name: &'a str, separator: &str) -> Option<(&'a str, &'a str)> {
    let (digits, rest) = name.split_once(separator)?;
    let is_number = !digits.is_empty() && digits.chars().all(|digit| digit.is_ascii_digit());
    is_number.then_some((digits, rest))
}

/// The error of a file that looks like a migration and isn't named like one.
fn misnamed(tool: Tool, file: &Path) -> Error {
    Error::new(format!("`{}` is not named like a migration of {tool}", file.display())).hint(
        format!(
            "{tool} names its migrations {}: rename the file, or move it away",
            tool::naming(tool)
        ),
    )
}

/// The error of a migration that is a program.
fn program(file: &Path) -> Error {
    let message = format!(
        "`{}` can't be taken over: it is a program, and only SQL can be taken over",
        file.display()
    );
    Error::new(message).hint("put the SQL that it runs into a file in its place, and import again")
}
