//! The arguments of `verify`.

use std::path::PathBuf;

use clap::Args;

/// All revisions, as a range.
const ALL: &str = "base:heads";

#[derive(Debug, Args)]
#[command(
    after_help = "Each revision runs up, down and up again, with rows that sit on the edges of what \
                  the tables allow. Schema and rows are compared after each run. Exits with 1 at \
                  the first revision that does not come back. A history for SQLite runs in memory; \
                  one for a server needs an empty database there."
)]
pub struct Verify {
    /// Revisions to verify: a range `from:to` of those that an upgrade from one to the other runs,
    /// or one revision
    #[arg(default_value = ALL, value_name = "FROM:TO", allow_hyphen_values = true)]
    pub range: String,
    /// Verify the revisions that are pending in this SQLite file, on a copy of it with its rows
    #[arg(long, value_name = "FILE", conflicts_with_all = ["range", "shadow_url"])]
    pub copy: Option<PathBuf>,
    /// An empty database of a server to run on, which is emptied afterwards [default: from
    /// DATABASE_SHADOW_URL, `.env` or `shadow_url` in dbmigrate.toml]
    #[arg(long, value_name = "URL")]
    pub shadow_url: Option<String>,
    /// Also run steps, which may do more than change the scratch database
    #[arg(long)]
    pub run_steps: bool,
}

impl Verify {
    /// Whether the arguments contain nothing that only makes sense in one history.
    pub fn is_of_any_history(&self) -> bool {
        self.range == ALL && self.copy.is_none() && self.shadow_url.is_none()
    }
}
