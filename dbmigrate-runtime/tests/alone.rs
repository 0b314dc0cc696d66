//! The lock of a revision that runs outside a transaction.
#![cfg(feature = "sqlite")]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use dbmigrate_runtime::engine::driver::sqlite::SqliteDriver;
use dbmigrate_runtime::engine::driver::{Driver as _, Scope, Wait};
use dbmigrate_runtime::engine::url::Access;

/// Takes the lock repeatedly, and creates a file that only one process may create.
fn hold(path: &Path) {
    let alone = path.with_extension("alone");
    for _ in 0..50 {
        let mut driver = SqliteDriver::open(path, Access::ReadWrite).unwrap();
        let at_most = Duration::from_secs(60);
        driver.begin(Scope::Alone, &mut Wait { at_most, on_wait: &mut |_| {} }).unwrap();
        std::fs::File::create_new(&alone).expect("nobody else has the lock");
        std::thread::yield_now();
        std::fs::remove_file(&alone).unwrap();
        driver.release();
    }
}

/// The test binary starts itself: threads in many processes, one file.
#[test]
fn one_has_the_lock() {
    if let Ok(path) = std::env::var("DBMIGRATE_TEST_ALONE") {
        std::thread::scope(|scope| {
            scope.spawn(|| hold(path.as_ref()));
            scope.spawn(|| hold(path.as_ref()));
        });
        return;
    }
    let dir = std::env::temp_dir().join(format!("dbmigrate-alone-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let path = dir.join("app.db");
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new(program);
    command.args(["--exact", "one_has_the_lock"]).env("DBMIGRATE_TEST_ALONE", &path);
    command.stdout(std::process::Stdio::piped());
    let children: Vec<_> = (0..8).map(|_| command.spawn().unwrap()).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
    let left = std::fs::read_dir(&dir).unwrap().count();
    std::fs::remove_dir_all(&dir).unwrap();
    assert_eq!(left, 1, "the lock's file is gone");
}
