//! Migrations that are programs, by the SQL that their own tool prints for them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use dbmigrate_runtime::engine::sql::{Lexicon, Token};

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::layout::{Foreign, Script};
use super::script::words;
use super::version::Version;
use crate::cli::Tool;
use crate::error::{Doing as _, Error, Result};
use crate::tool_tables;

/// Comments of Django in place of what it runs as Python.
const UNPRINTABLE: &str = "CANNOT BE WRITTEN AS SQL";

/// Has Django print all migrations in one process, with their files.
const DJANGO: &str = r#"
import sys

from django.core.management import call_command
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

executor = MigrationExecutor(connections["default"])
for app, names in sorted(executor.loader.detect_conflicts().items()):
    print("-- dbmigrate conflict", *sorted(app + "." + name for name in names))
executor.loader.applied_migrations = {}
for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes(), clean_start=True):
    name = migration.app_label + "." + migration.name
    file = sys.modules[type(migration).__module__].__file__
    print("-- dbmigrate up", name, file)
    try:
        call_command("sqlmigrate", migration.app_label, migration.name, no_color=True)
    except Exception:
        print("-- dbmigrate failed", file)
        raise
    print()
    print("-- dbmigrate down", name)
    try:
        call_command("sqlmigrate", migration.app_label, migration.name, backwards=True, no_color=True)
    except Exception:
        print("-- dbmigrate none")
    print()
"#;

/// Has a tool print its migrations, in their order.
///
/// # Errors
///
/// When its program isn't there or fails.
pub fn read(tool: Tool, dir: &Path, lexicon: &'static Lexicon) -> Result<Vec<Foreign>> {
    let printed = Printed { tool, dir, lexicon };
    if tool == Tool::Django { printed.django() } else { printed.alembic() }
}

/// Whether a tool's migrations are programs.
pub fn is_program(tool: Tool) -> bool {
    matches!(tool, Tool::Alembic | Tool::FlaskMigrate | Tool::Django)
}

struct Printed<'a> {
    tool: Tool,
    dir: &'a Path,
    lexicon: &'static Lexicon,
}

/// What Alembic tells of a revision.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    id: String,
    message: String,
    path: PathBuf,
    created: Option<Timestamp>,
    /// What it follows, if that is a single revision or nothing.
    parent: Option<String>,
    is_head: bool,
}

impl Printed<'_> {
    fn alembic(&self) -> Result<Vec<Foreign>> {
        let history = self.run(&["history", "-v"])?;
        refuse_faults(self.tool, self.dir, &String::from_utf8_lossy(&history.stderr))?;
        let told = told(&self.printed(&["history", "-v"], &history)?);
        refuse_heads(self.tool, &told)?;
        let up = self.output(&["upgrade", "base:heads", "--sql"])?;
        let down = self.downgrades(&told);
        let table = version_table(self.lexicon, &up);
        let ups = sections(&up, "-- Running upgrade ", |arrow| {
            arrow.split_once("-> ").map(|(_, id)| id.to_owned())
        });
        let downs = sections(&down, "-- Running downgrade ", |arrow| {
            arrow.split_once(" ->").map(|(id, _)| id.to_owned())
        });
        let foreign = ups.into_iter().map(|(id, sql)| {
            let told = told.iter().find(|told| told.id == id);
            let file = told.map_or_else(|| PathBuf::from(&id), |told| told.path.clone());
            let own = |sql: &str| self.own(sql, &table);
            let script = |sql: &str| Script { file: file.clone(), sql: own(sql) };
            let down = downs.iter().find(|(of, _)| *of == id);
            Foreign {
                name: told.map_or_else(String::new, |told| told.message.clone()),
                up: script(&sql),
                down: down.map(|(_, sql)| script(sql)),
                no_transaction: false,
                unprinted: false,
                unprinted_down: down.is_none(),
                created: told.and_then(|told| told.created),
                version: Version::new(&id),
            }
        });
        self.some(foreign.collect())
    }

    /// The ways back of Alembic's revisions. One that can't be printed makes the printing of all of
    /// them fail: it raises an error, or looks at a live database.
    fn downgrades(&self, told: &[Told]) -> String {
        if let Ok(text) = self.output(&["downgrade", "heads:base", "--sql"]) {
            return text;
        }
        let one = |told: &Told| {
            let range = format!("{}:{}", told.id, told.parent.as_ref()?);
            self.output(&["downgrade", &range, "--sql"]).ok()
        };
        told.iter().filter_map(one).collect()
    }

    fn django(&self) -> Result<Vec<Foreign>> {
        let text = self.output(&["shell", "-v", "0", "-c", DJANGO])?;
        refuse_conflicts(self.tool, &text)?;
        let table = tool_tables::of(self.tool).unwrap_or_default();
        let name = |rest: &str| Some(rest.trim().to_owned());
        let ups = sections(&text, "-- dbmigrate up ", name);
        let downs = sections(&text, "-- dbmigrate down ", name);
        let until_down =
            |sql: &str| sql.split("-- dbmigrate ").next().unwrap_or_default().to_owned();
        let foreign = ups.into_iter().zip(downs).map(|((up_line, up), (_, down))| {
            let (id, file) = up_line.split_once(' ').unwrap_or((&up_line, &up_line));
            let (id, file) = (id.to_owned(), PathBuf::from(file));
            let created = created_by_django(&file);
            // Those of packages are known by their names.
            let file = self.in_dir(&file).unwrap_or_else(|| PathBuf::from(&id));
            let (_, name) = id.split_once('.').unwrap_or(("", &id));
            let name = name.trim_start_matches(|sign: char| sign.is_ascii_digit());
            let up = until_down(&up);
            let is_undone = !down.contains("-- dbmigrate none");
            let down = self.own(&until_down(&down), table);
            Foreign {
                version: Version::new(&id),
                created,
                name: name.replace('_', " ").trim().to_owned(),
                unprinted: up.contains(UNPRINTABLE),
                unprinted_down: false,
                up: Script { file: file.clone(), sql: self.own(&up, table) },
                down: is_undone.then_some(Script { file, sql: down }),
                no_transaction: false,
            }
        });
        let mut foreign: Vec<Foreign> = foreign.collect();
        in_order(&mut foreign);
        self.some(foreign)
    }

    fn some(&self, foreign: Vec<Foreign>) -> Result<Vec<Foreign>> {
        if foreign.is_empty() {
            let message = format!("{} has no migrations in `{}`", self.tool, self.dir.display());
            return Err(Error::new(message));
        }
        Ok(foreign)
    }

    /// What the tool's program prints.
    fn output(&self, args: &[&str]) -> Result<String> {
        self.printed(args, &self.run(args)?)
    }

    /// The tool's program and its first arguments.
    fn program(&self) -> (&'static str, &'static [&'static str]) {
        match self.tool {
            Tool::Django => ("python3", &["manage.py"]),
            Tool::FlaskMigrate => ("flask", &["db"]),
            _ => ("alembic", &[]),
        }
    }

    /// The command as a person would type it, without the later arguments.
    fn shown(&self, args: &[&str]) -> String {
        let (program, first) = self.program();
        [&[program], first, &args[..args.len().min(2)]].concat().join(" ")
    }

    fn run(&self, args: &[&str]) -> Result<Output> {
        fs::read_dir(self.dir).doing(|| format!("read the directory `{}`", self.dir.display()))?;
        let (program, first) = self.program();
        let mut command = Command::new(program);
        command.current_dir(self.dir).args(first).args(args).env("PYTHONDONTWRITEBYTECODE", "1");
        command.output().doing(|| format!("run `{}`", self.shown(args))).map_err(|err| {
            err.hint(format!("activate the environment in which {} is installed", self.tool))
        })
    }

    fn printed(&self, args: &[&str], output: &Output) -> Result<String> {
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        // Alembic says on standard output why it failed.
        let text = [&output.stdout[..], &output.stderr].map(String::from_utf8_lossy).concat();
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = lines[lines.len().saturating_sub(5)..].join("\n");
        let place = self.failing(&text).unwrap_or_else(|| format!("`{}`", self.dir.display()));
        let message = format!("`{}` failed in {place}", self.shown(args));
        Err(Error::new(message).cause(last).hint(
            "DIR is the directory in which this command works; migrations that need a live \
             database can't be printed as SQL",
        ))
    }

    /// A file as a person would name it, if it is in the directory.
    fn in_dir(&self, file: &Path) -> Option<PathBuf> {
        let dir = self.dir.canonicalize().ok()?;
        let rest = file.strip_prefix(dir).ok()?;
        // `.` is where they are.
        Some(if self.dir == Path::new(".") { rest.to_owned() } else { self.dir.join(rest) })
    }

    /// The migration that made the tool fail, as it says itself: the last file of the directory in
    /// the traceback, with its line.
    fn failing(&self, text: &str) -> Option<String> {
        let mut lines = text.lines();
        if let Some(file) = lines.find_map(|line| line.strip_prefix("-- dbmigrate failed ")) {
            let shown = self.in_dir(Path::new(file)).unwrap_or_else(|| PathBuf::from(file));
            return Some(format!("`{}`", shown.display()));
        }
        if let Some(name) = between(text, "Migration ", " dependencies reference nonexistent") {
            let (app, name) = name.split_once('.')?;
            let end = Path::new(app).join("migrations").join(format!("{name}.py"));
            let files = python_files(self.dir);
            let file = files.iter().find(|file| file.ends_with(&end))?;
            return Some(format!("`{}`", file.display()));
        }
        let mut own = text.lines().filter_map(|line| {
            let (file, rest) =
                line.trim_start().strip_prefix("File \"")?.split_once("\", line ")?;
            let line = rest.split(',').next()?;
            let shown = self.in_dir(Path::new(file))?;
            let is_own = !shown.ends_with("manage.py")
                && !shown.components().any(|part| part.as_os_str() == "site-packages");
            is_own.then(|| format!("`{}` on line {line}", shown.display()))
        });
        own.next_back()
    }

    /// The SQL without transactions, and without what the tool does to its own table.
    fn own(&self, sql: &str, table: &str) -> String {
        let tokens = self.lexicon.tokens(sql);
        let statements = tokens.split_inclusive(|token| token.is_symbol(";"));
        let kept = statements.filter(|statement| {
            let words = words(statement).unwrap_or_default().join(" ");
            // `END` may be the end of a trigger's body.
            let is_transaction = ["BEGIN", "COMMIT", "START TRANSACTION"].contains(&words.as_str());
            !is_transaction && !statement.iter().any(|token| token.is_name(table))
        });
        let text: String = kept.flatten().map(|token: &Token<'_>| token.text).collect();
        text.trim().to_owned()
    }
}

/// The parts of a text that begin with a line, by what the line says.
fn sections(text: &str, mark: &str, key: impl Fn(&str) -> Option<String>) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for line in text.split_inclusive('\n') {
        if let Some(key) = line.strip_prefix(mark).and_then(|rest| key(rest.trim_end_matches('\n')))
        {
            found.push((key.trim().to_owned(), String::new()));
        } else if let Some((_, section)) = found.last_mut() {
            section.push_str(line);
        }
    }
    found
}

/// The table of versions, which may have another name: before the first migration, Alembic creates
/// it.
fn version_table(lexicon: &'static Lexicon, printed: &str) -> String {
    let before = printed.split("-- Running upgrade ").next().unwrap_or_default();
    let tokens = lexicon.significant(before);
    let mut statements = tokens.split(|token| token.is_symbol(";"));
    let created = statements.find_map(|statement| {
        let at = statement.iter().position(|token| token.is_symbol("("))?;
        let is_versions = statement.get(at + 1).is_some_and(|token| token.is_name("version_num"));
        let name = statement.get(at.checked_sub(1)?).filter(|_| is_versions)?;
        Some(name.identifier()?.into_owned())
    });
    created.unwrap_or_else(|| "alembic_version".to_owned())
}

/// Fails if a history ends in several revisions: an imported one is a single line.
fn refuse_heads(tool: Tool, told: &[Told]) -> Result<()> {
    let heads: Vec<String> = told
        .iter()
        .filter(|told| told.is_head)
        .map(|told| format!("`{}` ({})", told.id, told.path.display()))
        .collect();
    if heads.len() < 2 {
        return Ok(());
    }
    let merge =
        if tool == Tool::FlaskMigrate { "flask db merge heads" } else { "alembic merge heads" };
    let message = format!("the history of {tool} has {} heads: {}", heads.len(), heads.join(", "));
    Err(Error::new(message).hint(format!("merge them with `{merge}`, and import again")))
}

/// Fails if an application of Django ends in several migrations, which Django refuses as well.
fn refuse_conflicts(tool: Tool, printed: &str) -> Result<()> {
    let mut lines = printed.lines();
    let Some(names) = lines.find_map(|line| line.strip_prefix("-- dbmigrate conflict ")) else {
        return Ok(());
    };
    let names: Vec<String> = names.split(' ').map(|name| format!("`{name}`")).collect();
    let message = format!(
        "the history of {tool} has {} last migrations of one application: {}",
        names.len(),
        names.join(", ")
    );
    let merge = "merge them with `python3 manage.py makemigrations --merge`, and import again";
    Err(Error::new(message).hint(merge))
}

/// Fails if Alembic warns of two revisions with one id, of which it takes the last one it reads, or
/// of one that is missing.
fn refuse_faults(tool: Tool, dir: &Path, warnings: &str) -> Result<()> {
    let said = warnings.lines().filter_map(|line| line.split_once("UserWarning: Revision "));
    for (_, said) in said {
        let Some((id, what)) = said.split_once(' ') else { continue };
        if what.trim_end() == "is present more than once" {
            let files = files_with(dir, "revision", id).join(" and ");
            let message = format!("two migrations of {tool} have the id `{id}`: {files}");
            return Err(
                Error::new(message).hint("give one of them another `revision`, and import again")
            );
        }
        if what.trim_end().ends_with("is not present") {
            let files = files_with(dir, "down_revision", id).join(", ");
            let message = format!("there is no revision `{id}`, which {files} follows");
            return Err(Error::new(message)
                .hint("restore its file, or correct `down_revision`, and import again"));
        }
    }
    Ok(())
}

/// The files below a directory in which a variable of Alembic has this id; what they are called if
/// there are none.
fn files_with(dir: &Path, variable: &str, id: &str) -> Vec<String> {
    let quoted = [format!("'{id}'"), format!("\"{id}\"")];
    let has_id = |line: &str| {
        line.split_once('=').is_some_and(|(name, value)| {
            let name = name.split(':').next().unwrap_or_default();
            name.trim() == variable && quoted.iter().any(|quoted| value.contains(quoted))
        })
    };
    let has = |path: &PathBuf| fs::read_to_string(path).is_ok_and(|text| text.lines().any(has_id));
    let files = python_files(dir).into_iter().filter(has);
    let found: Vec<String> = files.map(|path| format!("`{}`", path.display())).collect();
    if found.is_empty() { vec!["a file elsewhere".to_owned()] } else { found }
}

/// The files of Python below a directory, in order, without those of an environment.
fn python_files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let is_hidden = name.to_string_lossy().starts_with('.') || name == "site-packages";
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) && !is_hidden {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "py") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.lines().find_map(|line| Some(line.split_once(before)?.1.split_once(after)?.0))
}

/// When Django wrote a migration: `# Generated by Django 5.2 on 2024-01-31 12:30`.
fn created_by_django(file: &Path) -> Option<Timestamp> {
    let text = fs::read_to_string(file).ok()?;
    let mut lines = text.lines();
    let line = lines.find_map(|line| line.strip_prefix("# Generated by Django "))?;
    let (_, time) = line.split_once(" on ")?;
    let time = DateTime::strptime("%Y-%m-%d %H:%M", time.trim()).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// Gives the migrations times in their order, if one of them has a time: a migration without one, or
/// with an earlier one than what it follows, comes a second after that. Applications may depend on
/// later migrations of others.
fn in_order(foreign: &mut [Foreign]) {
    let second = SignedDuration::from_secs(1);
    let Some(first) = foreign.iter().position(|one| one.created.is_some()) else { return };
    let mut next = foreign[first].created;
    for one in foreign[..first].iter_mut().rev() {
        next = next.and_then(|time| time.checked_sub(second).ok());
        one.created = next;
    }
    let mut least: Option<Timestamp> = None;
    for one in foreign {
        one.created = one.created.max(least);
        least = one.created.and_then(|time| time.checked_add(second).ok());
    }
}

/// The revisions in the output of `alembic history -v`.
fn told(text: &str) -> Vec<Told> {
    let mut all: Vec<Told> = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("Rev: ") {
            let id = rest.split_whitespace().next().unwrap_or_default().to_owned();
            let is_head = rest.contains("(head)");
            all.push(Told { id, is_head, ..Told::default() });
        } else if let Some(last) = all.last_mut() {
            if let Some(parent) = line.strip_prefix("Parent: ") {
                let parent = if parent == "<base>" { "base" } else { parent };
                last.parent = Some(parent.to_owned()).filter(|parent| !parent.contains(','));
            } else if let Some(path) = line.strip_prefix("Path: ") {
                last.path = PathBuf::from(path);
            } else if let Some(date) = line.strip_prefix("    Create Date: ") {
                let date = date.trim().parse::<DateTime>().ok();
                let date = date.and_then(|date| date.to_zoned(TimeZone::UTC).ok());
                last.created = date.map(|date| date.timestamp());
            } else if let (true, Some(message)) =
                (last.message.is_empty(), line.strip_prefix("    "))
            {
                last.message = message.trim().to_owned();
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use dbmigrate_runtime::engine::Backend;

    use super::*;

    #[test]
    fn alembic_tells_its_revisions() {
        let text = "Rev: b200 (head)\nParent: a100\nPath: /x/b200_add.py\n\n    add bio, and more\n    \
                    \n    Revision ID: b200\n\nRev: a100\nParent: <base>\nPath: /x/a100_a.py\n\n    \
                    create users\n    \n";
        let shown: Vec<String> = told(text)
            .iter()
            .map(|told| {
                let parent = told.parent.as_deref().unwrap_or_default();
                format!("{} after {parent}, {}: {}", told.id, told.path.display(), told.message)
            })
            .collect();
        assert_eq!(
            shown,
            [
                "b200 after a100, /x/b200_add.py: add bio, and more",
                "a100 after base, /x/a100_a.py: create users"
            ]
        );
    }

    #[test]
    fn alembic_shows_the_name_of_its_table() {
        let lexicon = dbmigrate_runtime::engine::dialect::of(Backend::Postgres).unwrap().lexicon();
        let text = "BEGIN;\n\nCREATE TABLE ops.\"My versions\" (\n    version_num VARCHAR(32) NOT \
                    NULL\n);\n\n-- Running upgrade  -> a1\n\nCREATE TABLE x (version_num int);\n";
        assert_eq!(version_table(lexicon, text), "My versions");
        let begun = text.find("-- Running").unwrap();
        assert_eq!(version_table(lexicon, &text[begun..]), "alembic_version");
    }

    #[test]
    fn a_history_with_several_heads_is_refused() {
        let text = "Rev: b2 (head)\nPath: /x/b2.py\n\nRev: c3 (head)\nPath: /x/c3.py\n\nRev: a1 \
                    (branchpoint)\nPath: /x/a1.py\n";
        let err = refuse_heads(Tool::Alembic, &told(text)).unwrap_err();
        assert_eq!(
            err.to_string(),
            "the history of Alembic has 2 heads: `b2` (/x/b2.py), `c3` (/x/c3.py)\n  hint: merge \
             them with `alembic merge heads`, and import again"
        );
        assert!(refuse_heads(Tool::Alembic, &told(&text.replace("c3 (head)", "c3"))).is_ok());
    }

    #[test]
    fn times_are_in_the_order_of_the_history() {
        let foreign = |created: &str| Foreign {
            version: Version::new("1"),
            name: String::new(),
            created: format!("2024-01-31T{created}Z").parse().ok(),
            up: Script { file: PathBuf::new(), sql: String::new() },
            down: None,
            no_transaction: false,
            unprinted: false,
            unprinted_down: false,
        };
        let times = |created: &[&str]| -> String {
            let mut all: Vec<Foreign> = created.iter().map(|created| foreign(created)).collect();
            in_order(&mut all);
            let shown = all.iter().map(|one| one.created.map_or("-".into(), |at| at.to_string()));
            shown.collect::<Vec<String>>().join(" ").replace("2024-01-31T", "")
        };
        assert_eq!(times(&["", ""]), "- -");
        assert_eq!(times(&["", "", "12:00:00"]), "11:59:58Z 11:59:59Z 12:00:00Z");
        assert_eq!(
            times(&["12:00:00", "11:00:00", "", "12:00:01", "13:00:00"]),
            "12:00:00Z 12:00:01Z 12:00:02Z 12:00:03Z 13:00:00Z"
        );
    }

    #[test]
    fn each_section_has_its_own_text() {
        let text = "CREATE TABLE v;\n-- Running upgrade  -> a100\n\nA;\n-- Running upgrade a100 -> b200\nB;\n";
        let found = sections(text, "-- Running upgrade ", |arrow| {
            arrow.split_once("-> ").map(|(_, id)| id.to_owned())
        });
        let found: Vec<_> = found.iter().map(|(id, sql)| (id.as_str(), sql.trim())).collect();
        assert_eq!(found, [("a100", "A;"), ("b200", "B;")]);
    }
}
