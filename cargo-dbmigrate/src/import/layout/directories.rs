//! A directory for each migration, with `up.sql` and `down.sql`.

use std::path::Path;

use dbmigrate_runtime::Direction;

use super::{Part, Script, entries, file_name, in_words, numbered, read_text};
use crate::cli::Tool;
use crate::error::{Error, Result, toml_place};
use crate::import::version::Version;

pub(super) fn parts(tool: Tool, dir: &Path) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    for path in entries(dir)?.into_iter().filter(|path| path.is_dir()) {
        let [up, down] = ["up.sql", "down.sql"].map(|name| path.join(name));
        let found = entries(&path)?;
        if !found.contains(&up) && !found.contains(&down) {
            continue;
        }
        let named = file_name(&path);
        let (version, name) = match tool {
            Tool::RusqliteMigration => numbered(&named, "-").ok_or_else(|| {
                let message = format!("`{}` does not begin with a number", path.display());
                Error::new(message).hint("the directories are named `01-NAME`")
            })?,
            _ => named.split_once('_').unwrap_or((&named, "")),
        };
        // Diesel leaves out the hyphens of a date.
        let version = version.replace('-', "");
        let version = match tool {
            Tool::Diesel => Version::text(&version),
            _ => Version::new(&version),
        };
        let no_transaction = tool == Tool::Diesel && runs_alone(&path)?;
        let files = [(Direction::Upgrade, up), (Direction::Downgrade, down)];
        for (direction, file) in files.into_iter().filter(|(_, file)| found.contains(file)) {
            parts.push(Part {
                version: version.clone(),
                name: in_words(&name.replace('-', " ")),
                direction,
                script: Script { sql: read_text(&file)?, file },
                no_transaction,
            });
        }
    }
    Ok(parts)
}

/// Whether diesel runs the migration of a directory outside of a transaction.
fn runs_alone(dir: &Path) -> Result<bool> {
    let file = dir.join("metadata.toml");
    if !file.exists() {
        return Ok(false);
    }
    let text = read_text(&file)?;
    let settings: toml::Table = toml::from_str(&text).map_err(|err| {
        Error::new(format!("failed to read {}", toml_place(&file, &text, &err)))
            .cause(err.message())
    })?;
    Ok(settings.get("run_in_transaction").and_then(toml::Value::as_bool) == Some(false))
}
