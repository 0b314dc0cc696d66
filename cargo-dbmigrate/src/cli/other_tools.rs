//! The commands of other tools, and what they are called here.

use clap::CommandFactory as _;
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::Cli;

/// Commands of diesel, sqlx, SeaORM, Django, Prisma, Rails, Flyway or Alembic that don't exist here
/// under the same name, with what to type instead.
const COMMANDS: &[(&str, &str)] = &[
    ("up", "`cargo dbmigrate upgrade` applies pending revisions"),
    ("run", "`cargo dbmigrate upgrade` applies pending revisions"),
    ("apply", "`cargo dbmigrate upgrade` applies pending revisions"),
    ("deploy", "`cargo dbmigrate upgrade` applies pending revisions"),
    ("update", "`cargo dbmigrate upgrade` applies pending revisions"),
    ("down", "`cargo dbmigrate downgrade` undoes the last applied revision"),
    ("revert", "`cargo dbmigrate downgrade` undoes the last applied revision"),
    ("rollback", "`cargo dbmigrate downgrade` undoes the last applied revision"),
    ("create", NEW),
    ("new", NEW),
    ("add", NEW),
    (
        "generate",
        "`cargo dbmigrate migrate -m TEXT` writes a revision from the models, \
                  `cargo dbmigrate revision -m TEXT` an empty one",
    ),
    ("makemigrations", "`cargo dbmigrate migrate -m TEXT` writes a revision from the models"),
    (
        "dev",
        "`cargo dbmigrate migrate -m TEXT` writes a revision from the models, \
             `cargo dbmigrate upgrade` applies it",
    ),
    (
        "sqlmigrate",
        "`cargo dbmigrate upgrade --sql` prints the SQL of pending revisions, and \
                    `cargo dbmigrate upgrade --sql FROM:TO` that of any others",
    ),
    ("sql", "`cargo dbmigrate upgrade --sql` prints the SQL of pending revisions"),
    ("plan", "`cargo dbmigrate upgrade --sql` prints what an upgrade would run"),
    ("showmigrations", "`cargo dbmigrate history -i` lists the revisions and marks the database's"),
    ("list", "`cargo dbmigrate history -i` lists the revisions and marks the database's"),
    ("log", "`cargo dbmigrate history` lists the revisions"),
    ("status", STATUS),
    ("info", STATUS),
    ("version", STATUS),
    ("validate", "`cargo dbmigrate check` checks whether models, migrations and database agree"),
    ("verify", "`cargo dbmigrate check` checks whether models, migrations and database agree"),
    (
        "pull",
        "nothing writes models from a database yet: write them by hand, and \
              `cargo dbmigrate diff database models` shows what is still different",
    ),
    (
        "introspect",
        "nothing writes models from a database yet: write them by hand, and \
                    `cargo dbmigrate diff database models` shows what is still different",
    ),
    (
        "push",
        "a database is only changed by revisions: `cargo dbmigrate migrate -m TEXT` writes \
              one from the models, `cargo dbmigrate upgrade` applies it",
    ),
    (
        "baseline",
        "`cargo dbmigrate stamp --verify REV` marks revisions as applied without running them, if \
         the database matches them",
    ),
    ("resolve", "`cargo dbmigrate stamp REV` marks revisions as applied without running them"),
    ("drop", FRESH),
    ("fresh", FRESH),
    (
        "refresh",
        "`cargo dbmigrate downgrade base` undoes all revisions, and \
                 `cargo dbmigrate upgrade` applies them again",
    ),
    (
        "setup",
        "`cargo dbmigrate init` creates the migrations directory, and \
               `cargo dbmigrate upgrade` the database",
    ),
];

const NEW: &str = "`cargo dbmigrate revision -m TEXT` writes an empty revision, \
                   `cargo dbmigrate migrate -m TEXT` one from the models";
const STATUS: &str = "`cargo dbmigrate current` shows which revision the database is at, and \
                      `cargo dbmigrate check` what is pending and what differs";
const FRESH: &str = "`cargo dbmigrate reset` empties a development database and applies all \
                     revisions";

/// Words that precede such a command in other tools, as in `diesel migration run`.
const GROUPS: &[&str] = &["migration", "migrations", "migrate", "database", "db", "schema"];

/// What another tool's command is called here.
fn called_here(word: &str) -> Option<&'static str> {
    let found = COMMANDS.iter().find(|(theirs, _)| *theirs == word);
    found.map(|(_, here)| *here)
}

/// Adds what to type instead to an error, if the arguments are another tool's or lack something
/// that only this tool requires.
pub fn explained(mut err: clap::Error, args: &[String]) -> clap::Error {
    let Some(tip) = tip(&err, args) else { return err };
    err.remove(ContextKind::SuggestedSubcommand);
    err.remove(ContextKind::SuggestedArg);
    err.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(tip)]));
    err
}

fn tip(err: &clap::Error, args: &[String]) -> Option<String> {
    let text = |kind| match err.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    match err.kind() {
        ErrorKind::InvalidSubcommand => {
            let word = text(ContextKind::InvalidSubcommand)?;
            called_here(word).map(str::to_owned).or_else(|| after_group(word, args))
        }
        // `migrate` is a command here, and `migrate run` is one of sqlx.
        ErrorKind::UnknownArgument => {
            let word = text(ContextKind::InvalidArg)?;
            let here = called_here(word)?.to_owned();
            Some(here).filter(|here| after_group("migrate", args).as_ref() == Some(here))
        }
        ErrorKind::MissingRequiredArgument if is_for(err, "stamp") => Some(
            "`cargo dbmigrate stamp head` marks all revisions as applied without running them"
                .to_owned(),
        ),
        _ => None,
    }
}

/// The name here for the word that follows this one in the arguments.
fn after_group(group: &str, args: &[String]) -> Option<String> {
    if !GROUPS.contains(&group) {
        return None;
    }
    let at = args.iter().position(|arg| arg == group)?;
    match (group, args.get(at + 1)?.as_str()) {
        ("database" | "db", "create") => {
            let here = "`cargo dbmigrate upgrade` creates the database and applies all revisions";
            Some(here.to_owned())
        }
        // As in `flask db upgrade`.
        (_, word) if is_command(word) => {
            Some(format!("`cargo dbmigrate {word}` is the command, without `{group}`"))
        }
        (_, word) => called_here(word).map(str::to_owned),
    }
}

/// Whether this tool has a command of this name.
fn is_command(word: &str) -> bool {
    Cli::command().get_subcommands().any(|command| command.get_name() == word)
}

/// Whether the error is about the arguments of this command.
fn is_for(err: &clap::Error, command: &str) -> bool {
    let Some(ContextValue::StyledStr(usage)) = err.get(ContextKind::Usage) else { return false };
    usage.to_string().split_whitespace().any(|word| word == command)
}
