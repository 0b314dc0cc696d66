//! Revisions: their order, what identifiers name, and what makes no graph.

use std::collections::BTreeSet;

use dbmigrate_runtime::Direction;
use dbmigrate_runtime::plan::route;
use dbmigrate_runtime::revision::{Graph, Revision};

/// `a`, `b<a`, `c<a,b`: ids with their parents.
fn revisions(text: &str) -> Vec<Revision> {
    let revision = |it: &str| {
        let (id, parents) = it.trim().split_once('<').unwrap_or((it.trim(), ""));
        Revision {
            id: id.to_owned(),
            parents: parents.split(',').filter(|it| !it.is_empty()).map(str::to_owned).collect(),
            message: format!("message of {id}"),
            file: format!("{id}.rs"),
            ..Revision::default()
        }
    };
    text.split(' ').map(revision).collect()
}

fn graph(text: &str) -> Graph {
    Graph::new(revisions(text)).unwrap()
}

const LINE: &str = "a100 b200<a100 b300<b200 c400<b300";

#[track_caller]
fn check(identifier: &str, applied: &[&str], expect: Result<&str, &str>) {
    let applied: BTreeSet<String> = applied.iter().map(|it| (*it).to_owned()).collect();
    let target = graph(LINE).target(identifier, Some(&applied));
    let shown = match &target {
        Ok(it) if it.ids().is_empty() => Ok("base".to_owned()),
        Ok(it) => Ok(it.ids().join(" ")),
        Err(err) => Err(format!("{err} | {}", err.get_hint().unwrap_or_default())),
    };
    assert_eq!(shown, expect.map(str::to_owned).map_err(str::to_owned));
}

#[test]
fn identifiers_name_revisions() {
    let applied = ["a100", "b200"];
    check("head", &applied, Ok("c400"));
    check("heads", &applied, Ok("c400"));
    check("base", &applied, Ok("base"));
    check("current", &applied, Ok("b200"));
    check("current", &[], Ok("base"));
    check("b200", &applied, Ok("b200"));
    check("c", &applied, Ok("c400"));
    check("+1", &applied, Ok("b300"));
    check("+2", &applied, Ok("c400"));
    check("+1", &[], Ok("a100"));
    check("-1", &applied, Ok("a100"));
    check("-2", &applied, Ok("base"));
    check("head-1", &applied, Ok("b300"));
    check("head-4", &applied, Ok("base"));
    check("base+1", &applied, Ok("a100"));
    check("a100+2", &applied, Ok("b300"));
    check("c4-1", &applied, Ok("b300"));
}

#[test]
fn identifiers_that_name_nothing_say_so() {
    let listed = "`cargo dbmigrate history` lists them";
    check("nope", &[], Err(&format!("no revision `nope` in this project | {listed}")));
    check(
        "b",
        &[],
        Err(
            "several revisions begin with `b`:\n  b200  message of b200, in b200.rs\n  b300  message \
             of b300, in b300.rs | give more of the id",
        ),
    );
    check(
        "+9",
        &[],
        Err(&format!("`+9` goes too far: there are only 4 revisions after its start | {listed}")),
    );
    check(
        "-1",
        &[],
        Err(&format!("`-1` goes too far: there are only 0 revisions before its start | {listed}")),
    );
    check("", &[], Err("the revision's identifier is empty | "));
}

#[test]
fn what_is_no_graph_names_the_files() {
    let check = |text: &str, expect: &str| {
        assert_eq!(Graph::new(revisions(text)).unwrap_err().to_string(), expect);
    };
    check("b<a", "revision `b` follows `a`, which this project does not have, in b.rs");
    check("a<a", "revision `a` follows itself, in a.rs");
    check(
        "a b<a c<d d<c",
        "these revisions follow each other in a circle: `c` in c.rs, `d` in d.rs",
    );
    let mut twice = revisions("a b<a");
    twice[1].id = "a".to_owned();
    let err = Graph::new(twice).unwrap_err();
    assert_eq!(err.to_string(), "two revisions have the id `a`: a.rs and b.rs");
    assert!(err.get_hint().is_some());
}

#[test]
fn a_route_takes_what_is_between() {
    let graph = graph(LINE);
    let check = |applied: &[&str], direction, to: &str, expect: &[&str]| {
        let applied = applied.iter().map(|it| (*it).to_owned()).collect();
        let target = graph.target(to, Some(&applied)).unwrap();
        assert_eq!(route(&graph, &applied, direction, &target), expect);
    };
    let up = Direction::Upgrade;
    check(&[], up, "head", &["a100", "b200", "b300", "c400"]);
    check(&["a100"], up, "b300", &["b200", "b300"]);
    check(&["a100", "b200", "b300", "c400"], up, "head", &[]);
    check(&["a100", "b200"], up, "a100", &[]);
    // One that was skipped, as after a merge of branches, is applied late.
    check(&["a100", "b300"], up, "head", &["b200", "c400"]);
    let down = Direction::Downgrade;
    check(&["a100", "b200", "b300"], down, "a100", &["b300", "b200"]);
    check(&["a100", "b200"], down, "base", &["b200", "a100"]);
    check(&["a100", "b200"], down, "-1", &["b200"]);
}

#[test]
fn heads_of_a_fork_are_several() {
    let graph = graph("a b<a c<a d<b,c e<a");
    assert_eq!(graph.heads(), ["d", "e"]);
    let err = graph.target("head", None).unwrap_err();
    assert_eq!(
        err.to_string(),
        "`head` names one revision, and the history has 2 heads:\n  d  message of d, in d.rs\n  e  message of e, in e.rs"
    );
    assert_eq!(graph.target("heads", None).unwrap().ids(), ["d", "e"]);
    let ids: Vec<_> = graph.revisions().iter().map(|it| it.id.as_str()).collect();
    assert_eq!(ids, ["a", "b", "c", "d", "e"]);
}
