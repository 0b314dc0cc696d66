//! The derive macros of dbmigrate, which `dbmigrate-runtime` re-exports beside the traits of the
//! same names: the traits' pages have the attributes and examples.
//!
//! A struct goes through these modules in this order: `attr` reads attributes (all `#[model(...)]`
//! keys are in its one table), `ast` holds what was said, `check` has the rules across fields,
//! `literal` writes down what the macro knows, and `expand` writes the code. `ctxt` collects
//! mistakes on the way, so that all of a struct's come out at once. Nothing here looks at the
//! name of a field's type: the code asks the compiler, by trait.

mod ctxt;
mod case;
mod attr;
mod value;
mod words;
mod ast;
mod check;
mod literal;
mod expand;
mod column_type;
mod listed;

use proc_macro::TokenStream;

/// Makes a struct a model, which is a table.
///
/// See the trait `dbmigrate_runtime::Model`.
#[proc_macro_derive(Model, attributes(model))]
pub fn derive_model(input: TokenStream) -> TokenStream {
    let input = words::raw(input);
    expand::derive(&syn::parse_macro_input!(input), attr::Place::Model).into()
}

/// Makes a struct a group of columns that models take in with `#[model(flatten)]`.
///
/// See the trait `dbmigrate_runtime::Columns`.
#[proc_macro_derive(Columns, attributes(model))]
pub fn derive_columns(input: TokenStream) -> TokenStream {
    let input = words::raw(input);
    expand::derive(&syn::parse_macro_input!(input), attr::Place::Columns).into()
}

/// Makes a newtype or an enum without data the type of a column.
///
/// See the trait `dbmigrate_runtime::ColumnType`.
#[proc_macro_derive(ColumnType, attributes(model))]
pub fn derive_column_type(input: TokenStream) -> TokenStream {
    let input = words::raw(input);
    column_type::derive(&syn::parse_macro_input!(input)).into()
}

/// Compares a list of revisions with the files beside it; `dbmigrate_runtime::migrations!` does.
#[doc(hidden)]
#[proc_macro]
pub fn assert_listed(input: TokenStream) -> TokenStream {
    listed::compare(&syn::parse_macro_input!(input)).into()
}
