//! Revisions as text, for tests of the graph.

use dbmigrate_runtime::revision::Revision;

/// `id<parent,parent#label!dependency`, one after the other.
pub fn revisions(text: &str) -> Vec<Revision> {
    text.split_whitespace().map(revision).collect()
}

pub fn revision(text: &str) -> Revision {
    let mut parts: [Vec<String>; 4] = Default::default();
    let mut part = 0;
    for it in text.split_inclusive(['<', ',', '#', '!']) {
        let name = it.trim_end_matches(['<', ',', '#', '!']);
        parts[part].push(name.to_owned());
        part = match it.chars().last() {
            Some('<') => 1,
            Some('#') => 2,
            Some('!') => 3,
            _ => part,
        };
    }
    let [id, parents, branch_labels, depends_on] = parts;
    let id = id.concat();
    let (message, file) = (format!("message of {id}"), format!("{id}.rs"));
    Revision { id, parents, branch_labels, depends_on, message, file }
}
