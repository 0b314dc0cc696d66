//! The arguments of the commands that show a schema.

use clap::{Args, ValueEnum};

/// Options of `erd`.
#[derive(Debug, Args)]
pub struct Erd {
    /// How the picture is written
    #[arg(long, value_enum, default_value_t, value_name = "FORM")]
    pub form: Form,
    /// The revision after which the schema is shown
    #[arg(long, value_name = "REV", default_value = "heads", allow_negative_numbers = true)]
    pub revision: String,
    /// Colour what this revision changes
    #[arg(long)]
    pub diff: bool,
}

/// How a picture is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// For Markdown
    #[default]
    Mermaid,
    /// For Graphviz
    Dot,
    /// An image
    Svg,
}

/// Options of `schema`.
#[derive(Debug, Args)]
pub struct Schema {
    /// The revision after which the schema is shown
    #[arg(value_name = "REV", default_value = "heads", allow_negative_numbers = true)]
    pub revision: String,
    /// As the statements that build it [default]
    #[arg(long, conflicts_with = "json")]
    pub sql: bool,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}
