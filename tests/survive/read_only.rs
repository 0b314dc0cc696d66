//! A file and a directory that can't be written to.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use dbmigrate_tests::dump;
use expect_test::{Expect, expect};

use crate::bench::{Bench, Case};

/// Runs the program as an ordinary user, since permissions don't restrict the superuser.
fn as_nobody(program: &Path, file: &Path) -> Command {
    let is_root = fs::File::options().write(true).open(file).is_ok();
    let mut command = Command::new(program);
    command.arg(file).args(["up", "head"]);
    if is_root {
        command.uid(65534).gid(65534);
    }
    command
}

#[track_caller]
fn check(wal: bool, modes: (u32, u32), expect: Expect) {
    let bench = Bench::new("read-only", Case { wal, each: false, down: false });
    bench.reset();
    let before = dump(&bench.file());
    let dir = bench.dir.join("db");
    // The target directory may be unreadable for that user.
    let program = bench.dir.join("survivor");
    // A process of its own does it: a child that another test starts while this process has the
    // copy open for writing would keep it open, and a program that is open can't be run.
    let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_survivor")).arg(&program).status();
    assert!(copied.expect("`cp` runs").success());
    let set = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode));
    set(&bench.file(), modes.0).expect("set");
    set(&dir, modes.1).expect("set");
    let output = as_nobody(&program, &bench.file()).output().expect("it runs");
    set(&dir, 0o755).expect("set");
    set(&bench.file(), 0o644).expect("set");
    assert_eq!(output.status.code(), Some(3));
    expect.assert_eq(&String::from_utf8_lossy(&output.stderr));
    assert_eq!(dump(&bench.file()), before);
    bench.check("could not be written");
}

#[test]
fn a_file_that_can_only_be_read() {
    for wal in [false, true] {
        check(
            wal,
            (0o444, 0o777),
            expect![[r#"
                revision `r3` was rolled back: statement 1 of 3 failed: ALTER TABLE "post" ADD COLUMN "views" INTEGER NOT NULL DEFAULT 7
                  caused by: attempt to write a readonly database
                  hint: check the permissions of the database file and of its directory
            "#]],
        );
    }
}

#[test]
fn a_directory_that_can_only_be_read() {
    check(
        false,
        (0o666, 0o555),
        expect![[r#"
            revision `r3` was rolled back: statement 1 of 3 failed: ALTER TABLE "post" ADD COLUMN "views" INTEGER NOT NULL DEFAULT 7
              caused by: attempt to write a readonly database
              hint: check the permissions of the database file and of its directory
        "#]],
    );
}

#[test]
fn a_directory_that_can_only_be_read_with_a_log_to_write() {
    check(
        true,
        (0o666, 0o555),
        expect![[r#"
            failed to take the database's lock
              caused by: attempt to write a readonly database
              hint: check the permissions of the database file and of its directory
        "#]],
    );
}
