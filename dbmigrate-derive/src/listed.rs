//! Checks that a list of revisions names every file next to it.
//!
//! A list that lost the newest revision, for example in a merge that kept only one side, is still
//! consistent; only the directory shows what is missing. The compiler reveals the list's file since
//! Rust 1.88. With earlier versions, and in editors that don't reveal it, nothing is compared.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::TokenStream;
use syn::parse::{Parse, ParseStream};
use syn::{Ident, LitStr, Token};

use crate::ctxt::compile_error;

/// A line of the list: a module's name, and its path if it isn't in `versions`.
struct Line {
    name: Ident,
    path: Option<LitStr>,
}

/// The list.
pub struct List(Vec<Line>);

impl Parse for List {
    fn parse(input: ParseStream<'_>) -> syn::Result<List> {
        let mut lines = Vec::new();
        while !input.is_empty() {
            let name = input.parse()?;
            let has_path = input.parse::<Option<Token![=]>>()?.is_some();
            let path = if has_path { Some(input.parse()?) } else { None };
            input.parse::<Token![;]>()?;
            lines.push(Line { name, path });
        }
        Ok(List(lines))
    }
}

/// Nothing, or an error that names the first revision file which is missing from the list.
pub fn compare(list: &List) -> TokenStream {
    let missing = list.0.first().and_then(|first| {
        let file = first.name.span().local_file()?;
        Some((first.name.span(), missing(list, file.parent()?)?))
    });
    let Some((span, missing)) = missing else { return TokenStream::new() };
    let message = format!(
        "the list of revisions in `mod.rs` lacks `{missing}`, whose file is beside the others: \
         `cargo dbmigrate migrate` brings it in line with the files"
    );
    compile_error(&syn::Error::new(span, message))
}

/// The first module that has a file next to the list's files, but no line in the list.
fn missing(list: &List, base: &Path) -> Option<String> {
    let mut listed: BTreeMap<PathBuf, BTreeSet<String>> = BTreeMap::new();
    for Line { name, path } in &list.0 {
        let dir = match path {
            None => base.join("versions"),
            Some(path) => base.join(Path::new(&path.value()).parent()?),
        };
        listed.entry(dir).or_default().insert(name.to_string());
    }
    listed.iter().find_map(|(dir, names)| {
        let is_missing = |(name, path): &(String, PathBuf)| {
            let is_revision = |text: String| text.contains("pub const REVISION");
            !names.contains(name) && fs::read_to_string(path).is_ok_and(is_revision)
        };
        modules(dir).into_iter().find(is_missing).map(|(name, _)| name)
    })
}

/// The Rust files of a directory, sorted, with the names that their modules would have.
fn modules(dir: &Path) -> Vec<(String, PathBuf)> {
    // A file that can't be read here is an error where the modules are compiled.
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let sources =
        entries.map(|entry| entry.path()).filter(|path| path.extension() == Some("rs".as_ref()));
    let mut modules: Vec<_> = sources
        .filter_map(|path| Some((path.file_stem()?.to_str()?.to_owned(), path)))
        .filter(|(name, _)| syn::parse_str::<Ident>(name).is_ok())
        .collect();
    modules.sort();
    modules
}
