//! How the graph is traversed, as data: the name of each entry says what it shows. The numbers are
//! those in tests/BEHAVIOURS.md.

mod notation;

use std::collections::BTreeSet;

use dbmigrate_runtime::engine::plan::{downgrade_target, route, stamped, upgrade_target};
use dbmigrate_runtime::engine::revision::Graph;
use dbmigrate_runtime::{Direction, Error};
use notation::revisions;

fn words<'a>(ids: impl IntoIterator<Item = &'a str>) -> String {
    let ids: Vec<&str> = ids.into_iter().collect();
    if ids.is_empty() { "nothing".to_owned() } else { ids.join(" ") }
}

/// A request, given the applied revisions (with all that they need), and the expected result.
struct Case {
    number: u32,
    says: &'static str,
    graph: &'static str,
    applied: &'static str,
    asks: &'static str,
    gives: &'static str,
}

const fn case(
    number: u32,
    says: &'static str,
    (graph, applied): (&'static str, &'static str),
    asks: &'static str,
    gives: &'static str,
) -> Case {
    Case { number, says, graph, applied, asks, gives }
}

fn answer(case: &Case) -> Result<String, Error> {
    let graph = Graph::new(revisions(case.graph))?;
    let applied: Vec<&str> = case.applied.split_whitespace().collect();
    let applied: BTreeSet<String> =
        graph.with_ancestors(&applied).into_iter().map(str::to_owned).collect();
    let (command, rest) = case.asks.split_once(' ').unwrap_or((case.asks, ""));
    let on_the_way = |direction, target| {
        let ids = route(&graph, &applied, direction, &target);
        words(ids.iter().map(String::as_str))
    };
    Ok(match command {
        "upgrade" => on_the_way(Direction::Upgrade, upgrade_target(&graph, &applied, rest)?),
        "downgrade" => on_the_way(Direction::Downgrade, downgrade_target(&graph, &applied, rest)?),
        "stamp" => {
            let identifiers: Vec<String> = rest.split_whitespace().map(str::to_owned).collect();
            let target = graph.targets(&identifiers, Some(&applied))?;
            words(graph.current(&stamped(&graph, &applied, &target)))
        }
        "name" => words(graph.target(rest, Some(&applied))?.ids()),
        "heads" => words(graph.heads()),
        "rival-heads" => words(graph.rival_heads()),
        "real-heads" => words(graph.real_heads()),
        "current" => words(graph.current(&applied)),
        "order" => words(graph.revisions().iter().map(|revision| revision.id.as_str())),
        "labels" => words(graph.labels(rest).iter().map(String::as_str)),
        "dependencies" => {
            words(graph.get(rest).map(|revision| graph.dependencies(revision)).unwrap_or_default())
        }
        other => panic!("{other}"),
    })
}

#[track_caller]
fn check(cases: &[Case]) {
    let mut wrong = String::new();
    for case in cases {
        let given = answer(case).unwrap_or_else(|err| format!("error: {err}"));
        if given != case.gives {
            wrong += &format!(
                "{} {}\n  {} on {} at `{}`\n  expected: {}\n  found:    {given}\n",
                case.number, case.says, case.asks, case.graph, case.applied, case.gives
            );
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

const LINE: &str = "a b<a c<b d<c e<d";
/// Two labelled branches from `b`.
const FORK: &str = "a b<a c1<b#one d1<c1 c2<b#two d2<c2";
/// The same, merged.
const MERGED: &str = "a b<a c1<b d1<c1 c2<b d2<c2 e<d1,d2 f<e";
/// Two trees.
const FOREST: &str = "a1 b1<a1 a2 b2<a2";
/// A tree whose second revision depends on the second one of another tree, by id and by label.
const NEEDS: &str = "a1 b1<a1#lib c1<b1 a2#shop b2<a2!b1 c2<b2!lib";

#[test]
fn a_line() {
    check(&[
        case(19, "an upgrade takes what is between", (LINE, "c"), "upgrade e", "d e"),
        case(19, "from nothing it takes all", (LINE, ""), "upgrade c", "a b c"),
        case(20, "two forward", (LINE, "a"), "upgrade +2", "b c"),
        case(20, "one forward", (LINE, "a"), "upgrade +1", "b"),
        case(20, "two after a revision", (LINE, "a"), "upgrade b+2", "b c d"),
        case(20, "two before a revision", (LINE, "a"), "upgrade d-2", "b"),
        case(
            21,
            "an upgrade doesn't count back",
            (LINE, "c"),
            "upgrade -2",
            "error: cannot upgrade to `-2`",
        ),
        case(
            21,
            "an upgrade past the end says how many there are",
            (LINE, "b"),
            "upgrade +5",
            "error: `+5` goes too far: there are only 3 revisions after the starting point",
        ),
        case(22, "one back", (LINE, "c"), "downgrade -1", "c"),
        case(22, "three back", (LINE, "e"), "downgrade -3", "e d c"),
        case(22, "down to two after a revision", (LINE, "e"), "downgrade b+2", "e"),
        case(22, "down to two before a revision", (LINE, "e"), "downgrade d-2", "e d c"),
        case(
            23,
            "a downgrade doesn't count forward",
            (LINE, "c"),
            "downgrade +2",
            "error: cannot downgrade to `+2`",
        ),
        case(
            23,
            "a downgrade too far says how many there are",
            (LINE, "c"),
            "downgrade -5",
            "error: `-5` goes too far: there are only 3 revisions before the starting point",
        ),
        case(24, "a downgrade to where one is does nothing", (LINE, "c"), "downgrade c", "nothing"),
        case(24, "also at the head", (LINE, "e"), "downgrade e", "nothing"),
        case(
            25,
            "a downgrade doesn't lead forward",
            (LINE, "b"),
            "downgrade d",
            "error: cannot downgrade to `d`: revision `d` is not applied",
        ),
        case(26, "down to the base from nothing", (LINE, ""), "downgrade base", "nothing"),
        case(
            27,
            "one back from nothing is too far",
            (LINE, ""),
            "downgrade -1",
            "error: `-1` goes too far: there are only 0 revisions before the starting point",
        ),
        case(19, "an upgrade to what is applied does nothing", (LINE, "c"), "upgrade b", "nothing"),
        case(
            19,
            "an upgrade doesn't lead to the base",
            (LINE, "c"),
            "upgrade base",
            "error: cannot upgrade to `base`",
        ),
    ]);
}

#[test]
fn branches() {
    check(&[
        case(
            28,
            "one forward from two heads is ambiguous",
            (FORK, "c1 c2"),
            "upgrade +1",
            "error: `+1` names several revisions:\n  c1 (one)  message of c1, in c1.rs\n  \
             c2 (two)  message of c2, in c2.rs",
        ),
        case(
            28,
            "one forward from a branch point is ambiguous",
            (FORK, "b"),
            "upgrade +1",
            "error: `+1` names several revisions:\n  c1 (one)  message of c1, in c1.rs\n  \
             c2 (two)  message of c2, in c2.rs",
        ),
        case(
            29,
            "one back from two heads is ambiguous",
            (FORK, "d1 d2"),
            "downgrade -1",
            "error: `-1` names several revisions:\n  d1 (one)  message of d1, in d1.rs\n  \
             d2 (two)  message of d2, in d2.rs",
        ),
        case(30, "one forward on a branch", (FORK, "c1 c2"), "upgrade one@+1", "d1"),
        case(30, "forward on a branch not begun", (FORK, "d2"), "upgrade one@+1", "c1"),
        case(30, "forward on a branch from nothing", (FORK, ""), "upgrade one@+2", "a b"),
        case(30, "to the head of a branch", (FORK, "b"), "upgrade two@head", "c2 d2"),
        case(30, "one before a branch's head", (FORK, "b"), "upgrade one@head-1", "c1"),
        case(30, "one back on a branch", (FORK, "d1 d2"), "downgrade one@-1", "d1"),
        case(30, "all back on a branch", (FORK, "d1 d2"), "downgrade one@-2", "d1 c1"),
        case(30, "one back from a revision's branch", (FORK, "d1 d2"), "downgrade d1@-1", "d1"),
        case(
            30,
            "counted from the base of a branch",
            (FORK, "d1 d2"),
            "downgrade one@base+3",
            "d1",
        ),
        case(30, "up from the base of a branch", (FORK, ""), "upgrade one@base+3", "a b c1"),
        case(
            30,
            "what is below a branch isn't the branch's to undo",
            (FORK, "d2"),
            "downgrade one@-1",
            "error: no revision of the branch `one` is applied",
        ),
        case(
            31,
            "down to the branch point on one branch",
            (FORK, "d1 d2"),
            "downgrade one@b",
            "d1 c1",
        ),
        case(32, "down below both branches", (FORK, "d1 d2"), "downgrade base+2", "d2 d1 c2 c1"),
        case(32, "down to the branch point", (FORK, "d1 d2"), "downgrade b", "d2 d1 c2 c1"),
        case(31, "down on one branch leaves the other", (FORK, "d1 d2"), "downgrade c1", "d1"),
        case(19, "an upgrade to one branch leaves the other", (FORK, "b"), "upgrade d1", "c1 d1"),
        case(56, "heads of two people", ("a b<a c<a", ""), "rival-heads", "b c"),
        case(56, "on one of the branches", ("a b<a#x c<b d<b e<a#y", ""), "rival-heads", "c d"),
        case(56, "branches with labels are meant", (FORK, ""), "rival-heads", "nothing"),
        case(34, "heads takes all branches", (FORK, "c1"), "upgrade heads", "c2 d1 d2"),
        case(
            43,
            "head of a forked history is ambiguous",
            (FORK, ""),
            "upgrade head",
            "error: `head` means a single revision, but the history has 2 heads:\n  d1 (one)  \
             message of d1, in d1.rs\n  d2 (two)  message of d2, in d2.rs",
        ),
        case(38, "a stamp down past a branch point", (FORK, "d1 d2"), "stamp b", "b"),
        case(38, "a stamp down on one branch", (FORK, "d1 d2"), "stamp one@b", "d2"),
        case(60, "a stamp leaves the other branch", (FORK, "d1 d2"), "stamp c1", "c1 d2"),
        case(60, "a stamp of another branch adds it", (FORK, "c1"), "stamp d2", "c1 d2"),
        case(
            60,
            "a stamp of several, from what is before them",
            (FORK, "a"),
            "stamp c1 d2",
            "c1 d2",
        ),
        case(60, "a stamp of several that are applied", (FORK, "d1 d2"), "stamp d1 d2", "d1 d2"),
        case(62, "a stamp to the base", (FORK, "d1 d2"), "stamp base", "nothing"),
        case(
            60,
            "the base is not stamped with others",
            (FORK, "d1"),
            "stamp base c1",
            "error: `base` can't be combined with other revisions",
        ),
    ]);
}

#[test]
fn merges_and_forests() {
    let uneven = "a b1<a c1<b1 b2<a d<c1,b2";
    check(&[
        case(33, "up over a merge", (MERGED, "b"), "upgrade f", "c1 c2 d1 d2 e f"),
        case(33, "down over a merge, the reverse", (MERGED, "f"), "downgrade b", "f e d2 d1 c2 c1"),
        case(33, "back before a merge is before nothing else", (MERGED, "e"), "downgrade -1", "e"),
        case(33, "to one side of a merge", (MERGED, "e"), "downgrade d1", "e"),
        case(33, "down on one side of a merge", (MERGED, "e"), "downgrade c1", "e d1"),
        case(
            33,
            "back over a merge is ambiguous",
            (MERGED, "e"),
            "downgrade -2",
            "error: `-2` names several revisions:\n  d1  message of d1, in d1.rs\n  d2  message \
             of d2, in d2.rs",
        ),
        case(33, "an uneven merge", (uneven, ""), "upgrade d", "a b1 b2 c1 d"),
        case(33, "the missing side of a merge", (MERGED, "d1"), "upgrade e", "c2 d2 e"),
        case(39, "a stamp up over a merge", (MERGED, "c1 d2"), "stamp f", "f"),
        case(39, "a stamp down over a merge", (MERGED, "f"), "stamp d1 d2", "d1 d2"),
        case(34, "heads of a forest", (FOREST, ""), "upgrade heads", "a1 a2 b1 b2"),
        case(34, "heads where one tree is there", (FOREST, "b1"), "upgrade heads", "a2 b2"),
        case(34, "the base of a forest", (FOREST, "b1 b2"), "downgrade base", "b2 b1 a2 a1"),
        case(31, "the base of one tree", (FOREST, "b1 b2"), "downgrade b1@base", "b1 a1"),
        case(31, "a tree's first revision", (FOREST, "b1 b2"), "downgrade a1", "b1"),
        case(
            34,
            "one forward from nothing, in a forest",
            (FOREST, ""),
            "upgrade +1",
            "error: `+1` names several revisions:\n  a1  message of a1, in a1.rs\n  a2  message \
             of a2, in a2.rs",
        ),
        case(34, "one forward from nothing, in a tree", (FOREST, ""), "upgrade b2@+1", "a2"),
        case(40, "a stamp to heads when there", (FOREST, "b1 b2"), "stamp heads", "b1 b2"),
        case(40, "a stamp to heads", (FOREST, "a1"), "stamp heads", "b1 b2"),
    ]);
}

#[test]
fn dependencies() {
    let implied = "a b<a c<b!a d<c!b!x x y<x!a z<d,y!c";
    check(&[
        case(35, "a dependency by id comes first", (NEEDS, ""), "upgrade b2", "a1 a2 b1 b2"),
        case(35, "a dependency by label", (NEEDS, "a2"), "upgrade shop@head", "a1 b1 b2 c2"),
        case(35, "what isn't needed stays out", (NEEDS, ""), "upgrade a2", "a2"),
        case(36, "down from a dependent leaves it", (NEEDS, "c2"), "downgrade a2", "c2 b2"),
        case(36, "and so does one back on the branch", (NEEDS, "c2"), "downgrade shop@-1", "c2"),
        case(36, "all of a branch leaves it", (NEEDS, "c2"), "downgrade shop@base", "c2 b2 a2"),
        case(36, "what is needed takes its dependents", (NEEDS, "c2"), "downgrade a1", "c2 b2 b1"),
        case(36, "a stamp leaves it", (NEEDS, "c2"), "stamp a2", "a2 b1"),
        case(37, "a parent's is implied", (implied, ""), "dependencies c", "nothing"),
        case(37, "an ancestor's is implied", (implied, ""), "dependencies d", "x"),
        case(37, "one in another tree stays", (implied, ""), "dependencies y", "a"),
        case(
            37,
            "a merge's are implied by either side",
            (implied, ""),
            "dependencies z",
            "nothing",
        ),
        case(49, "heads have none that follow", (NEEDS, ""), "heads", "c1 c2"),
        case(49, "what is depended upon is no real head", ("a b!a", ""), "real-heads", "b"),
        case(49, "but a head", ("a b!a", ""), "heads", "a b"),
        case(
            49,
            "a head that depends on the others is the head",
            ("a b!a", ""),
            "upgrade head",
            "a b",
        ),
        case(
            49,
            "what only another branch depends on is not before the branch's head",
            ("a#x b<a c<a d!b", ""),
            "name x@head",
            "error: `x@head` means a single revision, but the branch has 2 heads:\n  b (x)  \
             message of b, in b.rs\n  c (x)  message of c, in c.rs",
        ),
        case(53, "current has every head and the dependency", (NEEDS, "c2"), "current", "b1 c2"),
        case(54, "a dependency counts as applied", ("a b!a", "b"), "current", "a b"),
    ]);
}

#[test]
fn identifiers() {
    let ids = "abc1 abc2<abc1 abd1<abc1#two x1<abd1";
    check(&[
        case(41, "an unambiguous beginning", (ids, ""), "name x", "x1"),
        case(
            41,
            "an ambiguous beginning lists the candidates",
            (ids, ""),
            "name abc",
            "error: several revisions begin with `abc`:\n  abc1  message of abc1, in abc1.rs\n  \
             abc2  message of abc2, in abc2.rs",
        ),
        case(41, "a beginning within a branch", (ids, ""), "name two@abd", "abd1"),
        case(41, "the branch makes it unambiguous", (ids, ""), "name x1@abc", "abc1"),
        case(
            41,
            "an unknown one",
            (ids, ""),
            "name nope",
            "error: no revision `nope` in this project",
        ),
        case(41, "a label names its revision", (ids, ""), "name two", "abd1"),
        case(
            42,
            "a revision that isn't on the branch",
            (ids, ""),
            "name two@abc2",
            "error: revision `abc2` is not on the branch `two`",
        ),
        case(
            42,
            "a beginning that isn't on the branch",
            ("a1 b1<a1#one c2<a1", ""),
            "name one@c",
            "error: revision `c2` is not on the branch `one`",
        ),
        case(42, "what a branch grew from is on it", (ids, ""), "name two@abc1", "abc1"),
        case(
            43,
            "an unknown branch",
            (ids, ""),
            "name nope@head",
            "error: no branch `nope` in this project",
        ),
        case(
            43,
            "a branch without revision",
            (ids, ""),
            "name two@",
            "error: `two@` names a branch, but no revision on it",
        ),
        case(43, "a branch by a revision", (ids, ""), "name abd@head", "x1"),
        case(43, "heads of a branch", (ids, ""), "name abc1@heads", "abc2 x1"),
        case(
            43,
            "a forked branch has several heads",
            ("a#x b<a c<a", ""),
            "name x@head",
            "error: `x@head` means a single revision, but the branch has 2 heads:\n  b (x)  \
             message of b, in b.rs\n  c (x)  message of c, in c.rs",
        ),
        case(43, "a branch by its label", (ids, ""), "name two@head", "x1"),
        case(
            43,
            "a range is no revision",
            (ids, ""),
            "name a:b",
            "error: `a:b` is a range, but a single revision is expected",
        ),
        case(43, "an empty project's head is the base", ("", ""), "name head", "nothing"),
        case(20, "steps from current", (ids, "abc1"), "name two@current+1", "abd1"),
        case(41, "a label with a sign in it", ("a b<a#shop-cart", ""), "name shop-cart@head", "b"),
        case(41, "and a step after it", ("a b<a#shop-cart", ""), "name shop-cart-1", "a"),
        case(10, "labels are those of what follows", (FORK, ""), "labels d1", "one"),
        case(
            10,
            "and of what is before, to the fork",
            ("a b<a c<b d<c#x e<b", ""),
            "labels c",
            "x",
        ),
        case(10, "not the fork's", ("a b<a c<b d<c#x e<b", ""), "labels b", "nothing"),
        case(10, "a merge has both", ("a b<a#x c<a#y d<b,c", ""), "labels d", "x y"),
        case(46, "ids within one another are no loop", ("a b<aa aa<a", ""), "order", "a aa b"),
    ]);
}
