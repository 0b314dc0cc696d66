//! A command that fails restores every file.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use dbmigrate_tests::{Host, revision, tool};
use expect_test::expect;

/// Every file of the package with its contents.
fn look(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![dir.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found.insert(path.display().to_string(), Vec::new());
                open.push(path);
            } else {
                found.insert(path.display().to_string(), fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// Each time the list lacks a revision, as after a merge, and the command fails at another point.
#[test]
fn a_command_that_fails_leaves_every_file_as_it_was() {
    let model = "#[derive(dbmigrate_runtime::Model)]\npub struct User { \
                 #[model(primary_key)] pub id: i64 }\n";
    let host = Host::library("undone", model);
    host.ok("init");
    let list = host.read("migrations/mod.rs");
    host.ok("migrate --rev-id a1 -m user");
    host.write("migrations/mod.rs", &list);
    let fails = |command: &str| {
        let before = look(&host.dir);
        let run = host.fails(command);
        let after = look(&host.dir);
        let changed: Vec<_> = before
            .keys()
            .chain(after.keys())
            .filter(|path| before.get(*path) != after.get(*path))
            .collect();
        assert!(changed.is_empty(), "{command}: {changed:?}\n{run}");
        run
    };
    // Before anything is written.
    fails("merge heads");
    fails("revision --head nowhere");
    fails("revision --rev-id a1");
    fails("squash a1:a1");
    fails("rebase");
    fails("undo nothing");
    host.replace("src/lib.rs", "pub id: i64", "pub id: i64, pub name: String");
    fails("migrate --non-interactive");
    // The revision's file exists, but the list can't be written.
    fs::remove_file(host.dir.join("migrations/mod.rs")).unwrap();
    fs::create_dir(host.dir.join("migrations/mod.rs")).unwrap();
    let run = fails("revision --rev-id b2 -m second");
    let text = host.plain(&run.stderr);
    assert!(text.starts_with("error: failed to read `$HOST/migrations/mod.rs`: "), "{text}");
    fails("undo a1");
    fs::remove_dir(host.dir.join("migrations/mod.rs")).unwrap();
    host.write("migrations/mod.rs", &list);
    // Everything is written, but a hook fails.
    let settings = host.read("migrations/dbmigrate.toml");
    let hook = "[[post_write_hooks]]\ncommand = [\"false\"]\n";
    host.write("migrations/dbmigrate.toml", &format!("{settings}\n{hook}"));
    fails("revision --rev-id b2 -m second");
    let run = fails("migrate --rev-id b2 --fill \"user.name=''\"");
    let note = run.stderr.lines().find(|line| line.starts_with("note: ")).unwrap_or_default();
    expect!["note: since the command failed, these files were restored: `migrations/versions/m$DAY_$TIME_b2.rs`, `migrations/mod.rs`"]
        .assert_eq(&host.plain(note));
    // If the result can't be printed, nothing was done either.
    host.write("migrations/dbmigrate.toml", &settings);
    let before = look(&host.dir);
    let mut command = host.command(dbmigrate_tests::tool());
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let status = command.args(["revision", "--rev-id", "b2"]).stdout(full).status().unwrap();
    assert_eq!(status.code(), Some(3));
    assert_eq!(look(&host.dir), before);
    // An additional database whose directory isn't empty.
    host.write("audit/file", "");
    fails("init --database audit -d audit");
    // Once nothing fails, the list has both.
    host.write("migrations/versions/b2.rs", &revision("b2", &["a1"], "second", "", ""));
    host.ok("revision --rev-id c3 -m third");
    let list = host.read("migrations/mod.rs");
    for line in ["    b2;\n", "_a1_user;\n", "_c3_third;\n"] {
        assert!(list.contains(line), "{line}{list}");
    }
}

/// Two directories and their files exist, but the result can't be printed.
#[test]
fn an_init_that_fails_leaves_no_file() {
    let host = Host::library("undone-init", "");
    let before = look(&host.dir);
    let mut command = host.command(dbmigrate_tests::tool());
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let status = command.args(["init", "--multidb", "audit"]).stdout(full).status().unwrap();
    assert_eq!(status.code(), Some(3));
    assert_eq!(look(&host.dir), before);
}

/// A person interrupts the command while a hook is running on the file that it wrote.
#[cfg(unix)]
#[test]
fn a_command_that_is_interrupted_leaves_every_file_as_it_was() {
    let host = Host::library("interrupted", "");
    host.ok("init");
    let started = host.dir.with_file_name("started");
    let config = host.read("migrations/dbmigrate.toml");
    let script = format!("echo edited >> \"$0\"; touch '{}'; sleep 1", started.display());
    let hook = format!("\n[[post_write_hooks]]\ncommand = [\"sh\", \"-c\", {script:?}]\n");
    host.write("migrations/dbmigrate.toml", &(config + &hook));
    let before = look(&host.dir);
    let mut command = host.command(tool());
    command.args(["revision", "-m", "first"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    while !started.exists() {
        thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(host.revisions().len(), 1, "the file is there while the hook runs");
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    let output = child.wait_with_output().unwrap();
    let stderr = host.plain(&String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert_eq!(look(&host.dir), before, "{stderr}");
    expect![[r#"
        note: since the command was interrupted, these files were restored: `migrations/mod.rs`, `migrations/versions/m$DAY_$TIME_$ID1_first.rs`
    "#]].assert_eq(&stderr);
}
