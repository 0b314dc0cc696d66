//! What other tools have recorded in a database.

use std::hash::{Hash as _, Hasher as _};

use dbmigrate_runtime::Value;
use dbmigrate_runtime::engine::driver::Connection;
use sha2::{Digest as _, Sha384};
use siphasher::sip::SipHasher13;

use super::version::Version;
use crate::cli::Tool;
use crate::error::{Error, Result};

/// How a text may have ended that lost its last line breaks.
pub(super) const ENDS: [&str; 4] = ["", "\n", "\n\n", "\r\n"];

/// What precedes a checksum in the text of a revision.
const CHECKSUM: &str = "-- The checksum of the file: ";

/// What a tool has applied.
#[derive(Debug)]
pub enum Applied {
    /// These migrations.
    These(Vec<Entry>),
    /// All up to these.
    UpTo(Vec<Version>),
    /// The first ones, by their number.
    First(usize),
}

/// A migration that a tool has applied.
#[derive(Debug)]
pub struct Entry {
    pub version: Version,
    /// What the tool keeps of the text that it ran, as [`checksums`] writes it.
    checksum: Option<String>,
}

/// Reads what a tool has recorded in this table.
///
/// # Errors
///
/// When its table doesn't exist or can't be read, and when a migration failed halfway.
pub fn read(tool: Tool, table: Option<&str>, conn: &mut dyn Connection) -> Result<Applied> {
    let columns = match tool {
        Tool::Diesel | Tool::Dbmate | Tool::SeaOrm => "SELECT version FROM {} ORDER BY version",
        Tool::Sqlx => "SELECT version, success, checksum FROM {} ORDER BY version",
        Tool::Refinery => "SELECT version, checksum FROM {} ORDER BY version",
        Tool::RusqliteMigration => "PRAGMA user_version",
        Tool::GolangMigrate => "SELECT version, dirty FROM {}",
        Tool::Alembic | Tool::FlaskMigrate => "SELECT version_num FROM {}",
        Tool::Django => "SELECT app, name FROM {} ORDER BY id",
        Tool::Goose => "SELECT version_id, is_applied FROM {} ORDER BY id",
        Tool::Flyway => {
            "SELECT version, success, checksum, type, script FROM {} ORDER BY installed_rank"
        }
    };
    let place = table.map_or_else(
        || format!("what {tool} has applied"),
        |table| format!("`{table}`, the table of {tool}"),
    );
    let quoted = table.map(|table| conn.dialect().relation(table)).unwrap_or_default();
    let sql = columns.replace("{}", &quoted);
    let rows = match conn.query(&sql, &[]) {
        Ok(found) => found.rows,
        Err(err) => {
            let hint = match table.and_then(|table| in_another_schema(table, conn)) {
                Some(other) => format!("give its name with the schema: `--table {other}`"),
                None => format!("give the database that {tool} migrated, for example with `--url`"),
            };
            return Err(Error::new(format!("failed to read {place}")).cause(err).hint(hint));
        }
    };
    let failed = |version: &str| {
        Error::new(format!("migration `{version}` of {tool} failed halfway in this database"))
            .hint(format!("finish or undo it with {tool} first"))
    };
    match tool {
        Tool::RusqliteMigration => {
            let n = rows.first().and_then(|row| text(row.first()).parse().ok());
            Ok(Applied::First(n.unwrap_or_default()))
        }
        Tool::GolangMigrate => match rows.first() {
            None => Ok(Applied::These(Vec::new())),
            Some(row) if is_true(row.get(1)) => Err(failed(&text(row.first()))),
            Some(row) => Ok(Applied::UpTo(vec![Version::new(&text(row.first()))])),
        },
        Tool::Alembic | Tool::FlaskMigrate => {
            let versions = rows.iter().map(|row| Version::new(&text(row.first())));
            Ok(Applied::UpTo(versions.collect()))
        }
        Tool::Django => {
            let version = |row: &Vec<Value>| {
                Version::new(&format!("{}.{}", text(row.first()), text(row.get(1))))
            };
            let entry = |row| Entry { version: version(row), checksum: None };
            Ok(Applied::These(rows.iter().map(entry).collect()))
        }
        Tool::SeaOrm => {
            let names = rows.iter().map(|row| text(row.first()));
            let entry = |name: String| Entry { version: Version::new(&name), checksum: None };
            Ok(Applied::These(names.map(entry).collect()))
        }
        Tool::Goose => Ok(Applied::These(of_goose(&rows))),
        Tool::Flyway => of_flyway(&rows, failed),
        Tool::Diesel | Tool::Dbmate | Tool::Sqlx | Tool::Refinery => {
            let mut entries = Vec::new();
            for row in &rows {
                let version = text(row.first());
                let checksum = match (tool, row.last()) {
                    (Tool::Sqlx, Some(Value::Blob(hash))) => Some(hex(hash)),
                    (Tool::Sqlx, Some(Value::Null)) => None,
                    (Tool::Sqlx | Tool::Refinery, hash) => Some(text(hash)),
                    _ => None,
                };
                if tool == Tool::Sqlx && !is_true(row.get(1)) {
                    return Err(failed(&version));
                }
                entries.push(Entry { version: Version::new(&version), checksum });
            }
            Ok(Applied::These(entries))
        }
    }
}

/// The only table of another schema with this name, with its schema.
fn in_another_schema(table: &str, conn: &mut dyn Connection) -> Option<String> {
    let elsewhere = conn.dialect().tables_elsewhere(conn).ok()?;
    let has_name = |other: &&String| other.split_once('.').is_some_and(|(_, name)| name == table);
    let mut found = elsewhere.iter().filter(has_name);
    found.next().filter(|_| found.next().is_none()).cloned()
}

/// The last row of a version tells whether it is applied.
fn of_goose(rows: &[Vec<Value>]) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for row in rows {
        let version = Version::new(&text(row.first()));
        entries.retain(|entry| entry.version != version);
        // Version 0 stands for the empty database.
        if is_true(row.get(1)) && version != Version::new("0") {
            entries.push(Entry { version, checksum: None });
        }
    }
    entries
}

/// Rows in the order in which they were made, among them those of what was undone.
fn of_flyway(rows: &[Vec<Value>], failed: impl Fn(&str) -> Error) -> Result<Applied> {
    let mut entries: Vec<Entry> = Vec::new();
    for row in rows {
        let [number, success, checksum, kind, script] = row.as_slice() else { continue };
        let script = text(Some(script));
        let version = match number {
            Value::Null => {
                let name = script.rsplit('/').next().unwrap_or_default();
                let name = name.trim_start_matches("R__").trim_end_matches(".sql");
                Version::repeatable(name)
            }
            number => Version::new(&text(Some(number))),
        };
        if !is_true(Some(success)) {
            return Err(failed(&version.text));
        }
        match text(Some(kind)).as_str() {
            "SCHEMA" => continue,
            "BASELINE" => {
                let message = format!("the database begins at baseline `{}`", version.text);
                return Err(Error::new(message)
                    .hint("`stamp --verify` marks the revision whose schema the database has"));
            }
            _ => {}
        }
        entries.retain(|entry| entry.version != version);
        if !["UNDO_SQL", "DELETE"].contains(&text(Some(kind)).as_str()) {
            let checksum = match checksum {
                Value::Integer(sum) => Some(sum.to_string()),
                _ => None,
            };
            entries.push(Entry { version, checksum });
        }
    }
    Ok(Applied::These(entries))
}

impl Entry {
    /// Whether the tool ran another text than this one of a revision, which has this name. The end
    /// of the text may have lost its line breaks.
    pub fn is_of_another_text(&self, tool: Tool, name: &str, sql: &str) -> bool {
        let Some(checksum) = &self.checksum else { return false };
        let of_file = sql.lines().next().and_then(|line| line.strip_prefix(CHECKSUM));
        if let Some(of_file) = of_file {
            return !of_file.split(' ').any(|one| one == checksum);
        }
        let of = |end: &&str| checksums(tool, &self.version, name, &format!("{sql}{end}"));
        !ENDS.iter().any(|end| of(end).contains(checksum))
    }
}

/// The text of a revision that isn't quite that of the file, with the checksum of the file.
pub(super) fn with_checksum(tool: Tool, version: &Version, name: &str, texts: [&str; 2]) -> String {
    let [file, sql] = texts;
    let checksums = checksums(tool, version, name, file);
    if checksums.is_empty() || file.trim_end() == sql.trim_end() {
        return sql.to_owned();
    }
    format!("{CHECKSUM}{}\n{sql}", checksums.join(" "))
}

/// What a tool may record of a text, in one of its versions or another: SHA-384 of the text by
/// sqlx, `SipHash` of name, version and text by refinery, CRC-32 of the lines by Flyway.
fn checksums(tool: Tool, version: &Version, name: &str, sql: &str) -> Vec<String> {
    match tool {
        Tool::Sqlx => vec![hex(Sha384::digest(sql).as_slice())],
        Tool::Refinery => {
            let name = name.replace(' ', "_");
            let of = |hash_version: &dyn Fn(&mut SipHasher13)| {
                let mut hasher = SipHasher13::new();
                name.hash(&mut hasher);
                hash_version(&mut hasher);
                sql.hash(&mut hasher);
                hasher.finish().to_string()
            };
            let number: i64 = version.text.parse().unwrap_or_default();
            // A feature of refinery decides how wide its versions are.
            let wide = of(&|hasher| number.hash(hasher));
            let narrow = i32::try_from(number).ok().map(|number| of(&|hasher| number.hash(hasher)));
            [wide].into_iter().chain(narrow).collect()
        }
        Tool::Flyway => {
            let mut hasher = crc32fast::Hasher::new();
            sql.lines().for_each(|line| hasher.update(line.as_bytes()));
            vec![i32::from_ne_bytes(hasher.finalize().to_ne_bytes()).to_string()]
        }
        _ => Vec::new(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn text(value: Option<&Value>) -> String {
    match value {
        Some(Value::Text(text)) => text.clone(),
        Some(Value::Integer(number)) => number.to_string(),
        Some(Value::Blob(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        Some(value) => format!("{value}"),
        None => String::new(),
    }
}

fn is_true(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Bool(is_true)) => *is_true,
        Some(value) => ["1", "t", "true"].contains(&text(Some(value)).as_str()),
        None => false,
    }
}
