//! The tables in which other migration tools record what is applied.

use clap::ValueEnum as _;

use crate::cli::Tool;

/// Whether a migration tool keeps its own records in a table of this name.
pub fn is_of_a_tool(name: &str) -> bool {
    let mut own = Tool::value_variants().iter().filter_map(|tool| of(*tool));
    own.any(|own| own.eq_ignore_ascii_case(name))
}

/// The table in which it records what is applied; `None` if that is a setting of the file.
pub fn of(tool: Tool) -> Option<&'static str> {
    match tool {
        Tool::Diesel => Some("__diesel_schema_migrations"),
        Tool::Sqlx => Some("_sqlx_migrations"),
        Tool::Refinery => Some("refinery_schema_history"),
        Tool::RusqliteMigration => None,
        Tool::GolangMigrate | Tool::Dbmate => Some("schema_migrations"),
        Tool::Goose => Some("goose_db_version"),
        Tool::Flyway => Some("flyway_schema_history"),
        Tool::Alembic | Tool::FlaskMigrate => Some("alembic_version"),
        Tool::Django => Some("django_migrations"),
        Tool::SeaOrm => Some("seaql_migrations"),
    }
}
