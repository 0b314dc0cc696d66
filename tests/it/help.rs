//! Completions of shells, manual pages, and the appearance of output, for all commands.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use dbmigrate_tests::{Host, Run, revision, tool};
use expect_test::expect;

/// The commands, each with the flags in its help.
pub fn commands(host: &Host) -> Vec<(String, BTreeSet<String>)> {
    let help = host.ok("--help").stdout;
    let (_, list) = help.split_once("\nCommands:\n").unwrap();
    let names = list.lines().take_while(|line| !line.is_empty());
    let names =
        names.filter_map(|name| name.split_whitespace().next()).filter(|next| *next != "help");
    let mut commands = vec![(String::new(), flags(&help))];
    for name in names {
        commands.push((name.to_owned(), flags(&host.ok(&format!("{name} --help")).stdout)));
    }
    assert!(commands.len() > 15, "{help}");
    commands
}

/// `-q, --quiet` at the beginning of a line is a flag; in a description it is only mentioned.
fn flags(help: &str) -> BTreeSet<String> {
    let flag = |line: &str| {
        let line = line.trim_start();
        let at = if line.starts_with("--") {
            0
        } else {
            line.find(", --").filter(|line| *line == 2)? + 2
        };
        let is_part = |c: char| c == '-' || c.is_ascii_alphanumeric();
        let name = line[at + 2..].split(|c| !is_part(c)).next()?;
        Some(name.to_owned())
    };
    help.lines().filter_map(flag).collect()
}

/// Whether the shell accepts the script; `None` if it isn't installed.
fn parses(program: &str, args: &[&str], script: &str) -> Option<bool> {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = command.spawn().ok()?;
    child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    Some(child.wait().unwrap().success())
}

#[test]
fn shells_complete_every_command_and_flag() {
    let host = Host::empty("completions");
    let commands = commands(&host);
    for (shell, program, args) in [
        ("bash", "bash", &["-n"][..]),
        ("zsh", "zsh", &["-n"]),
        ("fish", "fish", &["--no-execute"]),
        ("powershell", "pwsh", &["-NoProfile", "-Command", "[scriptblock]::Create($input)"]),
    ] {
        let script = host.ok(&format!("completions {shell}")).stdout;
        assert_ne!(parses(program, args, &script), Some(false), "{shell}\n{script}");
        for (name, flags) in &commands {
            assert!(script.contains(name.as_str()), "{name} in {shell}");
            for flag in flags {
                let flag = match shell {
                    "fish" => format!("-l {flag}"),
                    _ => format!("--{flag}"),
                };
                assert!(script.contains(&flag), "{name} {flag} in {shell}");
            }
        }
    }
}

/// Bash is asked for completions in the same way as when a person presses the tab key.
#[test]
fn bash_completes_what_is_typed() {
    let host = Host::empty("completes");
    host.write("completions.bash", &host.ok("completions bash").stdout);
    let completed = |words: &str| {
        let script = format!(
            "source completions.bash; COMP_WORDS=(cargo-dbmigrate {words}); \
             COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); COMP_LINE=\"${{COMP_WORDS[*]}}\"; \
             _cargo__dbmigrate cargo-dbmigrate \"${{COMP_WORDS[-1]}}\" \"${{COMP_WORDS[-2]}}\"; \
             echo \"${{COMPREPLY[*]}}\""
        );
        let mut bash = host.command("bash");
        Run::of(bash.args(["-c", &script])).stdout
    };
    if host.command("bash").arg("--version").output().is_err() {
        return;
    }
    assert_eq!(completed("upg"), "upgrade\n");
    assert_eq!(completed("upgrade --jo"), "--jobs\n");
    assert_eq!(completed("upgrade --color nev"), "never\n");
    assert_eq!(completed("completions z"), "zsh\n");

    // This works after `cargo` as well, while cargo's own completion continues to work, whether it
    // was already loaded or is loaded on demand.
    let after_cargo = |setup: &str, words: &str| {
        let script = format!(
            "{setup}; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             spec=\"$(complete -p cargo)\"; [[ $spec =~ -F\\ ([^ ]+) ]]; \
             \"${{BASH_REMATCH[1]}}\" cargo \"${{COMP_WORDS[-1]}}\" \"${{COMP_WORDS[-2]}}\"; \
             echo \"${{COMPREPLY[*]}}\""
        );
        let mut bash = host.command("bash");
        let run = Run::of(bash.args(["-c", &script]));
        assert_eq!(run.stderr, "", "{script}");
        run.stdout
    };
    let cargos = "_of_cargo() { COMPREPLY=(\"cargo:${COMP_WORDS[*]}\"); }";
    let before = format!("{cargos}; complete -F _of_cargo cargo; source completions.bash");
    let twice = format!("{before}; source completions.bash");
    let lazily = format!(
        "{cargos}; __load_completion() {{ complete -o nospace -F _of_cargo $1; }}; \
         source completions.bash"
    );
    for setup in ["source completions.bash", &before, &twice, &lazily] {
        assert_eq!(after_cargo(setup, "cargo dbmigrate upg"), "upgrade\n", "{setup}");
        let words = "cargo +nightly -q dbmigrate upgrade --jo";
        assert_eq!(after_cargo(setup, words), "--jobs\n", "{setup}");
        assert_eq!(after_cargo(setup, "cargo dbmigrate -q upgrade --color nev"), "never\n");
    }
    for setup in [before, twice, lazily] {
        assert_eq!(after_cargo(&setup, "cargo build --jo"), "cargo:cargo build --jo\n", "{setup}");
        assert_eq!(after_cargo(&setup, "cargo dbm"), "cargo:cargo dbm\n", "{setup}");
    }
    assert_eq!(after_cargo("source completions.bash", "cargo dbm"), "dbmigrate\n");
    assert_eq!(after_cargo("source completions.bash", "cargo build --jo"), "\n");
    // A program that completes cargo is left alone.
    let program = "complete -C other cargo; source completions.bash; complete -p cargo";
    let mut bash = host.command("bash");
    assert_eq!(Run::of(bash.args(["-c", program])).stdout, "complete -C 'other' cargo\n");
}

/// If fish is installed, it is asked for completions.
#[test]
fn fish_completes_what_is_typed() {
    let mut host = Host::empty("completes-fish");
    host.write("completions.fish", &host.ok("completions fish").stdout);
    if host.command("fish").arg("--version").output().is_err() {
        return;
    }
    // Fish only completes after programs that exist.
    let path = std::env::var("PATH").unwrap();
    host.env("PATH", &format!("{}:{path}", tool().parent().unwrap().display()));
    for line in ["cargo-dbmigrate upg", "cargo dbmigrate upg", "cargo +nightly dbmigrate upg"] {
        let script = format!("source completions.fish; complete -C '{line}'");
        let mut fish = host.command("fish");
        let run = Run::of(fish.args(["--no-config", "-c", &script]));
        assert_eq!(run.stdout, "upgrade\tApply revisions\n", "{line}\n{run}");
    }
}

#[test]
fn the_manual_has_every_command_and_flag() {
    let host = Host::empty("man");
    let page = host.ok("man").stdout.replace("\\-", "-");
    host.ok("man --out pages/man1");
    assert_eq!(host.read("pages/man1/cargo-dbmigrate.1").replace("\\-", "-"), page);
    for (name, flags) in commands(&host) {
        let file = match name.as_str() {
            "" => "cargo-dbmigrate.1".to_owned(),
            name => format!("cargo-dbmigrate-{name}.1"),
        };
        assert!(page.contains(&file.replace(".1", "(1)")) || name.is_empty(), "{name}: {page}");
        let text = host.read(&format!("pages/man1/{file}")).replace("\\-", "-");
        assert!(text.contains(".SH SYNOPSIS\n\\fBcargo dbmigrate"), "{text}");
        for flag in flags {
            assert!(text.contains(&format!("--{flag}")), "{name} {flag}: {text}");
        }
    }
    let run = host.ok("man --format json");
    assert!(run.stdout.starts_with("{\n  \"command\": \"man\""), "{run}");
    fs::remove_dir_all(host.dir.join("pages")).unwrap();
    assert_eq!(host.ok("man -q --out pages").stdout, "");
}

/// Colours are for terminals, or on request.
#[test]
fn colours_are_where_they_are_wanted() {
    let mut host = Host::library("colours", "");
    // Errors in the arguments, errors in the project, and the help.
    for args in ["upgrade --nonsense", "heads", "upgrade --help"] {
        let coloured = |args: &str| {
            let run = host.dbmigrate(args);
            (run.stdout + &run.stderr).contains('\u{1b}')
        };
        assert!(!coloured(args), "{args}");
        assert!(coloured(&format!("--color always {args}")), "{args}");
        assert!(!coloured(&format!("--color=never {args}")), "{args}");
    }
    host.env("CLICOLOR_FORCE", "1");
    assert!(host.dbmigrate("heads").stderr.contains('\u{1b}'));
    assert!(!host.dbmigrate("heads --color never").stderr.contains('\u{1b}'));
    host.env("NO_COLOR", "1");
    assert!(!host.dbmigrate("heads").stderr.contains('\u{1b}'));
    assert!(!host.dbmigrate("heads --nonsense").stderr.contains('\u{1b}'));
}

/// Messages about what was done are omitted, requested results are not.
#[test]
fn quiet_leaves_out_what_was_done() {
    let host = Host::library("quiet", "");
    let table = "op.create_table(Table::new(\"t\")\
        .column(Column::new(\"id\", Type::BigInteger).not_null()).primary_key(\"pk_t\", [\"id\"]));";
    assert_eq!(host.ok("init -q").stdout, "");
    let module = revision("a100", &[], "t", table, "op.drop_table(\"t\");");
    host.write("migrations/versions/m1.rs", &module);
    let acting =
        ["upgrade", "redo", "downgrade", "stamp head", "reset --yes", "revision -m x", "undo"];
    for command in acting {
        let run = host.ok(&format!("{command} -q"));
        assert_eq!((run.stdout.as_str(), run.errors().as_str()), ("", ""), "{command}");
    }
    for command in ["current", "history", "heads", "show", "upgrade --sql base:head", "diff --sql"]
    {
        assert_eq!(host.ok(&format!("{command} -q")).stdout, host.ok(command).stdout, "{command}");
    }
    assert_eq!(host.ok("heads -q").stdout, "a100 (head)\n");
    let run = host.dbmigrate("heads -q -v");
    assert_eq!(run.code, 2, "{run}");
}

/// A command of another tool gets a message with this tool's command, and nothing is done.
#[test]
fn words_of_other_tools_are_answered_by_what_they_are_here() {
    let host = Host::library("other-words", "");
    expect![[r#"
        error: unrecognized subcommand 'up'

          tip: `cargo dbmigrate upgrade` applies pending revisions

        Usage: cargo dbmigrate [OPTIONS] <COMMAND>

        For more information, try '--help'.
    "#]]
    .assert_eq(&host.dbmigrate("up").stderr);
    expect![[r#"
        error: unrecognized subcommand 'info'

          tip: `cargo dbmigrate status` shows where the database stands, what is pending and what differs

        Usage: cargo dbmigrate [OPTIONS] <COMMAND>

        For more information, try '--help'.
    "#]]
    .assert_eq(&host.dbmigrate("-q info").stderr);
    for (words, here) in [
        ("up 3", "dbmigrate upgrade`"),
        ("run", "dbmigrate upgrade`"),
        ("down", "dbmigrate downgrade`"),
        ("revert", "dbmigrate downgrade`"),
        ("create posts", "dbmigrate revision -m"),
        ("generate posts", "dbmigrate migrate -m"),
        ("makemigrations", "dbmigrate migrate -m"),
        ("sqlmigrate app 0001", "dbmigrate upgrade --sql"),
        ("showmigrations", "dbmigrate history -i"),
        ("pull", "dbmigrate inspect`"),
        ("push", "dbmigrate migrate -m"),
        // As diesel and sqlx group them.
        ("migration run", "dbmigrate upgrade`"),
        ("migration revert", "dbmigrate downgrade`"),
        ("migrate run", "dbmigrate upgrade`"),
        ("migrate add posts", "dbmigrate revision -m"),
        ("database create", "dbmigrate upgrade` creates"),
        ("prepare", "dbmigrate upgrade` creates"),
        ("repair", "dbmigrate stamp current`"),
        ("clean", "dbmigrate reset`"),
        // Of PowerShell, where letter case doesn't matter.
        ("Add-Migration Posts", "dbmigrate migrate -m"),
        ("update-database", "dbmigrate upgrade`"),
        ("migrations remove", "dbmigrate undo`"),
        // As Laravel, Rails, TypeORM, knex and Sequelize write several words.
        ("migrate:status", "`cargo dbmigrate status` is the command"),
        ("migrate:reset", "dbmigrate downgrade base`"),
        ("migrate:fresh --seed", "dbmigrate reset`"),
        ("make:migration posts", "dbmigrate revision -m"),
        ("db:migrate", "dbmigrate upgrade`"),
        ("db:migrate:status", "dbmigrate status`"),
        ("db:migrate:undo", "dbmigrate downgrade`"),
        ("db:migrate:undo:all", "dbmigrate downgrade base`"),
        ("db:create", "dbmigrate upgrade` creates"),
        ("db:reset", "`cargo dbmigrate reset` is the command"),
        ("migration:run", "dbmigrate upgrade`"),
        ("migration:show", "dbmigrate history -i"),
        ("migrate:latest", "dbmigrate upgrade`"),
        ("db:schema:load", "commands have no colons here"),
        ("a::b", "commands have no colons here"),
        // As Flask-Migrate groups its commands, which have the same names here.
        ("db upgrade", "`cargo dbmigrate upgrade` is the command, without `db`"),
        ("db history -v", "`cargo dbmigrate history` is the command, without `db`"),
        // Arguments that other tools omit.
        ("stamp", "dbmigrate stamp head`"),
        ("stamp --purge", "dbmigrate stamp head`"),
    ] {
        let run = host.dbmigrate(words);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{words}\n{run}");
        assert!(run.stderr.contains("tip: ") && run.stderr.contains(here), "{words}\n{run}");
        assert!(!run.stderr.contains("similar"), "{words}\n{run}");
    }
    // A word of no other tool is still corrected.
    let run = host.dbmigrate("upgrad");
    assert!(run.code == 2 && run.stderr.contains("similar subcommands exist"), "{run}");
    assert!(!host.dir.join("migrations").exists() && !host.dir.join("app.db").exists());
}

/// A command's own options come before the global ones, no line is wider than the terminal, and the
/// help ends with what one would type.
#[cfg(unix)]
#[test]
fn help_fits_the_terminal_and_ends_with_two_examples() {
    let host = Host::empty("help");
    let narrow = |args: &str| {
        // The terminal gets colours, even a dumb one with `CI` set.
        let tool = tool().display();
        let script = format!("stty rows 40 cols 60; exec {tool} dbmigrate --color never {args}");
        let mut command = host.command("sh");
        command.args(["-c", &script]).stdin(Stdio::inherit()).env("TERM", "dumb");
        let mut session = rexpect::session::spawn_command(command, Some(60_000)).unwrap();
        session.exp_eof().unwrap().replace('\r', "")
    };
    for (name, _) in commands(&host) {
        let help = narrow(&format!("{name} --help"));
        let wide = help.lines().find(|line| line.chars().count() > 60);
        assert_eq!(wide, None, "{name}\n{help}");
        let (_, examples) = help.split_once("\nExamples:\n").unwrap_or_else(|| panic!("{help}"));
        assert_eq!(examples.matches("cargo dbmigrate ").count(), 2, "{name}\n{help}");
    }
    let help = host.ok("stamp --help").stdout;
    let at = |text: &str| help.find(text).unwrap_or_else(|| panic!("{text}\n{help}"));
    let places = [
        at("--purge"),
        at("Global options:"),
        at("--url"),
        at("Package options:"),
        at("Examples:"),
    ];
    assert!(places.is_sorted(), "{help}");
}
