//! The arguments of `bundle`.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
#[command(
    after_help = "The executable has the commands `upgrade`, `downgrade`, `plan`, `status`, \
                  `current` and `history`, with the options, messages, documents and exit codes of \
                  `cargo dbmigrate`. It takes the database from --url, or from the environment \
                  variable that the project uses. It contains the drivers of the databases that \
                  `dialects` in dbmigrate.toml names. `--version` prints which revisions it \
                  contains."
)]
pub struct Bundle {
    /// Path of the executable [default: dbmigrate/migrator in the target directory]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Link the C library statically, so that the executable runs on every system of its kind
    #[arg(long = "static")]
    pub link_statically: bool,
}
