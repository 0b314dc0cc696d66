//! Migrations of sea-orm-migration, which are Rust code: a small program runs them on a scratch
//! database through a connection that records each statement.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{Message, Metadata, MetadataCommand, Package};
use dbmigrate_runtime::engine::dialect::Dialect;
use dbmigrate_runtime::engine::driver::Driver;
use dbmigrate_runtime::engine::sql::{Lexicon, Token};

use super::layout::{Foreign, Script};
use super::scratch::Scratch;
use super::terms::{State, Terms};
use super::version::Version;
use crate::context::Context;
use crate::error::{Doing as _, Error, Result};
use crate::hex::short_hash;
use crate::project::{Cargo, Exit};
use crate::runner::{absolute, dependency};
use crate::work_files::write_if_new;

/// The program, with marks in place of what depends on the version of sea-orm.
const PROGRAM: &str = include_str!("recorder.rs.tmpl");

/// The crate that the migrations are written with.
const CRATE: &str = "sea-orm-migration";

/// Records the migrations of a crate.
pub struct Recorder<'a> {
    pub cx: &'a Context,
    pub scratch: &'a Scratch<'a>,
    /// The directory of the crate.
    pub dir: &'a Path,
    /// The URL of the scratch database, if it is on a server.
    pub url: Option<&'a str>,
}

/// The migrations of a crate, and what they built by themselves.
pub struct Recorded {
    pub foreign: Vec<Foreign>,
    pub state: State,
}

/// What was recorded of one migration.
#[derive(Debug, Default, PartialEq, Eq)]
struct Noted {
    name: String,
    /// Statements, and whether they were queries.
    statements: Vec<(bool, String)>,
    failure: Option<String>,
    is_undone: bool,
    /// Whether the rest needs an empty database again.
    needs_fresh: bool,
}

impl Recorder<'_> {
    /// Compiles the migrations with the recording program, and runs them there and back.
    ///
    /// # Errors
    ///
    /// When the crate can't be compiled, and when a migration fails.
    pub fn read(&self, terms: &mut Terms<'_>) -> Result<Recorded> {
        let program = self.compiled()?;
        self.cx.out.progress("Recording what the migrations do");
        let ups = self.run(&program, None)?;
        let state = terms.state(&mut *self.opened()?)?;
        let mut downs: Vec<Noted> = Vec::new();
        while downs.len() < ups.len() {
            let first = downs.len();
            let found = self.run(&program, Some(first))?;
            let found = found.into_iter().skip(first);
            let end = downs.len();
            for one in found {
                let is_last = one.needs_fresh;
                downs.push(one);
                if is_last {
                    break;
                }
            }
            if downs.len() == end {
                return Err(self.unreadable());
            }
        }
        let foreign = self.foreign(&ups, downs);
        if foreign.is_empty() {
            let message = format!("`Migrator` in `{}` has no migrations", self.dir.display());
            return Err(Error::new(message));
        }
        Ok(Recorded { foreign, state })
    }

    fn foreign(&self, ups: &[Noted], downs: Vec<Noted>) -> Vec<Foreign> {
        let dialect = self.cx.dialect();
        let names: Vec<&str> = ups.iter().map(|up| up.name.as_str()).collect();
        let foreign = ups.iter().zip(downs).map(|(up, down)| {
            let version = Version::of_sea_orm(&up.name);
            let is_same = |name: &&&str| Version::of_sea_orm(name) == version;
            let is_unique = names.iter().filter(is_same).count() == 1;
            let file = self.file(&up.name);
            let script = |noted: &Noted| Script { file: file.clone(), sql: sql(dialect, noted) };
            Foreign {
                name: Version::words_of_sea_orm(&up.name),
                created: version.time(),
                up: script(up),
                down: down.is_undone.then(|| script(&down)),
                no_transaction: false,
                unprinted: reads_rows(dialect.lexicon(), up),
                unprinted_down: false,
                version: if is_unique { version } else { Version::new(&up.name) },
            }
        });
        foreign.collect()
    }

    /// The file of a migration, if it has the usual name.
    fn file(&self, name: &str) -> PathBuf {
        let file = self.dir.join("src").join(format!("{name}.rs"));
        if file.exists() { file } else { self.dir.join(name) }
    }

    /// Runs the program: up, or down again from a migration on.
    fn run(&self, program: &Path, first: Option<usize>) -> Result<Vec<Noted>> {
        let output = self.work_dir().join("recorded");
        let _ = fs::remove_file(&output);
        let url = match self.url {
            None => {
                let _ = fs::remove_file(self.scratch_file());
                format!("sqlite://{}?mode=rwc", self.scratch_file().display())
            }
            Some(url) => {
                drop(self.scratch.empty()?);
                let rest = url.strip_prefix("mariadb:");
                rest.map_or_else(|| url.to_owned(), |rest| format!("mysql:{rest}"))
            }
        };
        let mut command = Command::new(program);
        command.arg(&output).args(first.map(|first| first.to_string()));
        command.env("DBMIGRATE_RECORD_URL", url).current_dir(self.dir);
        let dir = self.dir.display();
        let ran = command.output().doing(|| format!("run the migrations of `{dir}`"))?;
        if !ran.status.success() {
            let text = String::from_utf8_lossy(&ran.stderr).trim().to_owned();
            return Err(Error::new(format!("failed to run the migrations of `{dir}`")).cause(text));
        }
        let text = fs::read_to_string(&output).doing(|| "read what was recorded".to_owned())?;
        let noted = noted(&text).ok_or_else(|| self.unreadable())?;
        let failed = noted.iter().find_map(|one| Some((one, one.failure.as_ref()?)));
        let Some((one, why)) = failed else { return Ok(noted) };
        let file = self.file(&one.name);
        let (of, hint) = match first {
            None => (
                "",
                "the migrations ran one after the other, beginning with an empty database: \
                 correct this one, and import again",
            ),
            Some(_) => (
                "the way back of ",
                "it ran right after its migration: correct it, or remove it if there is no way \
                 back",
            ),
        };
        let message = format!("{of}`{}` fails", file.display());
        Err(Error::new(message).cause(why).hint(hint))
    }

    /// The database that the program migrated.
    fn opened(&self) -> Result<Box<dyn Driver>> {
        self.scratch.opened(&self.scratch_file())
    }

    fn work_dir(&self) -> PathBuf {
        self.cx.project.work_dir.join("sea-orm")
    }

    fn scratch_file(&self) -> PathBuf {
        self.work_dir().join("scratch.db")
    }

    fn unreadable(&self) -> Error {
        let message = format!("failed to read what the migrations of `{}` do", self.dir.display());
        Error::new(message).hint("they must not end the program that runs them")
    }

    /// Writes and compiles the program; returns its executable.
    fn compiled(&self) -> Result<PathBuf> {
        let metadata = self.metadata()?;
        let dir = self.work_dir();
        fs::create_dir_all(&dir).doing(|| format!("create the directory `{}`", dir.display()))?;
        let (manifest, name) = self.manifest(&metadata)?;
        write_if_new(&dir.join("Cargo.toml"), &manifest)?;
        write_if_new(&dir.join("main.rs"), &self.program(&metadata)?)?;
        // Cargo removes the entries that don't apply.
        let lock = fs::read_to_string(metadata.workspace_root.join("Cargo.lock"));
        if let Ok(lock) = lock.as_ref().map_err(drop) {
            write_if_new(&dir.join("Cargo.lock"), lock)?;
        }
        let cargo = Cargo::new(self.dir, self.cx.out)?;
        // Most of it has been compiled there already.
        cargo.set_var("CARGO_TARGET_DIR", metadata.target_directory.as_std_path());
        let mut compile = cargo.compile("build", true);
        compile.cmd = compile.cmd.arg("--manifest-path").arg(dir.join("Cargo.toml"));
        if self.cx.global.cargo.offline || self.cx.global.cargo.frozen {
            compile.cmd = compile.cmd.arg("--offline");
        }
        let mut executable = None;
        let exit = cargo.build(compile, "Compiling the migrations of sea-orm", |message| {
            if let Message::CompilerArtifact(artifact) = message {
                let found = artifact.executable.filter(|_| artifact.target.name == name);
                executable = found.or(executable.take());
            }
        })?;
        match executable {
            Some(path) if exit.success => Ok(path.into()),
            _ => Err(self.uncompiled(&exit)),
        }
    }

    fn uncompiled(&self, exit: &Exit) -> Error {
        exit.show(self.cx.out);
        let message = format!("failed to compile the migrations of `{}`", self.dir.display());
        let hint = "the library of the crate needs `pub struct Migrator`, as `sea-orm-cli migrate \
                    init` writes it, and sea-orm-migration 1.0 or later";
        if exit.has_errors() {
            return Error::new(message).hint(hint);
        }
        exit.error(message)
    }

    fn metadata(&self) -> Result<Metadata> {
        if !self.dir.join("Cargo.toml").exists() {
            let message = format!("`{}` has no migrations of {CRATE}", self.dir.display());
            return Err(Error::new(message).hint("give the directory of the crate `migration`"));
        }
        let cargo = Cargo::new(self.dir, self.cx.out)?;
        let mut cmd = cargo.cmd("metadata").args(["--format-version", "1"]);
        if self.cx.global.cargo.offline || self.cx.global.cargo.frozen {
            cmd = cmd.arg("--offline");
        }
        MetadataCommand::parse(cargo.read(cmd)?).doing(|| "read cargo's metadata".to_owned())
    }

    /// The manifest of the program's crate, and the name of the program.
    fn manifest(&self, metadata: &Metadata) -> Result<(String, String)> {
        let hash = short_hash(self.work_dir().as_os_str().as_encoded_bytes());
        let name = format!("dbmigrate-recorder-{hash}");
        let table = |items: Vec<(&str, toml::Value)>| -> toml::Value {
            let items = items.into_iter().map(|(key, value)| (key.to_owned(), value));
            toml::Value::Table(items.collect())
        };
        let own = self.package(metadata)?;
        let mut migration = dependency(own)?;
        migration.insert("package".to_owned(), own.name.to_string().into());
        let mut dependencies = toml::Table::new();
        dependencies.insert(library(own)?, migration.into());
        let features = |names: &[&str]| -> toml::Value {
            names.iter().map(|name| toml::Value::from(*name)).collect::<Vec<_>>().into()
        };
        // With this feature a connection can be any value with certain functions.
        for (name, wanted) in [(CRATE, &[][..]), ("sea-orm", &["mock"])] {
            let mut dependency = dependency(found(metadata, name)?)?;
            dependency.insert("default-features".to_owned(), false.into());
            dependency.insert("features".to_owned(), features(wanted));
            dependencies.insert(name.to_owned(), dependency.into());
        }
        let tokio = vec![("version", "1".into()), ("features", features(&["rt-multi-thread"]))];
        dependencies.insert("tokio".to_owned(), table(tokio));
        let mut manifest = table(vec![
            (
                "package",
                table(vec![
                    ("name", name.as_str().into()),
                    ("version", "0.0.0".into()),
                    ("edition", "2021".into()),
                    ("publish", false.into()),
                ]),
            ),
            (
                "bin",
                vec![table(vec![("name", name.as_str().into()), ("path", "main.rs".into())])]
                    .into(),
            ),
            ("workspace", table(Vec::new())),
            ("dependencies", dependencies.into()),
        ]);
        // With the same profiles and patches, what is compiled already needs no compiling.
        let root = metadata.workspace_root.as_std_path();
        let path = root.join("Cargo.toml");
        let text = fs::read_to_string(&path).doing(|| format!("read `{}`", path.display()))?;
        let own: toml::Table = toml::from_str(&text).unwrap_or_default();
        if let Some(manifest) = manifest.as_table_mut() {
            manifest.extend(own.get("profile").cloned().map(|of| ("profile".to_owned(), of)));
            manifest.extend(patches(&own, root).map(|of| ("patch".to_owned(), of)));
        }
        let text = toml::to_string(&manifest).doing(|| "write a manifest".to_owned())?;
        Ok((text, name))
    }

    /// The program for the version of sea-orm that the crate uses.
    fn program(&self, metadata: &Metadata) -> Result<String> {
        let version = &found(metadata, "sea-orm")?.version;
        if version.major < 1 {
            let message = format!("the migrations use sea-orm {version}, which can't be recorded");
            return Err(Error::new(message).hint("update sea-orm-migration to 1.0 or later"));
        }
        let [raw, connection, in_transaction] = match version.major {
            1 => ["", "DatabaseConnection", "is_postgres"],
            _ => [
                "_raw",
                "sea_orm_migration::sea_orm::DatabaseConnectionType",
                "migration.use_transaction().unwrap_or(is_postgres)",
            ],
        };
        let library = library(self.package(metadata)?)?;
        Ok(PROGRAM
            .replace("@MIGRATION@", &library)
            .replace("@RAW@", raw)
            .replace("@CONNECTION@", connection)
            .replace("@IN_TRANSACTION@", in_transaction))
    }

    fn package<'m>(&self, metadata: &'m Metadata) -> Result<&'m Package> {
        let path = self.dir.canonicalize().doing(|| format!("find `{}`", self.dir.display()))?;
        let is_own =
            |package: &&Package| package.manifest_path.as_std_path() == path.join("Cargo.toml");
        metadata.packages.iter().find(is_own).ok_or_else(|| {
            let message = format!("`{}` is not the directory of a package", self.dir.display());
            Error::new(message).hint("give the directory of the crate `migration`")
        })
    }
}

/// The patches of a manifest, with absolute paths.
fn patches(manifest: &toml::Table, root: &Path) -> Option<toml::Value> {
    let mut patches = manifest.get("patch")?.as_table()?.clone();
    let tables = patches.iter_mut().filter_map(|(_, table)| table.as_table_mut());
    for (_, patch) in tables.flatten() {
        *patch = absolute(patch, root);
    }
    Some(patches.into())
}

fn found<'a>(metadata: &'a Metadata, name: &str) -> Result<&'a Package> {
    let mut packages = metadata.packages.iter();
    packages.find(|package| package.name.as_str() == name).ok_or_else(|| {
        let root = metadata.workspace_root.as_std_path().display();
        Error::new(format!("nothing in `{root}` depends on {name}"))
            .hint("give the directory of the crate `migration`")
    })
}

/// The name of a package's library.
fn library(package: &Package) -> Result<String> {
    let library = package.targets.iter().find(|target| target.is_lib());
    let library = library.map(|target| target.name.replace('-', "_"));
    library.ok_or_else(|| {
        Error::new(format!("the package `{}` has no library", package.name)).hint(
            "its `lib.rs` needs `pub struct Migrator`, as `sea-orm-cli migrate init` writes it",
        )
    })
}

/// What the program wrote: a word and a length on a line, and a text of this length.
fn noted(text: &str) -> Option<Vec<Noted>> {
    let mut all: Vec<Noted> = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (head, after) = rest.split_once('\n')?;
        let (word, length) = head.split_once(' ')?;
        let length: usize = length.parse().ok()?;
        let body = after.get(..length)?.to_owned();
        rest = after.get(length..)?.strip_prefix('\n')?;
        if word == "migration" {
            all.push(Noted { name: body, ..Noted::default() });
            continue;
        }
        let last = all.last_mut()?;
        match word {
            "ran" => last.statements.push((false, body)),
            "asked" => last.statements.push((true, body)),
            "failed" => last.failure = Some(body),
            "undone" => last.is_undone = true,
            "again" => last.needs_fresh = true,
            _ => return None,
        }
    }
    Some(all)
}

/// The statements that change something, as one text.
fn sql(dialect: &dyn Dialect, noted: &Noted) -> String {
    let lexicon = dialect.lexicon();
    let changes = noted.statements.iter().filter(|(is_query, sql)| {
        !is_query || !matches!(asked(lexicon, sql), Asked::Catalog | Asked::Rows)
    });
    let texts = changes.map(|(_, sql)| format!("{};", sql.trim().trim_end_matches(';')));
    texts.collect::<Vec<_>>().join("\n")
}

/// Whether it depends on rows what a migration does.
fn reads_rows(lexicon: &'static Lexicon, noted: &Noted) -> bool {
    let mut queries = noted.statements.iter().filter(|(is_query, _)| *is_query);
    queries.any(|(_, sql)| matches!(asked(lexicon, sql), Asked::Rows))
}

/// What a query is about.
enum Asked {
    Catalog,
    Rows,
    /// It changes something, and returns what it did.
    Change,
}

fn asked(lexicon: &'static Lexicon, sql: &str) -> Asked {
    let tokens = lexicon.significant(sql);
    let has = |word: &str| tokens.iter().any(|token: &Token<'_>| token.is_word(word));
    let first = ["SELECT", "WITH", "VALUES", "PRAGMA", "SHOW", "EXPLAIN", "DESCRIBE"];
    let begins = |word: &&str| tokens.first().is_some_and(|token| token.is_word(word));
    let Some(first) = first.iter().find(|word| begins(word)) else { return Asked::Change };
    let changes = ["INSERT", "UPDATE", "DELETE", "MERGE"];
    if *first == "WITH" && changes.iter().any(|word| has(word)) {
        return Asked::Change;
    }
    if ["PRAGMA", "SHOW", "EXPLAIN", "DESCRIBE"].contains(first) {
        return Asked::Catalog;
    }
    if !has("FROM") {
        // Such as `SELECT setval(...)`.
        return if sql.contains('(') { Asked::Change } else { Asked::Catalog };
    }
    let is_catalog = |token: &Token<'_>| {
        let name = token.identifier().unwrap_or_default().to_lowercase();
        ["information_schema", "sqlite_master", "sqlite_schema"].contains(&name.as_str())
            || name.starts_with("pg_")
            || name.starts_with("pragma_")
    };
    if tokens.iter().any(is_catalog) { Asked::Catalog } else { Asked::Rows }
}

#[cfg(test)]
mod tests {
    use dbmigrate_runtime::engine::dialect::Sqlite;

    use super::*;

    /// What the program wrote about a migration that looks before it changes something.
    const WRITTEN: &str = "migration 26\nm20220101_000001_add_likes\nasked 78\nSELECT COUNT(*) > 0 \
                           AS has_table FROM sqlite_master WHERE type = 'table' AND 1\nran \
                           45\nALTER TABLE \"post\" ADD COLUMN \"likes\" integer\nran 36\nINSERT INTO \
                           t VALUES ('a;\nran 3\nb');\nasked 40\nINSERT INTO t (b) VALUES (1) \
                           RETURNING a\nundone 0\n\n";

    #[test]
    fn what_was_recorded_becomes_sql() {
        let all = noted(WRITTEN).unwrap();
        let [one] = all.as_slice() else { panic!("{all:?}") };
        assert_eq!((one.name.as_str(), one.is_undone), ("m20220101_000001_add_likes", true));
        assert_eq!(
            sql(&Sqlite, one),
            "ALTER TABLE \"post\" ADD COLUMN \"likes\" integer;\nINSERT INTO t VALUES ('a;\nran \
             3\nb');\nINSERT INTO t (b) VALUES (1) RETURNING a;"
        );
        assert!(!reads_rows(Sqlite.lexicon(), one));
        for part in [1, 30, 200] {
            assert_eq!(noted(&WRITTEN[..part]), None);
        }
    }

    #[test]
    fn a_migration_that_reads_rows_is_known() {
        let reads = |sql: &str| {
            let statements = vec![(true, sql.to_owned())];
            reads_rows(Sqlite.lexicon(), &Noted { statements, ..Noted::default() })
        };
        assert!(reads("SELECT id FROM post"));
        assert!(reads("WITH a AS (SELECT 1) SELECT * FROM a"));
        assert!(!reads("SELECT 1 FROM pragma_table_info('post')"));
        assert!(!reads("SELECT setval('post_id_seq', 7)"));
        assert!(!reads("UPDATE post SET a = 1 RETURNING a"));
    }
}
