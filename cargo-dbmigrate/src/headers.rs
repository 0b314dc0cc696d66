//! What the constants of the revision files say, read as text.

use std::path::PathBuf;

use dbmigrate_runtime::revision::{Graph, Revision};

use crate::context::Context;
use crate::error::{Doing as _, Error, Result};
use crate::history;

/// The constants of a revision file, read without compiling it: for commands that have to work
/// on a file that doesn't compile.
pub struct Header {
    pub revision: Revision,
    pub path: PathBuf,
}

/// The history that headers make.
///
/// # Errors
///
/// When they make no graph.
pub fn graph(headers: &[Header]) -> Result<Graph> {
    Ok(Graph::new(headers.iter().map(|it| it.revision.clone()).collect())?)
}

/// Reads the constants of every revision file.
///
/// # Errors
///
/// When a file's constants can't be read: without them nobody knows what follows what.
pub fn read(cx: &Context) -> Result<Vec<Header>> {
    let mut headers = Vec::new();
    for file in history::files(cx)? {
        let text = std::fs::read_to_string(&file.path)
            .doing(|| format!("read `{}`", file.path.display()))?;
        let shown = history::relative(cx, &file.path);
        let revision = header(&text).ok_or_else(|| {
            Error::new(format!("`{shown}` has no `REVISION` and `DOWN_REVISION` that can be read"))
                .hint("correct these constants, or delete the file if it is no revision")
        })?;
        let revision = Revision { file: shown, ..revision };
        headers.push(Header { revision, path: file.path });
    }
    Ok(headers)
}

fn header(text: &str) -> Option<Revision> {
    // Only the constants' lines have to be Rust; the rest may be in the middle of an edit.
    let constant = |name: &str| {
        let at = text.find(&format!("const {name}:"))?;
        let value = text[at..].split_once('=')?.1.split_once(';')?.0;
        syn::parse_str::<syn::Expr>(value.trim()).ok()
    };
    let texts = |name: &str| match constant(name)? {
        syn::Expr::Reference(it) => match *it.expr {
            syn::Expr::Array(it) => Some(it.elems.iter().filter_map(text_of).collect()),
            _ => Some(Vec::new()),
        },
        _ => Some(Vec::new()),
    };
    Some(Revision {
        id: text_of(&constant("REVISION")?)?,
        parents: texts("DOWN_REVISION")?,
        branch_labels: texts("BRANCH_LABELS").unwrap_or_default(),
        depends_on: texts("DEPENDS_ON").unwrap_or_default(),
        replaces: texts("REPLACES").unwrap_or_default(),
        ..Revision::default()
    })
}

fn text_of(it: &syn::Expr) -> Option<String> {
    match it {
        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(it), .. }) => Some(it.value()),
        _ => None,
    }
}
