//! What shells complete of a project: revisions, labels, databases and tables.

use std::time::{Duration, Instant};

use dbmigrate_tests::{Host, Run, revision, tool};

/// A project whose revisions were recorded, except for the last one.
fn host(name: &str) -> Host {
    let mut host = Host::library(name, "");
    host.ok("init");
    let table = |name: &str| {
        format!(
            "op.create_table(Table::new({name:?}).column(Column::new(\"id\", Type::Integer)\
             .not_null()).primary_key(\"pk_{name}\", [\"id\"]));"
        )
    };
    let write = |id: &str, parents: &[&str], message: &str, upgrade: &str| {
        let text = revision(id, parents, message, upgrade, "");
        host.write(&format!("migrations/versions/m_{id}.rs"), &text);
    };
    write("a100", &[], "pets", &table("pet"));
    write("b200", &["a100"], "toys", &table("toy"));
    host.replace("migrations/versions/m_b200.rs", "BRANCH_LABELS: &[&str] = &[]", LABEL);
    host.ok("heads");
    write("c300", &["b200"], "cats", &table("cat"));
    host.ok("init --database logs");
    let path = std::env::var("PATH").unwrap();
    host.env("PATH", &format!("{}:{path}", tool().parent().unwrap().display()));
    host
}

const LABEL: &str = "BRANCH_LABELS: &[&str] = &[\"play\"]";

/// Whether the program is installed.
fn has(host: &Host, program: &str) -> bool {
    host.command(program).arg("--version").output().is_ok()
}

/// What a line may be completed to, as the scripts ask for it.
fn asked(host: &Host, line: &str) -> String {
    let mut command = host.command(tool());
    command.arg("__complete").args(line.split(' '));
    let start = Instant::now();
    let run = Run::of(&mut command);
    assert!(start.elapsed() < Duration::from_secs(5), "{line}: {:?}", start.elapsed());
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{line}: {run}");
    run.stdout
}

#[test]
fn the_words_of_a_line_tell_what_is_completed() {
    let host = host("completes-values");
    let all = "head\tthe newest revision\nheads\tall heads\nbase\tbefore the first revision\n\
               current\twhat the database is at\nplay\tbranch, from b200\nc300\tcats\nb200\ttoys\n\
               a100\tpets\n";
    for line in ["upgrade ", "cargo dbmigrate upgrade ", "cargo +nightly dbmigrate -q upgrade "] {
        assert_eq!(asked(&host, line), all, "{line}");
    }
    for (line, values) in [
        ("upgrade b", "base\tbefore the first revision\nb200\ttoys\n"),
        ("upgrade --lock-timeout 3 a", "a100\tpets\n"),
        ("upgrade --lock-timeout ", ""),
        ("upgrade a100 ", ""),
        ("upgrade -", ""),
        ("merge a100 c", "current\twhat the database is at\nc300\tcats\n"),
        ("history -r a100:c3", "a100:c300\tcats\n"),
        ("history --rev-range=a100:c3", "--rev-range=a100:c300\tcats\n"),
        ("lint a100:b", "a100:base\tbefore the first revision\na100:b200\ttoys\n"),
        ("revision --head pl", "play\tbranch, from b200\n"),
        ("revision --branch-label pl", ""),
        ("diff mi", "migrations\n"),
        ("diff models a", "a100\tpets\n"),
        (
            "--database ",
            "default\tthe database that every project has\nlogs\ta database of its own\n\
             all\teach of them\n",
        ),
        ("upgrade --database=l", "--database=logs\ta database of its own\n"),
        ("--database logs upgrade h", "head\tthe newest revision\nheads\tall heads\n"),
        ("--database logs upgrade a", ""),
        // What a revision builds is known once it was compiled.
        ("inspect --tables ", "pet\ntoy\n"),
        ("inspect --tables p", "pet\n"),
        ("", ""),
        ("upg", ""),
    ] {
        assert_eq!(asked(&host, line), values, "{line}");
    }
    let outside = Host::empty("completes-nothing");
    assert_eq!(asked(&outside, "upgrade "), "");
}

#[test]
fn bash_completes_revisions() {
    let host = host("completes-bash");
    if !has(&host, "bash") {
        return;
    }
    host.write("completions.bash", &host.ok("completions bash").stdout);
    // Bash itself is asked, as by a person who presses the tab key in the middle of a line.
    let completed = |line: &str, word: &str| {
        let script = format!(
            "source completions.bash; COMP_LINE='{line}'; COMP_POINT=${{#COMP_LINE}}; \
             COMP_WORDS=({line}); [[ $COMP_LINE == *' ' ]] && COMP_WORDS+=(''); \
             COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             spec=\"$(complete -p ${{COMP_WORDS[0]}})\"; [[ $spec =~ -F\\ ([^ ]+) ]]; \
             \"${{BASH_REMATCH[1]}}\" ${{COMP_WORDS[0]}} '{word}' \"${{COMP_WORDS[-2]}}\"; \
             echo \"${{COMPREPLY[*]}}\""
        );
        let run = Run::of(host.command("bash").args(["-c", &script]));
        assert_eq!(run.stderr, "", "{script}");
        run.stdout
    };
    for program in ["cargo-dbmigrate", "cargo dbmigrate", "cargo +nightly dbmigrate"] {
        assert_eq!(completed(&format!("{program} upgrade b"), "b"), "base b200\n", "{program}");
        assert_eq!(completed(&format!("{program} upgr"), "upgr"), "upgrade\n", "{program}");
        assert_eq!(completed(&format!("{program} upgrade --jo"), "--jo"), "--jobs\n");
        // A colon and an equals sign divide a word for bash.
        let range = completed(&format!("{program} history -r a100:b"), "b");
        assert_eq!(range, "base b200\n", "{program}");
        let database = completed(&format!("{program} upgrade --database=l"), "l");
        assert_eq!(database, "logs\n", "{program}");
    }
}

#[test]
fn fish_completes_revisions() {
    let host = host("completes-values-fish");
    if !has(&host, "fish") {
        return;
    }
    host.write("completions.fish", &host.ok("completions fish").stdout);
    for (line, expected) in [
        ("cargo-dbmigrate upgrade a1", "a100\tpets\n"),
        ("cargo dbmigrate upgrade a1", "a100\tpets\n"),
        ("cargo-dbmigrate revision --head pl", "play\tbranch, from b200\n"),
        ("cargo-dbmigrate heads --database lo", "logs\ta database of its own\n"),
    ] {
        let script = format!("source completions.fish; complete -C '{line}'");
        let run = Run::of(host.command("fish").args(["--no-config", "-c", &script]));
        assert_eq!(run.stdout, expected, "{line}\n{run}");
    }
}

/// Zsh completes only at a terminal, which `script` from util-linux provides.
#[test]
fn zsh_completes_revisions() {
    let host = host("completes-values-zsh");
    if !has(&host, "zsh") {
        return;
    }
    host.write("functions/_cargo-dbmigrate", &host.ok("completions zsh").stdout);
    // A widget that shows the line after it was completed.
    let setup = "zmodload zsh/zpty; zpty -b shell zsh -f\n\
        sent() { zpty -w -n shell \"$1\"; }\n\
        until_text() { local all= part; for _ in {1..200}; do\n  \
          if zpty -r -t shell part; then all+=$part; [[ $all == *$~1* ]] && break; \
          else sleep 0.1; fi; done; print -r -- \"$all\"; }\n\
        sent $'PS1=; fpath=($PWD/functions $fpath); autoload -U compinit; compinit -u -D\\n'\n\
        sent $'shown() { print \"\\nline<$BUFFER>\"; zle kill-whole-line }; zle -N shown\\n'\n\
        sent $'bindkey \"^X\" shown; print re\\'\\'ady\\n'\n\
        until_text ready >/dev/null\n";
    for (line, expected) in [
        ("cargo-dbmigrate upgrade a1", "line<cargo-dbmigrate upgrade a100 >"),
        ("cargo-dbmigrate revision --head pl", "line<cargo-dbmigrate revision --head play >"),
    ] {
        let script = format!("{setup}sent $'{line}\\t\\x18'\nuntil_text 'line<*>'\n");
        let run = Run::of(host.command("zsh").args(["-f", "-c", &script]));
        assert!(run.stdout.contains(expected), "{line}\n{run}");
    }
}
