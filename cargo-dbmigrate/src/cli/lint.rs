//! The arguments of `lint`.

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
#[command(
    after_help = "Without REV it looks at the pending revisions; if there are none, or if no \
                  database can be read, at the newest. Exits with 1 if a finding is denied. The \
                  rules, and how to change their levels, are in `lint` of the book's reference."
)]
pub struct Lint {
    /// Revision to look at, or a range `from:to` of those that an upgrade from one to the other runs
    #[arg(value_name = "REV", allow_hyphen_values = true)]
    pub revision: Option<String>,
    /// Form of the findings: text; SARIF 2.1.0; or annotations of a GitHub workflow
    #[arg(long, value_enum, default_value_t, value_name = "FORM")]
    pub output: Findings,
    /// Exit with 1 also if a finding is only a warning
    #[arg(long)]
    pub deny_warnings: bool,
    /// Edit pending revisions to settle their findings, and look again
    #[arg(long)]
    pub fix: bool,
    /// Don't read the database
    #[arg(long)]
    pub no_database: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Findings {
    #[default]
    Text,
    Sarif,
    Github,
}
