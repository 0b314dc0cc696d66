//! The recordings of revision modules: compiled when they are new, and cached.

use dbmigrate_tests::{Host, Run, dump};

/// A revision that records this in its upgrade.
fn revision(id: &str, parent: &str, upgrade: &str) -> String {
    let parents: Vec<&str> = parent.split(' ').filter(|part| !part.is_empty()).collect();
    dbmigrate_tests::revision(id, &parents, &format!("the {id}"), upgrade, "")
}

/// A package with two revisions.
fn host(name: &str) -> Host {
    let host = Host::library(name, "");
    host.ok("init");
    host.write(
        "migrations/versions/m1.rs",
        &revision("a1", "", "op.execute(\"CREATE TABLE t (a)\");"),
    );
    host.write("migrations/versions/m2.rs", &revision("b2", "a1", ""));
    host
}

const HISTORY: &str = "a1 -> b2 (head), the b2\n<base> -> a1, the a1\n";

#[test]
fn nothing_is_started_when_nothing_changed() {
    let mut host = host("unchanged");
    assert_eq!(host.ok("upgrade").stdout.lines().count(), 2);
    host.env("CARGO", "/nonexistent/cargo");
    assert_eq!(host.ok("upgrade").stdout, "");
    assert_eq!(host.ok("history").stdout, HISTORY);
    // A copy of the project has other times and the same contents.
    let text = host.read("migrations/versions/m2.rs");
    host.write("migrations/versions/m2.rs", &text);
    assert_eq!(host.ok("history").stdout, HISTORY);
    host.write("migrations/versions/m2.rs", &text.replace("the b2", "the other"));
    let run = host.fails("history");
    assert!(run.stderr.contains("failed to start `/nonexistent/cargo`"), "{run}");
}

#[test]
fn the_files_are_the_truth() {
    let host = host("files");
    // A list with missing files, an unreadable list, and a missing list are no obstacle.
    host.replace("migrations/mod.rs", "dbmigrate ###", "dbmigrate ###\n    m9_gone;");
    assert_eq!(host.ok("history").stdout, HISTORY);
    host.write("migrations/mod.rs", "<<<<<<< ours\n");
    assert_eq!(host.ok("history").stdout, HISTORY);
    host.write("migrations/mod.rs", "mod gone;\n::dbmigrate_runtime::migrations! {}\n");
    assert_eq!(host.ok("history").stdout, HISTORY);
    std::fs::remove_file(host.dir.join("migrations/mod.rs")).unwrap();
    assert_eq!(host.ok("history").stdout, HISTORY);
    std::fs::remove_file(host.dir.join("migrations/versions/m2.rs")).unwrap();
    assert_eq!(host.ok("history").stdout, "<base> -> a1 (head), the a1\n");
}

#[test]
fn revisions_share_modules_beside_them() {
    let host = host("shared");
    let list = host.read("migrations/mod.rs");
    host.write("migrations/mod.rs", &format!("{list}#[deny(warnings)]\nmod names;\n"));
    host.write("migrations/names.rs", "pub mod deep;\nfn unused() {}\n");
    host.write("migrations/names/deep.rs", "pub const SQL: &str = include_str!(\"table.txt\");\n");
    host.write("migrations/names/table.txt", "DELETE FROM one");
    host.write(
        "migrations/versions/m3.rs",
        &revision("c3", "b2", "op.execute(super::super::names::deep::SQL);"),
    );
    assert!(host.ok("upgrade b2").stdout.contains("-> b2"));
    assert!(host.ok("upgrade --sql").stdout.contains("DELETE FROM one"));
    host.write("migrations/names/table.txt", "DELETE FROM two");
    assert!(host.ok("upgrade --sql").stdout.contains("DELETE FROM two"));
}

#[test]
fn what_a_migration_prints_goes_to_standard_error() {
    let host = host("prints");
    host.write(
        "migrations/versions/m3.rs",
        &revision(
            "c3",
            "b2",
            "print!(\"while recording\");\n    op.run(\"fill\", |db| {\n        \
             println!(\"in the step {:?}\", db.arg(\"key\"));\n        \
             db.execute(\"INSERT INTO t VALUES (?1)\", (\"x\",))?;\n        Ok(())\n    });",
        ),
    );
    let run = host.ok("upgrade -x key=value");
    assert!(run.stderr.contains("while recording\n"), "{run}");
    assert!(run.stderr.contains("in the step Some(\"value\")\n"), "{run}");
    assert!(!run.stdout.contains("while") && !run.stdout.contains("step"), "{run}");
    let dump = dbmigrate_tests::dump(&host.dir.join("app.db"));
    assert!(dump.contains("t: \"x\"\n"), "{dump}");
}

/// Neither a step nor a program that it starts reads the answers for the runner, and nothing waits
/// forever: without a terminal there is nothing to read.
#[test]
#[cfg(unix)]
fn what_reads_standard_input_gets_none_of_the_answers() {
    let mut host = host("stdin");
    let read = "let mut text = String::new();\n    \
                std::io::stdin().read_line(&mut text).unwrap();\n    \
                let child = std::process::Command::new(\"cat\").output().unwrap();\n    \
                println!(\"read {text:?} and {:?}\", String::from_utf8_lossy(&child.stdout));\n";
    let upgrade = format!(
        "{read}op.run(\"ask\", |db| {{\n        {read}        \
         db.execute(\"INSERT INTO t VALUES (?1)\", (\"x\",))?;\n        \
         let status = std::process::Command::new(\"cat\").status()?;\n        \
         let rows = db.query(\"SELECT a FROM t\", ())?.len();\n        \
         println!(\"{{status}}, {{rows}} row\");\n        Ok(())\n    }});"
    );
    host.write("migrations/versions/m3.rs", &revision("c3", "b2", &upgrade));
    // The step doesn't get the tool's own standard input either.
    let run = |host: &Host, args: &str| {
        let mut command = host.command(dbmigrate_tests::tool());
        command.arg("dbmigrate").args(args.split(' ')).stdin(std::process::Stdio::piped());
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        let mut child = command.spawn().unwrap();
        // Kept open for as long as it runs.
        let input = child.stdin.take();
        let output = child.wait_with_output().unwrap();
        drop(input);
        String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr)
    };
    let expect_none_read = |host: &Host| {
        let history = run(host, "history");
        assert!(history.contains("b2 -> c3 (head), the c3\n"), "{history}");
        assert!(history.contains("read \"\" and \"\"\n"), "{history}");
        let upgraded = run(host, "upgrade");
        assert!(upgraded.contains("read \"\" and \"\"\nexit status: 0, 1 row\n"), "{upgraded}");
        assert_eq!(host.ok("current").stdout, "c3 (head)\n");
    };
    expect_none_read(&host);
    // The same if answers come from a port, as on systems without such sockets.
    host.env("DBMIGRATE_RUNNER_CHANNEL", "port");
    host.env("DATABASE_URL", "sqlite:port.db");
    host.replace("migrations/versions/m3.rs", "op.run(\"ask\"", "op.run(\"ask again\"");
    expect_none_read(&host);
}

#[test]
fn a_step_that_fails_or_panics_is_rolled_back() {
    let host = host("failing");
    for (body, expected) in [
        ("Err(\"not today\".into())", "step `fill` failed: not today"),
        ("panic!(\"no {}\", 1)", "migrations/versions/m3.rs:11:28: no 1"),
        ("std::process::exit(7)", "step `fill` failed: its program ended before it finished"),
    ] {
        let step = format!("op.run(\"fill\", |_db| {{ {body} }});");
        host.write("migrations/versions/m3.rs", &revision("c3", "b2", &step));
        let run = host.fails("upgrade");
        assert!(run.stderr.contains(expected), "{run}");
        assert!(run.stderr.contains("rolled back"), "{run}");
        assert_eq!(host.ok("current").stdout, "");
    }
}

#[test]
fn a_revision_that_does_not_compile_is_named() {
    let host = host("wrong");
    host.ok("history");
    host.write("migrations/versions/m3.rs", &revision("c3", "b2", "op.drop_tabel(\"t\");"));
    let run = host.fails("upgrade");
    let path = host.dir.join("migrations/versions/m3.rs");
    assert!(run.stderr.contains(&format!("--> {}:11:8", path.display())), "{run}");
    let expected = "error: the revision `migrations/versions/m3.rs` does not compile";
    assert!(run.stderr.contains(expected), "{run}");

    host.write(
        "migrations/versions/m3.rs",
        &revision("c3", "b2", "").replace("DEPENDS_ON", "DEPENDS"),
    );
    let run = host.fails("upgrade");
    assert!(run.stderr.contains("DEPENDS_ON"), "{run}");
    assert!(run.stderr.contains(expected), "{run}");

    host.write("migrations/versions/m3.rs", &revision("c3", "b2", "chrono::Utc::now();"));
    let run = host.fails("upgrade");
    assert!(run.stderr.contains(expected), "{run}");
    assert!(run.stderr.contains("crates that dbmigrate.toml lists under `dependencies`"), "{run}");
    let config = host.read("migrations/dbmigrate.toml");
    let dependency =
        "chrono = { version = \"0.4\", default-features = false, features = [\"now\"] }\n";
    host.write("migrations/dbmigrate.toml", &format!("{config}{dependency}"));
    assert!(host.ok("upgrade").stdout.contains("-> c3"));
}

#[test]
fn a_revision_that_panics_or_ends_is_named() {
    let host = host("panics");
    host.write("migrations/versions/m3.rs", &revision("c3", "b2", "panic!(\"not so\");"));
    let run = host.fails("upgrade");
    let expected = "the revision `migrations/versions/m3.rs` panicked while it was recorded: ";
    let place = "migrations/versions/m3.rs:11:5: not so";
    assert!(run.stderr.contains(place), "{run}");
    assert!(run.stderr.contains(expected), "{run}");
    host.write("migrations/versions/m3.rs", &revision("c3", "b2", "std::process::exit(0);"));
    let run = host.fails("upgrade");
    let expected = "the revision `migrations/versions/m3.rs` ended the program that recorded it";
    assert!(run.stderr.contains(expected), "{run}");
    // The stack that the tables of a large application take in an unoptimized build.
    let large = "let values = [0_u8; 32 << 20]; std::hint::black_box(&values);";
    host.write("migrations/versions/m3.rs", &revision("c3", "b2", large));
    host.ok("upgrade");
}

#[test]
fn a_runtime_of_another_version_is_named_with_what_to_install() {
    let host = Host::empty("versions");
    let manifest = "[package]\nname = \"versions\"\nedition = \"2021\"\n[workspace]\n\
                    [dependencies]\ndbmigrate-runtime = { path = \"runtime\" }\n";
    host.write("Cargo.toml", manifest);
    host.write("src/lib.rs", "");
    host.write("runtime/src/lib.rs", "");
    host.ok("init");
    host.write("migrations/versions/m1.rs", &revision("a1", "", ""));
    for (version, hint) in [
        ("9.8.7", "install the tool of that version: cargo install cargo-dbmigrate@9.8.7"),
        ("0.0.1", "update the runtime: cargo update -p dbmigrate-runtime"),
    ] {
        let manifest = format!("[package]\nname = \"dbmigrate-runtime\"\nversion = {version:?}\n");
        host.write("runtime/Cargo.toml", &manifest);
        let run = host.fails("history");
        let expected = format!("does not support dbmigrate-runtime {version}");
        assert!(run.stderr.contains(&expected) && run.stderr.contains(hint), "{run}");
    }
}

#[test]
fn many_first_upgrades_at_once_with_nothing_recorded() {
    let host = host("crowd");
    let runs: Vec<Run> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..32).map(|_| scope.spawn(|| host.dbmigrate("upgrade"))).collect();
        threads.into_iter().map(|scoped_join_handle| scoped_join_handle.join().unwrap()).collect()
    });
    for run in &runs {
        assert_eq!(run.code, 0, "{run}");
    }
    // Each revision was applied once, by one of the processes.
    for id in ["-> a1", "-> b2"] {
        assert_eq!(runs.iter().filter(|run| run.stdout.contains(id)).count(), 1, "{id}");
    }
    assert_eq!(dump(&host.dir.join("app.db")).matches("dbmigrate_version: ").count(), 2);
}

#[test]
fn a_revision_uses_crates_that_dbmigrate_toml_declares() {
    let host = host("dependencies");
    let config = host.read("migrations/dbmigrate.toml");
    host.write("migrations/dbmigrate.toml", &format!("{config}serde_json = \"1\"\n"));
    let step = "op.run(\"parse\", |db| {\n        \
                let json: serde_json::Value = serde_json::from_str(\"[1, 2]\")?;\n        \
                db.execute(\"CREATE TABLE parsed AS SELECT ?1 AS n\", (json[1].as_i64(),))?;\n        \
                Ok(())\n    });";
    host.write("migrations/versions/m3.rs", &revision("c3", "b2", step));
    host.ok("upgrade");
    assert!(dump(&host.dir.join("app.db")).contains("parsed: 2"));
}

#[test]
fn a_mistake_in_a_shared_module_is_shown_where_it_is() {
    let host = host("shared-mistake");
    let list = host.read("migrations/mod.rs");
    host.write("migrations/mod.rs", &format!("{list}pub mod shared;\n"));
    host.write("migrations/shared.rs", "pub fn sql() -> &'static str {\n    1\n}\n");
    let uses = "op.execute(super::super::shared::sql());";
    host.write("migrations/versions/m3.rs", &revision("c3", "b2", uses));
    let run = host.fails("upgrade");
    assert!(run.stderr.contains("migrations/shared.rs:2:5"), "{run}");
    assert!(run.stderr.contains("mismatched types"), "{run}");
}
