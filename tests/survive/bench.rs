//! A database for runs that are killed, its allowed states afterwards, and the check.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};

pub use dbmigrate_tests::is_long;
use dbmigrate_tests::{dump, sql};

/// Prints a figure, past the test harness, which keeps what a test that succeeds prints.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Pseudo-random numbers, from a seed that a failing test prints.
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Chance {
        Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number from 0 to `n - 1`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % n.max(1)
    }
}

/// The configuration of a database and of a run on it.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    pub wal: bool,
    /// `--transaction each`
    pub each: bool,
    pub down: bool,
}

impl Case {
    /// All configurations.
    pub fn all() -> Vec<Case> {
        let of = |n: u8| Case { wal: n & 1 != 0, each: n & 2 != 0, down: n & 4 != 0 };
        (0..8).map(of).collect()
    }
}

/// A database before a run, and the states that a complete run goes through.
pub struct Bench {
    pub dir: PathBuf,
    case: Case,
    before: PathBuf,
    /// The allowed states after an interruption: as before, and after each transaction.
    states: Vec<String>,
}

impl Bench {
    pub fn new(name: &str, case: Case) -> Bench {
        // Tests run at the same time, and some try the same case.
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let dir = std::env::temp_dir().join(format!(
            "dbmigrate-survive-{}-{}-{name}-{}{}{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed),
            u8::from(case.wal),
            u8::from(case.each),
            u8::from(case.down),
        ));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(dir.join("db")).expect("a directory");
        let before = dir.join("before.db");
        let mut bench = Bench { dir, case, before: before.clone(), states: Vec::new() };
        if case.wal {
            sql(&before, "PRAGMA journal_mode = WAL");
        }
        let ran = |to: &str, down: bool| {
            let mut run = survivor(&before);
            let output =
                run.args([if down { "down" } else { "up" }, to]).output().expect("it runs");
            assert!(output.status.success(), "{}", said(&output));
            dump(&before)
        };
        ran("r2", false);
        sql(
            &before,
            "WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < 40) \
             INSERT INTO post (id, author_id, body) \
             SELECT id, 1 + id % 3, id || replace(hex(zeroblob(60)), '00', 'lorem') FROM n; \
             INSERT INTO tag (id, post_id) SELECT id, 1 + (id * 7) % 40 FROM post",
        );
        let revisions: Vec<&str> = if case.down {
            vec!["r6", "r5", "r4", "r3", "r2", "r1", "base"]
        } else {
            vec!["r3", "r4", "r5", "r6", "r7"]
        };
        if case.down {
            ran("head", false);
        }
        let mut states = vec![dump(&before)];
        let kept = fs::read(&before).expect("the database");
        for to in revisions {
            // The history determines which revisions exist.
            let known = to == "base" || crate::kills::REVISIONS.contains(&to);
            if known {
                states.push(ran(to, case.down));
            }
        }
        fs::write(&before, kept).expect("the database");
        if !case.each {
            states = vec![states[0].clone(), states[states.len() - 1].clone()];
        }
        bench.states = states;
        bench
    }

    pub fn file(&self) -> PathBuf {
        self.dir.join("db").join("app.db")
    }

    /// The files of the database, by name.
    pub fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.dir.join("db")).expect("the directory");
        let names =
            entries.map(|entry| entry.expect("read").file_name().to_string_lossy().into_owned());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    /// Restores the state before the run.
    pub fn reset(&self) {
        for file in self.files() {
            fs::remove_file(self.dir.join("db").join(file)).expect("deleted");
        }
        fs::copy(&self.before, self.file()).expect("copied");
    }

    /// The run.
    pub fn run(&self) -> Command {
        let mut command = survivor(&self.file());
        command.args(if self.case.down { ["down", "base"] } else { ["up", "head"] });
        if self.case.each {
            command.arg("--each");
        }
        command
    }

    /// Checks what an interruption left, has the next run complete it, and returns the number of
    /// the state in which it was, counted from 0.
    #[track_caller]
    pub fn check(&self, what: &str) -> usize {
        let db = self.dir.join("db");
        // On a copy, so that the next run is the first to encounter what was left.
        let look = self.dir.join("look");
        let _ = fs::remove_dir_all(&look);
        fs::create_dir(&look).expect("a directory");
        for file in self.files().iter().filter(|file| !file.ends_with("-shm")) {
            fs::copy(db.join(file), look.join(file)).expect("copied");
        }
        let state = self.state(&look.join("app.db"), what);
        let output = self.run().output().expect("it runs");
        assert!(output.status.success(), "{what}: the next run fails: {}", said(&output));
        assert_eq!(self.files(), ["app.db"], "{what}: left after the next run");
        let last = self.state(&self.file(), what);
        assert_eq!(last, self.states.len() - 1, "{what}: the next run does not arrive");
        state
    }

    #[track_caller]
    fn state(&self, path: &Path, what: &str) -> usize {
        let conn = rusqlite::Connection::open(path).expect("it opens");
        let ok: String = conn
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap_or_else(|err| panic!("{what}: {err}"));
        assert_eq!(ok, "ok", "{what}");
        let lost: i64 = conn
            .query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0))
            .expect("foreign keys");
        assert_eq!(lost, 0, "{what}: rows refer to nothing");
        drop(conn);
        let is = dump(path);
        let found = self.states.iter().position(|state| *state == is);
        found
            .unwrap_or_else(|| panic!("{what} in {:?}: neither before nor after:\n{is}", self.case))
    }

    /// The number of states.
    pub fn n_states(&self) -> usize {
        self.states.len()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if std::env::var_os("DBMIGRATE_KEEP").is_none() {
            let _ = fs::remove_dir_all(&self.dir);
        }
    }
}

/// The program on a file.
pub fn survivor(file: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_survivor"));
    command.arg(file);
    command
}

/// The output of a program.
pub fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}: {}{}", output.status, text(&output.stdout), text(&output.stderr))
}
