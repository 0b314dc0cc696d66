//! `adopt` that is killed or interrupted: run again, it completes.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use dbmigrate_tests::{Host, sql, tool};
use expect_test::expect;

const TABLES: &str = "
    CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL);
    CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users (id));";

const ROOT: &str = "//! A library.\n";

/// What `adopt` prints at its stages, and whether the files stay when it is interrupted there.
const STAGES: [(&str, bool); 3] = [
    ("Generating src/models.rs", false),
    ("Generating migrations/versions", false),
    ("Marking revision", true),
];

/// A package without models and revisions, and a database with tables.
fn begin(host: &Host) {
    for path in ["app.db", "src/models.rs"] {
        let _ = fs::remove_file(host.dir.join(path));
    }
    let _ = fs::remove_dir_all(host.dir.join("migrations"));
    sql(&host.dir.join("app.db"), TABLES);
    host.write("src/lib.rs", ROOT);
    host.ok("init");
}

/// Runs `adopt` from the beginning, and sends it a signal when it says this. A run that is over before
/// the signal arrives, as on a busy machine, is repeated.
fn adopt_until(host: &Host, line: &str, signal: &str) {
    for _ in 0..20 {
        begin(host);
        let mut command = host.command(tool());
        command.arg("adopt").stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut said = said.skip_while(|said| !said.starts_with(line));
        assert!(said.next().is_some(), "`adopt` doesn't say {line:?}");
        let status = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        assert!(status.success());
        if !child.wait().unwrap().success() {
            return;
        }
    }
    panic!("no run was interrupted by {signal} at {line:?}");
}

/// Runs `adopt` to its end, after which nothing is left to do.
#[track_caller]
fn complete(host: &Host) {
    let run = host.ok("adopt");
    assert!(run.stdout.ends_with("version table and database agree.\n"), "{run}");
    assert_eq!(host.revisions().len(), 1, "{run}");
    assert_eq!(host.read("src/lib.rs"), format!("{ROOT}\npub mod models;\n"));
    let run = host.ok("adopt");
    assert!(!run.stdout.contains(" ... done"), "{run}");
}

#[test]
fn an_adopt_that_is_killed_or_interrupted_is_completed() {
    let host = Host::library("adopt-interrupted", "");
    for (line, stays) in STAGES {
        adopt_until(&host, line, "-KILL");
        complete(&host);
        adopt_until(&host, line, "-INT");
        assert_eq!(host.dir.join("src/models.rs").exists(), stays, "{line}");
        assert_eq!(!host.revisions().is_empty(), stays, "{line}");
        assert_eq!(host.read("src/lib.rs") != ROOT, stays, "{line}");
        complete(&host);
    }

    // The list lacks a revision whose file was written, and nothing is marked.
    let list = host.read("migrations/mod.rs");
    let without = list.lines().filter(|line| !line.ends_with("_existing_schema;"));
    let without: String = without.map(|line| format!("{line}\n")).collect();
    assert_ne!(list, without);
    host.write("migrations/mod.rs", &without);
    sql(&host.dir.join("app.db"), "DROP TABLE dbmigrate_version");
    complete(&host);

    // The models were written, and the crate doesn't include them.
    let models = host.read("src/models.rs");
    begin(&host);
    host.write("src/models.rs", &models);
    complete(&host);
    assert_eq!(host.read("src/models.rs"), models);

    // Others stay as they are.
    begin(&host);
    host.write("src/models.rs", "//! A person's own file.\n");
    let run = host.fails("adopt");
    expect![[r#"
        error: `src/models.rs` exists already
          hint: include it in the crate if it has models, or give the name of a new file with --out
    "#]]
    .assert_eq(&run.stderr);
    assert_eq!(host.read("src/lib.rs"), ROOT);
    host.ok("adopt --out src/tables.rs");
    assert_eq!(host.read("src/models.rs"), "//! A person's own file.\n");
}

/// What is marked stays marked, so the files stay as well.
#[test]
fn a_mistake_is_known_before_anything_is_written() {
    let host = Host::library("adopt-mistaken", "");
    begin(&host);
    let run = host.fails("adopt --all \"nothing_*.db\"");
    expect![[r#"
        error: no file matches `nothing_*.db`
          hint: it is relative to the working directory, `$HOST`
    "#]]
    .assert_eq(&host.plain(&run.stderr));
    assert_eq!(run.stdout, "");
    assert!(!host.dir.join("src/models.rs").exists() && host.revisions().is_empty());
}
