//! Collects mistakes, so that all of them can be reported at once.

use std::cell::RefCell;
use std::fmt::Display;

use proc_macro2::{Span, TokenStream, TokenTree};

/// The mistakes so far. [`Ctxt::finish`] has to be called to report them.
pub(crate) struct Ctxt {
    errors: RefCell<Vec<syn::Error>>,
}

impl Ctxt {
    pub(crate) fn new() -> Ctxt {
        Ctxt { errors: RefCell::default() }
    }

    pub(crate) fn error(&self, span: Span, message: impl Display) {
        self.push(syn::Error::new(span, message));
    }

    pub(crate) fn push(&self, error: syn::Error) {
        self.errors.borrow_mut().push(error);
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.errors.borrow().is_empty()
    }

    /// One `compile_error!` per mistake, each at its position; empty if there are none.
    pub(crate) fn finish(self) -> TokenStream {
        self.errors.into_inner().iter().map(compile_error).collect()
    }
}

/// The `compile_error!` of a mistake, at its position. It is named without `::core`: in the 2015
/// edition that is a path within the user's crate, and rustc would report it instead of the mistake.
pub(crate) fn compile_error(error: &syn::Error) -> TokenStream {
    let tokens = error.to_compile_error().into_iter();
    tokens.skip_while(|token| !is_compile_error(token)).collect()
}

fn is_compile_error(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == "compile_error")
}
