//! Checks at compile time that a list of revisions contains every revision that its members need.
//!
//! From within the list nobody can notice a missing revision that no other revision needs, such as
//! the newest one. The macro `assert_listed` compares the list with the files when it is compiled,
//! and `cargo dbmigrate check` does so whenever it runs.

use crate::migration::Module;

/// The maximum length of a name in the message, in bytes.
const WIDTH: usize = 400;

/// Fails to compile if a revision follows, or depends on, a revision that isn't in the list.
pub const fn assert_complete(modules: &[Module]) {
    // The tool compiles only the new revisions, and checks the whole history itself.
    if cfg!(feature = "runner") {
        return;
    }
    let mut at = 0;
    while at < modules.len() {
        assert_all_known(modules, at, modules[at].down_revision);
        assert_all_known(modules, at, modules[at].depends_on);
        at += 1;
    }
}

const fn assert_all_known(modules: &[Module], at: usize, names: &[&str]) {
    let mut idx = 0;
    while idx < names.len() {
        if !is_known(modules, at, names[idx]) {
            let (text, len) = message(modules[at].name, names[idx]);
            let (text, _) = text.split_at(len);
            match std::str::from_utf8(text) {
                Ok(text) => panic!("{}", text),
                Err(_) => panic!("the list of revisions in `mod.rs` lacks one"),
            }
        }
        idx += 1;
    }
}

/// Whether the name is a revision in the list, a revision that one of them replaces, or a branch
/// label.
const fn is_known(modules: &[Module], at: usize, name: &str) -> bool {
    // Files are sorted by time, so a revision's parent is usually the entry before it.
    let mut distance = 1;
    while distance < modules.len() {
        let (before, after) = (at.checked_sub(distance), at + distance);
        if let Some(before) = before {
            if is_same(modules[before].revision, name) {
                return true;
            }
        }
        if after < modules.len() && is_same(modules[after].revision, name) {
            return true;
        }
        distance += 1;
    }
    let mut idx = 0;
    while idx < modules.len() {
        if has_word(modules[idx].replaces, name) || has_word(modules[idx].branch_labels, name) {
            return true;
        }
        idx += 1;
    }
    false
}

/// Whether one of the texts contains the word. A text is an id, or a list such as `c3: a1 b2`.
const fn has_word(texts: &[&str], word: &str) -> bool {
    let mut idx = 0;
    while idx < texts.len() {
        let text = texts[idx].as_bytes();
        let (mut begin, mut end) = (0, 0);
        while end <= text.len() {
            if end == text.len() || matches!(text[end], b' ' | b':') {
                let (before, _) = text.split_at(end);
                let (_, part) = before.split_at(begin);
                if is_equal(part, word.as_bytes()) {
                    return true;
                }
                begin = end + 1;
            }
            end += 1;
        }
        idx += 1;
    }
    false
}

const fn is_same(one: &str, two: &str) -> bool {
    is_equal(one.as_bytes(), two.as_bytes())
}

const fn is_equal(one: &[u8], two: &[u8]) -> bool {
    if one.len() != two.len() {
        return false;
    }
    let mut idx = 0;
    while idx < one.len() {
        if one[idx] != two[idx] {
            return false;
        }
        idx += 1;
    }
    true
}

/// The compiler's message and its length.
const fn message(module: &str, needed: &str) -> ([u8; WIDTH], usize) {
    let parts = [
        "the list of revisions in `mod.rs` lacks `",
        needed,
        "`, which `",
        module,
        "` follows or depends on: `cargo dbmigrate migrate` brings it in line with the files",
    ];
    let (mut text, mut len, mut part) = ([0; WIDTH], 0, 0);
    while part < parts.len() {
        let bytes = parts[part].as_bytes();
        let mut idx = 0;
        while idx < bytes.len() && len < WIDTH {
            text[len] = bytes[idx];
            (idx, len) = (idx + 1, len + 1);
        }
        part += 1;
    }
    (text, len)
}

#[cfg(all(test, not(feature = "runner")))]
mod tests {
    use super::*;

    fn module(
        revision: &'static str,
        down_revision: &'static [&'static str],
        replaces: &'static [&'static str],
    ) -> Module {
        Module {
            name: revision,
            revision,
            down_revision,
            branch_labels: &["blog"],
            depends_on: &[],
            replaces,
            message: "",
            upgrade: |_| {},
            downgrade: |_| {},
        }
    }

    #[test]
    fn a_list_that_lacks_what_a_revision_needs_is_refused() {
        assert_complete(&[]);
        let second = module("b2", &["a1"], &[]);
        assert_complete(&[second, module("a1", &[], &[])]);
        // The file of `x` is gone, and another revision replaces it.
        assert_complete(&[second, module("s", &[], &["c3: x a1"])]);
        assert_complete(&[Module { depends_on: &["blog"], down_revision: &[], ..second }]);
        let err = std::panic::catch_unwind(|| assert_complete(&[second])).unwrap_err();
        assert_eq!(
            err.downcast_ref::<String>().map(String::as_str),
            Some(
                "the list of revisions in `mod.rs` lacks `a1`, which `b2` follows or depends on: \
                 `cargo dbmigrate migrate` brings it in line with the files"
            )
        );
    }
}
