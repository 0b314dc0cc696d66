//! A person's file, with what is inserted into it.

use std::collections::BTreeSet;
use std::ops::Range;

use proc_macro2::LineColumn;
use similar::TextDiff;
use syn::ext::IdentExt as _;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::derives::{self, Enum};
use crate::edits;
use crate::lines::Lines;

/// The derives of generated code.
const DERIVES: [&str; 2] = ["Model", "ColumnType"];

/// A file and the edits of it, which change no other text.
pub(super) struct SourceFile {
    text: String,
    runtime: String,
    structs: Vec<Place>,
    enums: Vec<Enum>,
    /// The names of its items and imports.
    names: BTreeSet<String>,
    /// The derives that it imports.
    imported: BTreeSet<String>,
    edits: Vec<(Range<usize>, String)>,
}

/// Where a struct gets more fields.
pub(super) struct Place {
    name: String,
    /// The line of the name.
    name_line: usize,
    /// Whether it is in a module of the file, which doesn't have the file's imports.
    pub(super) is_inside: bool,
    /// The closing brace.
    brace: usize,
    /// The beginning of its line, if nothing else is on it.
    line: Option<usize>,
    /// What follows the closing brace.
    end: usize,
    /// Where a comma is missing after the last field.
    comma: Option<usize>,
    /// The indentation of the struct.
    outer: String,
    /// The indentation of its fields.
    inner: String,
    /// The names of its fields.
    pub(super) fields: Vec<String>,
    /// Its derives that an enum of a field needs as well.
    pub(super) derives: Vec<String>,
}

impl SourceFile {
    /// `runtime` is the name of the runtime's crate.
    pub(super) fn new(text: String, runtime: &str) -> SourceFile {
        let mut reader = Reader {
            lines: Lines::of(&text),
            depth: 0,
            structs: Vec::new(),
            enums: Vec::new(),
            names: BTreeSet::new(),
        };
        let mut imported = BTreeSet::new();
        // What can't be parsed has no places.
        if let Ok(file) = syn::parse_file(&text) {
            reader.visit_file(&file);
            for item in &file.items {
                match item {
                    // One with a condition is not always there.
                    syn::Item::Use(item) if item.attrs.is_empty() => {
                        imported.extend(derives_of(&item.tree, runtime));
                    }
                    _ => {}
                }
            }
        }
        let Reader { structs, enums, names, .. } = reader;
        let runtime = runtime.to_owned();
        SourceFile { structs, enums, names, imported, runtime, edits: Vec::new(), text }
    }

    /// The names that new items can't have.
    pub(super) fn names(&self) -> impl Iterator<Item = &String> {
        self.names.iter()
    }

    /// The enums for enumerations of the database.
    pub(super) fn enums(&self) -> impl Iterator<Item = &Enum> {
        self.enums.iter()
    }

    /// The place of a struct by its name and the line of that, which is 0 if it is unknown; `None`
    /// if it isn't there, as where a macro writes it.
    pub(super) fn place(&self, name: &str, line: u32) -> Option<&Place> {
        let is_it = |place: &&Place| {
            place.name == name && (line == 0 || usize::try_from(line) == Ok(place.name_line))
        };
        let mut found = self.structs.iter().filter(is_it);
        found.next().filter(|_| found.next().is_none())
    }

    /// Adds items at the end.
    pub(super) fn append(&mut self, code: &str) {
        let code = self.qualified(code, &self.imported);
        let end = self.text.len();
        let is_first = !self.edits.iter().any(|(range, _)| range.end == end);
        let ending = if is_first && !self.text.ends_with('\n') { "\n" } else { "" };
        let gap = if is_first && self.text.is_empty() { "" } else { "\n" };
        let ending = if self.text.is_empty() { "" } else { ending };
        self.insert(end..end, &format!("{ending}{gap}{code}"));
    }

    /// Adds fields at the end of a struct, and items after it.
    pub(super) fn extend(
        &mut self,
        (name, line): (&str, u32),
        fields: &[String],
        items: &[String],
    ) {
        let Some(place) = self.place(name, line) else { return };
        let none = BTreeSet::new();
        let imported = if place.is_inside { &none } else { &self.imported };
        let item = |code: &String| {
            let code = self.qualified(code, imported);
            format!("\n\n{}", indented(&code, &place.outer, 0).trim_end())
        };
        let items: String = items.iter().map(item).collect();
        let fields: String = fields.iter().map(|code| indented(code, &place.inner, 4)).collect();
        let mut edits = Vec::new();
        if let Some(comma) = place.comma {
            edits.push((comma..comma, ",".to_owned()));
        }
        match place.line {
            Some(line) => edits.push((line..line, fields)),
            None => {
                let end = self.text[..place.brace].trim_end().len();
                edits.push((end..place.brace, format!("\n{fields}{}", place.outer)));
            }
        }
        if !items.is_empty() {
            let rest = self.text[place.end..].trim_start_matches([' ', '\t']);
            let is_last = rest.is_empty() || rest.starts_with(['\r', '\n']);
            let end = if is_last { place.end } else { self.text.len() - rest.len() };
            let gap = if is_last { "" } else { "\n\n" };
            edits.push((place.end..end, format!("{items}{gap}")));
        }
        for (range, text) in edits {
            self.insert(range, &text);
        }
    }

    fn insert(&mut self, range: Range<usize>, text: &str) {
        // What is there keeps its line breaks, which may differ.
        let text = edits::in_line_breaks_of(&self.text, text.to_owned());
        self.edits.push((range, text));
    }

    /// Code whose derives have paths, except for those that are imported.
    fn qualified(&self, code: &str, imported: &BTreeSet<String>) -> String {
        let others = DERIVES.iter().filter(|derive| !imported.contains(**derive));
        others.fold(code.to_owned(), |code, derive| {
            let long = format!("{}::{derive})]\n", self.runtime);
            let begins = ["(", " "].map(|before| (before, format!("{before}{derive})]\n")));
            begins.into_iter().fold(code, |code, (before, short)| {
                code.replace(&short, &format!("{before}{long}"))
            })
        })
    }

    /// The difference in the unified format; empty if nothing changes.
    pub(super) fn diff(&self, old: &str, new: &str) -> String {
        let mut edits: Vec<_> = self.edits.iter().collect();
        // Those at the same place stay in their order.
        edits.sort_by_key(|(range, _)| range.start);
        let (mut after, mut end) = (String::new(), 0);
        for (range, text) in edits {
            after += &self.text[end..range.start];
            after += text;
            end = range.end;
        }
        after += &self.text[end..];
        TextDiff::from_lines(&self.text, &after).unified_diff().header(old, new).to_string()
    }
}

/// The derives that a `use` imports from the runtime.
fn derives_of(tree: &syn::UseTree, runtime: &str) -> Vec<String> {
    match tree {
        syn::UseTree::Path(tree) if tree.ident == runtime => names_in(&tree.tree),
        syn::UseTree::Group(group) => {
            group.items.iter().flat_map(|tree| derives_of(tree, runtime)).collect()
        }
        _ => Vec::new(),
    }
}

/// The derives that a part of a `use` below the runtime imports.
fn names_in(tree: &syn::UseTree) -> Vec<String> {
    match tree {
        syn::UseTree::Path(tree) => names_in(&tree.tree),
        syn::UseTree::Group(group) => group.items.iter().flat_map(names_in).collect(),
        syn::UseTree::Name(name) => vec![name.ident.to_string()],
        syn::UseTree::Glob(_) => DERIVES.map(str::to_owned).into(),
        syn::UseTree::Rename(_) => Vec::new(),
    }
}

/// Code that is indented by this many spaces, indented as the lines of a file are.
fn indented(code: &str, by: &str, spaces: usize) -> String {
    let unit = if by.contains('\t') { "\t" } else { "    " };
    let line = |line: &str| {
        let text = line.trim_start();
        let levels = (line.len() - text.len()).saturating_sub(spaces) / 4;
        format!("{by}{}{text}\n", unit.repeat(levels))
    };
    code.lines().map(line).collect()
}

/// Finds the structs and the names of a file.
struct Reader<'a> {
    lines: Lines<'a>,
    /// How many modules and functions are around.
    depth: usize,
    structs: Vec<Place>,
    enums: Vec<Enum>,
    names: BTreeSet<String>,
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let name = match item {
            syn::Item::Enum(item) => Some(&item.ident),
            syn::Item::Struct(item) => Some(&item.ident),
            syn::Item::Trait(item) => Some(&item.ident),
            syn::Item::TraitAlias(item) => Some(&item.ident),
            syn::Item::Type(item) => Some(&item.ident),
            syn::Item::Union(item) => Some(&item.ident),
            _ => None,
        };
        self.names.extend(name.map(|name| name.unraw().to_string()));
        let deeper = usize::from(matches!(item, syn::Item::Mod(_) | syn::Item::Fn(_)));
        self.depth += deeper;
        visit::visit_item(self, item);
        self.depth -= deeper;
    }

    fn visit_use_name(&mut self, name: &'ast syn::UseName) {
        self.names.insert(name.ident.to_string());
    }

    fn visit_use_rename(&mut self, rename: &'ast syn::UseRename) {
        self.names.insert(rename.rename.to_string());
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        let own = (self.depth == 0).then(|| derives::enumeration(item)).flatten();
        self.enums.extend(own);
        visit::visit_item_enum(self, item);
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        if let syn::Fields::Named(fields) = &item.fields {
            let lines = &self.lines;
            let close = fields.brace_token.span.close();
            let (brace, end) = (lines.offset(close.start()), lines.offset(close.end()));
            let (_, close_at) = lines.indentation(close.start());
            let (outer, _) = lines.indentation(Spanned::span(item).start());
            let last = fields.named.last();
            let inner = last.and_then(|field| {
                let start = Spanned::span(field).start();
                let (indentation, end) = lines.indentation(start);
                (end == lines.offset(start)).then_some(indentation)
            });
            let usual = if outer.contains('\t') { "\t" } else { "    " };
            let names = fields.named.iter().filter_map(|field| field.ident.as_ref());
            let comma = last.map(|field| lines.offset(Spanned::span(&field.ty).end()));
            self.structs.push(Place {
                name: item.ident.unraw().to_string(),
                name_line: item.ident.span().start().line,
                is_inside: self.depth > 0,
                brace,
                line: (close_at == brace)
                    .then(|| lines.offset(LineColumn { column: 0, ..close.start() })),
                end,
                comma: comma.filter(|_| !fields.named.trailing_punct()),
                outer: outer.to_owned(),
                inner: inner.map_or_else(|| format!("{outer}{usual}"), str::to_owned),
                fields: names.map(|name| name.unraw().to_string()).collect(),
                derives: derives::shared(&item.attrs),
            });
        }
        visit::visit_item_struct(self, item);
    }
}
