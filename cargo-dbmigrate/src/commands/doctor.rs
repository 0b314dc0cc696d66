//! `doctor`: looks at everything that the tool needs, and says what is wrong and what to do.
//!
//! Each look is independent of the others as far as it can be: one that fails is a finding.

use std::path::Path;

use cargo_metadata::semver::{Version, VersionReq};
use dbmigrate_runtime::engine::driver::Driver;
use dbmigrate_runtime::engine::driver::mysql::{OWN, grant_target};
use dbmigrate_runtime::engine::{Backend, standing, version_table};
use dbmigrate_runtime::{DatabaseError, Value};
use serde_json::json;
use xshell::{Shell, cmd};

use super::Answer;
use crate::cli::Global;
use crate::config::{self, Config};
use crate::connection::{Database, Patience};
use crate::context::Context;
use crate::databases;
use crate::error::{Doing as _, Error, Result};
use crate::hex::random;
use crate::history::{self, History};
use crate::models;
use crate::output::{self, Output, style};
use crate::project::{self, Cargo, Project, RUNTIME, name_of};
use crate::scaffold;

/// The oldest Rust that the runtime compiles with.
const OLDEST_RUST: &str = env!("CARGO_PKG_RUST_VERSION");

pub fn run(global: &Global, out: Output) -> Result<Answer> {
    let mut seen = Seen { out, database: None, looks: Vec::new() };
    toolchain(&mut seen);
    match Project::find(global) {
        Ok(project) => of_project(&mut seen, global, project),
        Err(err) => seen.bad("package", &err),
    }
    let is_healthy = seen.looks.iter().all(|look| look.state != State::Wrong);
    let looks: Vec<_> = seen.looks.iter().map(Look::json).collect();
    out.json("doctor", json!({ "healthy": is_healthy, "looks": looks }));
    Ok(if is_healthy { Answer::Done } else { Answer::No })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Ok,
    /// Nothing is wrong, but there is something to know.
    Note,
    Wrong,
}

/// What was found at one place.
struct Look {
    name: &'static str,
    database: Option<String>,
    state: State,
    text: String,
    hint: Option<String>,
}

impl Look {
    fn json(&self) -> serde_json::Value {
        let state = match self.state {
            State::Ok => "ok",
            State::Note => "note",
            State::Wrong => "wrong",
        };
        json!({
            "name": self.name,
            "of": self.database,
            "state": state,
            "text": self.text,
            "hint": self.hint,
        })
    }
}

/// The looks so far, each printed at once.
struct Seen {
    out: Output,
    /// The database that the next looks are about, if there are several.
    database: Option<String>,
    looks: Vec<Look>,
}

impl Seen {
    fn add(&mut self, name: &'static str, state: State, (text, hint): (String, Option<String>)) {
        let mark = match state {
            State::Ok => style::paint(style::GOOD, "ok"),
            State::Note => style::paint(style::CHANGED, "note"),
            State::Wrong => style::paint(style::BAD, "wrong"),
        };
        let of = self.database.as_ref().map_or(String::new(), |name| format!(" of `{name}`"));
        self.out.line(format!("{mark}: {name}{of}: {text}"));
        if let Some(hint) = &hint {
            self.out.line(format!("  hint: {hint}"));
        }
        self.looks.push(Look { name, database: self.database.clone(), state, text, hint });
    }

    fn good(&mut self, name: &'static str, text: impl Into<String>) {
        self.add(name, State::Ok, (text.into(), None));
    }

    fn note(&mut self, name: &'static str, text: impl Into<String>, hint: impl Into<String>) {
        self.add(name, State::Note, (text.into(), Some(hint.into())));
    }

    fn wrong(&mut self, name: &'static str, text: impl Into<String>, hint: impl Into<String>) {
        self.add(name, State::Wrong, (text.into(), Some(hint.into())));
    }

    fn bad(&mut self, name: &'static str, err: &Error) {
        let causes = err.causes().iter().map(|cause| format!(": {}", cause.replace('\n', " ")));
        let text = err.message().to_owned() + &causes.collect::<String>();
        self.add(name, State::Wrong, (text, err.get_hint().map(str::to_owned)));
    }
}

/// Cargo and rustc, as they are for the working directory.
fn toolchain(seen: &mut Seen) {
    let tool = env!("CARGO_PKG_VERSION");
    let here = Path::new(".");
    let cargo = Cargo::new(here, seen.out).and_then(|cargo| cargo.read(cargo.cmd("--version")));
    let cargo = match cargo {
        Ok(text) => text.trim().to_owned(),
        Err(err) => return seen.bad("toolchain", &err),
    };
    let rustc =
        Shell::new().and_then(|sh| cmd!(sh, "rustc --version").quiet().ignore_stderr().read());
    let Ok(rustc) = rustc else {
        let text = format!("`rustc` can't be run, but {cargo} can");
        return seen.wrong("toolchain", text, "`rustup default stable` installs the compiler");
    };
    let version = rustc.split(' ').nth(1).and_then(|text| Version::parse(text).ok());
    let is_old = |version: &Version| {
        // A nightly is what its release will be.
        let version = Version::new(version.major, version.minor, version.patch);
        VersionReq::parse(&format!(">={OLDEST_RUST}")).is_ok_and(|oldest| !oldest.matches(&version))
    };
    if version.as_ref().is_some_and(is_old) {
        let text = format!("{rustc} is older than Rust {OLDEST_RUST}, which the runtime needs");
        return seen.wrong("toolchain", text, "`rustup update stable` installs a newer one");
    }
    seen.good("toolchain", format!("cargo-dbmigrate {tool}, {cargo}, {rustc}"));
}

fn of_project(seen: &mut Seen, global: &Global, project: Project) {
    let (name, dir) = (&project.package, project.package_dir.display());
    if name_of(&project.dependencies, RUNTIME).is_some() {
        seen.good("package", format!("`{name}` in `{dir}`"));
    } else {
        let text =
            format!("`{name}` in `{dir}` has no dependency `{RUNTIME}`, so it has no models");
        seen.note("package", text, format!("`cargo add {RUNTIME}` in its directory adds it"));
    }
    let others = project::of_other_drivers(&project);
    for warning in &others {
        let (text, hint) = warning.split_once("; ").unwrap_or((warning, ""));
        seen.wrong("drivers", text, hint);
    }
    if others.is_empty() {
        seen.good("drivers", "the package has one version of each at most");
    }
    cache(seen, &project);
    let dir = project.migrations_dir.clone();
    if !dir.is_dir() {
        let text = format!("there is no directory `{}`", project.shown(&dir));
        return seen.wrong("migrations", text, "`cargo dbmigrate init` creates it");
    }
    let config = match Config::read(&dir) {
        Ok(config) => config,
        Err(err) => return seen.bad("settings", &err),
    };
    seen.good("settings", format!("`{}`", project.shown(&config::path(&dir))));
    let cx = Context::of_project(global.clone(), seen.out, project, config);
    match models::load(&cx) {
        Ok(models) => {
            seen.good("models", output::count(models.records.len(), "model"));
        }
        Err(err) => seen.bad("models", &err),
    }
    let named = cx.global.database.clone().filter(|name| name != config::ALL);
    let names: Vec<String> = match named {
        Some(name) => vec![name],
        None => {
            let further = cx.config.databases.keys().cloned();
            [config::DEFAULT.to_owned()].into_iter().chain(further).collect()
        }
    };
    for name in &names {
        seen.database = (!cx.config.databases.is_empty()).then(|| name.clone());
        match databases::named(&cx, name) {
            Ok(one) => of_database(seen, &one),
            Err(err) => seen.bad("database", &err),
        }
    }
}

/// The tool's own files, which it can't work without.
fn cache(seen: &mut Seen, project: &Project) {
    let dir = &project.work_dir;
    let write = || -> Result<()> {
        std::fs::create_dir_all(dir).doing(|| format!("create `{}`", dir.display()))?;
        let file = dir.join(format!("doctor-{}", random()?));
        std::fs::write(&file, "").doing(|| format!("write `{}`", file.display()))?;
        std::fs::remove_file(&file).doing(|| format!("remove `{}`", file.display()))
    };
    match write() {
        Ok(()) => seen.good("cache", format!("`{}` can be written to", dir.display())),
        Err(err) => seen.bad(
            "cache",
            &err.hint(
                "make the directory writable, or set CARGO_TARGET_DIR to another one; it can be \
                 deleted at any time",
            ),
        ),
    }
}

/// The revisions and the database of one history.
fn of_database(seen: &mut Seen, cx: &Context) {
    match scaffold::compare_list(cx) {
        Ok(list) if list.is_none() => seen.good("list", "mod.rs lists the revision files"),
        Ok(list) => {
            let lacks = list.lacks.iter().map(|path| format!("lacks `{path}`"));
            let extra = list.extra.iter().map(|line| format!("has `{line}`, which is no file"));
            let text = lacks.chain(extra).collect::<Vec<_>>().join(", ");
            let hint = "`cargo dbmigrate migrate` brings it in line";
            seen.wrong("list", format!("the list in mod.rs {text}"), hint);
        }
        Err(err) => seen.bad("list", &err),
    }
    let history = History::load(cx);
    match &history {
        Ok(history) => {
            let n = output::count(history.graph.revisions().len(), "revision");
            let heads = history.graph.heads();
            if heads.len() > 1 {
                let text = format!("{n} with {} heads: {}", heads.len(), heads.join(", "));
                seen.note("revisions", text, "`cargo dbmigrate merge` joins them");
            } else {
                seen.good("revisions", n);
            }
        }
        Err(err) => seen.bad("revisions", err),
    }
    match Database::locate(cx) {
        Ok(database) => look_at(seen, cx, &database, history.as_ref().ok()),
        Err(err) => seen.bad("database", &err),
    }
}

fn look_at(seen: &mut Seen, cx: &Context, database: &Database, history: Option<&History>) {
    let url = format!("{}, from {}", database.url(), database.source);
    if database.is_missing() {
        let text = format!("{url}, {}", database.missing_text());
        return seen.note("database", text, "`cargo dbmigrate upgrade` creates it");
    }
    let mut driver = match database.open_to_read(Patience::reading(cx)) {
        Ok(Some(driver)) => driver,
        Ok(None) => return,
        Err(err) => return seen.bad("database", &err),
    };
    match driver.as_connection().facts() {
        Ok(facts) => {
            let backend = driver.dialect().backend();
            let product = format!("{backend} {}", backend.version_text(facts.version));
            seen.good("database", format!("{url}: {product}"));
        }
        Err(err) => {
            let failed = Error::new(format!("failed to ask {url} for its version")).cause(err);
            return seen.bad("database", &failed);
        }
    }
    if let Some(history) = history {
        match n_due(cx, &mut *driver, history) {
            Ok(0) => seen.good("version table", "every revision that is due is applied"),
            Ok(n) => {
                let text = format!("{} pending", output::count(n, "revision"));
                seen.note("version table", text, "`cargo dbmigrate upgrade` applies them");
            }
            Err(err) => seen.bad("version table", &err),
        }
    }
    rights(seen, database, &mut *driver);
}

/// The number of pending revisions, without those that wait because of a barrier.
fn n_due(cx: &Context, driver: &mut dyn Driver, history: &History) -> Result<usize> {
    let rows = version_table::read(driver.as_connection(), cx.config.version_table())?;
    let ids = standing::ids(&rows);
    let standing = history.standing(rows)?;
    standing.check(false)?;
    let unfinished = history::unfinished_in(cx, driver)?;
    if let Some(unfinished) = unfinished.iter().find(|begun| begun.is_halfway()) {
        let at = unfinished.standing(&ids);
        let text = format!("revision `{}` is {at}", unfinished.revision);
        return Err(Error::new(text).hint("`cargo dbmigrate upgrade` continues it"));
    }
    Ok(standing.view.of.reach(standing.applied(), &[]).due().count())
}

/// Whether the user may do what revisions do.
fn rights(seen: &mut Seen, database: &Database, driver: &mut dyn Driver) {
    let backend = driver.dialect().backend();
    if let Some(file) = database.real_path() {
        return match unwritable(&file) {
            None => seen.good("rights", "the file and its directory can be written to"),
            Some(what) => seen.wrong(
                "rights",
                format!("`{}` can't be written to", what.display()),
                "a run writes to the file, and to its directory, where the journal is: give this \
                 user the right to write there",
            ),
        };
    }
    let res = match backend {
        Backend::Postgres => rights_in_schema(seen, driver),
        _ => rights_in_database(seen, driver),
    };
    if let Err(err) = res {
        seen.bad("rights", &Error::new("failed to read the privileges").cause(err));
    }
}

/// Whether the user may create tables on PostgreSQL.
fn rights_in_schema(
    seen: &mut Seen,
    driver: &mut dyn Driver,
) -> std::result::Result<(), DatabaseError> {
    let sql = "SELECT current_setting('search_path'), quote_ident(current_user), \
               quote_ident(current_schema()), \
               CASE WHEN has_schema_privilege(current_schema(), 'CREATE') THEN 'CREATE' END";
    match texts(driver, sql)?.as_slice() {
        [path, user] => seen.wrong(
            "rights",
            format!("the user may use no schema of the search path, which is `{path}`"),
            format!(
                "create the first schema of the path, or let an administrator run `GRANT USAGE, \
                 CREATE ON SCHEMA ... TO {user}` for it"
            ),
        ),
        [_, user, schema] => seen.wrong(
            "rights",
            format!("the user may not create tables in the schema `{schema}`"),
            format!("let an administrator run `GRANT CREATE ON SCHEMA {schema} TO {user}`"),
        ),
        _ => seen.good("rights", "the user may create tables"),
    }
    Ok(())
}

/// Whether the user has the privileges that revisions need on MySQL and MariaDB.
fn rights_in_database(
    seen: &mut Seen,
    driver: &mut dyn Driver,
) -> std::result::Result<(), DatabaseError> {
    let has = format!(
        "SELECT privilege_type FROM information_schema.user_privileges WHERE {OWN} \
         UNION ALL SELECT privilege_type FROM information_schema.schema_privileges \
         WHERE database() LIKE table_schema AND {OWN}"
    );
    let has = texts(driver, &has)?;
    let needed = ["SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "DROP", "INDEX"];
    // Without these, a server does not show what a change would break.
    let shown = ["SHOW VIEW", "TRIGGER"];
    // MySQL requires it for foreign keys; MariaDB does not.
    let of_keys = (driver.dialect().backend() == Backend::Mysql).then_some("REFERENCES");
    let needed = needed.into_iter().chain(["CREATE TEMPORARY TABLES"]).chain(of_keys).chain(shown);
    let lacking: Vec<&str> =
        needed.filter(|privilege| !has.iter().any(|has| has == privilege)).collect();
    if lacking.is_empty() {
        seen.good("rights", "the user has the privileges that revisions need");
        return Ok(());
    }
    let who = texts(driver, "SELECT current_user()")?;
    let ([account], Some(target)) = (who.as_slice(), grant_target(driver.as_connection())?) else {
        return Ok(());
    };
    let (user, host) = account.rsplit_once('@').unwrap_or((account, "%"));
    let is_blind = lacking.iter().any(|privilege| shown.contains(privilege));
    let blind =
        if is_blind { "; a change that breaks a view or a trigger isn't stopped" } else { "" };
    let lacking = lacking.join(", ");
    let literal = |text: &str| driver.dialect().literal(&text.into());
    let account = format!("{}@{}", literal(user), literal(host));
    seen.note(
        "rights",
        format!("the user was not granted {lacking}, except perhaps through a role{blind}"),
        format!("let an administrator run `GRANT {lacking} ON {target} TO {account}`"),
    );
    Ok(())
}

/// The texts that a query returns, without NULL.
fn texts(driver: &mut dyn Driver, sql: &str) -> std::result::Result<Vec<String>, DatabaseError> {
    Ok(driver.query(sql, &[])?.rows.into_iter().flatten().filter_map(text).collect())
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text),
        Value::Blob(bytes) => String::from_utf8(bytes).ok(),
        _ => None,
    }
}

/// What of a database file this user may not write to.
#[cfg(unix)]
fn unwritable(file: &Path) -> Option<&Path> {
    use rustix::fs::{Access, access};
    let dir = file.parent().filter(|dir| !dir.as_os_str().is_empty());
    [file].into_iter().chain(dir).find(|path| access(*path, Access::WRITE_OK).is_err())
}

#[cfg(not(unix))]
fn unwritable(file: &Path) -> Option<&Path> {
    file.metadata().is_ok_and(|metadata| metadata.permissions().readonly()).then_some(file)
}
