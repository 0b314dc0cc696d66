//! Points of the history that a database doesn't have: requests for them are carried out, or
//! refused.

use super::host;

use dbmigrate_tests::revision;

/// The first column of the output of `current`.
fn current(host: &dbmigrate_tests::Host, url: &str) -> Vec<String> {
    let text = host.ok(&format!("current --url {url}")).stdout;
    text.lines().filter_map(|line| line.split_whitespace().next().map(str::to_owned)).collect()
}

#[test]
fn stamp_enters_the_point_that_was_named() {
    let host = host("stamp-inner");
    host.ok("squash a1:c3 --rev-id 5aaa -m first");
    for url in ["sqlite:one.db", "sqlite:behind.db"] {
        host.ok(&format!("upgrade c3 --url {url}"));
    }
    host.ok("upgrade --url sqlite:behind.db");
    for url in ["sqlite:one.db", "sqlite:behind.db"] {
        let head = current(&host, url).join(", ");
        let script = host.ok(&format!("stamp --sql b2 --url {url}")).stdout;
        assert!(script.contains("DELETE FROM \"dbmigrate_version\" WHERE id = '5aaa'"), "{script}");
        let run = host.ok(&format!("stamp b2 --url {url}"));
        assert_eq!(run.stdout, format!("Running stamp_revision {head} -> b2\n"));
        assert_eq!(current(&host, url), ["b2"]);
    }
}

#[test]
fn redo_never_ends_further_than_it_began() {
    let host = host("redo-inner");
    host.ok("upgrade b2 --url sqlite:app.db");
    host.ok("squash a1:c3 --rev-id 5aaa -m first");
    let run = host.dbmigrate("redo -n 2 --allow-destructive --url sqlite:app.db");
    assert!(run.stderr.contains("the nearest targets are `<base>` and `5aaa`"), "{run}");
    assert_eq!(current(&host, "sqlite:app.db"), ["b2"], "{run}");
    host.ok("redo --allow-destructive --url sqlite:app.db");
    assert_eq!(current(&host, "sqlite:app.db"), ["b2"]);
    // Afterwards, the squash is the same point.
    host.ok("upgrade c3 --url sqlite:app.db");
    host.ok("redo -n 3 --allow-destructive --url sqlite:app.db");
    assert_eq!(current(&host, "sqlite:app.db"), ["5aaa"]);
}

#[test]
fn undo_deletes_the_file_that_was_named_or_none() {
    let host = host("undo-inner");
    let old = host.revisions();
    host.ok("squash b2:c3 --rev-id 5aaa -m later");
    let before = host.revisions();
    for id in ["b2", "c3"] {
        let run = host.dbmigrate(&format!("undo {id} --url sqlite:none.db"));
        assert!(run.stderr.contains("is replaced by `5aaa`"), "{run}");
        assert_eq!(host.revisions(), before, "{run}");
    }
    // The old files exist, so the squash isn't needed, except by a revision that follows it by
    // name.
    host.write("migrations/versions/m_f6.rs", &revision("f6", &["5aaa"], "f6", "", ""));
    let run = host.dbmigrate("undo 5aaa --url sqlite:none.db");
    assert!(run.stderr.contains("others follow it"), "{run}");
    std::fs::remove_file(host.dir.join("migrations/versions/m_f6.rs")).unwrap();
    host.ok("undo 5aaa --url sqlite:none.db");
    assert_eq!(host.revisions(), old);
}

#[test]
fn rebase_edits_what_the_file_says_whichever_of_both_a_database_has() {
    let host = host("rebase-squashed");
    host.ok("upgrade c3 --url sqlite:old.db");
    host.ok("squash a1:c3 --rev-id 5aaa -m first");
    host.ok("upgrade c3 --url sqlite:new.db");
    // One revision was written before the squash, and the other one after it.
    host.write("migrations/versions/m_f6.rs", &revision("f6", &["c3"], "f6", "", ""));
    host.write("migrations/versions/m_f7.rs", &revision("f7", &["5aaa"], "f7", "", ""));
    for url in ["sqlite:old.db", "sqlite:new.db"] {
        for id in ["f6", "f7"] {
            let run = host.dbmigrate(&format!("rebase {id} --onto e5 --dry-run --url {url}"));
            assert!(run.stdout.contains("+pub const DOWN_REVISION: &[&str] = &[\"e5\"];"), "{run}");
        }
    }
}

#[test]
fn a_private_list_of_what_is_replaced_is_no_silent_none() {
    let host = host("replaces-private");
    host.ok("squash a1:c3 --rev-id 5aaa -m first");
    host.replace("migrations/versions/m_5aaa.rs", "pub const REPLACES", "const REPLACES");
    for _ in 0..2 {
        let run = host.fails("heads");
        assert!(run.stderr.contains("m_5aaa.rs` is private, so it is ignored"), "{run}");
    }
}

#[test]
fn show_reads_the_file_of_what_is_replaced() {
    let host = host("show-replaced");
    host.ok("squash a1:c3 --rev-id 5aaa -m first");
    for id in ["b2", "c3"] {
        let run = host.ok(&format!("show {id}"));
        assert!(run.stdout.starts_with(&format!("Rev: {id}\n")), "{run}");
        let note = format!("revision `{id}` is part of `5aaa`, which replaces it");
        assert_eq!(run.stderr.matches(&note).count(), 1, "{run}");
    }
    assert!(host.ok("show 5aaa").stdout.starts_with("Rev: 5aaa\n"));
}
