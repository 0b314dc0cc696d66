//! Pages that are sessions: each block is played in a package, in the order of the page.
//!
//! - A `console` block has commands and what a terminal shows of them. They are run by the shell;
//!   the page has to show what they print. With `UPDATE_EXPECT=1` the page is rewritten.
//! - A block `LANGUAGE,file` is a file, which is written. Its first line is a comment with the path.
//! - A `diff` block changes lines of a file. `*` in its path stands for what differs in each run.
//! - A block `sql,database` is run on the database.
//! - `<!-- played: COMMAND -->` is run and not shown.
//!
//! Commands of another tool are run in the long mode. What its first block leaves in the database
//! is kept in `left`, and the ordinary run begins with that. A tool that no package has is never
//! run: its file in `left` was written as its source says, and the page shows no output of it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use dbmigrate_tests::{Host, Run, plain_ids, repository, sql, tool};
use expect_test::expect_file;

/// Where the package is, for a reader.
const HOME: &str = "/home/ada/shop";

/// The programs of other tools, whose commands are only run in the long mode.
const OTHER_TOOLS: [&str; 10] = [
    "alembic", "dbmate", "diesel", "flask", "flyway", "goose", "migrate", "python3", "refinery",
    "sqlx",
];

/// What the first block with commands of another tool leaves in the database.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// Nothing that could be kept: they are run, or there are none.
    Nothing,
    /// What the tool left when it was run in the long mode.
    Kept,
    /// What the tool would leave. It is never run.
    Written,
}

pub struct Player<'a> {
    pub host: &'a Host,
    pub left: Left,
    /// Whether the part below this heading is played.
    pub is_played: &'a dyn Fn(&str) -> bool,
    /// Runs SQL on the database.
    pub database: &'a dyn Fn(&str),
    /// A page of `docs`.
    pub page: &'a str,
    /// What the page shows in place of what the test needs, such as the URL of a server.
    pub shown_as: &'a [(String, &'a str)],
}

fn is_updated() -> bool {
    env::var_os("UPDATE_EXPECT").is_some()
}

/// Whether a program is installed.
pub fn is_installed(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|dir| dir.join(program).exists())
}

impl Player<'_> {
    /// Plays the page and compares what it shows.
    #[track_caller]
    pub fn play(&self) {
        let path = repository().join("docs").join(self.page);
        let page = fs::read_to_string(&path).unwrap_or_else(|err| panic!("{}: {err}", self.page));
        let mut played = String::new();
        let mut lines = page.lines();
        let mut is_left = false;
        let mut is_played = true;
        while let Some(line) = lines.next() {
            played += &format!("{line}\n");
            if let Some(heading) = line.strip_prefix("## ").or_else(|| line.strip_prefix("### ")) {
                is_played = (self.is_played)(heading);
            }
            if !is_played {
                continue;
            }
            if let Some(hidden) = line.strip_prefix("<!-- played: ") {
                let command = hidden.strip_suffix(" -->").expect("the end of the comment");
                let run = self.run(command);
                assert_eq!(run.code, 0, "{}: {command}\n{run}", self.page);
            }
            let Some(kind) = line.strip_prefix("```") else { continue };
            let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            match kind {
                "console" => played += &self.console(&block, &mut is_left),
                "diff" => played += &self.changed(&block),
                _ => played += &self.other(kind, &block),
            }
            played += "```\n";
        }
        if masked(&page) != masked(&played) {
            expect_file![&path].assert_eq(&played);
        }
    }

    /// Whether the commands of other tools are run.
    fn runs_others(&self) -> bool {
        dbmigrate_tests::is_long() && self.left != Left::Written
    }

    /// The block with what its commands print.
    fn console(&self, block: &[&str], is_left: &mut bool) -> String {
        let mut session: Vec<(&str, String)> = Vec::new();
        for line in block {
            if let Some(command) = line.strip_prefix("$ ") {
                session.push((command, String::new()));
            } else {
                let (_, output) = session.last_mut().expect("a console block begins with `$ `");
                *output += &format!("{line}\n");
            }
        }
        let is_other = |command: &str| {
            let program = command.split(' ').next().unwrap_or_default();
            OTHER_TOOLS.contains(&program) || command.starts_with("cargo run")
        };
        let others = session.iter().filter(|(command, _)| is_other(command)).count();
        let mut text = String::new();
        for (command, shown) in &session {
            let printed = if is_other(command) && !self.runs_others() {
                shown.clone()
            } else {
                let run = self.run(command);
                let fails = shown.contains("error: ") || is_updated();
                assert!(run.code == 0 || fails, "{}: {command}\n{run}", self.page);
                self.as_shown(&run)
            };
            let _ = write!(text, "$ {command}\n{printed}");
        }
        if others > 0 && !*is_left && self.left != Left::Nothing {
            *is_left = true;
            self.leave();
        }
        text
    }

    /// Keeps what another tool leaves in the database, or begins with what was kept.
    fn leave(&self) {
        let name = Path::new(self.page).file_stem().unwrap_or_default().to_string_lossy();
        let kept = PathBuf::from(file!()).with_file_name(format!("left/{name}.sql"));
        let kept = repository().join(kept);
        let database = self.host.dir.join("app.db");
        if !self.runs_others() {
            let _ = fs::remove_file(&database);
            let text = fs::read_to_string(&kept).unwrap_or_else(|err| panic!("{kept:?}: {err}"));
            sql(&database, &text);
            return;
        }
        let left = statements(&database);
        let before = fs::read_to_string(&kept).unwrap_or_default();
        if without_digits(&before) != without_digits(&left) {
            expect_file![&kept].assert_eq(&left);
        }
    }

    /// Runs a command of the page.
    fn run(&self, command: &str) -> Run {
        let mut path = vec![tool().parent().expect("a directory").to_owned()];
        path.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
        let mut command = command.to_owned();
        for (real, shown) in self.shown_as {
            command = command.replace(shown, real);
        }
        // As cargo finds its subcommands, without a cargo that waits for another one.
        let cargo = "if [ \"$1\" = run ]; then command cargo \"$@\"; else cargo-\"$1\" \"$@\"; fi";
        let script = format!("cargo() {{ {cargo}; }}\n{command}");
        let mut shell = self.host.command("sh");
        shell.args(["-c", &format!("exec 2>&1\n{script}")]);
        shell.env("PATH", env::join_paths(path).expect("a path"));
        Run::of(&mut shell)
    }

    /// What a terminal shows, without the lines of cargo.
    fn as_shown(&self, run: &Run) -> String {
        let printed = Run { stderr: run.stdout.clone(), ..run.clone() }.errors();
        let mut text = printed.replace(&self.host.dir.display().to_string(), HOME);
        for (real, shown) in self.shown_as {
            text = text.replace(real, shown);
        }
        // Packages of one name share a target directory here, and on no reader's machine.
        let is_of_others = |line: &&str| line.starts_with("note: cargo mistook the artifacts of ");
        let lines = text.lines().filter(|line| !is_of_others(line));
        let mut lines: Vec<&str> = lines.map(str::trim_end).collect();
        // They are finished at the same time.
        let both =
            |[one, two]: [&str; 2]| [one, two].iter().all(|line| line.starts_with("tenants/"));
        lines.chunk_by_mut(|one, two| both([one, two])).for_each(<[&str]>::sort_unstable);
        lines.iter().map(|line| format!("{line}\n")).collect()
    }

    /// Changes the lines of a file.
    fn changed(&self, block: &[&str]) -> String {
        let path = block.iter().find_map(|line| line.strip_prefix("+++ b/")).expect("a path");
        let path = &self.found(path);
        let is_line =
            |line: &&&str| !["---", "+++", "@@"].iter().any(|sign| line.starts_with(sign));
        let side = |signs: [char; 2]| -> String {
            let lines = block.iter().filter(is_line);
            let lines =
                lines.filter_map(|line| line.strip_prefix(signs).or(line.is_empty().then_some("")));
            lines.map(|line| format!("{line}\n")).collect()
        };
        self.host.replace(path, &side([' ', '-']), &side([' ', '+']));
        lines(block)
    }

    /// A path in which `*` stands for what differs in each run.
    fn found(&self, path: &str) -> String {
        let Some((before, after)) = path.split_once('*') else { return path.to_owned() };
        let (dir, _) = before.rsplit_once('/').expect("a directory");
        let is_meant = |path: &String| path.starts_with(before) && path.ends_with(after);
        let entries = fs::read_dir(self.host.dir.join(dir)).expect("the directory can be read");
        let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
        let mut paths = entries.map(|entry| format!("{dir}/{}", name(entry.expect("an entry"))));
        paths.find(is_meant).unwrap_or_else(|| panic!("no file {path}"))
    }

    /// Writes the file that a block is.
    fn other(&self, kind: &str, block: &[&str]) -> String {
        if kind == "sql,database" {
            (self.database)(&lines(block));
        }
        if kind.ends_with(",file") {
            let (first, rest) = block.split_first().expect("a file's block has a first line");
            let (_, path) = first.split_once(' ').expect("a comment with the path");
            let mut text = lines(rest);
            for (real, shown) in self.shown_as {
                text = text.replace(shown, real);
            }
            self.host.write(path, &text);
        }
        lines(block)
    }
}

fn lines(block: &[&str]) -> String {
    block.iter().map(|line| format!("{line}\n")).collect()
}

/// A page without what differs in each run.
fn masked(page: &str) -> String {
    let masked = |line: &str| {
        if line.starts_with("//! Create Date: ") {
            return "//! Create Date\n".to_owned();
        }
        // Counts and times of a database in use differ in each run.
        if line.contains(" rows") || line.contains(", took ") {
            return without_digits(&plain_ids(line)) + "\n";
        }
        // As in `2024/10/15 14:54:59 OK   1_users.sql (3.8ms)`.
        let is_clock =
            |sign: char| sign.is_ascii_digit() || sign == '/' || sign == ':' || sign == ' ';
        let line = match line.get(..20) {
            Some(clock) if clock.ends_with(' ') && clock.chars().all(is_clock) => &line[20..],
            _ => line,
        };
        // As in `Applied 1/migrate create users (3.8ms)` and `Applied: 1_users.sql in 2.2ms`.
        let time = line.rsplit_once(" (").filter(|(_, time)| time.ends_with("s)"));
        let time =
            time.or_else(|| line.rsplit_once(" in ").filter(|(_, time)| time.ends_with('s')));
        let is_time = |time: &str| time.starts_with(|sign: char| sign.is_ascii_digit());
        time.filter(|(_, time)| is_time(time)).map_or(line, |(before, _)| before).to_owned() + "\n"
    };
    plain_ids(&page.lines().map(masked).collect::<String>())
}

fn without_digits(text: &str) -> String {
    text.replace(|sign: char| sign.is_ascii_digit(), "")
}

/// A database file as statements, as its shell's `.dump` writes them.
pub fn statements(path: &Path) -> String {
    let conn = rusqlite::Connection::open(path).expect("the database opens");
    let mut all = conn
        .prepare("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid")
        .expect("the schema can be read");
    let objects = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    let objects: Vec<(String, String, String)> =
        objects.and_then(Iterator::collect).expect("the schema can be read");
    let mut text = String::new();
    let mut after = String::new();
    for (kind, name, sql) in objects {
        let is_own = name.starts_with("sqlite_");
        match (kind.as_str(), is_own) {
            ("table", false) => {
                let _ = writeln!(text, "{sql};");
                text += &rows(&conn, &name);
            }
            ("table", true) => after += &rows(&conn, &name),
            _ => after += &format!("{sql};\n"),
        }
    }
    let version: i64 =
        conn.query_row("PRAGMA user_version", [], |row| row.get(0)).expect("a version");
    if version != 0 {
        after += &format!("PRAGMA user_version = {version};\n");
    }
    text + &after
}

/// The rows of a table as statements.
fn rows(conn: &rusqlite::Connection, table: &str) -> String {
    let columns = conn.prepare(&format!("SELECT * FROM {table:?}")).expect("a table");
    let values: Vec<String> =
        columns.column_names().iter().map(|name| format!("quote({name:?})")).collect();
    let select = format!("SELECT {} FROM {table:?}", values.join(" || ', ' || "));
    let mut select = conn.prepare(&select).expect("a table can be read");
    let rows = select.query_map([], |row| row.get::<_, String>(0));
    let rows: Vec<String> = rows.and_then(Iterator::collect).expect("rows can be read");
    rows.iter().map(|row| format!("INSERT INTO {table:?} VALUES ({row});\n")).collect()
}
