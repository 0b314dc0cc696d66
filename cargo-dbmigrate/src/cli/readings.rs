//! The arguments of the commands that tell where databases stand.

use std::num::NonZeroUsize;

use clap::Args;

#[derive(Debug, Args)]
pub struct Current {
    /// Exit with 1 unless the database is at all heads
    #[arg(short, long)]
    pub check_heads: bool,
    #[command(flatten)]
    pub several: Several,
}

/// Options of commands that read one database or many.
#[derive(Debug, Clone, Default, Args)]
pub struct Several {
    /// Count instead how many databases are where: of the SQLite files that match, such as
    /// 'tenants/*.db', or that are in a directory; of URLs, or those that a file lists, one on each
    /// line
    #[arg(long, value_name = "PATTERN", num_args = 1..)]
    pub all: Vec<String>,
    /// How many databases to read at a time [default: one for each processor]
    #[arg(short, long, value_name = "N", requires = "all")]
    pub jobs: Option<NonZeroUsize>,
}

impl Several {
    /// Whether the command is about several databases.
    pub fn is_meant(&self) -> bool {
        !self.all.is_empty()
    }
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exits with 1 unless nothing is pending, and models, migrations and database \
                  agree; with 3 if the package does not compile."
)]
pub struct Status {
    /// How many to list of the applied and the pending revisions, and of the differences
    #[arg(short = 'n', long = "number", value_name = "N", default_value_t = 5)]
    pub n_shown: usize,
    #[command(flatten)]
    pub several: Several,
}

#[derive(Debug, Default, Args)]
#[command(
    after_help = "Also prints what `lint` finds in the pending revisions, or else in the newest. \
                  Exits with 1 unless all agree and nothing that was found is denied."
)]
pub struct Check {
    /// Don't check the database
    #[arg(long, conflicts_with = "all")]
    pub no_database: bool,
    #[command(flatten)]
    pub several: Several,
}
