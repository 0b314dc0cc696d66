//! One host and several databases, some of them created by other tools.

use dbmigrate_tests::{Host, Run, sql};
use expect_test::Expect;

pub const MODELS: &str = r#"
use dbmigrate_runtime::Model;

#[derive(Model)]
#[model(check("age >= 0"))]
pub struct User {
    #[model(primary_key)]
    pub id: i64,
    #[model(length = 50, unique)]
    pub name: String,
    #[model(default = 0, index)]
    pub age: i16,
    #[model(default = false)]
    pub active: bool,
}

#[derive(Model)]
pub struct Post {
    #[model(primary_key)]
    pub id: i64,
    #[model(references = User::id, on_delete = cascade)]
    pub author_id: Option<i64>,
    pub text: String,
}
"#;

/// The same tables as another tool would create them.
pub const THEIRS: &str = "
    CREATE TABLE [User] ( -- people, \"users\"
        id INTEGER PRIMARY KEY,
        name varchar(50) NOT NULL UNIQUE,
        age INTEGER DEFAULT 0 NOT NULL CHECK (age >= 0),
        active BOOLEAN NOT NULL DEFAULT FALSE
    );
    CREATE INDEX ix_user_age ON user(age);
    CREATE TABLE post (
        id INTEGER NOT NULL,
        author_id INTEGER REFERENCES user ON DELETE CASCADE,
        text TEXT NOT NULL,
        PRIMARY KEY (id)
    );
    CREATE TABLE log (text);
    CREATE VIEW names AS SELECT name FROM user;
    CREATE INDEX theirs ON post(text);
    CREATE TRIGGER user_log AFTER INSERT ON user BEGIN INSERT INTO log VALUES (new.name); END;
    CREATE VIRTUAL TABLE docs USING fts5(text);
    INSERT INTO user (name) VALUES ('ada');
";

pub struct Databases {
    pub host: Host,
}

impl Databases {
    /// Creates a separate database for what follows.
    pub fn make(&self, name: &str, text: &str) {
        sql(&self.host.dir.join(name), text);
    }

    pub fn run(&self, database: &str, args: &str) -> Run {
        self.host.dbmigrate(&format!("{args} --url sqlite:{database}"))
    }

    /// Runs the tool on a database and compares the exit code and the output.
    #[track_caller]
    pub fn check(&self, database: &str, args: &str, expect: Expect) {
        let run = self.run(database, args);
        let said = run.stderr.lines().filter(|line| !is_of_cargo(line));
        let said: String = said.map(|text| format!("{text}\n")).collect();
        let text = format!("{}{said}exit code {}\n", run.stdout, run.code);
        expect.assert_eq(&self.host.plain(&text));
    }
}

pub fn is_of_cargo(line: &str) -> bool {
    ["Checking", "Compiling", "Finished", "Blocking", "Locking"]
        .iter()
        .any(|text| line.trim_start().starts_with(text))
}
