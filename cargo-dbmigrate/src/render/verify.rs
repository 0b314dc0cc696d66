//! Checks that a template produced the revision that it was filled for.

use quote::ToTokens as _;
use syn::{Expr, File, Item, Lit, Visibility};

use super::Header;
use super::template::{Filled, Template, function};
use crate::error::Result;

/// Fails if a module isn't valid Rust, or isn't the revision with this header and these bodies.
///
/// # Errors
///
/// What is wrong, with the template's line.
pub fn verify(
    template: &Template,
    filled: &Filled,
    header: &Header,
    bodies: [(&str, &str); 2],
) -> Result<()> {
    let file = syn::parse_file(&filled.text).map_err(|err| {
        let line = filled.origin(err.span().start().line);
        template.wrong(line, "the result is not Rust").cause(err)
    })?;
    for (name, ty, value, placeholder) in [
        ("REVISION", "&str", std::slice::from_ref(&header.id), "\"${rev}\""),
        ("DOWN_REVISION", "&[&str]", &header.parents, "${down_revision}"),
        ("BRANCH_LABELS", "&[&str]", &header.branch_labels, "${branch_labels}"),
        ("DEPENDS_ON", "&[&str]", &header.depends_on, "${depends_on}"),
    ] {
        let hint = format!("a revision has `pub const {name}: {ty} = {placeholder};`");
        let Some(constant) = constant(&file, name) else {
            let what = format!("there is no public constant `{name}`");
            return Err(template.wrong(None, &what).hint(hint));
        };
        if texts(&constant.expr).is_none_or(|texts| texts != value) {
            let line = filled.origin(constant.ident.span().start().line);
            let what = format!("`{name}` does not have the value that a new revision has");
            return Err(template.wrong(line, &what).hint(hint));
        }
    }
    for (name, body) in bodies {
        let Some(item) = public_function(&file, name) else {
            let what = format!("there is no public function `{name}` with one argument");
            return Err(template.wrong(None, &what).hint(function(name)));
        };
        let line = filled.origin(item.sig.ident.span().start().line);
        // Compared as tokens, to detect a body in a comment or in the other function.
        let wanted = syn::parse_str::<syn::Block>(&format!("{{{body}}}"));
        let wanted = wanted.map_or_else(|_| body.to_owned(), |block| tokens_of(&block));
        if !tokens_of(&item.block).contains(&wanted) {
            let what = format!("`{name}` does not contain the generated operations");
            return Err(template.wrong(line, &what).hint(function(name)));
        }
    }
    Ok(())
}

fn tokens_of(block: &syn::Block) -> String {
    block.stmts.iter().map(|stmt| format!("{} ", stmt.to_token_stream())).collect()
}

fn constant<'a>(file: &'a File, name: &str) -> Option<&'a syn::ItemConst> {
    file.items.iter().find_map(|item| match item {
        Item::Const(item) if item.ident == name && matches!(item.vis, Visibility::Public(_)) => {
            Some(item)
        }
        _ => None,
    })
}

fn public_function<'a>(file: &'a File, name: &str) -> Option<&'a syn::ItemFn> {
    file.items.iter().find_map(|item| match item {
        Item::Fn(item)
            if item.sig.ident == name
                && item.sig.inputs.len() == 1
                && matches!(item.vis, Visibility::Public(_)) =>
        {
            Some(item)
        }
        _ => None,
    })
}

/// The texts of a literal, or of a reference to an array of literals.
fn texts(expr: &Expr) -> Option<Vec<String>> {
    let text = |expr: &Expr| match expr {
        Expr::Lit(syn::ExprLit { lit: Lit::Str(expr), .. }) => Some(expr.value()),
        _ => None,
    };
    match expr {
        Expr::Reference(reference) => match &*reference.expr {
            Expr::Array(array) => array.elems.iter().map(text).collect(),
            _ => None,
        },
        expr => Some(vec![text(expr)?]),
    }
}
