//! Runs on MySQL and MariaDB that are killed, that lose their connection, and that race. Each change
//! of a definition commits there, so a run may end in between, and the next one continues.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Output, Stdio};

use dbmigrate_runtime::mysql::Conn;
use dbmigrate_runtime::mysql::prelude::Queryable as _;
use dbmigrate_tests::servers::{self, Server, dump_mysql, mysql_client};
use dbmigrate_tests::starting::mysql::Installed;
use dbmigrate_tests::starting::place::Place;

use crate::bench::{is_long, said, say, survivor};
use crate::kills::REVISIONS;

const SIGKILL: i32 = 9;
const N_PROCESSES: usize = 32;

fn up(url: &str, to: &str, args: &[&str]) -> Command {
    let mut command = survivor(url.as_ref());
    command.args(["up", to]).args(args);
    command
}

/// Rows of the application, after the first two revisions.
const ROWS: [&str; 2] = [
    "INSERT INTO post (author_id, body) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL \
     SELECT i + 1 FROM n WHERE i < 100) SELECT 1 + i % 3, concat('post ', i) FROM n",
    "INSERT INTO tag (post_id) SELECT id FROM post WHERE id <= 40",
];

/// What the application does between two runs, of which nothing remains but the keys it used up.
const VISITOR: [&str; 2] = [
    "INSERT INTO post (author_id, body) VALUES (1, 'visitor')",
    "DELETE FROM post WHERE body = 'visitor'",
];

/// A run that is interrupted: from one revision to another.
#[derive(Debug, Clone, Copy)]
pub struct Way {
    from: &'static str,
    to: &'static str,
    direction: &'static str,
}

/// The longest one.
pub const UPGRADE: Way = Way { from: "r2", to: "r7", direction: "up" };

const WAYS: [Way; 4] = [
    Way { from: "base", to: "r2", direction: "up" },
    UPGRADE,
    Way { from: "r7", to: "r2", direction: "down" },
    Way { from: "r2", to: "base", direction: "down" },
];

impl Way {
    fn run(self, url: &str, args: &[&str]) -> Output {
        let mut command = survivor(url.as_ref());
        command.args([self.direction, self.to]).args(args).output().expect("it runs")
    }

    /// Empties the database, and migrates it to where the way begins, with rows.
    pub fn begin(self, conn: &mut Conn, url: &str) {
        let name: Option<String> = conn.query_first("SELECT DATABASE()").expect("its name");
        let name = name.expect("a database");
        conn.query_drop(format!("DROP DATABASE {name}")).expect("it is dropped");
        conn.query_drop(format!("CREATE DATABASE {name}")).expect("it is created");
        conn.query_drop(format!("USE {name}")).expect("it is used");
        if self.from == "base" {
            return;
        }
        let output = up(url, "r2", &[]).output().expect("it runs");
        assert!(output.status.success(), "{}", said(&output));
        for rows in ROWS {
            conn.query_drop(rows).expect("rows");
        }
        if self.from != "r2" {
            let output = up(url, self.from, &[]).output().expect("it runs");
            assert!(output.status.success(), "{}", said(&output));
        }
    }

    /// What an undisturbed run makes of the database.
    pub fn undisturbed(self, conn: &mut Conn, url: &str, args: &[&str]) -> Undisturbed {
        self.begin(conn, url);
        let before = dump_mysql(conn);
        let output = self.run(url, args);
        let n_calls = String::from_utf8_lossy(&output.stdout).trim().parse();
        let n_calls = n_calls.unwrap_or_else(|_| panic!("{self:?}: {}", said(&output)));
        let after = dump_mysql(conn);
        assert!(n_calls > 20 && before != after, "{self:?}: {}", said(&output));
        Undisturbed { way: self, before, after, n_calls }
    }
}

/// The states between which an interrupted run may leave the database.
pub struct Undisturbed {
    way: Way,
    before: String,
    pub after: String,
    pub n_calls: u64,
}

/// Where interrupted runs left their databases.
#[derive(Debug, Default)]
struct Counts {
    /// Whether the server is killed while it works, which MariaDB's tables don't always survive.
    is_server_killed: bool,
    n_before: usize,
    n_between: usize,
    n_after: usize,
    /// The server can't change a table in place that it was copying when it was killed, so that a
    /// person has to do what the hint says.
    n_damaged: usize,
}

impl Undisturbed {
    /// The calls to interrupt. In the short mode, a few of the longest way and one of each other.
    fn places(&self, nth: u64) -> impl Iterator<Item = u64> + use<> {
        let stride = match (is_long(), self.way.from) {
            (true, _) => 1,
            (false, "r2") if self.way.to == "r7" => 23,
            (false, _) => self.n_calls,
        };
        let first = if is_long() { 1 } else { 1 + (nth * 5 + 11) % self.n_calls };
        (first..=self.n_calls).step_by(stride as usize)
    }

    /// The calls at which the server is killed: before them, or so many milliseconds after their
    /// begin.
    fn deaths(&self) -> Vec<(u64, Option<u64>)> {
        if !is_long() {
            return vec![(self.n_calls / 3, None), (self.n_calls * 2 / 3, None)];
        }
        (1..=self.n_calls).flat_map(|at| [(at, None), (at, Some(at * 7 % 5))]).collect()
    }

    /// Counts what an interrupted run left, and has the next one complete it.
    #[track_caller]
    fn complete(&self, conn: &mut Conn, url: &str, place: &str, counts: &mut Counts) {
        match dump_mysql(conn) {
            found if found == self.before => counts.n_before += 1,
            found if found == self.after => counts.n_after += 1,
            _ => counts.n_between += 1,
        }
        // The application goes on meanwhile, where it can.
        for rows in VISITOR {
            let _ = conn.query_drop(rows);
        }
        let mut next = self.way.run(url, &[]);
        if let Some(repair) = counts.is_server_killed.then(|| repair(&said(&next))).flatten() {
            counts.n_damaged += 1;
            conn.query_drop(repair).expect("the hint is right");
            next = self.way.run(url, &[]);
        }
        assert!(next.status.success(), "{place}: the next run: {}", said(&next));
        assert_eq!(dump_mysql(conn), self.after, "{place}: the next run");
    }
}

/// The statement that repairs a table which the server finds damaged, if it says so.
fn repair(said: &str) -> Option<String> {
    let (_, hint) = said.split_once("hint: a crash of the server can leave a table like this")?;
    let (_, statement) = hint.split_once("`ALTER TABLE ")?;
    let (statement, _) = statement.split_once(" FORCE`")?;
    Some(format!("ALTER TABLE {statement} FORCE"))
}

/// Waits until the server has noticed that a process is gone, and has ended what it ran.
fn await_the_end_of_others(conn: &mut Conn) {
    let others = "SELECT COUNT(*) FROM information_schema.processlist \
                  WHERE db = DATABASE() AND id <> CONNECTION_ID()";
    while conn.query_first::<u64, _>(others).expect("it is asked") != Some(0) {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
}

#[test]
fn continued_after_an_interruption_before_every_call_to_mysql() {
    for server in servers::mysql("continued_after_an_interruption_before_every_call_to_mysql") {
        let url = server.database();
        let mut conn = mysql_client(&url);
        let mut all = Counts::default();
        for way in WAYS {
            let undisturbed = way.undisturbed(&mut conn, &url, &[]);
            for (nth, how) in [&[][..], &["--terminate"]].into_iter().enumerate() {
                for at in undisturbed.places(nth as u64) {
                    way.begin(&mut conn, &url);
                    let at = at.to_string();
                    let output = way.run(&url, &[&["--kill-at", &at], how].concat());
                    if how.is_empty() {
                        assert_eq!(output.status.signal(), Some(SIGKILL), "{}", said(&output));
                    }
                    await_the_end_of_others(&mut conn);
                    let place = format!("{}, {way:?}, call {at} {how:?}", server.name);
                    undisturbed.complete(&mut conn, &url, &place, &mut all);
                }
            }
        }
        behind_each_exchange(&mut conn, &url, &mut all);
        assert!(all.n_between > 0, "{all:?}");
        say(&format!("{}: clients killed or cut off, then completed: {all:?}", server.name));
    }
}

/// Kills runs that have put another column in the place of one with an index, and don't know it yet.
fn behind_each_exchange(conn: &mut Conn, url: &str, counts: &mut Counts) {
    for way in WAYS.into_iter().filter(|way| way.from != "base" && way.to != "base") {
        let undisturbed = way.undisturbed(conn, url, &[]);
        way.begin(conn, url);
        let output = way.run(url, &["--kill-behind", "CHANGE COLUMN"]);
        assert_eq!(output.status.signal(), Some(SIGKILL), "{}", said(&output));
        await_the_end_of_others(conn);
        let place = format!("{url}, {way:?}, behind an exchange");
        undisturbed.complete(conn, url, &place, counts);
    }
}

#[test]
fn continued_after_the_death_of_the_server_at_every_call() {
    for server in servers::mysql("continued_after_the_death_of_the_server_at_every_call") {
        // Other tests use the one that was started.
        let place = Place::new().expect("a directory");
        let own = Installed::new(&place, &server.name).expect("a name");
        let own = own.expect("it is initialized");
        let mut running = own.run().expect("it runs");
        let (base, _) = running.url.rsplit_once('/').expect("a URL names a database");
        let url = format!("{base}/survive");
        mysql_client(&running.url).query_drop("CREATE DATABASE survive").expect("it is created");
        let mut conn = mysql_client(&url);
        let mut all = Counts::default();
        let mut n_during = 0;
        let ways = if is_long() { &WAYS[..] } else { &[UPGRADE] };
        for way in ways {
            let undisturbed = way.undisturbed(&mut conn, &url, &[]);
            for (at, delay) in undisturbed.deaths() {
                way.begin(&mut conn, &url);
                let kill = killing(running.process.id(), delay);
                let at = at.to_string();
                let output = way.run(&url, &["--kill-at", &at, "--shell", &kill]);
                let place = format!("{}, {way:?}, call {at}, {delay:?}", server.name);
                let code = output.status.code();
                assert!(code == Some(0) || code == Some(3), "{place}: {}", said(&output));
                n_during += usize::from(delay.is_some() && code == Some(3));
                all.is_server_killed = delay.is_some();
                // It is dead, or about to be.
                drop(running);
                running = own.run().unwrap_or_else(|err| panic!("{place}: {err}"));
                conn = mysql_client(&url);
                undisturbed.complete(&mut conn, &url, &place, &mut all);
            }
        }
        assert!(all.n_between > 0, "{all:?}");
        say(&format!(
            "{}: the server was killed, {n_during} times while it worked; then completed: {all:?}",
            server.name
        ));
    }
}

/// The command that kills a server now, and waits for its end, or so many milliseconds from now.
fn killing(pid: u32, delay: Option<u64>) -> String {
    match delay {
        None => format!(
            "kill -9 {pid}; while [ $(ls /proc/{pid}/task | wc -l) -gt 1 ] || \
             ! grep -q '^State:.Z' /proc/{pid}/status; do sleep 0.01; done"
        ),
        Some(delay) => format!("(sleep 0.00{delay}; kill -9 {pid}) > /dev/null 2>&1 &"),
    }
}

#[test]
fn many_processes_upgrade_mysql_at_once() {
    let n_rounds = if is_long() { 50 } else { 1 };
    for server in servers::mysql("many_processes_upgrade_mysql_at_once") {
        for round in 0..n_rounds {
            let url = server.database();
            race(&server, &url, round);
        }
        say(&format!("{}: {n_rounds} rounds of {N_PROCESSES} processes", server.name));
    }
}

fn race(server: &Server, url: &str, round: usize) {
    let spawn = |_| up(url, "r7", &[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let children: Vec<_> =
        (0..N_PROCESSES).map(spawn).map(|child| child.expect("it runs")).collect();
    for child in children {
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{}, round {round}: {}", server.name, said(&output));
    }
    let mut conn = mysql_client(url);
    check_each_once(&mut conn);
    let name: Option<String> = conn.query_first("SELECT DATABASE()").expect("its name");
    conn.query_drop(format!("DROP DATABASE {}", name.expect("a database"))).expect("dropped");
}

/// Each revision was applied once, and no part of one more.
pub fn check_each_once(conn: &mut Conn) {
    let found = dump_mysql(conn);
    for revision in REVISIONS {
        let row = format!("dbmigrate_version: '{revision}'\n");
        assert_eq!(found.matches(&row).count(), 1, "{found}");
    }
    assert_eq!(found.matches("author: ").count(), 3, "{found}");
    assert_eq!(found.matches("log: ").count(), 3, "{found}");
    let left = "SELECT COUNT(*) FROM dbmigrate_step";
    assert_eq!(conn.query_first::<u64, _>(left).expect("the ledger"), Some(0));
}
