//! The arguments of the commands that run revisions or print their SQL.

use std::num::NonZeroUsize;

use clap::{Args, ValueEnum};
use dbmigrate_runtime::engine::script::Client;
use serde::Deserialize;

/// Options of upgrades and downgrades.
#[derive(Debug, Clone, Default, Args)]
pub struct Run {
    #[command(flatten)]
    pub script: Script,
    /// One transaction for the whole run, or one for each revision [default: from dbmigrate.toml]
    #[arg(long, value_enum, value_name = "WHICH")]
    pub transaction: Option<Transaction>,
    /// Seconds to wait for other processes in total [default: from dbmigrate.toml]
    #[arg(long, value_name = "SECONDS")]
    pub lock_timeout: Option<u64>,
    /// An argument for steps, read by `db.arg("key")`
    #[arg(short = 'x', value_name = "KEY=VALUE", value_parser = key_value)]
    pub args: Vec<(String, String)>,
    /// Milliseconds to pause after each piece of a step that runs in pieces [default: from
    /// dbmigrate.toml]
    #[arg(long, value_name = "MILLISECONDS", conflicts_with = "sql")]
    pub batch_pause: Option<u64>,
    /// Continue a half-applied revision after its last finished statement, whatever the statements
    /// before it say now
    #[arg(long, conflicts_with = "sql")]
    pub resume: bool,
    /// Take back what was done of a half-applied revision, and begin it again
    #[arg(long, conflicts_with_all = ["sql", "resume"])]
    pub restart: bool,
    /// First copy the SQLite file to a numbered backup next to it, which `restore` brings back
    #[arg(long, conflicts_with = "sql")]
    pub backup: bool,
    /// Make no backup, whatever dbmigrate.toml says
    #[arg(long, conflicts_with_all = ["sql", "backup"])]
    pub no_backup: bool,
    /// Whether an upgrade applies revisions with a barrier as well.
    #[arg(skip)]
    pub past_barriers: bool,
}

/// The option of commands that can print SQL instead of running it.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct Script {
    /// Print the SQL instead of running it, for the database's own client; `plain` is for others
    ///
    /// The first line makes the shell stop at the first error. `--sql=plain` omits it: run that
    /// only with a client that stops at the first error and rolls back.
    #[arg(
        long,
        value_enum,
        value_name = "FOR",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "shell"
    )]
    pub sql: Option<ScriptFor>,
}

impl Script {
    /// The client that the script is for, if one is requested.
    pub fn client(&self) -> Option<Client> {
        self.sql.map(|wanted| match wanted {
            ScriptFor::Shell => Client::Shell,
            ScriptFor::Plain => Client::Any,
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ScriptFor {
    Shell,
    Plain,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transaction {
    #[default]
    Run,
    Each,
}

/// Before which runs a backup is made without being asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BackupBefore {
    #[default]
    Never,
    /// Those that can lose rows or values.
    Destructive,
    Always,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exits with 1 if existing rows would stop the first revision. Later revisions are \
                  planned on what the earlier ones build, and meet rows that can't be known yet."
)]
pub struct Plan {
    /// Target revision, also one before the current one; or a range `from:to`, without a database
    #[arg(default_value = "head", value_name = "REV", allow_negative_numbers = true)]
    pub revision: String,
    /// Plan the revisions with a barrier as well, as `upgrade --past-barriers` applies them
    #[arg(long)]
    pub past_barriers: bool,
}

#[derive(Debug, Args)]
pub struct Upgrade {
    /// Target revision; with --sql also a range `from:to`
    #[arg(default_value = "head", value_name = "REV", allow_negative_numbers = true)]
    pub revision: String,
    /// Upgrade each SQLite file that matches, such as 'tenants/*.db', or that is in a directory;
    /// each URL, or each one that a file lists, one on each line
    #[arg(long, value_name = "PATTERN", conflicts_with = "sql", group = "several")]
    pub all: Vec<String>,
    /// Upgrade each schema of a PostgreSQL database whose name matches, such as 'tenant_*'
    #[arg(long, value_name = "PATTERN", conflicts_with = "sql", group = "several")]
    pub schemas: Vec<String>,
    /// How many databases at a time [default: one for each processor]
    #[arg(short, long, value_name = "N", requires = "several")]
    pub jobs: Option<NonZeroUsize>,
    /// Show what would be done instead, as `plan` does
    #[arg(long, conflicts_with_all = ["sql", "several"])]
    pub dry_run: bool,
    /// Also apply revisions with a barrier, since no program of the previous release is running any
    /// more
    #[arg(long)]
    pub past_barriers: bool,
    #[command(flatten)]
    pub run: Run,
}

impl Upgrade {
    /// The options of its runs.
    pub fn run(&self) -> Run {
        Run { past_barriers: self.past_barriers, ..self.run.clone() }
    }

    /// Whether it is for several databases or schemas at once.
    pub fn is_for_several(&self) -> bool {
        !self.all.is_empty() || !self.schemas.is_empty()
    }
}

#[derive(Debug, Args)]
pub struct Downgrade {
    /// Target revision; with --sql also a range `from:to`
    #[arg(default_value = "-1", value_name = "REV", allow_negative_numbers = true)]
    pub revision: String,
    #[command(flatten)]
    pub run: Run,
    /// Don't ask before dropping tables and columns that hold rows
    #[arg(long)]
    pub allow_destructive: bool,
    /// Show what would be done instead, as `plan` does
    #[arg(long, conflicts_with = "sql")]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
pub struct Redo {
    /// How many revisions
    #[arg(short = 'n', value_name = "N", default_value_t = 1)]
    pub count: u32,
    /// Don't ask before dropping tables and columns that hold rows
    #[arg(long)]
    pub allow_destructive: bool,
    /// An argument for steps, read by `db.arg("key")`
    #[arg(short = 'x', value_name = "KEY=VALUE", value_parser = key_value)]
    pub args: Vec<(String, String)>,
}

#[derive(Debug, Args)]
pub struct Reset {
    /// Empty the database without asking
    #[arg(long, alias = "allow-destructive")]
    pub yes: bool,
    /// An argument for steps, read by `db.arg("key")`
    #[arg(short = 'x', value_name = "KEY=VALUE", value_parser = key_value)]
    pub args: Vec<(String, String)>,
}

/// Options of `switch`.
#[derive(Debug, Clone, Default, Args)]
#[command(
    after_help = "Applied revisions that have no file in this branch are taken back with what the \
                  database recorded: their operations are reversed, SQL by its `reversed_by`; \
                  where no reverse is known, their `downgrade` runs as it was when they were \
                  applied. Then the revisions of this branch are applied. Revisions that can't be \
                  taken back are reported before anything runs, with the branch that has the file \
                  if git knows one."
)]
pub struct Switch {
    /// Show what would be done instead, as `plan` does
    #[arg(long)]
    pub dry_run: bool,
    /// Don't ask before dropping tables and columns that hold rows
    #[arg(long)]
    pub allow_destructive: bool,
    /// Seconds to wait for other processes in total [default: from dbmigrate.toml]
    #[arg(long, value_name = "SECONDS")]
    pub lock_timeout: Option<u64>,
    /// An argument for steps, read by `db.arg("key")`
    #[arg(short = 'x', value_name = "KEY=VALUE", value_parser = key_value)]
    pub args: Vec<(String, String)>,
    /// First copy the SQLite file to a numbered backup next to it, which `restore` brings back
    #[arg(long)]
    pub backup: bool,
    /// Make no backup, whatever dbmigrate.toml says
    #[arg(long, conflicts_with = "backup")]
    pub no_backup: bool,
}

impl Switch {
    /// The options of its runs.
    pub fn run(&self) -> Run {
        Run {
            lock_timeout: self.lock_timeout,
            args: self.args.clone(),
            backup: self.backup,
            no_backup: self.no_backup,
            ..Run::default()
        }
    }
}

#[derive(Debug, Args)]
#[command(
    after_help = "The file's content is first kept as a new backup. The command refuses while \
                  another process migrates, reads or writes the database, or has it open with a \
                  write-ahead log."
)]
pub struct Restore {
    /// The backup's number, or `last`; without it, the backups are listed
    #[arg(value_name = "N", value_parser = which)]
    pub backup: Option<Which>,
    /// Replace the database without asking
    #[arg(long, alias = "allow-destructive")]
    pub yes: bool,
}

/// A backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    Last,
    Number(u64),
}

fn which(text: &str) -> Result<Which, String> {
    match text {
        "last" => Ok(Which::Last),
        text => text.parse().map(Which::Number).map_err(|_| "expected a number, or `last`".into()),
    }
}

fn key_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}
