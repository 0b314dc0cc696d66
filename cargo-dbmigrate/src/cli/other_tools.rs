//! The commands of other tools, and what they are called here.

use clap::CommandFactory as _;
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::Cli;

/// Commands of diesel, sqlx, SeaORM, Django, Prisma, Rails, Laravel, Entity Framework, Flyway or
/// Alembic that don't exist here under the same name, with what to type instead.
const COMMANDS: &[(&str, &str)] = &[
    ("up", APPLY),
    ("run", APPLY),
    ("apply", APPLY),
    ("deploy", APPLY),
    ("latest", APPLY),
    ("update", APPLY),
    ("update-database", APPLY),
    ("down", UNDO),
    ("revert", UNDO),
    ("rollback", UNDO),
    ("create", NEW),
    ("new", NEW),
    ("add", NEW),
    ("make", NEW),
    ("add-migration", WRITE),
    (
        "generate",
        "`cargo dbmigrate migrate -m TEXT` writes a revision from the models, \
                  `cargo dbmigrate revision -m TEXT` an empty one",
    ),
    ("makemigrations", WRITE),
    ("remove", REMOVE),
    ("remove-migration", REMOVE),
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
    ("sql", SCRIPT),
    ("script", SCRIPT),
    ("script-migration", SCRIPT),
    ("showmigrations", LIST),
    ("list", LIST),
    ("get-migration", LIST),
    ("log", "`cargo dbmigrate history` lists the revisions"),
    ("info", STATUS),
    ("version", STATUS),
    ("validate", "`cargo dbmigrate check` checks whether models, migrations and database agree"),
    ("verify", "`cargo dbmigrate check` checks whether models, migrations and database agree"),
    ("pull", MODELS),
    ("introspect", MODELS),
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
    (
        "repair",
        "`cargo dbmigrate stamp current` accepts applied revisions that were edited, and \
         `cargo dbmigrate check` shows what else is wrong",
    ),
    (
        "prepare",
        "`cargo dbmigrate upgrade` creates the database and applies pending revisions; queries in \
         a program's code are not read, so nothing has to be prepared for them",
    ),
    ("install", "`cargo dbmigrate ensure-version` creates the version table, as any upgrade does"),
    (
        "seed",
        "revisions insert rows, with `op.execute` or `op.run`: `cargo dbmigrate revision -m TEXT`",
    ),
    ("clean", FRESH),
    ("drop", FRESH),
    ("drop-database", FRESH),
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

const APPLY: &str = "`cargo dbmigrate upgrade` applies pending revisions";
const UNDO: &str = "`cargo dbmigrate downgrade` undoes the last applied revision";
const WRITE: &str = "`cargo dbmigrate migrate -m TEXT` writes a revision from the models";
const REMOVE: &str = "`cargo dbmigrate undo` removes the newest revision's file, if it is pending";
const MODELS: &str = "`cargo dbmigrate inspect` writes models for the tables of a database";
const SCRIPT: &str = "`cargo dbmigrate upgrade --sql` prints the SQL of pending revisions";
const LIST: &str = "`cargo dbmigrate history -i` lists the revisions and marks the database's";
const NEW: &str = "`cargo dbmigrate revision -m TEXT` writes an empty revision, \
                   `cargo dbmigrate migrate -m TEXT` one from the models";
const STATUS: &str = "`cargo dbmigrate status` shows where the database stands, what is pending and \
                      what differs";
const FRESH: &str = "`cargo dbmigrate reset` empties a development database and applies all \
                     revisions";
const DOWN_TO_BASE: &str = "`cargo dbmigrate downgrade base` undoes all revisions";
const CREATE: &str = "`cargo dbmigrate upgrade` creates the database and applies all revisions";

/// Words that precede such a command in other tools, as in `diesel migration run`.
const GROUPS: &[&str] = &["migration", "migrations", "migrate", "database", "db", "schema"];

/// What another tool's command is called here, in any case: in PowerShell it may be
/// `Add-Migration`.
fn called_here(word: &str) -> Option<&'static str> {
    let found = COMMANDS.iter().find(|(theirs, _)| theirs.eq_ignore_ascii_case(word));
    found.map(|(_, here)| *here)
}

/// What a command of several words is called here, such as Laravel's `migrate:status`, Rails'
/// `db:migrate` and TypeORM's `migration:run`.
fn with_colons(word: &str) -> Option<String> {
    if !word.contains(':') {
        return None;
    }
    let words: Vec<&str> = word.split(':').collect();
    let n_groups = words.iter().take_while(|word| GROUPS.contains(word)).count();
    let (groups, rest) = words.split_at(n_groups);
    let here = match rest {
        [] => APPLY,
        ["undo", "all"] => DOWN_TO_BASE,
        ["reset"] if groups.contains(&"migrate") => DOWN_TO_BASE,
        ["undo", ..] => UNDO,
        ["show"] => LIST,
        ["diff"] => WRITE,
        ["create"] if groups == ["db"] => CREATE,
        [word] if is_command(word) => {
            return Some(format!("`cargo dbmigrate {word}` is the command"));
        }
        [word, ..] => called_here(word)
            .unwrap_or("commands have no colons here: `cargo dbmigrate help` lists them"),
    };
    Some(here.to_owned())
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
            let here = called_here(word).map(str::to_owned);
            here.or_else(|| with_colons(word)).or_else(|| after_group(word, args))
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
        ("database" | "db", "create") => Some(CREATE.to_owned()),
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
