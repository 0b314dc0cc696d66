//! The tools whose histories can be taken over, by name.

use std::fmt;

use clap::ValueEnum;

/// Another migration tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Tool {
    /// Directories with `up.sql` and `down.sql`
    Diesel,
    /// `VERSION_NAME.sql`, or `.up.sql` and `.down.sql`
    Sqlx,
    /// `V1__name.sql` and `U1__name.sql`
    Refinery,
    /// Directories `01-name` with `up.sql` and `down.sql`
    #[value(name = "rusqlite_migration")]
    RusqliteMigration,
    /// `VERSION_name.up.sql` and `VERSION_name.down.sql`
    GolangMigrate,
    /// Files with `-- +goose Up` and `-- +goose Down`
    Goose,
    /// Files with `-- migrate:up` and `-- migrate:down`
    Dbmate,
    /// `V1__name.sql`, `U1__name.sql` and `R__name.sql`
    Flyway,
    /// The directory of `alembic.ini`, by the SQL that Alembic prints
    Alembic,
    /// The directory of the application, by the SQL that `flask db` prints
    FlaskMigrate,
    /// The directory of `manage.py`, by the SQL that Django prints
    Django,
    /// The directory of the crate `migration`, by running its `Migrator` on an empty database
    SeaOrm,
}

impl Tool {
    /// The name that its users know.
    pub fn name(self) -> &'static str {
        match self {
            Tool::Diesel => "diesel",
            Tool::Sqlx => "sqlx",
            Tool::Refinery => "refinery",
            Tool::RusqliteMigration => "rusqlite_migration",
            Tool::GolangMigrate => "golang-migrate",
            Tool::Goose => "goose",
            Tool::Dbmate => "dbmate",
            Tool::Flyway => "Flyway",
            Tool::Alembic => "Alembic",
            Tool::FlaskMigrate => "Flask-Migrate",
            Tool::Django => "Django",
            Tool::SeaOrm => "sea-orm-migration",
        }
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
