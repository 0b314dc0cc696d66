//! `cargo dbmigrate upgrade` in a host's build script, and how cargo reacts when an editor or a
//! person runs it.

use std::path::Path;
use std::time::{Duration, Instant};
use std::{env, fs};

use dbmigrate_tests::{Host, Run, dump, repository, sql, tool};

/// A copy of an example that calls the installed subcommand: a `cargo-dbmigrate` on the PATH.
fn example(name: &str) -> Host {
    let mut host = Host::empty(name);
    copy(&repository().join("examples").join(name), &host.dir);
    let runtime = repository().join("dbmigrate-runtime").display().to_string();
    let manifest = host.read("Cargo.toml").replace("../../dbmigrate-runtime", &runtime);
    host.write("Cargo.toml", &manifest);
    installed(&mut host);
    host
}

/// A library with a model, whose build script is the example's.
///
/// In a shared target directory cargo takes two packages of one name at the root of their
/// workspaces for the same, so that each build makes the other's stale; hence a name of its own.
fn with_build_script(name: &str) -> Host {
    let mut host = Host::library(name, MODEL);
    fs::copy(repository().join("examples/build-script/build.rs"), host.dir.join("build.rs"))
        .unwrap();
    installed(&mut host);
    host
}

/// Puts the tool on the host's PATH.
fn installed(host: &mut Host) {
    let dir = tool().parent().expect("the tool is in a directory");
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([dir.to_owned()].into_iter().chain(env::split_paths(&path)));
    host.env("PATH", &path.expect("a path").to_string_lossy());
}

const MODEL: &str = r#"
#[derive(dbmigrate_runtime::Model)]
pub struct Item {
    #[model(primary_key)]
    pub id: i64,
}
"#;

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() && entry.file_name() != "target" {
            copy(&from, &to);
        } else if from.is_file() && !entry.file_name().to_string_lossy().starts_with("app.db") {
            fs::copy(from, to).unwrap();
        }
    }
}

#[track_caller]
fn ok(run: Run) -> Run {
    assert_eq!(run.code, 0, "{run}");
    run
}

/// Whether cargo compiled the host, or found it fresh.
fn compiled(run: &Run) -> bool {
    run.stderr.lines().any(|line| line.contains("build-script v0.1.0"))
}

#[test]
fn a_day_with_queries_that_are_checked_against_the_migrated_database() {
    let host = example("build-script");
    let db = host.dir.join("app.db");

    // A fresh clone has no database; the first check creates it.
    assert!(!db.exists());
    ok(host.cargo("check"));
    assert!(dump(&db).contains("CREATE TABLE \"item\""), "{}", dump(&db));
    let run = ok(host.cargo("check"));
    assert!(!compiled(&run), "nothing changed\n{run}");
    sql(&db, "INSERT INTO item (title) VALUES ('try dbmigrate')");
    let run = ok(host.cargo("check"));
    assert!(!compiled(&run), "a row in the database is no reason to compile\n{run}");

    // A changed model, before its query is written.
    host.replace(
        "src/lib.rs",
        "pub title: String,",
        "pub title: String,\n    pub note: Option<String>,",
    );
    host.ok("migrate -m note");
    host.ok("upgrade");
    assert!(dump(&db).contains("\"note\" TEXT"), "{}", dump(&db));
    host.replace("src/main.rs", "SELECT id, title FROM", "SELECT id, title, note FROM");
    ok(host.cargo("check"));

    // The same, but the next check applies the pending revision.
    host.replace(
        "src/lib.rs",
        "pub note: Option<String>,",
        "pub note: Option<String>,\n    pub due: Option<String>,",
    );
    host.ok("migrate -m due");
    host.replace("src/main.rs", "title, note FROM", "title, note, due FROM");
    let run = ok(host.cargo("check"));
    assert!(compiled(&run), "{run}");
    assert!(dump(&db).contains("\"due\" TEXT"), "{}", dump(&db));
    assert_eq!(host.ok("migrate -m nothing").stdout, "No changes in schema detected.\n");
    let run = ok(host.cargo("check"));
    assert!(!compiled(&run), "our own check leaves the person's fresh\n{run}");

    // A query before its column exists: the ways out are shown, and one of them works.
    host.replace(
        "src/lib.rs",
        "pub due: Option<String>,",
        "pub due: Option<String>,\n    pub place: Option<String>,",
    );
    host.replace("src/main.rs", "note, due FROM", "note, due, place FROM");
    let run = host.fails("migrate -m place");
    assert!(run.stderr.contains("no such column: place"), "{run}");
    assert!(run.stderr.contains("--lib"), "{run}");
    host.ok("migrate -m place --lib");
    ok(host.cargo("check"));

    // If a revision fails, the build script fails with the tool's own message.
    host.ok("revision -m broken");
    let broken = host.revision("broken");
    let empty = "pub fn upgrade(op: &mut Operations) {}";
    host.replace(&broken, empty, &empty.replace("{}", "{\n    op.execute(\"SELECT nope\");\n}"));
    let before = dump(&db);
    let run = host.cargo("check");
    assert_ne!(run.code, 0, "{run}");
    assert!(run.stderr.contains("no such column: nope"), "{run}");
    assert_eq!(dump(&db), before);
    host.ok("undo");
    ok(host.cargo("check"));
}

#[test]
fn nested_and_parallel_builds_neither_lock_each_other_out_nor_recurse() {
    let host = with_build_script("nested");
    host.ok("init");
    host.ok("migrate -m first");
    // With a separate build directory, CARGO_TARGET_DIR alone is not enough.
    host.write(".cargo/config.toml", "[build]\nbuild-dir = \"build-dir\"\n");
    let start = Instant::now();
    std::thread::scope(|scope| {
        let runs = [
            scope.spawn(|| host.cargo("check")),
            scope.spawn(|| host.cargo("check --release")),
            scope.spawn(|| host.dbmigrate("check")),
            scope.spawn(|| host.dbmigrate("upgrade")),
        ];
        for run in runs.map(|scoped_join_handle| scoped_join_handle.join().unwrap()) {
            // `check` may run before the others' upgrade, and then the answer is no.
            assert!(run.code == 0 || run.stdout.contains("pending"), "{run}");
        }
    });
    assert!(start.elapsed() < Duration::from_secs(600));
    ok(host.cargo("check"));
}

#[test]
fn where_the_subcommand_is_not_installed_the_build_says_how() {
    let mut host = with_build_script("not-installed");
    // A PATH with cargo and rustc, but without the tool.
    let cargo = Path::new(env!("CARGO")).parent().unwrap();
    host.env("PATH", &format!("{}:/usr/bin:/bin", cargo.display()));
    if host.cargo("dbmigrate --version").code == 0 {
        // On this machine the tool is installed in cargo's own directory, where cargo also looks.
        return;
    }
    let run = host.cargo("check");
    assert_ne!(run.code, 0, "{run}");
    assert!(run.stderr.contains("cargo install --path cargo-dbmigrate"), "{run}");
}

#[test]
fn the_library_way_needs_nothing_installed() {
    let host = example("build-script-library");
    let db = host.dir.join("app.db");
    ok(host.cargo("check"));
    assert!(dump(&db).contains("CREATE TABLE \"item\""));

    // The same if the package uses another name for the runtime, since generated code uses it too.
    let manifest = host.read("Cargo.toml");
    let renamed = "\ndbm = { package = \"dbmigrate-runtime\", path";
    let renamed = manifest.replace("\ndbmigrate-runtime = { path", renamed);
    assert_eq!(renamed.matches("dbm = ").count(), 2, "{manifest}");
    host.write("Cargo.toml", &renamed);
    host.replace("src/lib.rs", "use dbmigrate_runtime::Model", "use dbm::Model");
    host.replace("src/lib.rs", "#[derive(Model)]", "#[derive(Model)]\n#[model(crate = dbm)]");
    fs::remove_dir_all(host.dir.join("migrations")).unwrap();
    fs::remove_file(&db).unwrap();
    host.ok("init");
    host.ok("revision -m items");
    let empty = "pub fn upgrade(op: &mut Operations) {}";
    let made =
        "    op.execute(\"CREATE TABLE item (id INTEGER PRIMARY KEY, title TEXT NOT NULL)\");";
    let filled = format!("{}\n{made}\n}}", empty.trim_end_matches('}'));
    host.replace(&host.revision("items"), empty, &filled);
    let run = ok(host.cargo("check"));
    assert!(!run.stderr.contains("warning"), "{run}");
    assert!(dump(&db).contains("CREATE TABLE item"), "{}", dump(&db));
    assert!(host.ok("current").stdout.contains("(head)"));
}

#[test]
fn a_test_and_a_build_fail_when_a_model_changed_without_a_revision() {
    const ASSERTS: &str = "fn main() {\n    dbmigrate_runtime::assert_migrated!();\n}\n";
    let test = "\n#[test]\nfn fits() {\n    dbmigrate_runtime::assert_migrated!();\n}\n
        #[cfg(test)]\n#[path = \"../migrations/mod.rs\"]\nmod migrations;\n
        #[test]\nfn is_named() {\n    \
            assert_eq!(migrations::SCHEMA_HASH, migrations::migrator().schema_hash());\n}\n";
    let mut host = Host::library("asserts", &format!("{MODEL}{test}"));
    installed(&mut host);
    host.ok("init");
    host.ok("migrate -m first");
    ok(host.cargo("test --lib"));
    host.replace("src/lib.rs", "pub id: i64,", "pub id: i64,\n    pub note: Option<String>,");
    let run = host.cargo("test --lib");
    assert_ne!(run.code, 0, "{run}");
    assert!(run.stdout.contains("do not fit:\nModels and migrations differ:"), "{run}");
    assert!(run.stdout.contains("added column `item.note`"), "{run}");

    // The same in the build script of the package itself, which is run within its own build.
    let runtime = repository().join("dbmigrate-runtime").display().to_string();
    let dependency =
        format!("\n[build-dependencies]\ndbmigrate-runtime = {{ path = {runtime:?} }}\n");
    host.write("Cargo.toml", &(host.read("Cargo.toml") + &dependency));
    host.write("build.rs", ASSERTS);
    let run = host.cargo("check");
    assert_ne!(run.code, 0, "{run}");
    assert!(run.stderr.contains("added column `item.note`"), "{run}");
    host.replace("src/lib.rs", "pub note: Option<String>,", "");
    ok(host.cargo("check"));
    let run = ok(host.cargo("check"));
    assert!(!run.stderr.contains("Compiling"), "nothing changed\n{run}");
}

#[test]
fn commands_that_build_the_host_refuse_inside_a_build_script() {
    let mut host = Host::library("inside-build-script", "");
    host.ok("init");
    for (key, value) in [("OUT_DIR", "x"), ("HOST", "x"), ("TARGET", "x"), ("NUM_JOBS", "1")] {
        host.env(key, value);
    }
    let run = host.fails("migrate -m x");
    assert!(run.stderr.contains("build script"), "{run}");
    let run = host.ok("upgrade");
    let hints: Vec<&str> = run.stdout.lines().collect();
    let migrations = host.dir.join("migrations");
    assert_eq!(
        hints,
        [
            format!("cargo:rerun-if-changed={}", migrations.display()),
            "cargo:rerun-if-env-changed=DATABASE_URL".to_owned(),
        ]
    );
}
