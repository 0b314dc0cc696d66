//! The module with the models, as a part of the crate.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use syn::punctuated::Punctuated;
use syn::{Meta, Token};

use crate::context::Context;
use crate::edits::{self, Edit};
use crate::error::{Doing as _, Error, Result};
use crate::lines::{Lines, MARK};
use crate::project::{Project, manifest};

/// The lints about public items that models from a database can't satisfy.
const LINTS: [&str; 3] =
    ["missing_copy_implementations", "missing_debug_implementations", "missing_docs"];

/// The lint about public items in a private module, such as generated models.
const UNREACHABLE: &str = "unreachable_pub";

/// How the root file of a crate gets the module.
pub(super) struct Including {
    root: PathBuf,
    after: String,
    line: String,
}

impl Including {
    /// Includes a module before the first item.
    ///
    /// # Errors
    ///
    /// When the file can't be read.
    pub(super) fn new(cx: &Context, root: &Path, module: &str) -> Result<Including> {
        let shown = cx.project.shown(root).to_string();
        let text = fs::read_to_string(root).doing(|| format!("read `{shown}`"))?;
        let file = syn::parse_file(&text)
            .map_err(|err| Error::new(format!("`{shown}` is not valid Rust")).cause(err))?;
        let is_library = root.file_name().is_some_and(|name| name == "lib.rs");
        let turned_on = turned_on(&cx.project, &file);
        let is_public = is_library && !LINTS.iter().any(|lint| turned_on.contains(*lint));
        let line = if is_public {
            format!("pub mod {module};")
        } else if turned_on.contains(UNREACHABLE) {
            format!("#[allow({UNREACHABLE})]\nmod {module};")
        } else {
            format!("mod {module};")
        };
        let after = with_item(&text, &file, &format!("{line}\n"));
        Ok(Including { root: root.to_owned(), after, line })
    }

    pub(super) fn edit(&self) -> Edit {
        Edit::Replace { path: self.root.clone(), bytes: self.after.clone().into_bytes() }
    }

    /// What is added to the crate, in one line.
    pub(super) fn line(&self) -> String {
        self.line.replace('\n', " ")
    }
}

/// The lints that a crate turns on, in its attributes or its manifest.
fn turned_on(project: &Project, file: &syn::File) -> BTreeSet<String> {
    let read = |path: &Path| -> Option<toml::Table> { fs::read_to_string(path).ok()?.parse().ok() };
    let manifest = read(&project.manifest_path).unwrap_or_default();
    let own = manifest.get("lints");
    let is_inherited = own.and_then(|lints| lints.get("workspace")).is_some();
    let workspace = read(&project.workspace_root.join(manifest::FILE)).unwrap_or_default();
    let shared = workspace.get("workspace").and_then(|workspace| workspace.get("lints"));
    let lints = if is_inherited { shared } else { own };
    let lints = lints.and_then(|lints| lints.get("rust")).and_then(toml::Value::as_table);
    let is_on = |(_, setting): &(&String, &toml::Value)| {
        let level = setting.as_str().or_else(|| setting.get("level")?.as_str());
        level != Some("allow")
    };
    let in_manifest = lints.into_iter().flatten().filter(is_on).map(|(name, _)| name.clone());
    let in_attributes = file.attrs.iter().flat_map(|attribute| named(&attribute.meta));
    in_manifest.chain(in_attributes).collect()
}

/// The lints that an attribute turns on.
fn named(meta: &Meta) -> Vec<String> {
    let Meta::List(list) = meta else { return Vec::new() };
    // What can't be read is for the compiler to report.
    let parts = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
    let parts = parts.unwrap_or_default();
    let is = |word: &str| list.path.is_ident(word);
    if is("cfg_attr") {
        return parts.iter().skip(1).flat_map(named).collect();
    }
    let is_level = is("warn") || is("deny") || is("forbid");
    let names = parts.iter().filter_map(|part| part.path().get_ident());
    names.filter(|_| is_level).map(ToString::to_string).collect()
}

/// The text of a file with this line as its first item: after the attributes and comments of the
/// crate itself.
fn with_item(text: &str, file: &syn::File, item: &str) -> String {
    let end_of_line = |place: usize| text[place..].find('\n').map(|length| place + length + 1);
    let lines = Lines::of(text);
    let ends = file.attrs.iter().map(|attr| lines.offset(attr.bracket_token.span.close().end()));
    let (place, before, after) = match (ends.max(), &file.shebang) {
        (Some(end), _) => {
            let rest = text[end..].trim_start_matches([' ', '\t']);
            let is_alone =
                rest.is_empty() || rest.starts_with(['\r', '\n']) || rest.starts_with("//");
            match end_of_line(end) {
                Some(next) if is_alone => (next, "\n", ""),
                _ => (end, "\n\n", "\n"),
            }
        }
        (None, Some(_)) => match end_of_line(0) {
            Some(next) => (next, "\n", ""),
            None => (text.len(), "\n\n", ""),
        },
        (None, None) if text.starts_with(MARK) => (MARK.len_utf8(), "", ""),
        (None, None) => (0, "", ""),
    };
    let item = edits::in_line_breaks_of(text, format!("{before}{item}{after}"));
    format!("{}{item}{}", &text[..place], &text[place..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_is_the_first_item_of_any_crate() {
        let with = |text: &str| {
            let after = with_item(text, &syn::parse_file(text).unwrap(), "mod models;\n");
            let file = syn::parse_file(&after).unwrap();
            assert!(matches!(&file.items[0], syn::Item::Mod(item) if item.ident == "models"));
            after
        };
        for (before, after) in [
            ("", "mod models;\n"),
            ("fn main() {}\n", "mod models;\nfn main() {}\n"),
            ("//! A.\n\nfn main() {}", "//! A.\n\nmod models;\n\nfn main() {}"),
            ("//! A.\r\nfn main() {}", "//! A.\r\n\r\nmod models;\r\nfn main() {}"),
            ("#![allow(x)]", "#![allow(x)]\n\nmod models;\n\n"),
            ("#![allow(x)] // y\n", "#![allow(x)] // y\n\nmod models;\n"),
            ("#![allow(x)] fn main() {\n}\n", "#![allow(x)]\n\nmod models;\n\n fn main() {\n}\n"),
            ("/*! A\n b */ fn main() {}", "/*! A\n b */\n\nmod models;\n\n fn main() {}"),
            ("#!/bin/x\nfn main() {}", "#!/bin/x\n\nmod models;\nfn main() {}"),
            ("\u{feff}fn main() {}", "\u{feff}mod models;\nfn main() {}"),
            ("\u{feff}//! A\n", "\u{feff}//! A\n\nmod models;\n"),
            ("// L\n\r\nfn main() {}\n", "mod models;\r\n// L\n\r\nfn main() {}\n"),
        ] {
            assert_eq!(with(before), after, "{before:?}");
        }
    }

    #[test]
    fn lints_are_found_in_attributes() {
        let lints = |text: &str| {
            let file = syn::parse_file(text).unwrap();
            let lints: Vec<String> = file.attrs.iter().flat_map(|attr| named(&attr.meta)).collect();
            lints.join(" ")
        };
        assert_eq!(lints("//! A.\n#![deny(warnings)]\n#![allow(missing_docs)]"), "warnings");
        assert_eq!(lints("#![no_std]\n#![doc = \"missing_docs\"]"), "");
        assert_eq!(lints("#![warn(unused, missing_docs)]"), "unused missing_docs");
        assert_eq!(
            lints("#![cfg_attr(not(test), forbid(missing_docs), deny(clippy::all, unused))]"),
            "missing_docs unused"
        );
    }
}
