//! Commands that run on a revision file after it is written.

use dbmigrate_tests::Host;
use expect_test::expect;

/// A host with these hooks in its settings, and an empty history in a directory with a space.
fn host(name: &str, hooks: &str) -> Host {
    let host = Host::library(name, "");
    host.ok("init -d \"my migrations\"");
    host.write("my migrations/dbmigrate.toml", &format!("file_template = \"m_{{rev}}\"\n{hooks}"));
    host
}

const REVISION: &str = "revision -d \"my migrations\" --rev-id a1";

#[test]
fn hooks_run_in_order_on_what_is_written() {
    // The first hook gets the path where it asks for it, the others at the end.
    let host = host(
        "hooks",
        r#"
        [[post_write_hooks]]
        name = "stamp"
        command = ["sh", "-c", "echo \"// 1 $1 $2\" >> \"$0\"; echo printed", "{path}", "file={path}", "$(x)"]
        [[post_write_hooks]]
        command = ["./two", "a b"]
        cwd = "tools/my own"
        [[post_write_hooks]]
        command = ["rustfmt", "--edition", "2024"]
        "#,
    );
    host.write("tools/my own/two", "#!/bin/sh\necho \"// 2 $PWD $1 $HOOK\" >> \"$2\"\n");
    assert_eq!(
        host.command("chmod").args(["+x", "tools/my own/two"]).status().unwrap().code(),
        Some(0)
    );
    let mut command = host.command(dbmigrate_tests::tool());
    command.env("HOOK", "variable");
    command.args(["revision", "-d", "my migrations", "--rev-id", "a1"]);
    let run = dbmigrate_tests::Run::of(&mut command);
    assert_eq!(run.code, 0, "{run}");
    expect![[r#"
        Generating my migrations/versions/m_a1.rs ... done
        Running post write hook `stamp` ... done
        Running post write hook `./two` ... done
        Running post write hook `rustfmt` ... done
    "#]]
    .assert_eq(&run.stdout);
    assert_eq!(run.stderr, "printed\n");
    let text = host.read("my migrations/versions/m_a1.rs");
    let comments: Vec<&str> =
        text.lines().filter(|line| line.starts_with("// ") && !line.contains("used by")).collect();
    let path = host.dir.join("my migrations/versions/m_a1.rs").display().to_string();
    let dir = host.dir.join("tools/my own").display().to_string();
    assert_eq!(comments, [format!("// 1 file={path} $(x)"), format!("// 2 {dir} a b variable")]);

    // A dry run writes nothing and runs no hook.
    let run = host.ok("revision -d \"my migrations\" --dry-run");
    assert!(!run.stdout.contains("Running") && run.stderr.is_empty(), "{run}");
    // Every command that writes a revision runs the hooks; standard output only contains its
    // document.
    host.ok("revision -d \"my migrations\" --rev-id b2 --head base --splice");
    let run = host.ok("merge -d \"my migrations\" --rev-id c3 --format json");
    assert!(run.stdout.starts_with("{\n") && run.stdout.ends_with("}\n"), "{run}");
    assert!(host.read("my migrations/versions/m_c3.rs").contains("// 2 "));
    // Only the output of a failing hook is shown.
    let run = host.ok("revision -q -d \"my migrations\" --rev-id d4");
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
    assert!(host.read("my migrations/versions/m_d4.rs").contains("// 2 "));
}

/// The project is restored, but the text of the revision isn't lost.
#[test]
fn a_hook_that_fails_is_named_and_leaves_no_revision() {
    let fails = |hook: &str| {
        let hooks = format!(
            "[[post_write_hooks]]\n{hook}\n[[post_write_hooks]]\ncommand = [\"touch\", \"ran\"]\n"
        );
        let host = host("failing-hook", &hooks);
        let run = host.fails(REVISION);
        assert_eq!(run.stdout, "Generating my migrations/versions/m_a1.rs ... done\n");
        assert_eq!(host.list("my migrations/versions"), Vec::<String>::new());
        assert!(!host.read("my migrations/mod.rs").contains("m_a1"));
        assert!(!host.dir.join("ran").exists());
        let copy = run.stderr.split_once("kept in `").unwrap().1.split_once('`').unwrap().0;
        assert!(std::fs::read_to_string(copy).unwrap().contains("REVISION: &str = \"a1\""));
        let directory = copy.trim_end_matches("refused/m_a1.rs").to_owned();
        let quiet = host.fails("revision -q -d \"my migrations\" --rev-id a1");
        let without_notes = |text: &str| {
            let lines = text.lines().filter(|line| !line.starts_with("note: "));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(without_notes(&quiet.stderr), without_notes(&run.stderr));
        host.plain(&run.stderr.replace(&directory, "$WORK/"))
    };
    expect![[r#"
        out
        err
        note: since the command failed, these files were restored: `my migrations/versions/m_a1.rs`, `my migrations/mod.rs`
        error: the post write hook `sh` failed on `my migrations/versions/m_a1.rs`: exit status: 7
          hint: correct the hook under `post_write_hooks` in my migrations/dbmigrate.toml, then run the command again; the text of the revision was kept in `$WORK/refused/m_a1.rs`
    "#]]
    .assert_eq(&fails("command = [\"sh\", \"-c\", \"echo out; echo err >&2; exit 7\"]"));
    expect![[r#"
        note: since the command failed, these files were restored: `my migrations/versions/m_a1.rs`, `my migrations/mod.rs`
        error: the post write hook `format` failed on `my migrations/versions/m_a1.rs`: there is no program `no-such-formatter`
          hint: correct the hook under `post_write_hooks` in my migrations/dbmigrate.toml, then run the command again; the text of the revision was kept in `$WORK/refused/m_a1.rs`
    "#]]
    .assert_eq(&fails("name = \"format\"\ncommand = [\"no-such-formatter\"]"));
    expect![[r#"
        note: since the command failed, these files were restored: `my migrations/versions/m_a1.rs`, `my migrations/mod.rs`
        error: the post write hook `./no-such-script` failed on `my migrations/versions/m_a1.rs`: there is no program `./no-such-script`
          hint: correct the hook under `post_write_hooks` in my migrations/dbmigrate.toml, then run the command again; the text of the revision was kept in `$WORK/refused/m_a1.rs`
    "#]]
    .assert_eq(&fails("command = [\"./no-such-script\"]\ncwd = \"src\""));
    expect![[r#"
        note: since the command failed, these files were restored: `my migrations/versions/m_a1.rs`, `my migrations/mod.rs`
        error: the post write hook `true` failed on `my migrations/versions/m_a1.rs`: there is no directory `$HOST/nowhere`
          hint: correct the hook under `post_write_hooks` in my migrations/dbmigrate.toml, then run the command again; the text of the revision was kept in `$WORK/refused/m_a1.rs`
    "#]]
    .assert_eq(&fails("command = [\"true\"]\ncwd = \"nowhere\""));
}

#[test]
fn a_hook_that_can_t_be_one_is_refused_before_anything_is_written() {
    let fails = |hook: &str| {
        let host = host("no-hook", &format!("[[post_write_hooks]]\n{hook}\n"));
        let run = host.fails(REVISION);
        assert!(host.list("my migrations/versions").is_empty());
        let text = host.plain(&run.stderr);
        text.lines().next().unwrap().to_owned()
    };
    expect!["error: failed to read the configuration at $HOST/my migrations/dbmigrate.toml:3:11: a command begins with the name of a program"].assert_eq(&fails("command = []"));
    expect![[r#"error: failed to read the configuration at $HOST/my migrations/dbmigrate.toml:3:11: invalid type: string "rustfmt", expected a sequence"#]]
    .assert_eq(&fails("command = \"rustfmt\""));
    expect!["error: failed to read the configuration at $HOST/my migrations/dbmigrate.toml:2:1: missing field `command`"].assert_eq(&fails("name = \"rustfmt\""));
    expect!["error: failed to read the configuration at $HOST/my migrations/dbmigrate.toml:4:1: unknown field `shell`, expected one of `name`, `command`, `cwd`"].assert_eq(&fails("command = [\"rustfmt\"]\nshell = true"));
}
