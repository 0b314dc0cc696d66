//! Points of the history that a database doesn't have: what is asked for is done, or refused.

use super::host;

/// The first column of what `current` prints.
fn current(host: &dbmigrate_tests::Host, url: &str) -> Vec<String> {
    let text = host.ok(&format!("current --url {url}")).stdout;
    text.lines().filter_map(|it| it.split_whitespace().next().map(str::to_owned)).collect()
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
fn redo_never_ends_behind_where_it_began() {
    let host = host("redo-inner");
    host.ok("upgrade b2 --url sqlite:app.db");
    host.ok("squash a1:c3 --rev-id 5aaa -m first");
    let run = host.dbmigrate("redo -n 2 --allow-destructive --url sqlite:app.db");
    assert!(run.stderr.contains("the next points are `<base>` and `5aaa`"), "{run}");
    assert_eq!(current(&host, "sqlite:app.db"), ["b2"], "{run}");
    host.ok("redo --allow-destructive --url sqlite:app.db");
    assert_eq!(current(&host, "sqlite:app.db"), ["b2"]);
    // After it the squash is the same point.
    host.ok("upgrade c3 --url sqlite:app.db");
    host.ok("redo -n 3 --allow-destructive --url sqlite:app.db");
    assert_eq!(current(&host, "sqlite:app.db"), ["5aaa"]);
}
