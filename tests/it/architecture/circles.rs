//! Files that import each other in a circle.
//!
//! A module and those in its folder count as a unit, so imports between a parent and its children
//! are free. Imports between the children of one parent, each together with its folder, must not
//! form a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{code, sources};

/// A module by the segments of its path, without `crate`.
type Module = Vec<String>;

struct Graph {
    /// Each module with what its code names: imports, and full paths.
    modules: BTreeMap<Module, Vec<Module>>,
    /// The names in a module's imports, with the modules of the crate that they come from.
    imported: BTreeMap<(Module, String), Module>,
}

/// The circles of a crate, each as a set of siblings.
pub fn circles(src: &Path) -> Vec<BTreeSet<String>> {
    let arrows = Graph::read(src).arrows();
    let siblings: BTreeSet<&Module> = arrows.iter().flat_map(|(from, to)| [from, to]).collect();
    let reachable = |from: &Module| {
        let mut seen: BTreeSet<&Module> = BTreeSet::new();
        let mut next = vec![from];
        while let Some(module) = next.pop() {
            for (_, to) in arrows.iter().filter(|(other, _)| other == module) {
                if seen.insert(to) {
                    next.push(to);
                }
            }
        }
        seen.into_iter().cloned().collect::<BTreeSet<Module>>()
    };
    let reachable: BTreeMap<&Module, BTreeSet<Module>> =
        siblings.iter().map(|module| (*module, reachable(module))).collect();
    let mut circles: BTreeSet<BTreeSet<String>> = BTreeSet::new();
    for module in siblings.iter().filter(|module| reachable[*module].contains(**module)) {
        let same = |other: &&&Module| {
            reachable[*module].contains(**other) && reachable[**other].contains(*module)
        };
        circles.insert(siblings.iter().filter(same).map(|module| module.join("::")).collect());
    }
    circles.into_iter().collect()
}

impl Graph {
    fn read(src: &Path) -> Graph {
        let mut codes = BTreeMap::new();
        for path in sources(src) {
            let relative = path.strip_prefix(src).unwrap().with_extension("");
            let mut module: Module =
                relative.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
            if module.iter().any(|part| part == "tests") {
                continue;
            }
            if module.last().is_some_and(|last| last == "mod") {
                module.pop();
            }
            if module == ["lib"] || module == ["main"] {
                module.clear();
            }
            codes.insert(module, code(&path));
        }
        let mut graph = Graph { modules: BTreeMap::new(), imported: BTreeMap::new() };
        for (module, code) in &codes {
            let is_child =
                |name: &str| codes.contains_key(&[module, &[name.to_owned()][..]].concat());
            let imports = imports(code).into_iter();
            let imports: Vec<(Module, String)> = imports
                .filter_map(|(path, alias)| Some((absolute(module, &path, is_child)?, alias)))
                .collect();
            let in_full = paths(code).into_iter();
            let in_full = in_full.filter_map(|path| absolute(module, &path, is_child));
            let named = imports.iter().map(|(path, _)| path.clone()).chain(in_full).collect();
            for (path, alias) in imports {
                graph.imported.insert((module.clone(), alias), path);
            }
            graph.modules.insert(module.clone(), named);
        }
        graph
    }

    /// The module that defines what a path names, resolved through modules that only re-export it.
    fn resolved(&self, path: &[String], left: usize) -> Module {
        let n = (0..=path.len()).rev().find(|n| self.modules.contains_key(&path[..*n]));
        let (module, rest) = path.split_at(n.unwrap_or_default());
        let Some((name, rest)) = rest.split_first() else { return module.to_vec() };
        match self.imported.get(&(module.to_vec(), name.clone())) {
            Some(target) if left > 0 => self.resolved(&[target, rest].concat(), left - 1),
            _ => module.to_vec(),
        }
    }

    /// The imports between siblings.
    fn arrows(&self) -> BTreeSet<(Module, Module)> {
        let mut arrows = BTreeSet::new();
        for (from, named) in &self.modules {
            for path in named {
                let to = self.resolved(path, 8);
                let shared = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
                // One is the parent of the other.
                if shared < from.len() && shared < to.len() {
                    arrows.insert((from[..=shared].to_vec(), to[..=shared].to_vec()));
                }
            }
        }
        arrows
    }
}

/// A path from the crate's root; `None` if it leads out of the crate.
fn absolute(module: &[String], path: &[String], is_child: impl Fn(&str) -> bool) -> Option<Module> {
    let n_up = path.iter().take_while(|part| *part == "super").count();
    match path.first()?.as_str() {
        "crate" => Some(path[1..].to_vec()),
        "self" => Some([module, &path[1..]].concat()),
        "super" => Some([module.get(..module.len().checked_sub(n_up)?)?, &path[n_up..]].concat()),
        name if is_child(name) => Some([module, path].concat()),
        _ => None,
    }
}

/// The paths of all `use` declarations, with the names that they introduce.
fn imports(code: &str) -> Vec<(Module, String)> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some((before, after)) = rest.split_once("use ") {
        let is_word = !before.ends_with(|before: char| before.is_alphanumeric() || before == '_');
        let (tree, left) = after.split_once(';').unwrap_or((after, ""));
        rest = if is_word { left } else { after };
        if is_word {
            flatten(&[], tree, &mut found);
        }
    }
    found
}

/// Splits a tree of imports into single ones.
fn flatten(prefix: &[String], tree: &str, found: &mut Vec<(Module, String)>) {
    let tree = tree.trim();
    let part = |text: &str| text.split("::").map(|part| part.trim().to_owned()).collect::<Module>();
    if let Some((head, group)) = tree.split_once('{') {
        let head = part(head.trim().trim_end_matches(':'));
        let head = head.into_iter().filter(|part| !part.is_empty());
        let prefix: Module = prefix.iter().cloned().chain(head).collect();
        let (mut depth, mut start) = (0, 0);
        let group = group.trim_end().strip_suffix('}').unwrap_or(group);
        for (at, sign) in group.char_indices().chain([(group.len(), ',')]) {
            match sign {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    flatten(&prefix, &group[start..at], found);
                    start = at + 1;
                }
                _ => {}
            }
        }
    } else if !tree.is_empty() {
        let (path, alias) = tree.split_once(" as ").unwrap_or((tree, ""));
        let mut path = [prefix, &part(path)].concat();
        if path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        let last = path.last().cloned().unwrap_or_default();
        let alias = if alias.is_empty() { last } else { alias.trim().to_owned() };
        found.push((path, alias));
    }
}

/// The paths with several segments in the code.
fn paths(code: &str) -> Vec<Module> {
    let is_part = |sign: char| sign.is_alphanumeric() || sign == '_' || sign == ':';
    let words = code.split(|sign| !is_part(sign));
    let words = words.filter(|word| word.contains("::") && !word.starts_with(':'));
    let segments = |word: &str| word.split("::").map(str::to_owned).collect::<Module>();
    words
        .map(segments)
        .map(|path| path.into_iter().filter(|part| !part.is_empty()).collect())
        .collect()
}
