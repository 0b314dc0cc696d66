//! The arguments of the commands that write a revision from the models.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Where a new revision goes in the history.
#[derive(Debug, Clone, Default, Args)]
pub struct Place {
    /// Revision that the new one follows [default: the only head]; `base` for none
    #[arg(long, value_name = "REV", allow_negative_numbers = true)]
    pub head: Option<String>,
    /// Allow the new revision to follow one that another revision already follows
    #[arg(long)]
    pub splice: bool,
    /// Label of the branch that begins with the new revision
    #[arg(long, value_name = "LABEL")]
    pub branch_label: Vec<String>,
    /// Revision that has to be applied before the new one, without being its parent
    #[arg(long, value_name = "REV", allow_negative_numbers = true)]
    pub depends_on: Vec<String>,
    /// Directory of the new revision's file, one of `version_locations` in dbmigrate.toml
    #[arg(long, value_name = "DIR")]
    pub version_path: Option<PathBuf>,
    /// Id of the new revision, instead of a random one
    #[arg(long, value_name = "ID")]
    pub rev_id: Option<String>,
}

/// Options of `migrate` and `revision`.
#[derive(Debug, Clone, Default, Args)]
pub struct NewRevision {
    /// What the revision does, for its header and file name
    #[arg(short, long, value_name = "TEXT", default_value = "")]
    pub message: String,
    #[command(flatten)]
    pub place: Place,
    /// Treat a removed and an added table or column as a drop and an add, unless --rename or
    /// `renamed_from` names it
    #[arg(long)]
    pub no_renames: bool,
    /// A rename, which overrules `renamed_from`: `old:new` for tables, `table.old:table.new` for
    /// columns
    #[arg(long, value_name = "OLD:NEW")]
    pub rename: Vec<String>,
    /// SQL expression for existing rows: for all rows if it names the column, otherwise for those
    /// that need a value; `sqlite:` or `postgres:` before the table is for that database alone
    #[arg(long, value_name = "TABLE.COLUMN=EXPR", value_parser = fill)]
    pub fill: Vec<String>,
    /// Allow changes that discard rows or values
    #[arg(long)]
    pub allow_destructive: bool,
    /// Fail instead of asking
    #[arg(long)]
    pub non_interactive: bool,
    /// What to compare the models with: the schema that the migrations build, or the live database
    #[arg(long, value_enum, default_value_t, value_name = "WHAT")]
    pub against: Against,
    /// Write the change as revisions that running programs survive: expand, fill, copy,
    /// require, contract
    #[arg(long)]
    pub safe: bool,
    /// Write the revision without trying it first, either in memory (SQLite) or on the shadow
    /// database (servers)
    #[arg(long)]
    pub no_try: bool,
    /// Print the revision instead of writing it
    #[arg(long)]
    pub dry_run: bool,
    /// Why the revision can't be undone, if another command knows.
    #[arg(skip)]
    pub irreversible: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Against {
    #[default]
    Migrations,
    Database,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exits with 1 if the revision does what `lint.deny` in dbmigrate.toml forbids; it \
                  is written all the same."
)]
pub struct Migrate {
    #[command(flatten)]
    pub new: NewRevision,
    /// Apply the revision afterwards, with those that are pending before it
    #[arg(long, conflicts_with = "dry_run")]
    pub upgrade: bool,
}

#[derive(Debug, Args)]
pub struct Revision {
    #[command(flatten)]
    pub new: NewRevision,
    /// Fill the revision with the difference between models and migrations, as `migrate` does
    #[arg(long)]
    pub autogenerate: bool,
}

fn fill(text: &str) -> Result<String, String> {
    let is_whole =
        |(column, expression): (&str, &str)| column.contains('.') && !expression.trim().is_empty();
    if text.split_once('=').is_some_and(is_whole) {
        Ok(text.to_owned())
    } else {
        Err("expected TABLE.COLUMN=EXPR".to_owned())
    }
}
