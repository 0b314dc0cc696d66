//! The alternative programs, where they are installed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use crate::{Result, measure};

/// A program that migrates an SQLite database with SQL files.
pub struct Rival {
    pub name: &'static str,
    /// The command that installs it with support for SQLite only.
    pub install: &'static str,
    /// The command that installs it with support for PostgreSQL as well.
    pub server_install: &'static str,
    version: &'static [&'static str],
    upgrade: &'static [&'static str],
    /// The arguments that upgrade the database of `DATABASE_URL`.
    server_upgrade: &'static [&'static str],
    /// The file name of the migration with this number.
    file: fn(usize) -> String,
    /// Other files that it needs.
    files: &'static [(&'static str, &'static str)],
}

/// The programs that are measured.
pub const ALL: &[Rival] = &[
    Rival {
        name: "diesel",
        install: "cargo install diesel_cli --no-default-features --features sqlite-bundled",
        version: &["--version"],
        upgrade: &["migration", "run", "--database-url", "app.db", "--migration-dir", "migrations"],
        server_install: "cargo install diesel_cli --no-default-features --features \
                         sqlite-bundled,postgres",
        server_upgrade: &["migration", "run", "--migration-dir", "migrations"],
        file: |n| format!("migrations/{n:04}_change/up.sql"),
        files: &[],
    },
    Rival {
        name: "sqlx",
        install: "cargo install sqlx-cli --no-default-features --features sqlite",
        version: &["--version"],
        upgrade: &["migrate", "run", "--database-url", "sqlite:app.db?mode=rwc"],
        server_install: "cargo install sqlx-cli --no-default-features --features sqlite,postgres",
        server_upgrade: &["migrate", "run"],
        file: |n| format!("migrations/{n:04}_change.sql"),
        files: &[],
    },
    Rival {
        name: "refinery",
        install: "cargo install refinery_cli --no-default-features --features sqlite-bundled",
        version: &["--version"],
        upgrade: &["migrate"],
        server_install: "cargo install refinery_cli --no-default-features --features \
                         sqlite-bundled,postgresql",
        server_upgrade: &["migrate", "-e", "DATABASE_URL"],
        file: |n| format!("migrations/V{n}__change.sql"),
        files: &[
            ("refinery.toml", "[main]\ndb_type = \"Sqlite\"\ndb_path = \"app.db\"\n"),
            // It opens an existing file but doesn't create one.
            ("app.db", ""),
        ],
    },
];

/// The database file of a project.
pub const DATABASE: &str = "app.db";

/// The shell that runs plain SQL.
pub const SQLITE3: &str = "sqlite3";
pub const SQLITE3_INSTALL: &str = "apt install sqlite3";

/// The shell of PostgreSQL.
pub const PSQL: &str = "psql";
pub const PSQL_INSTALL: &str = "apt install postgresql-client";

impl Rival {
    /// Its name and version, or `None` if it isn't on the PATH.
    pub fn installed(&self) -> Option<String> {
        version(self.name, self.version)
    }

    /// A project with these migrations, all of them applied.
    pub fn project(&self, dir: &Path, migrations: &[String]) -> Result<()> {
        if dir.exists() {
            fs::remove_dir_all(dir)?;
        }
        for (path, text) in self.files {
            write(&dir.join(path), text)?;
        }
        self.add(dir, migrations)?;
        measure::output(&mut self.upgrade(dir)).map(drop)
    }

    /// A project with these migrations, all of them applied to this database of a server.
    pub fn server_project(&self, dir: &Path, migrations: &[String], url: &str) -> Result<()> {
        if dir.exists() {
            fs::remove_dir_all(dir)?;
        }
        self.add(dir, migrations)?;
        measure::output(&mut self.server_upgrade(dir, url)).map(drop)
    }

    /// The command that applies pending migrations to a database of a server.
    pub fn server_upgrade(&self, dir: &Path, url: &str) -> Command {
        let mut command = measure::command(self.name, dir);
        command.args(self.server_upgrade).env("DATABASE_URL", url);
        command
    }

    /// Adds these migrations to a project, without applying them.
    pub fn add(&self, dir: &Path, migrations: &[String]) -> Result<()> {
        for (n, text) in (1..).zip(migrations) {
            write(&dir.join((self.file)(n)), text)?;
        }
        Ok(())
    }

    /// The command that applies pending migrations.
    pub fn upgrade(&self, dir: &Path) -> Command {
        let mut command = measure::command(self.name, dir);
        command.args(self.upgrade);
        command
    }

    /// The same for another file of the project, after a call of [`Rival::know`].
    pub fn upgrade_file(&self, dir: &Path, file: &str) -> Command {
        let mut command = measure::command(self.name, dir);
        command.args(self.upgrade.iter().map(|upgrade| upgrade.replace(DATABASE, file)));
        if let Some((name, _)) = self.config() {
            command.args(["-c", &config_of(file, name)]);
        }
        command
    }

    /// Writes the configuration that it needs before a file can be upgraded.
    pub fn know(&self, dir: &Path, file: &str) -> Result<()> {
        if let Some((name, text)) = self.config() {
            fs::write(dir.join(config_of(file, name)), text.replace(DATABASE, file))?;
        }
        Ok(())
    }

    /// The configuration file that names the database, if no argument does.
    fn config(&self) -> Option<(&str, &str)> {
        self.files.iter().find(|(_, text)| text.contains(DATABASE)).copied()
    }
}

/// The file's path, in the project's directory: paths in it are relative to it.
fn config_of(file: &str, name: &str) -> String {
    format!("./{}.{name}", file.replace('/', "-"))
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::create_dir_all(path.parent().unwrap_or(path))?;
    Ok(fs::write(path, text)?)
}

/// A program's name and version, or `None` if it isn't on the PATH.
pub fn version(name: &str, args: &[&str]) -> Option<String> {
    on_path(name)?;
    let mut command = measure::command(name, &env::temp_dir());
    let text = measure::output(command.args(args)).ok()?;
    let is_version =
        |text: &&str| text.contains('.') && text.starts_with(|c: char| c.is_ascii_digit());
    let version = text.split_whitespace().find(is_version).unwrap_or("of unknown version");
    Some(format!("{name} {version}"))
}

fn on_path(name: &str) -> Option<PathBuf> {
    let file = format!("{name}{}", env::consts::EXE_SUFFIX);
    env::split_paths(&env::var_os("PATH")?).map(|path| path.join(&file)).find(|path| path.is_file())
}
