//! The derive macros of dbmigrate. `dbmigrate-runtime` re-exports them together with the traits of
//! the same names, whose documentation has the attributes and examples.
//!
//! A struct passes through these modules in order: `attr` reads attributes (its one table lists all
//! `#[model(...)]` keys), `ast` holds what was declared, `check` has the rules across fields,
//! `literal` encodes what the macro knows, and `expand` generates the code. `ctxt` collects
//! mistakes on the way, so that all mistakes in a struct are reported at once. Nothing here
//! interprets the name of a field's type: the generated code asks the compiler, through traits.

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

/// Makes a struct a model, which is a table in the database.
///
/// The trait [`dbmigrate_runtime::Model`] has the [attributes of a struct], the [attributes of a
/// field], and a [table of types] from Rust over column types to each database, with examples.
///
/// [`dbmigrate_runtime::Model`]: https://docs.rs/dbmigrate-runtime/latest/dbmigrate_runtime/trait.Model.html
/// [attributes of a struct]: https://docs.rs/dbmigrate-runtime/latest/dbmigrate_runtime/trait.Model.html#on-the-struct
/// [attributes of a field]: https://docs.rs/dbmigrate-runtime/latest/dbmigrate_runtime/trait.Model.html#on-a-field
/// [table of types]: https://docs.rs/dbmigrate-runtime/latest/dbmigrate_runtime/trait.Model.html#types
#[proc_macro_derive(Model, attributes(model))]
pub fn derive_model(input: TokenStream) -> TokenStream {
    let input = words::raw(input);
    expand::derive(&syn::parse_macro_input!(input), attr::Place::Model).into()
}

/// Makes a struct a group of columns that models can include with `#[model(flatten)]`.
///
/// See the trait [`dbmigrate_runtime::Columns`].
///
/// [`dbmigrate_runtime::Columns`]: https://docs.rs/dbmigrate-runtime/latest/dbmigrate_runtime/trait.Columns.html
#[proc_macro_derive(Columns, attributes(model))]
pub fn derive_columns(input: TokenStream) -> TokenStream {
    let input = words::raw(input);
    expand::derive(&syn::parse_macro_input!(input), attr::Place::Columns).into()
}

/// Makes a newtype or an enum without data the type of a column.
///
/// See the trait [`dbmigrate_runtime::ColumnType`], and the attributes [on a type of your own].
///
/// [`dbmigrate_runtime::ColumnType`]: https://docs.rs/dbmigrate-runtime/latest/dbmigrate_runtime/trait.ColumnType.html
/// [on a type of your own]: https://docs.rs/dbmigrate-runtime/latest/dbmigrate_runtime/trait.Model.html#on-a-type-of-your-own
#[proc_macro_derive(ColumnType, attributes(model, column_type))]
pub fn derive_column_type(input: TokenStream) -> TokenStream {
    let input = words::raw(input);
    column_type::derive(&syn::parse_macro_input!(input)).into()
}

/// Compares a list of revisions with the files next to it; used by
/// `dbmigrate_runtime::migrations!`.
#[doc(hidden)]
#[proc_macro]
pub fn assert_listed(input: TokenStream) -> TokenStream {
    listed::compare(&syn::parse_macro_input!(input)).into()
}
