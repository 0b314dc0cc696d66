//! Revisions that replace others: which of the two a database has, and what runs on it.

#[path = "../notation/mod.rs"]
mod notation;
#[cfg(feature = "sqlite")]
mod on_sqlite;

use std::collections::BTreeSet;

use dbmigrate_runtime::engine::revision::Graph;
use expect_test::{Expect, expect};
use notation::revisions;

/// `s` replaces `a b c`; `z` comes before it, `d` after it.
const WHOLE: &str = "z a<z b<a c<b s<z=a,b,c d<c";
/// The same without the replaced files.
const DELETED: &str = "z s<z=a,b,c d<s";
/// `t` replaces all of them, including `s`.
const TWICE: &str = "z a<z b<a c<b s<z=a,b,c d<c t<z=a,b,c,s:a+b+c,d e<d";

fn set(ids: &str) -> BTreeSet<String> {
    ids.split_whitespace().map(str::to_owned).collect()
}

/// The history from a database's point of view: `id<parent` of each, and what is applied of it.
fn view(text: &str, applied: &str) -> String {
    let graph = Graph::new(revisions(text)).unwrap();
    let view = match graph.view(set(applied)) {
        Ok(view) => view,
        Err(err) => return format!("{err}\n  hint: {}", err.get_hint().unwrap_or_default()),
    };
    let one = |revision: &dbmigrate_runtime::engine::revision::Revision| match revision
        .parents
        .as_slice()
    {
        [] => revision.id.clone(),
        parents => format!("{}<{}", revision.id, parents.join(",")),
    };
    let ids: Vec<String> = view.of.revisions().iter().map(one).collect();
    let joined = |ids: Vec<String>| ids.join(" ");
    let mut shown = format!("{} | {}", ids.join(" "), joined(view.applied.into_iter().collect()));
    for (by, rows) in view.counted {
        shown += &format!(" | {by} for {}", rows.join(" "));
    }
    shown
}

#[track_caller]
fn views(text: &str, applied: &[&str], expect: Expect) {
    let lines = applied.iter().map(|applied| format!("[{applied}] {}\n", view(text, applied)));
    expect.assert_eq(&lines.collect::<String>());
}

#[test]
fn a_database_has_either_what_is_replaced_or_what_replaces_it() {
    views(
        WHOLE,
        &["", "z", "z a", "z a b c", "z a b c d", "z s", "z s d", "z x", "z a s"],
        expect![[r#"
            [] z s<z d<s | 
            [z] z s<z d<s | z
            [z a] z a<z b<a c<b d<c | a z
            [z a b c] z a<z b<a c<b d<c | a b c z
            [z a b c d] z a<z b<a c<b d<c | a b c d z
            [z s] z s<z d<s | s z
            [z s d] z s<z d<s | d s z
            [z x] z s<z d<s | x z
            [z a s] the database has revision `s` applied, and also `a`, which it replaces, in s.rs
              hint: if the database matches `s`, `cargo dbmigrate stamp --purge s` marks only that revision as applied
        "#]],
    );
}

#[test]
fn without_the_old_files_all_of_them_count_as_what_replaces_them() {
    views(
        DELETED,
        &["", "z", "z a b", "z a b c", "z a b c d", "z s d", "z c"],
        expect![[r#"
            [] z s<z d<s | 
            [z] z s<z d<s | z
            [z a b] only some of the revisions that `s` replaces are applied (the database has `a`, `b`, and lacks `c`), and their files no longer exist, in s.rs
              hint: restore the files, for example from version control, upgrade this database, and delete them again; if the database matches `s`, `cargo dbmigrate stamp --verify s` marks it as applied
            [z a b c] z s<z d<s | s z | s for a b c
            [z a b c d] z s<z d<s | d s z | s for a b c
            [z s d] z s<z d<s | d s z
            [z c] only some of the revisions that `s` replaces are applied (the database has `c`, and lacks `a`, `b`), and their files no longer exist, in s.rs
              hint: restore the files, for example from version control, upgrade this database, and delete them again; if the database matches `s`, `cargo dbmigrate stamp --verify s` marks it as applied
        "#]],
    );
    // Only some of the files exist.
    views(
        "z b<a c<b s<z=a,b,c d<c",
        &["", "z a b c", "z a"],
        expect![[r#"
            [] z s<z d<s | 
            [z a b c] z s<z d<s | s z | s for a b c
            [z a] only some of the revisions that `s` replaces are applied (the database has `a`, and lacks `b`, `c`), and their files no longer exist, in s.rs
              hint: restore the files, for example from version control, upgrade this database, and delete them again; if the database matches `s`, `cargo dbmigrate stamp --verify s` marks it as applied
        "#]],
    );
}

#[test]
fn what_replaces_may_be_replaced_itself() {
    let applied = ["z", "z a", "z a b c", "z a b c d", "z s", "z s d", "z s d e", "z t e"];
    views(
        TWICE,
        &applied,
        expect![[r#"
        [z] z t<z e<t | z
        [z a] z a<z b<a c<b d<c e<d | a z
        [z a b c] z a<z b<a c<b d<c e<d | a b c z
        [z a b c d] z a<z b<a c<b d<c e<d | a b c d z
        [z s] z s<z d<s e<d | s z
        [z s d] z s<z d<s e<d | d s z
        [z s d e] z s<z d<s e<d | d e s z
        [z t e] z t<z e<t | e t z
    "#]],
    );
    // Neither the first files nor `s` exist any more, only `d`.
    views(
        "z d<c t<z=a,b,c,s:a+b+c,d e<d",
        &applied,
        expect![[r#"
            [z] z t<z e<t | z
            [z a] only some of the revisions that `t` replaces are applied (the database has `a`, and lacks `b`, `c`, `d`), and their files no longer exist, in t.rs
              hint: restore the files, for example from version control, upgrade this database, and delete them again; if the database matches `t`, `cargo dbmigrate stamp --verify t` marks it as applied
            [z a b c] only some of the revisions that `t` replaces are applied (the database has `a`, `b`, `c`, and lacks `d`), and their files no longer exist, in t.rs
              hint: restore the files, for example from version control, upgrade this database, and delete them again; if the database matches `t`, `cargo dbmigrate stamp --verify t` marks it as applied
            [z a b c d] z t<z e<t | t z | t for a b c d
            [z s] only some of the revisions that `t` replaces are applied (the database has `s`, and lacks `d`), and their files no longer exist, in t.rs
              hint: restore the files, for example from version control, upgrade this database, and delete them again; if the database matches `t`, `cargo dbmigrate stamp --verify t` marks it as applied
            [z s d] z t<z e<t | t z | t for s d
            [z s d e] z t<z e<t | e t z | t for s d
            [z t e] z t<z e<t | e t z
        "#]],
    );
    // The first files no longer exist, but `s` does.
    views(
        "z s<z=a,b,c d<c t<z=a,b,c,s:a+b+c,d e<d",
        &applied,
        expect![[r#"
            [z] z t<z e<t | z
            [z a] only some of the revisions that `t` replaces are applied (the database has `a`, and lacks `b`, `c`, `d`), and their files no longer exist, in t.rs
              hint: restore the files, for example from version control, upgrade this database, and delete them again; if the database matches `t`, `cargo dbmigrate stamp --verify t` marks it as applied
            [z a b c] z s<z d<s e<d | s z | s for a b c
            [z a b c d] z s<z d<s e<d | d s z | s for a b c
            [z s] z s<z d<s e<d | s z
            [z s d] z s<z d<s e<d | d s z
            [z s d e] z s<z d<s e<d | d e s z
            [z t e] z t<z e<t | e t z
        "#]],
    );
    // None of the files exist any more; a database that lacks one in the middle still counts.
    let applied = ["z", "z a b c", "z a b c d", "z s d", "z s", "z a c d", "z t"];
    views(
        "z t<z=a,b,c,s:a+b+c,d e<t",
        &applied,
        expect![[r#"
            [z] z t<z e<t | z
            [z a b c] only some of the revisions that `t` replaces are applied (the database has `a`, `b`, `c`, and lacks `d`), and their files no longer exist, in t.rs
              hint: restore the files, for example from version control, upgrade this database, and delete them again; if the database matches `t`, `cargo dbmigrate stamp --verify t` marks it as applied
            [z a b c d] z t<z e<t | t z | t for a b c d
            [z s d] z t<z e<t | t z | t for s d
            [z s] only some of the revisions that `t` replaces are applied (the database has `s`, and lacks `d`), and their files no longer exist, in t.rs
              hint: restore the files, for example from version control, upgrade this database, and delete them again; if the database matches `t`, `cargo dbmigrate stamp --verify t` marks it as applied
            [z a c d] only some of the revisions that `t` replaces are applied (the database has `a`, `c`, `d`, and lacks `b`), and their files no longer exist, in t.rs
              hint: restore the files, for example from version control, upgrade this database, and delete them again; if the database matches `t`, `cargo dbmigrate stamp --verify t` marks it as applied
            [z t] z t<z e<t | t z
        "#]],
    );
}

#[test]
fn two_that_follow_each_other_are_each_for_itself() {
    let applied = ["", "a", "a b", "a b c", "a b c d", "s", "s c", "s t", "a b t"];
    views(
        "a b<a c<b d<c s=a,b t<b=c,d e<d",
        &applied,
        expect![[r#"
        [] s t<s e<t | 
        [a] a b<a t<b e<t | a
        [a b] a b<a t<b e<t | a b
        [a b c] a b<a c<b d<c e<d | a b c
        [a b c d] a b<a c<b d<c e<d | a b c d
        [s] s t<s e<t | s
        [s c] s c<s d<c e<d | c s
        [s t] s t<s e<t | s t
        [a b t] a b<a t<b e<t | a b t
    "#]],
    );
    // The files of the first squash no longer exist.
    views(
        "c<b d<c s=a,b t<s=c,d e<t",
        &applied,
        expect![[r#"
            [] s t<s e<t | 
            [a] only some of the revisions that `s` replaces are applied (the database has `a`, and lacks `b`), and their files no longer exist, in s.rs
              hint: restore the files, for example from version control, upgrade this database, and delete them again; if the database matches `s`, `cargo dbmigrate stamp --verify s` marks it as applied
            [a b] s t<s e<t | s | s for a b
            [a b c] s c<s d<c e<d | c s | s for a b
            [a b c d] s c<s d<c e<d | c d s | s for a b
            [s] s t<s e<t | s
            [s c] s c<s d<c e<d | c s
            [s t] s t<s e<t | s t
            [a b t] s t<s e<t | s t | s for a b
        "#]],
    );
}

/// What identifiers name from the point of view of a database.
#[track_caller]
fn names(text: &str, applied: &str, identifiers: &[&str], expect: Expect) {
    let graph = Graph::new(revisions(text)).unwrap();
    let view = graph.view(set(applied)).unwrap();
    let mut shown = String::new();
    for identifier in identifiers {
        let target = match view.of.target(identifier, Some(&view.applied)) {
            Ok(target) if target.ids().is_empty() => "base".to_owned(),
            Ok(target) => target.ids().join(" "),
            Err(err) => format!("{err}\n  hint: {}", err.get_hint().unwrap_or_default()),
        };
        let part = view.of.replaced_by(identifier);
        let part = part.map_or(String::new(), |(id, by)| format!(" ({id} is part of {})", by.id));
        shown += &format!("{identifier}: {target}{part}\n");
    }
    expect.assert_eq(&shown);
}

#[test]
fn a_replaced_id_names_what_is_in_its_place() {
    let text = "z9 a1<z9 b1<a1#left c1<b1 s1<z9#left=a1,b1,c1 d1<c1";
    let identifiers =
        ["a1", "b", "c1", "s1", "c1+1", "b1+1", "left", "left@head", "a1@head", "head-1", "+1"];
    names(
        text,
        "z9",
        &identifiers,
        expect![[r#"
        a1: s1 (a1 is part of s1)
        b: s1 (b1 is part of s1)
        c1: s1
        s1: s1
        c1+1: d1
        b1+1: revision `b1` was replaced by `s1` and can no longer be targeted, in s1.rs
          hint: the nearest targets are `z9` and `s1` (b1 is part of s1)
        left: s1
        left@head: d1
        a1@head: d1
        head-1: s1
        +1: s1
    "#]],
    );
    names(
        text,
        "z9 a1 b1",
        &identifiers,
        expect![[r#"
        a1: a1
        b: b1
        c1: c1
        s1: c1
        c1+1: d1
        b1+1: c1
        left: b1
        left@head: d1
        a1@head: d1
        head-1: c1
        +1: c1
    "#]],
    );
}

#[track_caller]
fn refused(text: &str, expect: Expect) {
    let err = Graph::new(revisions(text)).unwrap_err();
    expect.assert_eq(&format!("{err}\n  hint: {}", err.get_hint().unwrap_or_default()));
}

#[test]
fn what_can_not_replace_says_why() {
    refused(
        "a b<a c<b s=a,b,c x<b",
        expect![[r#"
        revision `x` follows `b`, which `s` in s.rs replaces together with what follows it, in x.rs
          hint: make it follow `c`, or delete the file of `s` if no database has it applied"#]],
    );
    refused(
        "a b<a c<b s=a,b,c t<a=b,c",
        expect![[r#"
        two revisions replace `b`: `s` in s.rs and `t` in t.rs
          hint: delete the file of the one that no database has applied, and squash again if needed"#]],
    );
    refused(
        "a b<a s=a,b,s",
        expect![[r#"
        revision `s` replaces itself, in s.rs
          hint: correct its `REPLACES`"#]],
    );
    // The list of a revision that replaces another one has to contain all of it.
    refused(
        "a b<a s=a,b c<b t=s,c",
        expect![[r#"
        revision `t` replaces `s`, but not everything that this one replaces, in t.rs
          hint: its `REPLACES` has to contain `a`, `b`, and `s: a b`"#]],
    );
}

/// Files whose id was edited: each would be silently ignored in favour of the replacing revision.
#[test]
fn a_file_that_has_the_id_of_a_replaced_revision_is_not_passed_over() {
    // After the squash, directly and further on; and on another branch.
    refused(
        "z s<z=a,b,c b<s",
        expect![[r#"
        revision `b` in b.rs follows `s`, so it is not the revision `b` that `s` in s.rs replaces
          hint: give it another id, in `REVISION` and in the file's name; or correct the `REPLACES` of `s`"#]],
    );
    refused(
        "z s<z=a,b,c d<s c<d",
        expect![[r#"
        revision `c` in c.rs follows `d`, so it is not the revision `c` that `s` in s.rs replaces
          hint: give it another id, in `REVISION` and in the file's name; or correct the `REPLACES` of `s`"#]],
    );
    refused(
        "z y<z s<z=a,b,c a<y",
        expect![[r#"
        revision `a` in a.rs follows `y`, so it is not the revision `a` that `s` in s.rs replaces
          hint: give it another id, in `REVISION` and in the file's name; or correct the `REPLACES` of `s`"#]],
    );
    refused(
        "s=a,b t<s=c,d a<t",
        expect![[r#"
        revision `a` in a.rs follows `t`, so it is not the revision `a` that `s` in s.rs replaces
          hint: give it another id, in `REVISION` and in the file's name; or correct the `REPLACES` of `s`"#]],
    );
    // A file at the right place is recognised under each name that its parents have.
    for text in [WHOLE, DELETED, TWICE, "a b<a s=a,b c<b d<c t<s=c,d", "s=a,b c<s d<c t<b=c,d"] {
        assert!(Graph::new(revisions(text)).is_ok(), "{text}");
    }
}

#[test]
fn dependencies_and_branches_follow_what_replaces() {
    let text = "a b<a#left c<a#right d<b,c s#left,right=a,b,c,d x!b y<x!left";
    views(
        text,
        &["", "a b"],
        expect![[r#"
        [] s x y<x | 
        [a b] a b<a c<a d<b,c x y<x | a b
    "#]],
    );
}

#[test]
fn what_is_replaced_is_named_in_the_order_of_the_history() {
    // The last one is the point that others follow: otherwise `d` would run here without `b` and
    // `c`.
    for text in ["a b<a c<b s=c,b,a d<s", "a b<a c<b s=b,a d<s", "a b<a s=a,b,b", "s=a,,b"] {
        assert!(Graph::new(revisions(text)).is_err(), "{text}");
    }
}
