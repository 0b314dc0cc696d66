//! Revisions: their order, what identifiers name, and what doesn't form a graph.

mod notation;

use std::collections::BTreeSet;

use dbmigrate_runtime::Direction;
use dbmigrate_runtime::engine::plan::{downgrade_target, route, stamped, upgrade_target};
use dbmigrate_runtime::engine::revision::{Graph, Revision};
use notation::{revision, revisions};

fn graph(text: &str) -> Graph {
    Graph::new(revisions(text)).unwrap()
}

/// Two labelled branches from `b`.
const FORK: &str = "a b<a c1<b#one d1<c1 c2<b#two d2<c2";

const LINE: &str = "a100 b200<a100 b300<b200 c400<b300";

#[track_caller]
fn check(identifier: &str, applied: &[&str], expect: Result<&str, &str>) {
    let applied: BTreeSet<String> = applied.iter().map(|applied| (*applied).to_owned()).collect();
    let target = graph(LINE).target(identifier, Some(&applied));
    let shown = match &target {
        Ok(target) if target.ids().is_empty() => Ok("base".to_owned()),
        Ok(target) => Ok(target.ids().join(" ")),
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
        Err("several revisions begin with `b`:\n  b200  message of b200, in b200.rs\n  b300  \
             message of b300, in b300.rs | type more of the id"),
    );
    check(
        "+9",
        &[],
        Err(&format!(
            "`+9` goes too far: there are only 4 revisions after the starting point | \
                      {listed}"
        )),
    );
    check(
        "-1",
        &[],
        Err(&format!(
            "`-1` goes too far: there are only 0 revisions before the starting point | \
                      {listed}"
        )),
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
        let applied = applied.iter().map(|applied| (*applied).to_owned()).collect();
        let target = graph.target(to, Some(&applied)).unwrap();
        assert_eq!(route(&graph, &applied, direction, &target), expect);
    };
    let up = Direction::Upgrade;
    check(&[], up, "head", &["a100", "b200", "b300", "c400"]);
    check(&["a100"], up, "b300", &["b200", "b300"]);
    check(&["a100", "b200", "b300", "c400"], up, "head", &[]);
    check(&["a100", "b200"], up, "a100", &[]);
    // A revision that was skipped, as after a merge of branches, is applied late.
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
        "`head` means a single revision, but the history has 2 heads:\n  d  message of d, in \
         d.rs\n  e  message of e, in e.rs"
    );
    assert_eq!(graph.target("heads", None).unwrap().ids(), ["d", "e"]);
    let ids: Vec<_> = graph.revisions().iter().map(|revision| revision.id.as_str()).collect();
    assert_eq!(ids, ["a", "b", "c", "d", "e"]);
}

#[test]
fn what_is_no_graph_says_why_and_where() {
    let check = |says: &str, graph: &str, expect: &str| {
        let text = match Graph::new(revisions(graph)) {
            Ok(_) => "a graph".to_owned(),
            Err(err) => err.to_string(),
        };
        assert_eq!(text, expect, "{says}");
    };
    check(
        "44 a label used twice",
        "a#x b<a c<b#x",
        "two revisions have the branch label `x`: `a` in a.rs and `c` in c.rs",
    );
    check(
        "44 a label that is an id",
        "a b<a#a",
        "the branch label `a` of revision `b`, in b.rs, is the id of the revision in a.rs",
    );
    check(
        "44 a label with a meaning",
        "a#head",
        "`head` can't be a branch label: it is reserved, in a.rs",
    );
    check("44 a label with a sign", "a#x@y", "`x@y` can't be a branch label: `@`, in a.rs");
    check(
        "44 a label with steps",
        "a#x-2",
        "`x-2` can't be a branch label: it would mean a revision relative to `x`, in a.rs",
    );
    check("7 an id with a sign", "a-b", "`a-b` can't be a revision's id: `-`, in a-b.rs");
    check("45 a loop of one", "a<a", "revision `a` follows itself, in a.rs");
    check(
        "45 a loop of more",
        "a b<d c<b d<c e<d",
        "these revisions follow each other in a circle: `b` in b.rs, `d` in d.rs, `c` in c.rs",
    );
    check(
        "45 a loop by a merge",
        "a b<a,d c<b d<c",
        "these revisions follow each other in a circle: `b` in b.rs, `d` in d.rs, `c` in c.rs",
    );
    check("45 a dependency on itself", "a b<a!b", "revision `b` depends on itself, in b.rs");
    check("45 by its own label", "a b<a#x!x", "revision `b` depends on itself, in b.rs");
    check(
        "45 a circle of dependencies",
        "a b<a!d c d<c!b",
        "these revisions need each other in a circle: `b` in b.rs, `d` in d.rs",
    );
    check(
        "45 on what follows it",
        "a!b b<a",
        "these revisions need each other in a circle: `a` in a.rs, `b` in b.rs",
    );
    check(
        "18 a parent that isn't there",
        "b<a",
        "revision `b` follows `a`, which this project does not have, in b.rs",
    );
    check(
        "57 a dependency that isn't there",
        "b!a",
        "revision `b` depends on `a`, which this project does not have, in b.rs",
    );
    check("46 no loop", "a1 a<a1 a11<a", "a graph");
}

#[test]
fn a_hint_says_how_to_name_one_of_several() {
    let check = |asks: &str, (graph, applied): (&str, &str), expect: &str| {
        let graph = Graph::new(revisions(graph)).unwrap();
        let applied: Vec<&str> = applied.split_whitespace().collect();
        let applied = graph.with_ancestors(&applied).into_iter().map(str::to_owned).collect();
        let err = graph.target(asks, Some(&applied)).unwrap_err();
        assert_eq!(err.get_hint().unwrap_or_default(), expect, "{asks}: {err}");
    };
    check(
        "head",
        (FORK, ""),
        "name one of them (`one@head`, `two@head`), use `heads` for all, or make one head of them: \
         `cargo dbmigrate merge` joins them, `cargo dbmigrate rebase` puts one after the other",
    );
    check(
        "one@head",
        ("a b<a#one c<b d<b", ""),
        "name one of them (`c`, `d`), use `one@heads` for all, or make one head of them: `cargo \
         dbmigrate merge` joins them, `cargo dbmigrate rebase` puts one after the other",
    );
    check(
        "head",
        ("a1 b1<a1 a2 b2<a2", ""),
        "name one of them (`b1`, `b2`), use `heads` for all, or make one head of them: `cargo \
         dbmigrate merge` joins them, `cargo dbmigrate rebase` puts one after the other",
    );
    check("+1", (FORK, "b"), "name one of them (`one@+1`, `two@+1`)");
    check("-1", (FORK, "d1 d2"), "count from one of them: `d1@-1`, `d2@-1`");
    check(
        "f-3",
        ("a b<a c1<b d1<c1 c2<b d2<c2 e<d1,d2 f<e", ""),
        "count from one of them: `d1-1`, `d2-1`",
    );
    check("nope@head", (FORK, ""), "the branch labels are `one`, `two`");
    check(
        "nope@head",
        ("a b<a", ""),
        "no revision has a branch label; --branch-label adds one to a new revision",
    );
    check(
        "one@d2",
        (FORK, ""),
        "`cargo dbmigrate history -r one@base:one@heads` lists those that \
                                 are",
    );
}

/// 47: a history like that of a team over years, with branches, merges and dependencies.
#[test]
fn a_large_history_is_in_order_and_every_way_leads_there() {
    let mut all = Vec::new();
    let mut heads: Vec<String> = Vec::new();
    // A fixed sequence, so that the history is always the same.
    let mut seed = 7_u64;
    let mut next = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    for n in 0..300 {
        let id = format!("r{n}");
        let older = |at: usize, all: &[Revision]| all[at].id.clone();
        let mut other = Revision { file: format!("f{}", next(1000)), ..revision(&id) };
        match next(10) {
            _ if heads.is_empty() => {}
            0 if heads.len() < 4 => {}
            1 | 2 if heads.len() < 4 => other.parents.push(older(next(all.len()), &all)),
            3 | 4 if heads.len() > 1 => other.parents.extend(heads.iter().take(2).cloned()),
            _ => other.parents.push(heads[next(heads.len())].clone()),
        }
        if n > 0 && next(12) == 0 {
            other.depends_on.push(older(next(all.len()), &all));
        }
        heads.retain(|head| !other.parents.contains(head));
        heads.push(id);
        all.push(other);
    }
    let graph = Graph::new(all.clone()).unwrap();
    assert_eq!(graph.revisions().len(), 300);
    for revision in graph.revisions() {
        let at = graph.position(&revision.id).unwrap();
        let needs = revision.parents.iter().chain(&revision.depends_on);
        assert!(needs.into_iter().all(|id| graph.position(id).unwrap() < at), "{}", revision.id);
    }
    let none = BTreeSet::new();
    for revision in graph.revisions() {
        let target = upgrade_target(&graph, &none, &revision.id).unwrap();
        let up = route(&graph, &none, Direction::Upgrade, &target);
        let applied: BTreeSet<String> = up.iter().cloned().collect();
        let back = downgrade_target(&graph, &applied, "base").unwrap();
        let down = route(&graph, &applied, Direction::Downgrade, &back);
        assert!(up.iter().rev().eq(down.iter()), "{}", revision.id);
        assert!(stamped(&graph, &none, &target) == applied, "{}", revision.id);
    }
}
