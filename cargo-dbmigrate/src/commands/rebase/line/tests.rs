//! Which revisions are moved, in histories that git creates from two people's work.

use super::*;

/// One revision per line as `id: parents`; `!` marks a dependency, `#` a label.
fn graph(lines: &[&str]) -> Graph {
    let revision = |line: &&str| {
        let (id, words) = line.split_once(':').unwrap();
        let with = |sign: char| {
            let words = words.split_whitespace().filter_map(|word| word.strip_prefix(sign));
            words.map(str::to_owned).collect::<Vec<_>>()
        };
        let is_parent = |text: &&str| !text.starts_with(['!', '#']);
        Revision {
            id: id.to_owned(),
            parents: words.split_whitespace().filter(is_parent).map(str::to_owned).collect(),
            depends_on: with('!'),
            branch_labels: with('#'),
            ..Revision::default()
        }
    };
    Graph::new(lines.iter().map(revision).collect()).unwrap()
}

fn moved(graph: &Graph, id: &str, onto: &str) -> std::result::Result<String, String> {
    let onto = &graph.get(onto).unwrap().id;
    let line = Line::of(graph, id, onto).map_err(|err| err.to_string())?;
    // The result of moving a line must be a graph.
    let all = graph.revisions().iter().cloned().map(|revision| {
        if revision.id == line.first.id {
            Revision { parents: vec![onto.clone()], ..revision }
        } else {
            revision
        }
    });
    let after = Graph::new(all.collect()).unwrap();
    assert!(line.moved.iter().all(|moved| after.follows(moved, onto)));
    Ok(format!("{}: {}", line.first.id, line.moved.join(" ")))
}

#[track_caller]
fn refused(graph: &Graph, id: &str, onto: &str, why: &str) {
    let err = moved(graph, id, onto).unwrap_err();
    assert!(err.contains(why), "{err}");
}

#[test]
fn a_line_is_what_the_other_head_lacks() {
    let history = graph(&["a:", "b:a", "c:a", "d:c", "e:d", "n:"]);
    for id in ["c", "d", "e"] {
        assert_eq!(moved(&history, id, "b"), Ok("c: c d e".to_owned()));
    }
    assert_eq!(moved(&history, "b", "e"), Ok("b: b".to_owned()));
    // A line with a base of its own.
    assert_eq!(moved(&history, "n", "b"), Ok("n: n".to_owned()));
    assert_eq!(moved(&history, "b", "n"), Ok("a: a b c d e".to_owned()));
    refused(&history, "b", "b", "can't be moved after itself");
    refused(&history, "a", "b", "`b` needs revision `a`");
    refused(&history, "b", "c", "revision `c` is not a head");
    refused(&history, "e", "c", "revision `e` already follows `c`: nothing to rebase");
}

#[test]
fn merges_and_dependencies_make_no_circle() {
    // A line with a merge of something that the other line also has.
    let history = graph(&["a:", "b:a", "c:a", "h:b", "m:c b", "x:m"]);
    assert_eq!(moved(&history, "x", "h"), Ok("c: c m x".to_owned()));
    refused(&history, "x", "b", "revision `x` already follows `b`");
    // A line that starts with a merge of shared revisions, and one that starts twice.
    let history = graph(&["a:", "b:a", "c:a", "m:b c", "h:b c", "p:a", "q:a", "z:p q"]);
    assert_eq!(moved(&history, "m", "h"), Ok("m: m".to_owned()));
    refused(&history, "z", "h", "the line of `z` begins at several revisions");
    assert_eq!(moved(&history, "p", "h"), Ok("p: p z".to_owned()));
    // A dependency of the other head stays where it is.
    let history = graph(&["a:", "b:a !c", "c:a", "d:c"]);
    assert_eq!(moved(&history, "d", "b"), Ok("d: d".to_owned()));
    refused(&history, "c", "b", "`b` needs revision `c`");
    assert_eq!(moved(&history, "b", "d"), Ok("b: b".to_owned()));
}

#[test]
fn without_a_name_labels_and_several_heads_leave_it_open() {
    let names = |lines: &[Line<'_>]| lines.iter().map(Line::command).collect::<Vec<_>>().join("\n");
    let two = graph(&["a:", "b:a", "c:a", "n: #net"]);
    assert_eq!(
        names(&candidates(&two, None).unwrap()),
        "cargo dbmigrate rebase b --onto c\ncargo dbmigrate rebase c --onto b"
    );
    assert_eq!(names(&candidates(&two, Some("c")).unwrap()), "cargo dbmigrate rebase b --onto c");
    assert_eq!(only_other_head(&two, "b").unwrap(), "c");
    let err = |result: Result<Vec<Line<'_>>>| result.unwrap_err().to_string();
    assert!(err(candidates(&two, Some("n"))).contains("the heads are kept apart"));

    let labelled = graph(&["a:", "b:a #left", "c:a"]);
    assert!(err(candidates(&labelled, None)).contains("the heads are kept apart"));
    assert_eq!(only_other_head(&labelled, "b").unwrap(), "c");
    assert_eq!(moved(&labelled, "b", "c"), Ok("b: b".to_owned()));

    let three = graph(&["a:", "b:a", "c:a", "d:a"]);
    assert!(err(candidates(&three, None)).contains("several lines that could move"));
    assert!(err(candidates(&three, Some("d"))).contains("several lines that could move"));
    let err = only_other_head(&three, "b").unwrap_err().to_string();
    assert!(err.contains("cargo dbmigrate rebase b --onto c\n"), "{err}");
    let err = only_other_head(&three, "a").unwrap_err().to_string();
    assert!(err.contains("all heads need revision `a`"), "{err}");

    let one = graph(&["a:"]);
    let err = only_other_head(&one, "a").unwrap_err().to_string();
    assert!(err.contains("there is only one head, `a`, so there is nothing to rebase"), "{err}");
    assert!(candidates(&Graph::default(), None).is_err());
}
