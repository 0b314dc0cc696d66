//! The command line: arguments and help, without any behaviour.

mod bundle;
mod command_names;
pub mod examples;
mod lint;
pub mod other_tools;
mod pictures;
mod readings;
mod runs;
mod tool;
mod verify;
mod writing;

use std::ffi::OsString;
use std::path::PathBuf;

pub use bundle::Bundle;
use clap::{Args, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use dbmigrate_runtime::engine::Backend;
pub use lint::{Findings, Lint};
pub use pictures::{Erd, Form, Schema};
pub use readings::{Check, Current, Several, Status};
pub use runs::{
    BackupBefore, Downgrade, Plan, Redo, Reset, Restore, Run, Script, Switch, Transaction, Upgrade,
    Which,
};
pub use tool::Tool;
pub use verify::Verify;
pub use writing::{Against, Migrate, NewRevision, Place, Revision};

/// Schema migrations for Rust: from `#[derive(Model)]` to a migrated database.
#[derive(Debug, Parser)]
#[command(
    name = "cargo-dbmigrate",
    bin_name = "cargo dbmigrate",
    version,
    styles = clap_cargo_styles(),
    max_term_width = 100,
    after_help = "Revisions: a full id or the beginning of one, a branch label, head, heads, base, \
                  current, +N, -N, id+N, id-N, and any of them on one branch: label@head, \
                  label@+1, id@base. Ranges: from:to, from:, :to.\nExit codes: 0 done, 1 the answer is no, 2 wrong arguments, 3 failed."
)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// The command line with everything that its help shows.
pub fn command() -> clap::Command {
    examples::added(<Cli as clap::CommandFactory>::command())
}

/// Parses arguments that begin with a command's name without declaring the options of all other
/// commands, which takes longer than running some of them. Returns `None` if the arguments are
/// anything else or wrong; parsing with [`command`] then tells why.
pub fn of_one_command(args: &[OsString]) -> Option<Cli> {
    let all = Command::augment_subcommands(clap::Command::new(""));
    let one = all.find_subcommand(args.get(1)?)?.clone();
    let root = Global::augment_args(clap::Command::new("cargo-dbmigrate")).subcommand(one);
    Cli::from_arg_matches(&root.try_get_matches_from(args).ok()?).ok()
}

fn clap_cargo_styles() -> clap::builder::Styles {
    use anstyle::AnsiColor;
    clap::builder::Styles::styled()
        .header(AnsiColor::Green.on_default().bold())
        .usage(AnsiColor::Green.on_default().bold())
        .literal(AnsiColor::Cyan.on_default().bold())
        .placeholder(AnsiColor::Cyan.on_default())
}

/// Options of every command.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Directory of the migrations, relative to the package's directory. The default is
    /// `migrations`; if that has files of another tool, the directory beside it that `init` filled
    #[arg(short, long, value_name = "DIR", global = true)]
    pub directory: Option<PathBuf>,
    /// URL of the database; overrides DATABASE_URL, `.env` and dbmigrate.toml
    #[arg(long, value_name = "URL", global = true)]
    pub url: Option<String>,
    /// Database to use if the project has several: its name, `default`, or `all` for each of them
    #[arg(long, value_name = "NAME", global = true)]
    pub database: Option<String>,
    /// Format of the results
    #[arg(long, value_enum, default_value_t, value_name = "FORM", global = true)]
    pub format: Format,
    /// When to use colors
    #[arg(long, value_enum, default_value_t, value_name = "WHEN", global = true)]
    pub color: ColorChoice,
    /// Verbose output
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// Print only results and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    #[command(flatten)]
    pub cargo: Cargo,
}

/// Options that select the models. They override the settings in dbmigrate.toml.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Package options")]
pub struct Cargo {
    /// Path to the package's Cargo.toml
    #[arg(long, value_name = "PATH", global = true)]
    pub manifest_path: Option<PathBuf>,
    /// Package that contains the models
    #[arg(short, long, value_name = "NAME", global = true)]
    pub package: Option<String>,
    /// Use only the models of the library
    #[arg(long, global = true, conflicts_with = "bin")]
    pub lib: bool,
    /// Use only the models of this binary and of the library
    #[arg(long, value_name = "NAME", global = true)]
    pub bin: Option<String>,
    /// Features to activate, separated by commas
    #[arg(long, value_name = "FEATURES", global = true)]
    pub features: Vec<String>,
    /// Activate all features
    #[arg(long, global = true)]
    pub all_features: bool,
    /// Don't activate the default features
    #[arg(long, global = true)]
    pub no_default_features: bool,
    /// Profile to check the package with
    #[arg(long, value_name = "NAME", global = true)]
    pub profile: Option<String>,
    /// Target triple to check the package for, or to bundle the migrations for
    #[arg(long, value_name = "TRIPLE", global = true)]
    pub target: Option<String>,
    /// Require that Cargo.lock stays unchanged
    #[arg(long, global = true)]
    pub locked: bool,
    /// Run cargo without accessing the network
    #[arg(long, global = true)]
    pub offline: bool,
    /// Both --locked and --offline
    #[arg(long, global = true)]
    pub frozen: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    #[default]
    Text,
    Json,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    #[default]
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create the migrations directory
    Init(Init),
    /// List the templates for `init --template`
    ListTemplates,
    /// Write a revision from the difference between models and migrations
    Migrate(Migrate),
    /// Write a revision, empty unless --autogenerate
    Revision(Revision),
    /// Write a revision that joins branches
    Merge(Merge),
    /// Move pending revisions onto another head
    Rebase(Rebase),
    /// Show in words what a run would do
    Plan(Plan),
    /// Apply revisions
    Upgrade(Upgrade),
    /// Undo revisions
    Downgrade(Downgrade),
    /// Remove the newest revision's file, if it is pending
    Undo(Undo),
    /// Undo the newest applied revisions and apply them again
    Redo(Redo),
    /// Empty a development database and apply all revisions
    Reset(Reset),
    /// Take the database to the revisions of the files, after a switch of branches
    Switch(Switch),
    /// List the backups of an SQLite file, or bring one back
    Restore(Restore),
    /// Show which revision the database is at
    Current(Current),
    /// Show the revisions, newest first
    History(History),
    /// Show the revisions that no other revision follows
    Heads(Heads),
    /// Show where the history branches, and which revisions begin the branches
    Branches,
    /// Show a revision
    Show(Show),
    /// Write one revision that replaces several on new databases
    Squash(Squash),
    /// Mark revisions as applied without running them
    Stamp(Stamp),
    /// Show on one screen where the database and the project stand
    Status(Status),
    /// Check whether models, migrations and database agree
    Check(Check),
    /// Say what is wrong with the project and its surroundings, and what to do
    Doctor,
    /// Look for what is dangerous, slow or a likely mistake in revisions
    Lint(Lint),
    /// Run revisions up, down and up again on a scratch database with rows, and compare
    Verify(Verify),
    /// Show the difference between two schemas
    Diff(Diff),
    /// Show the difference between models and migrations each time sources are saved
    #[command(after_help = "It writes nothing, and continues after an error. Ctrl-C ends it.")]
    Watch,
    /// Print the schema that the migrations build
    Schema(Schema),
    /// Draw the schema that the migrations build
    Erd(Erd),
    /// Write models for the tables of a live database
    Inspect(Inspect),
    /// Begin a history with a database that exists
    Adopt(Adopt),
    /// Take over the migrations of another tool
    Import(Import),
    /// Build an executable that contains the migrations, for deployments without cargo
    Bundle(Bundle),
    /// Open a revision in the editor
    Edit(Edit),
    /// Print a shell completion script
    Completions(Completions),
    /// Print the manual page
    Man(Man),
    /// Create the version table, if it doesn't exist
    EnsureVersion(EnsureVersion),
}

#[derive(Debug, Args)]
pub struct Init {
    /// Set up several databases, each with its own history: these and the default one; without
    /// names, those that the models name
    #[arg(long, value_name = "NAME", num_args = 0..)]
    pub multidb: Option<Vec<String>>,
    /// Template for the directory: a name from `list-templates`, or a directory of your own
    #[arg(long, value_name = "NAME|DIR")]
    pub template: Option<String>,
    /// Kind of database: `sqlite`, `postgres`, `mysql` or `mariadb`; repeat it for a history that
    /// serves several
    #[arg(long, value_name = "NAME", value_parser = dialect)]
    pub dialect: Vec<Backend>,
    /// Add a git hook that runs `switch` after each switch of branches; also in a project that has
    /// migrations
    #[arg(long)]
    pub git_hooks: bool,
    /// Leave Cargo.toml as it is
    #[arg(long)]
    pub no_add: bool,
    /// Add the runtime from this directory
    #[arg(long, value_name = "PATH", conflicts_with = "no_add")]
    pub runtime_path: Option<PathBuf>,
    /// Add the runtime from this git repository
    #[arg(long, value_name = "URL", conflicts_with_all = ["no_add", "runtime_path"])]
    pub runtime_git: Option<String>,
}

/// The kind of database with this name.
///
/// # Errors
///
/// Lists the names that this version supports.
pub fn dialect(name: &str) -> std::result::Result<Backend, String> {
    let supported = || Backend::ALL.into_iter().filter(|backend| backend.feature().is_some());
    supported().find(|backend| backend.name() == name).ok_or_else(|| {
        let names: Vec<_> = supported().map(Backend::name).collect();
        format!("`{name}` is not a dialect; the dialects are `{}`", names.join("`, `"))
    })
}

#[derive(Debug, Clone, Default, Args)]
pub struct Inspect {
    /// File to write the models to, instead of printing them; it must not exist yet. With --update,
    /// the file that gets new models
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Only tables whose names match this pattern, such as `shop_*`. On PostgreSQL, `shop.*` is
    /// about the schema `shop`; without a dot, a pattern is about the connection's own schema
    #[arg(long, value_name = "PATTERN")]
    pub tables: Vec<String>,
    /// Write a file for each table, as modules of --out
    #[arg(long, requires = "out")]
    pub split: bool,
    /// Name the structs like the tables, instead of the singular of their names
    #[arg(long)]
    pub keep_names: bool,
    /// Print what the models lack, as a patch for `git apply`; no file is changed
    #[arg(long, conflicts_with = "split")]
    pub update: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Writes models for the tables if the package has none, and a first revision if \
                  there is none; marks that revision as applied in a database that has its \
                  schema; and checks that all agree. Run again, it changes nothing."
)]
pub struct Adopt {
    /// File to write the models to [default: models.rs beside the crate's first file]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Name the structs like the tables, instead of the singular of their names
    #[arg(long)]
    pub keep_names: bool,
    /// What the first revision is about, for its header and file name
    #[arg(short, long, value_name = "TEXT", default_value = "existing schema")]
    pub message: String,
    /// Also mark it in each SQLite file that matches, such as 'tenants/*.db', or that is in a
    /// directory; in each URL, or each one that a file lists, one on each line
    #[arg(long, value_name = "PATTERN", num_args = 1..)]
    pub all: Vec<String>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Each migration becomes a revision with its SQL, its way back and what it does \
                  to the schema. The history is run first, as it stands and as revisions, and \
                  both have to give the same schema. `stamp --from TOOL` then marks the revisions \
                  as applied in a database."
)]
pub struct Import {
    /// The tool
    #[arg(value_enum, value_name = "TOOL")]
    pub tool: Tool,
    /// The directory of its migrations
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// An empty database of the server, on which the history is tried; for SQLite it is tried in
    /// memory [default: from DATABASE_SHADOW_URL, `.env` or `shadow_url` in dbmigrate.toml]
    #[arg(long, value_name = "URL")]
    pub shadow_url: Option<String>,
    /// Print the revisions instead of writing them
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
pub struct History {
    /// Only from one revision to another: `from:to`, either side may be empty
    #[arg(short, long, value_name = "FROM:TO", allow_hyphen_values = true)]
    pub rev_range: Option<String>,
    /// Mark the revisions that the database is at
    #[arg(short, long)]
    pub indicate_current: bool,
    /// Draw the history as a graph
    #[arg(long)]
    pub graph: bool,
    /// Draw the history as a picture
    #[arg(long, value_enum, value_name = "FORM", conflicts_with = "graph")]
    pub form: Option<Form>,
}

#[derive(Debug, Args)]
pub struct Heads {
    /// Leave out heads that a revision of another branch depends on
    #[arg(long)]
    pub resolve_dependencies: bool,
}

#[derive(Debug, Args)]
pub struct Merge {
    /// Revisions to join
    #[arg(default_value = "heads", value_name = "REV", allow_negative_numbers = true)]
    pub revisions: Vec<String>,
    /// What the revision does, for its header and file name
    #[arg(short, long, value_name = "TEXT", default_value = "")]
    pub message: String,
    /// Allow the merge to follow revisions that others already follow
    #[arg(long)]
    pub splice: bool,
    /// Label of the branch that begins with the new revision
    #[arg(long, value_name = "LABEL")]
    pub branch_label: Vec<String>,
    /// Directory of the new revision's file, one of `version_locations` in dbmigrate.toml
    #[arg(long, value_name = "DIR")]
    pub version_path: Option<PathBuf>,
    /// Id of the new revision, instead of a random one
    #[arg(long, value_name = "ID")]
    pub rev_id: Option<String>,
    /// Print the revision instead of writing it
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "The line that moves begins after the last revision that it shares with the \
                  other head. Only `DOWN_REVISION` of its first revision changes. Revisions that \
                  are applied to the configured database never move; if they may be applied to \
                  another database, join the heads with `merge` instead."
)]
pub struct Rebase {
    /// A revision of the line that moves [default: if there are two lines, the pending one]
    #[arg(value_name = "REV", allow_negative_numbers = true)]
    pub revision: Option<String>,
    /// Head to move it after [default: the only other one]
    #[arg(long, value_name = "REV", allow_negative_numbers = true)]
    pub onto: Option<String>,
    /// Print the edit instead of making it
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
pub struct Undo {
    /// The revision [default: the only pending head]
    #[arg(value_name = "REV", allow_negative_numbers = true)]
    pub revision: Option<String>,
}

#[derive(Debug, Args)]
pub struct EnsureVersion {
    #[command(flatten)]
    pub script: Script,
}

#[derive(Debug, Args)]
pub struct Show {
    /// The revision
    #[arg(default_value = "head", value_name = "REV", allow_negative_numbers = true)]
    pub revision: String,
}

/// Keep the old files until every database has applied all of them: a database that has applied some
/// of them continues with the others, and a new database runs only the new revision.
#[derive(Debug, Args)]
pub struct Squash {
    /// The revisions to replace: `from:to`, both included; `to` from the base, `from:` to the head
    #[arg(default_value = ":head", value_name = "FROM:TO", allow_hyphen_values = true)]
    pub range: String,
    /// What the revision does, for its header and file name
    #[arg(short, long, value_name = "TEXT", default_value = "")]
    pub message: String,
    /// Branch label of the new revision, in addition to those of the revisions that it replaces
    #[arg(long, value_name = "LABEL")]
    pub branch_label: Vec<String>,
    /// Id of the new revision, instead of a random one
    #[arg(long, value_name = "ID")]
    pub rev_id: Option<String>,
    /// Leave steps out, which is right if a new database has no rows for them
    #[arg(long)]
    pub elide_steps: bool,
    /// Print the revision instead of writing it
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
pub struct Stamp {
    /// The revision, or several on different branches; with --sql also a range `from:to`
    #[arg(required_unless_present = "from", value_name = "REV", allow_negative_numbers = true)]
    pub revisions: Vec<String>,
    /// Mark those revisions that this tool, from which they were imported, has applied by its own
    /// table, if the database has their schema
    #[arg(long, value_enum, value_name = "TOOL", conflicts_with_all = ["revisions", "sql", "purge"])]
    pub from: Option<Tool>,
    /// The name of that tool's table, if it isn't the usual one
    #[arg(long, value_name = "NAME", requires = "from", conflicts_with = "revisions")]
    pub table: Option<String>,
    /// Drop that tool's table afterwards
    #[arg(long, requires = "from", conflicts_with = "revisions")]
    pub drop: bool,
    /// The same for each SQLite file that matches, such as 'tenants/*.db', or that is in a
    /// directory; for each URL, or each one that a file lists, one on each line
    #[arg(long, value_name = "PATTERN", num_args = 1.., requires = "from", conflicts_with = "revisions")]
    pub all: Vec<String>,
    /// Empty the version table first, whatever it holds
    #[arg(long, conflicts_with = "sql")]
    pub purge: bool,
    #[command(flatten)]
    pub script: Script,
    /// Refuse unless the database has the schema that the revision and its ancestors build
    #[arg(long, conflicts_with = "sql")]
    pub verify: bool,
}

#[derive(Debug, Args)]
pub struct Diff {
    /// Schema to start from: models, migrations, database, or a revision (with all before it)
    #[arg(default_value = "migrations", allow_negative_numbers = true)]
    pub from: String,
    /// Schema to end at, from the same choices; these three words never mean a revision
    #[arg(default_value = "models", allow_negative_numbers = true)]
    pub to: String,
    /// Exit with 1 if there are differences
    #[arg(long)]
    pub exit_code: bool,
    #[command(flatten)]
    pub script: Script,
}

#[derive(Debug, Args)]
pub struct Edit {
    /// The revision
    #[arg(default_value = "head", value_name = "REV", allow_negative_numbers = true)]
    pub revision: String,
}

#[derive(Debug, Args)]
#[command(
    after_help = "bash: source it in ~/.bashrc, after the line for cargo's own completion if there \
                  is one.\nzsh: save it as `_cargo-dbmigrate` in a directory of $fpath; `cargo \
                  dbmigrate` is completed where cargo's own completion is.\nfish: source it in \
                  config.fish.\nelvish, powershell: completed after `cargo-dbmigrate`, not after \
                  `cargo dbmigrate`."
)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub struct Man {
    /// Write the pages of all commands into this directory instead
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;
