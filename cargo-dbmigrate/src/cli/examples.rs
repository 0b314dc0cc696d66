//! The examples at the end of each command's help.

use std::fmt::Write as _;

use clap::Command;

/// A command's name, with arguments after `cargo dbmigrate` and what they do.
pub const EXAMPLES: &[(&str, [(&str, &str); 2])] = &[
    (
        "",
        [("migrate -m \"add posts\"", "write a revision from the models"), ("upgrade", "apply it")],
    ),
    (
        "init",
        [
            ("init", "create the directory `migrations`"),
            ("init -p app", "create it for a package of the workspace"),
        ],
    ),
    (
        "list-templates",
        [("list-templates", "list the templates"), ("init --template multidb", "use one")],
    ),
    (
        "migrate",
        [
            ("migrate -m \"add posts\"", "write a revision"),
            (
                "migrate -m \"rename title\" --rename post.title:post.name",
                "rename a column instead of dropping it and adding another",
            ),
        ],
    ),
    (
        "revision",
        [
            ("revision -m \"backfill slugs\"", "write an empty revision"),
            ("revision -m \"billing\" --head base --branch-label billing", "begin a branch"),
        ],
    ),
    ("merge", [("merge -m \"join\"", "join all heads"), ("merge 3f1c a8d0", "join these two")]),
    (
        "rebase",
        [
            ("rebase", "move the pending line after the other one"),
            ("rebase a8d0 --onto 3f1c --dry-run", "show what would change"),
        ],
    ),
    (
        "plan",
        [
            ("plan", "show what an upgrade would do"),
            ("plan -1 -v", "show what undoing the last revision would do, with the SQL"),
        ],
    ),
    (
        "upgrade",
        [
            ("upgrade", "apply all pending revisions"),
            ("upgrade +1 --sql", "print the SQL of the next one"),
        ],
    ),
    (
        "downgrade",
        [("downgrade", "undo the last applied revision"), ("downgrade base", "undo all of them")],
    ),
    (
        "schema",
        [
            ("schema", "print the statements that build it"),
            ("schema 3f1c --json", "print the schema after a revision, for programs"),
        ],
    ),
    (
        "erd",
        [
            ("erd", "print it for Markdown"),
            ("erd --diff --form svg", "draw what the newest revision changes"),
        ],
    ),
    (
        "inspect",
        [
            ("inspect --out src/models.rs", "write models for all tables"),
            ("inspect --tables \"shop_*\"", "print the models of these tables"),
        ],
    ),
    (
        "adopt",
        [
            ("adopt", "begin with the database that is there"),
            ("adopt --all \"tenants/*.db\"", "mark the first revision in many files as well"),
        ],
    ),
    (
        "import",
        [
            ("import diesel migrations", "take over the history of diesel"),
            ("import sqlx migrations --dry-run", "print the revisions instead of writing them"),
        ],
    ),
    ("undo", [("undo", "remove the newest revision's file"), ("undo a8d0", "remove this one's")]),
    (
        "redo",
        [
            ("redo", "undo the last applied revision and apply it again"),
            ("redo -n 3", "the last three"),
        ],
    ),
    (
        "reset",
        [
            ("reset", "ask, then empty the database and apply all revisions"),
            ("reset --yes --url sqlite:dev.db", "reset without asking"),
        ],
    ),
    (
        "switch",
        [
            ("switch", "let the database follow `git switch`"),
            ("switch --dry-run", "show what would be taken back and applied"),
        ],
    ),
    (
        "restore",
        [
            ("restore", "list the backups that `upgrade --backup` made"),
            ("restore last", "bring back the newest one"),
        ],
    ),
    (
        "current",
        [
            ("current", "show the revision"),
            ("current --check-heads", "exit with 1 unless it is the head"),
        ],
    ),
    (
        "history",
        [
            ("history -i", "mark the database's revision"),
            ("history -r 3f1c: --graph", "draw what comes after a revision"),
        ],
    ),
    ("heads", [("heads", "show their ids"), ("heads -v", "show their files and messages")]),
    (
        "branches",
        [("branches", "show the branch points"), ("branches -v", "show their files and messages")],
    ),
    (
        "show",
        [
            ("show head", "show the newest revision"),
            ("show a8d0", "show the one whose id begins with this"),
        ],
    ),
    (
        "squash",
        [
            ("squash :3f1c -m \"users\"", "replace all revisions up to this one"),
            ("squash --dry-run", "print what would replace all of them"),
        ],
    ),
    (
        "stamp",
        [
            ("stamp --verify head", "mark all as applied, if the database matches them"),
            ("stamp --purge 3f1c", "empty the version table, then mark this one"),
        ],
    ),
    (
        "status",
        [
            ("status", "show the database, what is pending, and what doesn't agree"),
            ("status --all 'tenants/*.db'", "count how many files are where"),
        ],
    ),
    (
        "check",
        [
            ("check", "compare models, migrations and database"),
            ("check --no-database", "don't check the database"),
        ],
    ),
    (
        "verify",
        [
            ("verify", "run all revisions up, down and up again"),
            ("verify --copy app.db", "run those that are pending in a file on a copy of it"),
        ],
    ),
    (
        "doctor",
        [
            ("doctor", "look for what is wrong, and what to do about it"),
            ("doctor --format json", "the same for another program"),
        ],
    ),
    (
        "lint",
        [
            ("lint", "look at what is pending"),
            ("lint 3f1c: --output sarif", "print what follows a revision as SARIF"),
        ],
    ),
    (
        "diff",
        [
            ("diff database models", "show what the models would change"),
            ("diff base head --sql", "print the SQL of the whole schema"),
        ],
    ),
    (
        "watch",
        [
            ("watch", "show what `migrate` would find, while you edit models"),
            ("watch --database logs", "the same for one of several databases"),
        ],
    ),
    (
        "bundle",
        [
            ("bundle", "build an executable for this machine"),
            ("bundle --static --out dist/migrator", "build one that needs no C library"),
        ],
    ),
    ("edit", [("edit", "open the newest revision"), ("edit a8d0", "open this one")]),
    (
        "completions",
        [
            ("completions bash", "print the script for bash"),
            ("completions fish", "print the one for fish"),
        ],
    ),
    (
        "man",
        [
            ("man", "print the page of the tool"),
            ("man --out man/man1", "write the pages of all commands"),
        ],
    ),
    (
        "ensure-version",
        [("ensure-version", "create the version table"), ("ensure-version --sql", "print its SQL")],
    ),
];

/// Adds the examples to each command's help.
pub fn added(mut command: Command) -> Command {
    for (name, examples) in EXAMPLES {
        command = match *name {
            "" => with(command, examples),
            name => command.mut_subcommand(name, |subcommand| with(subcommand, examples)),
        };
    }
    command
}

fn with(command: Command, examples: &[(&str, &str)]) -> Command {
    let header = command.get_styles().get_header();
    let mut text = match command.get_after_help() {
        Some(before) => format!("{}\n\n", before.ansi()),
        None => String::new(),
    };
    let _ = write!(text, "{header}Examples:{header:#}");
    for (line, what) in examples {
        let _ = write!(text, "\n  cargo dbmigrate {line}\n      {what}");
    }
    command.after_help(text)
}
