//! A file for each direction of a migration, told by its name.

use std::path::{Path, PathBuf};

use dbmigrate_runtime::Direction;

use super::{
    Named, Part, Script, entries, file_name, in_words, misnamed, numbered, program, read_text,
};
use crate::cli::Tool;
use crate::error::{Error, Result};
use crate::import::version::Version;

pub(super) fn parts(tool: Tool, dir: &Path) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    for file in files(tool, dir)? {
        let (version, name, direction) = match named(tool, &file_name(&file)) {
            Named::Migration { version, name, direction } => (version, name, direction),
            Named::Other => continue,
            Named::Misnamed => return Err(misnamed(tool, &file)),
            Named::Program => return Err(program(&file)),
        };
        let mut sql = read_text(&file)?;
        if tool == Tool::Flyway {
            // Neither what it runs nor its checksum has the byte order mark.
            sql = sql.trim_start_matches('\u{feff}').to_owned();
        }
        if tool == Tool::Flyway && sql.contains("${") {
            let message = format!("`{}` has placeholders (`${{...}}`)", file.display());
            return Err(Error::new(message).hint("replace them by their values, and import again"));
        }
        let no_transaction = match tool {
            Tool::Sqlx => sql.starts_with("-- no-transaction"),
            Tool::Flyway => runs_alone(&file)?,
            _ => false,
        };
        let script = Script { file, sql };
        parts.push(Part { version, name, direction, script, no_transaction });
    }
    Ok(parts)
}

/// Whether the settings beside a file of Flyway say that it runs outside of a transaction.
fn runs_alone(file: &Path) -> Result<bool> {
    let mut name = file.as_os_str().to_owned();
    name.push(".conf");
    let settings = PathBuf::from(name);
    if !settings.exists() {
        return Ok(false);
    }
    let text = read_text(&settings)?;
    let mut lines = text.lines().filter_map(|line| line.split_once('='));
    Ok(lines.any(|(key, value)| {
        key.trim().trim_start_matches("flyway.") == "executeInTransaction"
            && value.trim().eq_ignore_ascii_case("false")
    }))
}

/// The files of the directory; also those below it if the tool looks there.
fn files(tool: Tool, dir: &Path) -> Result<Vec<PathBuf>> {
    let is_deep = matches!(tool, Tool::Refinery | Tool::Flyway);
    let mut files = Vec::new();
    for path in entries(dir)? {
        if path.is_file() {
            files.push(path);
        } else if is_deep && path.is_dir() {
            refuse_loop(&path)?;
            files.extend(self::files(tool, &path)?);
        }
    }
    Ok(files)
}

/// Fails if a directory is a link to one that it is in.
fn refuse_loop(dir: &Path) -> Result<()> {
    let (Ok(target), Some(Ok(parent))) = (dir.canonicalize(), dir.parent().map(Path::canonicalize))
    else {
        return Ok(());
    };
    if dir.is_symlink() && parent.starts_with(target) {
        let message = format!("`{}` is a link to a directory that it is in", dir.display());
        return Err(Error::new(message).hint("remove it"));
    }
    Ok(())
}

fn named(tool: Tool, file: &str) -> Named {
    let Some((stem, extension)) = file.rsplit_once('.') else { return Named::Other };
    if tool == Tool::GolangMigrate {
        return of_golang(stem);
    }
    let (direction, stem) = match tool {
        Tool::Sqlx => {
            if let Some(stem) = stem.strip_suffix(".up") {
                (Direction::Upgrade, stem)
            } else if let Some(stem) = stem.strip_suffix(".down") {
                (Direction::Downgrade, stem)
            } else {
                (Direction::Upgrade, stem)
            }
        }
        Tool::Flyway if stem.starts_with('U') => (Direction::Downgrade, stem),
        _ => (Direction::Upgrade, stem),
    };
    let found = match tool {
        Tool::Sqlx => numbered(stem, "_"),
        // Both letters of refinery apply: `U` is for those that may come out of order.
        _ => stem.split_at_checked(1).and_then(|(letter, rest)| {
            let is_versioned = letter == "V" || letter == "U";
            let (version, name) = rest.split_once("__").filter(|_| is_versioned)?;
            let is_sign = |sign: char| sign.is_ascii_digit() || sign == '.' || sign == '_';
            let is_version = !version.is_empty() && version.chars().all(is_sign);
            is_version.then_some((version, name))
        }),
    };
    let repeatable = stem.strip_prefix("R__").filter(|_| tool == Tool::Flyway);
    match (extension, found, repeatable) {
        ("sql", Some((version, name)), _) => {
            Named::Migration { version: Version::new(version), name: in_words(name), direction }
        }
        ("sql", None, Some(name)) => {
            Named::Migration { version: Version::repeatable(name), name: in_words(name), direction }
        }
        ("sql", None, None) => Named::Misnamed,
        ("rs" | "go" | "java", Some(_), _) => Named::Program,
        _ => Named::Other,
    }
}

/// golang-migrate takes any extension, and nothing without a direction.
fn of_golang(stem: &str) -> Named {
    let up = stem.strip_suffix(".up").map(|stem| (Direction::Upgrade, stem));
    let found = up.or_else(|| Some((Direction::Downgrade, stem.strip_suffix(".down")?)));
    let found = found.and_then(|(direction, stem)| Some((direction, numbered(stem, "_")?)));
    match found {
        Some((direction, (version, name))) => {
            Named::Migration { version: Version::new(version), name: in_words(name), direction }
        }
        None => Named::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(tool: Tool, file: &str) -> String {
        match named(tool, file) {
            Named::Migration { version, name, direction } => {
                format!("{direction:?} {}: {name}", version.text)
            }
            Named::Other => "other".to_owned(),
            Named::Misnamed => "unreadable: ".to_owned(),
            Named::Program => {
                "unreadable: it is a program, and only SQL can be taken over".to_owned()
            }
        }
    }

    #[test]
    fn a_file_is_what_its_tool_takes_it_for() {
        let sqlx = |file| shown(Tool::Sqlx, file);
        assert_eq!(sqlx("1_create_users.sql"), "Upgrade 1: create users");
        assert_eq!(sqlx("1_a.up.sql"), "Upgrade 1: a");
        assert_eq!(sqlx("1_a.down.sql"), "Downgrade 1: a");
        assert_eq!(sqlx("mod.rs"), "other");
        assert_eq!(sqlx("users.sql"), "unreadable: ");
        let refinery = |file| shown(Tool::Refinery, file);
        assert_eq!(refinery("V1__first.sql"), "Upgrade 1: first");
        assert_eq!(refinery("U2__late.sql"), "Upgrade 2: late");
        let program = "unreadable: it is a program, and only SQL can be taken over";
        assert_eq!(refinery("V3__barrel.rs"), program);
        assert_eq!(refinery("mod.rs"), "other");
        let golang = |file| shown(Tool::GolangMigrate, file);
        assert_eq!(golang("2_b.up.sqlite"), "Upgrade 2: b");
        assert_eq!(golang("3_c.sql"), "other");
        let flyway = |file| shown(Tool::Flyway, file);
        assert_eq!(flyway("V1_2__two_words.sql"), "Upgrade 1_2: two words");
        assert_eq!(flyway("U1_2__two_words.sql"), "Downgrade 1_2: two words");
        assert_eq!(flyway("R__all_views.sql"), "Upgrade all_views: all views");
    }
}
