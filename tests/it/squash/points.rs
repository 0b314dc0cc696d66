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
