//! Questions to a person at a terminal, and the same answers given as flags.

use std::num::NonZero;
use std::process::Stdio;

use dbmigrate_tests::{Host, tool};
use expect_test::expect;
use rexpect::session::{PtySession, spawn_command};

const ENTER: &str = "\r";
const DOWN_ENTER: &str = "\x1b[B\r";
const CURSOR: &str = "\x1b[?25h";

fn model(fields: &str, variants: &str) -> String {
    format!(
        "use dbmigrate_runtime::{{ColumnType, Model}};\n\n\
         #[derive(ColumnType)]\npub enum Status {{ {variants} }}\n\n\
         #[derive(Model)]\npub struct User {{\n    #[model(primary_key)]\n    pub id: i64,\n    \
         pub status: Status,\n    {fields}\n}}\n"
    )
}

/// How many milliseconds a text may take. Meanwhile other tests may build in the same directory.
const PATIENCE: u64 = 900_000;

/// The tool in a terminal.
pub(super) fn at_terminal(host: &Host, args: &str) -> PtySession {
    let mut command = host.command(tool());
    command.arg("dbmigrate").args(args.split_whitespace());
    command.stdin(Stdio::inherit()).env("TERM", "xterm");
    spawn_command(command, Some(PATIENCE)).unwrap()
}

/// Answers questions, each once its text appears, and returns the exit code and the last output.
#[track_caller]
fn answer(host: &Host, args: &str, answers: &[(&str, &str)]) -> (i32, String) {
    let mut session = at_terminal(host, args);
    for (question, answer) in answers {
        session.exp_string(question).unwrap_or_else(|err| panic!("{question}: {err}"));
        session.send(answer).unwrap();
        session.flush().unwrap();
    }
    let rest = session.exp_eof().unwrap();
    // `Exited(Pid(7), 0)`: the type has no name outside of its crate.
    let status = format!("{:?}", session.process().wait().unwrap());
    let code = status.trim_end_matches(')').rsplit(", ").next().and_then(|part| part.parse().ok());
    let code = code.unwrap_or_else(|| panic!("{status}"));
    (code, rest)
}

/// The functions of the revision with this message.
fn module(host: &Host, message: &str) -> String {
    let revisions = host.revisions();
    let is_it = |text: &&String| text.ends_with(&format!("_{message}.rs"));
    let text = host.read(revisions.iter().find(is_it).unwrap());
    let lines = text.lines().skip_while(|line| !line.starts_with("pub fn"));
    lines.filter(|line| !line.contains("###")).map(|line| format!("{line}\n")).collect()
}

/// At a terminal, its input is also the step's input.
#[test]
fn a_step_asks_a_person() {
    let host = Host::library("step-asks", "");
    host.ok("init");
    let step = "op.execute(\"CREATE TABLE t (a)\");\n    op.run(\"ask\", |db| {\n        \
                println!(\"Which name?\");\n        let mut name = String::new();\n        \
                std::io::stdin().read_line(&mut name)?;\n        \
                db.execute(\"INSERT INTO t VALUES (?1)\", (name.trim(),))?;\n        Ok(())\n    });";
    let text = dbmigrate_tests::revision("a1", &[], "ask", step, "op.drop_table(\"t\");");
    host.write("migrations/versions/m1_ask.rs", &text);
    let (code, rest) = answer(&host, "upgrade", &[("Which name?", "Ada\r")]);
    assert_eq!(code, 0, "{rest}");
    let dump = dbmigrate_tests::dump(&host.dir.join("app.db"));
    assert!(dump.contains("t: \"Ada\"\n"), "{dump}");
}

#[test]
fn a_person_is_asked_and_an_interrupt_leaves_nothing() {
    let host = Host::library("questions", &model("pub name: String,", "New, Old"));
    host.ok("init");
    host.ok("migrate -m first");
    let n_revisions = |n| assert_eq!(host.revisions().len(), n);

    // A rename, first interrupted and then accepted.
    host.write("src/lib.rs", &model("pub login: String,", "New, Old"));
    let asks = "Was column `user.name` renamed?";
    let (code, rest) = answer(&host, "migrate -m login", &[(asks, "\x03")]);
    assert_eq!(code, 130);
    assert!(rest.contains(CURSOR), "the cursor is left hidden: {rest:?}");
    n_revisions(1);
    let (code, rest) = answer(&host, "migrate -m login", &[(asks, ENTER)]);
    assert_eq!(code, 0, "{rest}");
    n_revisions(2);
    expect![[r#"
        pub fn upgrade(op: &mut Operations) {
            op.rename_column("user", "name", "login");
        }

        pub fn downgrade(op: &mut Operations) {
            op.rename_column("user", "login", "name");
        }
    "#]]
    .assert_eq(&module(&host, "login"));

    // No rename: asks for the value of existing rows, and for confirmation that the old values are
    // lost.
    host.write("src/lib.rs", &model("pub nick: String,", "New, Old"));
    let dropped = ("Was column `user.login` renamed?", DOWN_ENTER);
    let value = ("Column `user.nick` is new, NOT NULL", "'x'z\x7f || 'y'\r");
    let (code, rest) = answer(&host, "migrate -m nick", &[dropped, value, ("Write it?", "n")]);
    assert_eq!(code, 3, "{rest}");
    assert!(rest.contains("the revision would discard rows or values"), "{rest}");
    n_revisions(2);
    let (code, rest) = answer(&host, "migrate -m nick", &[dropped, value, ("Write it?", "y")]);
    assert_eq!(code, 0, "{rest}");
    n_revisions(3);
    expect![[r#"
        pub fn upgrade(op: &mut Operations) {
            op.add_column("user", Column::new("nick", Type::Text).not_null())
                .using("'x' || 'y'");
            // This discards the data in column `login` of `user`.
            op.drop_column("user", "login");
        }

        pub fn downgrade(op: &mut Operations) {
            // The values that the upgrade discarded can't be restored: rows get ''.
            op.add_column("user", Column::new("login", Type::Text).not_null())
                .using("''")
                .before("nick");
            op.drop_column("user", "nick");
        }
    "#]]
    .assert_eq(&module(&host, "nick"));

    // A variant with another name.
    host.write("src/lib.rs", &model("pub nick: String,", "New, Draft, Done"));
    let asks = "`user.status` no longer allows 'old': what value do rows that hold it get?";
    let choice = (asks, DOWN_ENTER);
    let (code, rest) = answer(&host, "migrate -m status", &[choice]);
    assert_eq!(code, 0, "{rest}");
    expect![[r#"
        pub fn upgrade(op: &mut Operations) {
            op.alter_column(
                "user",
                "status",
                ColumnChange::new()
                    .ty(Type::enumeration("status", ["new", "draft", "done"]))
                    .using("CASE status WHEN 'old' THEN 'done' ELSE status END"),
            );
        }

        pub fn downgrade(op: &mut Operations) {
            // Rows that hold something else get 'new'.
            op.alter_column(
                "user",
                "status",
                ColumnChange::new()
                    .ty(Type::enumeration("status", ["new", "old"]))
                    .using(
                        "CASE status WHEN 'done' THEN 'old' WHEN 'draft' THEN 'new' ELSE status END",
                    ),
            );
        }
    "#]].assert_eq(&module(&host, "status"));

    // A type with a smaller range keeps values or replaces them.
    host.write(
        "src/lib.rs",
        &model("#[model(length = 9)]\n    pub nick: String,", "New, Draft, Done"),
    );
    let asks = "Column `user.nick` changes from text to string(9)";
    let (code, rest) = answer(&host, "migrate -m shorter", &[(asks, ENTER)]);
    assert_eq!(code, 0, "{rest}");
    assert!(module(&host, "shorter").contains(".using(\"nick\")"), "{}", module(&host, "shorter"));
    n_revisions(5);
    assert_eq!(host.ok("migrate -m none").stdout, "No changes in schema detected.\n");
}

#[test]
fn flags_answer_what_a_person_would() {
    let host = Host::library("answers", &model("pub name: Option<String>,", "New, Old"));
    host.ok("init");
    host.ok("migrate -m first");
    let more = "pub name: String,\n    pub age: u8,";
    host.write("src/lib.rs", &model(more, "New, Done"));
    let run = host.fails("migrate -m more");
    expect![[r#"
        error: cannot write the revision without answers to these 3 questions:
          column `user.age` is new, NOT NULL and without a default: what value do existing rows get?
          column `user.status` no longer allows 'old': what value do rows that hold it get?
          column `user.name` becomes NOT NULL: what value do rows with NULL get?
          hint: answer in the model (`renamed_from`, `default`), or by flags such as these:
            --fill user.age=0 --fill "user.status=CASE status WHEN 'old' THEN 'done' ELSE status END" --fill "user.name=''"
    "#]].assert_eq(&run.errors());
    // A dry run doesn't ask anything either, nor does a script at a terminal.
    host.fails("migrate -m more --dry-run");
    let (code, rest) = answer(&host, "migrate -m more --non-interactive", &[]);
    assert_eq!(code, 3, "{rest}");
    // The differences themselves are shown without an answer.
    let run = host.dbmigrate("check --no-database");
    assert_eq!(run.code, 1, "{run}");
    expect![[r#"
        Models and migrations differ:
          Detected added column `user.age`
          Detected changed column `user.status`: type to enum status(new, done)
          Detected changed column `user.name`: to NOT NULL
    "#]]
    .assert_eq(&run.stdout);

    let run = host.dbmigrate("migrate -m more --fill age=0");
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("expected TABLE.COLUMN=EXPR"), "{run}");
    let run = host.fails("revision -m empty --fill user.age=0");
    expect![[r#"
        error: --fill user.age=0: an empty revision asks nothing
          hint: `migrate`, or `revision --autogenerate`, compares models and migrations
    "#]]
    .assert_eq(&run.errors());
    let fills = "--fill user.age=18 --fill \"user.name=''\" --fill \"user.status='new'\"";
    let run = host.fails(&format!("migrate -m more {fills} --fill user.nick=1"));
    assert!(
        run.stderr.contains("--fill user.nick=1: no existing rows need a value there"),
        "{run}"
    );
    let run = host.fails(&format!("migrate -m more {fills}"));
    expect![[r#"
        error: the revision would discard rows or values:
          it may discard data in column `status` of `user` where it is not one of 'new', 'done'
          hint: --allow-destructive writes it anyway
    "#]]
    .assert_eq(&run.errors());
    assert_eq!(host.revisions().len(), 1);
    let run = host.ok(&format!("migrate -m more {fills} --allow-destructive --format json"));
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        json["losses"][0],
        "may discard data in column `status` of `user` where it is not one of 'new', 'done'"
    );
    expect![[r#"
        pub fn upgrade(op: &mut Operations) {
            op.add_column("user", Column::new("age", Type::TinyUnsigned).not_null()).using("18");
            // This may discard data in column `status` of `user` where it is not one of 'new', 'done'.
            op.alter_column(
                "user",
                "status",
                ColumnChange::new()
                    .ty(Type::enumeration("status", ["new", "done"]))
                    .using(
                        "CASE WHEN \"status\" IN ('new', 'done') THEN \"status\" ELSE 'new' END",
                    ),
            );
            op.alter_column(
                "user",
                "name",
                ColumnChange::new().not_null().using("coalesce(\"name\", '')"),
            );
        }

        pub fn downgrade(op: &mut Operations) {
            op.alter_column("user", "name", ColumnChange::new().nullable());
            // Rows that hold something else get 'new'.
            op.alter_column(
                "user",
                "status",
                ColumnChange::new()
                    .ty(Type::enumeration("status", ["new", "old"]))
                    .using(
                        "CASE WHEN \"status\" IN ('new', 'old') THEN \"status\" ELSE 'new' END",
                    ),
            );
            op.drop_column("user", "age");
        }
    "#]]
    .assert_eq(&module(&host, "more"));
    assert_eq!(host.ok("migrate -m none").stdout, "No changes in schema detected.\n");
}

#[test]
fn which_line_moves_after_the_other() {
    let host = Host::library("question-rebase", "");
    host.ok("init");
    host.ok("revision -m first --rev-id a1");
    host.ok("revision -m left --rev-id b1");
    host.ok("revision -m right --rev-id c1 --head a1 --splice");
    let asks = "Which one moves after the other?";
    let (code, rest) = answer(&host, "rebase", &[(asks, "\x03")]);
    assert_eq!(code, 130, "{rest}");
    assert_eq!(host.ok("heads").stdout, "b1 (head)\nc1 (head)\n");
    let (code, rest) = answer(&host, "rebase", &[(asks, ""), ("c1 after b1", DOWN_ENTER)]);
    assert_eq!(code, 0, "{rest}");
    assert_eq!(host.ok("heads").stdout, "c1 (head)\n");
    let module = host.read(&host.revision("right"));
    assert!(module.contains("//! Revises: b1\n"), "{module}");
    assert!(module.contains("DOWN_REVISION: &[&str] = &[\"b1\"];"), "{module}");
}

#[test]
fn rows_are_counted_where_there_is_a_database() {
    let before = model("pub name: Option<String>,\n    pub age: String,", "New, Old");
    let host = Host::library("counted", &before);
    host.ok("init");
    host.ok("migrate -m first");
    host.ok("upgrade");
    let app = rusqlite::Connection::open(host.dir.join("app.db")).unwrap();
    app.execute_batch(
        "INSERT INTO user (status, name, age) VALUES ('old', NULL, '7'), ('old', 'Ada', 'x'), \
         ('new', NULL, '41')",
    )
    .unwrap();
    let after = model("pub name: String,\n    pub age: i64,\n    pub rank: i64,", "New, Done");
    host.write("src/lib.rs", &after);
    let run = host.fails("migrate -m more");
    expect![[r#"
        error: cannot write the revision without answers to these 4 questions:
          column `user.rank` is new, NOT NULL and without a default: what value do existing rows get (3 rows)?
          column `user.status` no longer allows 'old': what value do rows that hold it get (2 rows)?
          column `user.name` becomes NOT NULL: what value do rows with NULL get (2 rows)?
          column `user.age` changes from text to big integer: what should values that don't fit become (1 row)?
          hint: answer in the model (`renamed_from`, `default`), or by flags such as these:
            --fill user.rank=0 --fill "user.status=CASE status WHEN 'old' THEN 'done' ELSE status END" --fill "user.name=''" --fill user.age=age
    "#]].assert_eq(&run.errors());
    let fills = "--fill user.rank=0 --fill user.age=0 --fill \"user.name=''\" --fill \
                 \"user.status=CASE status WHEN 'old' THEN 'new' ELSE status END\"";
    let run = host.fails(&format!("migrate -m more {fills}"));
    expect![[r#"
        error: the revision would discard rows or values:
          it may discard data in column `status` of `user` where it is 'old' (2 rows)
          it may discard data in column `age` of `user` where it doesn't fit big integer (1 row)
          hint: --allow-destructive writes it anyway
    "#]]
    .assert_eq(&run.errors());
    let json = |host: &Host| -> serde_json::Value {
        let run = host.ok(&format!("migrate -m more {fills} --dry-run --format json"));
        serde_json::from_str(&run.stdout).unwrap()
    };
    let counted = json(&host)["losses"].to_string();
    assert!(counted.contains("(2 rows)") && counted.contains("(1 row)"), "{counted}");
    let seen = screen(
        &host,
        "migrate -m more",
        160,
        &[
            ("existing rows get (3 rows)?", ENTER),
            ("hold it get (2 rows)?", DOWN_ENTER),
            ("with NULL get (2 rows)?", ENTER),
            ("fit become (1 row)?", ENTER),
            ("Write it?", "n"),
        ],
    );
    assert!(seen.contains("in column `status` of `user` where it is 'old' (2 rows)\n"), "{seen}");
    // If a database can't be read at the moment, or at all, the numbers are omitted.
    app.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let uncounted = json(&host)["losses"].to_string();
    assert!(uncounted.contains("status") && !uncounted.contains(" row)"), "{uncounted}");
    assert!(!uncounted.contains("(2 rows)"), "{uncounted}");
    drop(app);
    host.write("app.db", "no database at all, and more than a hundred bytes of that, so that ...");
    let uncounted = json(&host)["losses"].to_string();
    assert!(uncounted.contains("status") && !uncounted.contains(" row)"), "{uncounted}");
    assert!(!uncounted.contains("(2 rows)"), "{uncounted}");

    // Renames that are equally likely, together with a column that is dropped in any case, and two
    // columns of which only one can have the new name.
    std::fs::remove_file(host.dir.join("app.db")).unwrap();
    host.write("src/lib.rs", &format!("{before}{EXTRA}"));
    host.ok("migrate -m extra");
    host.ok("upgrade");
    let app = rusqlite::Connection::open(host.dir.join("app.db")).unwrap();
    app.execute_batch(
        "INSERT INTO t1 (gone) VALUES (1); INSERT INTO both (a_text, b_text) VALUES ('a', 'b'), \
         (NULL, 'c')",
    )
    .unwrap();
    let tied = EXTRA.replace("pub name: String", "pub first_name: String, pub last_name: String");
    let tied = tied.replace("a_text: Option<String>, pub b_", "");
    let tied = tied.replace(", pub gone: Option<i64>", "");
    host.write("src/lib.rs", &format!("{before}{tied}"));
    let run = host.fails("migrate -m tied");
    expect![[r#"
        error: cannot write the revision without answers to these 3 questions:
          column `both.a_text` is gone: was it renamed to `both.text`, or dropped (its values are discarded)?
          column `both.b_text` is gone: was it renamed to `both.text`, or dropped (its values are discarded)?
          column `pair.name` is gone: was it renamed to `pair.first_name` or `pair.last_name`, or dropped (its values are discarded)?
          hint: answer in the model (`renamed_from`, `default`), or by flags, one from each line and each new name only once (`--no-renames` drops what no flag renames):
            --rename both.a_text:both.text
            --rename both.b_text:both.text
            --rename pair.name:pair.first_name | --rename pair.name:pair.last_name
            --allow-destructive
              discards the data in column `gone` of `t1` (1 row)
              discards the data in column `b_text` of `both` (2 rows) unless it is renamed
              discards the data in column `a_text` of `both` (1 row) unless it is renamed
              discards the data in column `name` of `pair` (0 rows) unless it is renamed
    "#]].assert_eq(&run.errors());
}

const EXTRA: &str = "
#[derive(Model)]
pub struct Pair { #[model(primary_key)] pub id: i64, pub name: String }
#[derive(Model)]
pub struct T1 { #[model(primary_key)] pub id: i64, pub gone: Option<i64> }
#[derive(Model)]
pub struct Both {
    #[model(primary_key)] pub id: i64,
    pub a_text: Option<String>, pub b_text: Option<String>,
}
";

/// The contents of a screen with this many columns, at the end of a session in which each answer
/// was given.
fn screen(host: &Host, args: &str, columns: u16, answers: &[(&str, &str)]) -> String {
    const ROWS: u16 = 40;
    let mut command = host.command("sh");
    let script = format!("stty rows {ROWS} cols {columns}; exec \"$0\" \"$@\"");
    command.args(["-c", &script]).arg(tool()).arg("dbmigrate").args(args.split_whitespace());
    command.stdin(Stdio::inherit()).env("TERM", "xterm");
    let mut session = spawn_command(command, Some(PATIENCE)).unwrap();
    let mut printed = String::new();
    for (question, answer) in answers {
        let before = session.exp_string(question);
        printed += &before.unwrap_or_else(|err| panic!("{question}: {err}\n{printed}"));
        printed += question;
        session.send(answer).unwrap();
        session.flush().unwrap();
    }
    printed += &session.exp_eof().unwrap();
    let [rows, columns] = [ROWS, columns].map(|n| NonZero::new(n).unwrap());
    let mut terminal = vt100::Parser::new(rows, columns, 0);
    terminal.process(printed.as_bytes());
    let lines = terminal.screen().contents();
    let is_of_cargo = |line: &&str| {
        let words = ["Checking", "Finished", "Compiling", "Blocking", "Locking"];
        words.iter().any(|word| line.trim_start().starts_with(word))
    };
    let lines = lines.lines().filter(|line| !is_of_cargo(line));
    lines.map(|line| format!("{}\n", line.trim_end())).collect()
}

/// The library counts lines to redraw, so none may be wider than the terminal.
#[test]
fn prompts_in_a_narrow_terminal_leave_no_lines_behind() {
    const DOWN: &str = "\x1b[B";
    let host = Host::library("narrow", &model("pub name: String,", "New, Old"));
    host.ok("init");
    let allow = "lint.allow = [\"rename-column\", \"unwritten-column\"]";
    host.replace("migrations/dbmigrate.toml", "lint.allow = []", allow);
    host.ok("migrate -m first");
    let fields = "pub a_name_that_is_longer_than_the_screen: String, pub name_of_somebody: String,";
    host.write("src/lib.rs", &model(fields, "New, Old"));
    let again = format!("{DOWN}{DOWN}{DOWN}{DOWN}");
    let seen = screen(
        &host,
        "migrate -m names",
        36,
        &[
            ("renamed?", &format!("{again}{again}{again}{DOWN}")),
            ("> ", ENTER),
            ("(SQL)", "'a longer answer than the line'"),
            ("line'", ENTER),
        ],
    );
    expect![[r#"
        Was column `user.name` renamed?: renamed to `user.name_of_somebody`
        Column
        `user.a_name_that_is_longer_than_th
        e_screen` is new, NOT NULL and
        without a default: what value do
        existing rows get? (SQL)
        'a longer answer than the line'
        Detected column `user.name` renamed to `user.name_of_somebody`
        Detected added column `user.a_name_that_is_longer_than_the_screen`
        Generating migrations/versions/m$DAY_$TIME_$ID1_names.rs ... done
    "#]]
    .assert_eq(&host.plain(&seen));

    host.write("src/lib.rs", &model("", "New, Old"));
    let seen = screen(&host, "migrate -m gone", 36, &[("it?", "n")]);
    expect![[r#"
        Detected removed column `user.a_name_that_is_longer_than_the_screen`
        Detected removed column `user.name_of_somebody`
        the revision would discard rows or
        values:
          it discards the data in column
        `a_name_that_is_longer_than_the_scr
        een` of `user`
          it discards the data in column
        `name_of_somebody` of `user`
        Write it? no
        error: the revision would discard rows or values:
          it discards the data in column `a_name_that_is_longer_than_the_screen` of `user`
          it discards the data in column `name_of_somebody` of `user`
          hint: --allow-destructive writes it anyway
    "#]]
    .assert_eq(&host.plain(&seen));
}
