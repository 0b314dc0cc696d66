//! What is known of the tools whose histories can be taken over.

use crate::cli::Tool;

/// The names of its files, for messages.
pub(super) fn naming(tool: Tool) -> &'static str {
    match tool {
        Tool::Diesel => "`VERSION_NAME/up.sql`",
        Tool::Sqlx => "`VERSION_NAME.sql`, or `VERSION_NAME.up.sql`",
        Tool::Refinery => "`V1__NAME.sql` or `U1__NAME.sql`",
        Tool::RusqliteMigration => "`01-NAME/up.sql`",
        Tool::GolangMigrate => "`VERSION_NAME.up.sql`",
        Tool::Goose => "`VERSION_NAME.sql` with `-- +goose Up`",
        Tool::Dbmate => "`VERSION_NAME.sql` with `-- migrate:up`",
        Tool::Flyway => "`V1__NAME.sql`, `U1__NAME.sql` or `R__NAME.sql`",
        Tool::Alembic | Tool::FlaskMigrate | Tool::Django | Tool::SeaOrm => "by the tool itself",
    }
}

/// How it is told to run a migration outside of a transaction.
pub fn no_transaction(tool: Tool) -> Option<&'static str> {
    match tool {
        Tool::Diesel => Some("`run_in_transaction = false` in the migration's `metadata.toml`"),
        Tool::Sqlx => Some("`-- no-transaction` as the first line"),
        Tool::Goose => Some("`-- +goose NO TRANSACTION`"),
        Tool::Dbmate => Some("`-- migrate:up transaction:false`"),
        Tool::Flyway => Some("`executeInTransaction=false` in `FILE.conf` beside it"),
        Tool::Refinery | Tool::RusqliteMigration | Tool::GolangMigrate => None,
        Tool::Alembic | Tool::FlaskMigrate | Tool::Django | Tool::SeaOrm => None,
    }
}

/// Whether it records checksums of its files.
pub fn has_checksums(tool: Tool) -> bool {
    matches!(tool, Tool::Sqlx | Tool::Refinery | Tool::Flyway)
}

/// Whether it runs some migrations outside of a transaction without being told by the file.
pub(super) fn may_run_alone(tool: Tool) -> bool {
    match tool {
        // It has no transactions of its own.
        Tool::GolangMigrate => true,
        // It looks at the statements.
        Tool::Flyway => true,
        // The program says so, and the printed SQL has no more than a `COMMIT` of it.
        Tool::Alembic | Tool::FlaskMigrate | Tool::Django => true,
        // So does the program, which is not recorded.
        Tool::SeaOrm => true,
        Tool::Diesel | Tool::Sqlx | Tool::Refinery | Tool::RusqliteMigration => false,
        Tool::Goose | Tool::Dbmate => false,
    }
}

/// Whether its connections to SQLite enforce foreign keys while it migrates.
pub(super) fn enforces_foreign_keys(tool: Tool) -> bool {
    matches!(tool, Tool::Sqlx | Tool::SeaOrm)
}
