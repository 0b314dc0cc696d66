//! Handles names that are keywords in later editions of Rust.

use proc_macro::{Delimiter, Group, Ident, Spacing, TokenStream, TokenTree};

/// The keywords that were added after the 2015 edition.
const RESERVED: [&str; 5] = ["async", "await", "dyn", "gen", "try"];

/// The input with such names written as raw identifiers. A crate of an older edition may use the
/// bare names, but syn doesn't parse them; to the compiler both forms are the same name.
pub(crate) fn raw(input: TokenStream) -> TokenStream {
    let mut tokens = input.into_iter().peekable();
    let mut output = Vec::new();
    while let Some(token) = tokens.next() {
        output.push(match token {
            TokenTree::Ident(ident) if RESERVED.contains(&&*ident.to_string()) => {
                let is_name = tokens.peek().is_none_or(ends_name);
                TokenTree::Ident(if is_name { raw_ident(&ident) } else { ident })
            }
            // An invisible group was passed to a macro, such as the path of a type.
            TokenTree::Group(group) if group.delimiter() != Delimiter::None => {
                let mut inner = Group::new(group.delimiter(), raw(group.stream()));
                inner.set_span(group.span());
                TokenTree::Group(inner)
            }
            other => other,
        });
    }
    output.into_iter().collect()
}

fn raw_ident(ident: &Ident) -> Ident {
    Ident::new_raw(&ident.to_string(), ident.span())
}

/// Whether a word before this token is a name, and not the `dyn` of a type.
fn ends_name(next: &TokenTree) -> bool {
    match next {
        // `dyn ::path::Trait` is a type, `name: Type` a field.
        TokenTree::Punct(punct) => match punct.as_char() {
            ':' => punct.spacing() == Spacing::Alone,
            ',' | '=' | ';' | '<' => true,
            _ => false,
        },
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        _ => false,
    }
}
