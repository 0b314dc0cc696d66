//! A notation for revisions, for tests of the graph.

use dbmigrate_runtime::engine::revision::Revision;

/// Parses `id<parent,parent#label!dependency=replaced,replaced` for each revision.
pub fn revisions(text: &str) -> Vec<Revision> {
    text.split_whitespace().map(revision).collect()
}

pub fn revision(text: &str) -> Revision {
    let mut parts: [Vec<String>; 5] = Default::default();
    let mut part = 0;
    for text in text.split_inclusive(['<', ',', '#', '!', '=']) {
        let name = text.trim_end_matches(['<', ',', '#', '!', '=']);
        parts[part].push(name.to_owned());
        part = match text.chars().last() {
            Some('<') => 1,
            Some('#') => 2,
            Some('!') => 3,
            Some('=') => 4,
            _ => part,
        };
    }
    let [id, parents, branch_labels, depends_on, replaces] = parts;
    // An entry that itself replaced others: `=a,b,c:a+b`.
    let replaces = replaces.iter().map(|replace| replace.replace('+', " ")).collect();
    let id = id.concat();
    let (message, file) = (format!("message of {id}"), format!("{id}.rs"));
    Revision { id, parents, branch_labels, depends_on, replaces, message, file }
}
