//! Generates the code of `#[derive(Model)]` and `#[derive(Columns)]`.
//!
//! ```text
//! const _: () = {
//!     impl<'a> Model for Post<'a> {
//!         const TABLE: &'static str = "post";
//!         const FIELDS: Fields = Fields { list: &[Field::Column("id", "", <i64 as ColumnType>::TY), ...], ... };
//!         const RECORD: Record = Record { literal: b"...", texts: &[module_path!(), file!(), ..., <User as Model>::TABLE, ...], ... };
//!     }
//!     __record!(__DBMIGRATE_RECORD: Bytes<120, 40> = Bytes::new(<Post<'static> as Model>::RECORD));
//!     const _: () = check::reference(...);
//! };
//! ```

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{DeriveInput, GenericParam, Path};

use crate::ast::{Field, FieldAttrs, Struct};
use crate::attr::Place;
use crate::check;
use crate::ctxt::Ctxt;
use crate::literal::literal;
use crate::value::{Actions, DefaultValue, Index, Names, Reference, Spanned};

/// The generated code, or the mistakes and as much of an impl as prevents follow-up errors.
pub(crate) fn derive(input: &DeriveInput, place: Place) -> TokenStream {
    let cx = Ctxt::new();
    let fields = check::fields(&cx, input, place);
    let parsed = fields.map(|punctuated| Struct::read(&cx, input, punctuated, place));
    if let Some(parsed) = &parsed {
        check::rules(&cx, parsed);
    }
    let krate = krate(parsed.as_ref().and_then(|parsed| parsed.attrs.krate.as_ref()));
    match parsed {
        Some(parsed) if cx.is_clean() => Expansion { model: &parsed, krate }.code(),
        _ => {
            let errors = cx.finish();
            let stub = stub(input, place, &krate);
            quote!(#errors #stub)
        }
    }
}

/// The path of the runtime crate.
pub(crate) fn krate(path: Option<&Path>) -> TokenStream {
    match path {
        Some(path) => path.to_token_stream(),
        None => quote!(::dbmigrate_runtime),
    }
}

/// An empty impl, generated along with errors.
fn stub(input: &DeriveInput, place: Place, krate: &TokenStream) -> TokenStream {
    let ident = &input.ident;
    let (generics, arguments, bounds) = input.generics.split_for_impl();
    let (model, table) = match place {
        Place::Model => (
            quote!(Model),
            quote!(
                const TABLE: &'static ::core::primitive::str = "";
            ),
        ),
        _ => (quote!(Columns), TokenStream::new()),
    };
    quote! {
        #[automatically_derived]
        impl #generics #krate::#model for #ident #arguments #bounds {
            #table
            const FIELDS: #krate::model::Fields = #krate::model::Fields::UNKNOWN;
            const RECORD: #krate::__private::Record = #krate::__private::Record::UNKNOWN;
        }
    }
}

/// The same tokens at another position. An error is reported at an expression's first token, so a
/// call's whole path has to be moved.
pub(crate) fn respanned(tokens: &TokenStream, span: Span) -> TokenStream {
    let tokens = tokens.clone().into_iter();
    tokens
        .map(|mut token| {
            token.set_span(span);
            token
        })
        .collect()
}

/// Keys that only fit some types, each with the function that checks the type.
const TYPED: &[(&str, &str)] = &[
    ("length", "text"),
    ("collate", "text"),
    ("precision", "decimal"),
    ("autoincrement", "integer"),
    ("identity", "integer"),
];

struct Expansion<'a> {
    model: &'a Struct<'a>,
    krate: TokenStream,
}

impl Expansion<'_> {
    fn code(&self) -> TokenStream {
        let Expansion { model: parsed, krate } = self;
        let ident = parsed.ident;
        let (generics, arguments, bounds) = parsed.generics.split_for_impl();
        let literal = literal(parsed);
        let length = Literal::usize_unsuffixed(literal.len());
        let literal = Literal::byte_string(&literal);
        let list = parsed.members().map(|field| self.field(field));
        let primary_key = self.primary_key();
        let texts = self.texts();
        let groups = parsed.groups().map(|field| {
            let ty = field.ty;
            quote!(&<#ty as #krate::Columns>::RECORD)
        });
        let uniques = self.uniques();
        let checks = self.checks();
        let read = self.read();
        let (model, table, record) = match parsed.place {
            Place::Model => {
                let table = parsed.table();
                let this = self.this();
                (
                    quote!(Model),
                    quote!(const TABLE: &'static ::core::primitive::str = #table;),
                    quote! {
                        #krate::__record!(__DBMIGRATE_RECORD: #krate::__private::Bytes<
                            #length,
                            { <#this as #krate::Model>::RECORD.holes() },
                        > = #krate::__private::Bytes::new(<#this as #krate::Model>::RECORD));
                    },
                )
            }
            _ => (quote!(Columns), TokenStream::new(), TokenStream::new()),
        };
        quote! {
            #[doc(hidden)]
            #[allow(
                deprecated,
                elided_lifetimes_in_paths,
                unused_qualifications,
                clippy::absolute_paths
            )]
            const _: () = {
                #[automatically_derived]
                impl #generics #krate::#model for #ident #arguments #bounds {
                    #table
                    const FIELDS: #krate::model::Fields = #krate::model::Fields {
                        list: &[#(#list),*],
                        primary_key: #primary_key,
                        uniques: #uniques,
                        known: true,
                    };
                    const RECORD: #krate::__private::Record = #krate::__private::Record {
                        literal: #literal,
                        fields: <Self as #krate::#model>::FIELDS.list,
                        texts: &[#(#texts),*],
                        groups: &[#(#groups),*],
                    };
                }
                #record
                #checks
                #read
            };
        }
    }

    /// Generates code that reads every column's field. Otherwise the compiler would warn about a
    /// private model that is only declared: `fields `id` and `email` are never read`.
    fn read(&self) -> TokenStream {
        // A field of a packed struct can't be borrowed.
        if self.model.is_packed {
            return TokenStream::new();
        }
        let this = self.this();
        let ident = self.model.ident;
        let fields = self.model.members().map(|field| field.ident);
        let names = (0..).map(|idx| quote::format_ident!("_{idx}"));
        quote! {
            #[allow(dead_code)]
            fn __dbmigrate_read(#ident { #(#fields: #names,)* .. }: &#this) {}
        }
    }

    /// The struct's type with `'static` for every lifetime.
    fn this(&self) -> TokenStream {
        let ident = self.model.ident;
        let lifetimes = self.model.generics.params.iter().map(|param| match param {
            GenericParam::Lifetime(_) => quote!('static),
            _ => TokenStream::new(),
        });
        if self.model.generics.params.is_empty() {
            quote!(#ident)
        } else {
            quote!(#ident<#(#lifetimes),*>)
        }
    }

    fn trait_name(&self) -> TokenStream {
        if self.model.place == Place::Model { quote!(Model) } else { quote!(Columns) }
    }

    fn field(&self, field: &Field<'_>) -> TokenStream {
        let krate = &self.krate;
        let ty = field.ty;
        if field.attrs.has("flatten") {
            return quote!(#krate::model::Field::Group(<#ty as #krate::Columns>::FIELDS));
        }
        let name = &field.name;
        let column = if field.column == field.name { "" } else { &field.column };
        quote!(#krate::model::Field::Column(#name, #column, <#ty as #krate::ColumnType>::TY))
    }

    /// The names of the primary key's fields; without any, those of a flattened group.
    fn primary_key(&self) -> TokenStream {
        let Expansion { model: parsed, krate } = self;
        let names: Vec<&str> = match &parsed.attrs.primary_key {
            Some(names) => names.iter().map(|name| name.value.as_str()).collect(),
            None => {
                let keys = parsed.columns().filter(|field| field.attrs.has("primary_key"));
                keys.map(|field| field.name.as_str()).collect()
            }
        };
        let groups: Vec<_> = parsed.groups().map(|field| field.ty).collect();
        if names.is_empty() && !groups.is_empty() {
            return quote!(#krate::model::check::inherited_key(
                &[#(<#groups as #krate::Columns>::FIELDS),*]
            ));
        }
        quote!(&[#(#names),*])
    }

    /// The names of the fields that are unique together.
    fn uniques(&self) -> TokenStream {
        let parsed = self.model;
        if parsed.attrs.keys.get("unmanaged").is_some() {
            return quote!(::core::option::Option::None);
        }
        let mut uniques: Vec<Vec<String>> = Vec::new();
        let texts = |names: &Names| -> Vec<String> {
            names.iter().map(|name| name.value.clone()).collect()
        };
        for unique in &parsed.attrs.uniques {
            uniques.push(texts(&unique.columns));
        }
        for index in parsed.attrs.indexes.iter().filter(|index| index.is_whole()) {
            uniques.push(index.terms.iter().map(|term| term.what.value.clone()).collect());
        }
        for field in parsed.columns() {
            let is_index = field.attrs.index.as_ref().is_some_and(Index::is_whole);
            if field.attrs.unique.is_some() || is_index {
                uniques.push(vec![field.name.clone()]);
            }
        }
        quote!(::core::option::Option::Some(&[#(&[#(#uniques),*]),*]))
    }

    /// The texts that the macro can't know, in the order that the literal expects: module, file and
    /// the manifest's directory, then the tables and columns of foreign keys.
    fn texts(&self) -> Vec<TokenStream> {
        let Expansion { model: parsed, krate } = self;
        let mut texts = Vec::new();
        if parsed.place == Place::Model {
            texts.push(quote!(::core::module_path!()));
            texts.push(quote!(::core::file!()));
            // Only cargo sets this variable; with `env!`, other build tools would get an error.
            texts.push(quote! {
                #krate::__private::manifest_dir(::core::option_env!("CARGO_MANIFEST_DIR"))
            });
        }
        for key in &parsed.attrs.foreign_keys {
            self.refer(&mut texts, &key.references, key.columns.len());
        }
        for field in parsed.columns() {
            if let Some(references) = &field.attrs.references {
                self.refer(&mut texts, references, 1);
            }
        }
        texts
    }

    fn refer(&self, texts: &mut Vec<TokenStream>, references: &Reference, n_columns: usize) {
        let model = self.referenced(references);
        let span = references.span;
        let krate = respanned(&self.krate, span);
        texts.push(quote_spanned!(span=> <#model as #krate::Model>::TABLE));
        for idx in 0..n_columns {
            texts.push(match references.fields.get(idx) {
                Some(field) => {
                    let field = &field.value;
                    quote_spanned! {span=>
                        #krate::model::check::column(<#model as #krate::Model>::FIELDS, #field)
                    }
                }
                None => quote_spanned! {span=>
                    #krate::model::check::key_column(<#model as #krate::Model>::FIELDS, #idx)
                },
            });
        }
    }

    /// The referenced model; `Self` is the struct itself.
    fn referenced(&self, references: &Reference) -> TokenStream {
        if references.model.is_ident("Self") {
            return self.this();
        }
        references.model.to_token_stream()
    }

    /// Checks that involve this struct and others, as constants that panic if a check fails.
    fn checks(&self) -> TokenStream {
        let Expansion { model: parsed, krate } = self;
        let this = self.this();
        let trait_name = self.trait_name();
        let own = quote!(<#this as #krate::#trait_name>::FIELDS);
        let name = &parsed.name;
        let mut checks = TokenStream::new();
        for (idx, field) in parsed.members().enumerate() {
            // What `length` and similar keys require depends on the type, which only the compiler
            // knows.
            for (key, check) in TYPED.iter().filter(|_| field.attrs.ty.is_none()) {
                if let Some(span) = field.attrs.keys.get(key) {
                    let krate = respanned(krate, span);
                    let check = Ident::new(check, span);
                    checks.extend(quote_spanned! {span=>
                        const _: () = #krate::model::check::#check(#key, #own.list[#idx]);
                    });
                }
            }
        }
        for (idx, field) in parsed.members().enumerate() {
            let default = field.attrs.default.as_ref().filter(|_| field.attrs.ty.is_none());
            let span = field.attrs.keys.get("default");
            if let (Some(default), Some(span)) = (default, span) {
                let krate = respanned(krate, span);
                let Some(default) = kind_of(default, &krate, span) else { continue };
                checks.extend(quote_spanned! {span=>
                    const _: () = #krate::model::check::default(#own.list[#idx], #default);
                });
            }
        }
        for key in &parsed.attrs.foreign_keys {
            let columns =
                key.columns.iter().map(|column| column.value.as_str()).collect::<Vec<_>>();
            checks.extend(self.reference(&own, &columns, &key.references, &key.actions));
        }
        for field in parsed.columns() {
            if let Some(references) = &field.attrs.references {
                let columns = [field.name.as_str()];
                checks.extend(self.reference(&own, &columns, references, &field.attrs.actions));
            }
        }
        if parsed.groups().next().is_none() {
            return checks;
        }
        for (column, span) in check::lists(parsed).concat() {
            if parsed.find(column).is_none() {
                let krate = respanned(krate, span);
                checks.extend(quote_spanned! {span=>
                    const _: () = #krate::model::check::field(#own, #column);
                });
            }
        }
        let no_key = parsed.attrs.keys.get("no_primary_key").is_some();
        let has_key = no_key
            || parsed.attrs.primary_key.is_some()
            || parsed.columns().any(|field| field.attrs.has("primary_key"));
        if !has_key && parsed.place == Place::Model {
            let span = parsed.ident.span();
            let krate = respanned(krate, span);
            checks.extend(quote_spanned! {span=>
                const _: () = #krate::model::check::primary_key(#own, #name);
            });
        }
        for (idx, group) in
            parsed.members().enumerate().filter(|(_, field)| field.attrs.has("flatten"))
        {
            let span = group.span();
            let krate = respanned(krate, span);
            checks.extend(quote_spanned! {span=>
                const _: () = #krate::model::check::second_key(#own, #idx, #has_key, #name);
                const _: () = #krate::model::check::second_column(#own, #idx);
            });
        }
        checks
    }

    /// One constant for each column of a foreign key.
    fn reference(
        &self,
        own: &TokenStream,
        columns: &[&str],
        references: &Reference,
        actions: &Actions,
    ) -> TokenStream {
        let span = references.span;
        let krate = respanned(&self.krate, span);
        let model = self.referenced(references);
        let name =
            references.model.segments.last().map(|segment| segment.ident.unraw().to_string());
        let name = name.unwrap_or_default();
        let is_set_null = |action: &Option<Spanned<String>>| {
            action.as_ref().is_some_and(|action| action.value == "set_null")
        };
        let n_columns = columns.len();
        let checks = columns.iter().enumerate().map(|(place, column)| {
            let field = self.model.find(column);
            let sets_null = if field.is_some_and(|field| field.attrs.has("nullable")) {
                ""
            } else if is_set_null(&actions.on_delete) {
                "on_delete"
            } else if is_set_null(&actions.on_update) {
                "on_update"
            } else {
                ""
            };
            let is_this = |member: &Field<'_>| field.is_some_and(|field| field.name == member.name);
            let from = match self.model.members().position(is_this) {
                Some(idx) => quote_spanned!(span=> #own.list[#idx]),
                None => quote_spanned!(span=> #krate::model::check::grouped(#own, #column)),
            };
            let other = quote_spanned!(span=> <#model as #krate::Model>::FIELDS);
            let check = quote_spanned!(span=> #krate::model::check);
            let reference = quote_spanned! {span=>
                #check::Reference {
                    own: #from,
                    model: #name,
                    other: #other,
                    sets_null: #sets_null,
                }
            };
            let check = match references.fields.get(place) {
                Some(Spanned { value: field, .. }) => {
                    quote_spanned!(span=> #check::reference(#reference, #field))
                }
                None => quote_spanned! {span=>
                    #check::key_reference(#reference, #place, #n_columns)
                },
            };
            let sets_default =
                [("on_delete", &actions.on_delete), ("on_update", &actions.on_update)]
                    .into_iter()
                    .find(|(_, action)| {
                        action.as_ref().is_some_and(|action| action.value == "set_default")
                    })
                    .filter(|_| {
                        let is_unset =
                            |attrs: &FieldAttrs| attrs.default.is_none() && !attrs.has("nullable");
                        field.is_some_and(|field| is_unset(&field.attrs))
                    })
                    .map(|(key, _)| {
                        quote_spanned! {span=>
                            const _: () = #krate::model::check::sets_default(#key, #from);
                        }
                    });
            quote_spanned!(span=> const _: () = #check; #sets_default)
        });
        let targets = references.fields.iter().map(|field| &field.value);
        let referable = (!references.fields.is_empty()).then(|| {
            quote_spanned! {span=>
                const _: () = #krate::model::check::referable(
                    #name,
                    <#model as #krate::Model>::FIELDS,
                    &[#(#targets),*],
                );
            }
        });
        checks.chain(referable).collect()
    }
}

/// The kind of value that the type has to hold for a default; `None` for an expression.
fn kind_of(default: &DefaultValue, krate: &TokenStream, span: Span) -> Option<TokenStream> {
    let kind = match default {
        DefaultValue::Now => quote!(Now),
        DefaultValue::Bool(_) => quote!(Bool),
        DefaultValue::Integer(number) => quote!(Integer(#number)),
        DefaultValue::Real(_) => quote!(Real),
        DefaultValue::Text(text) => {
            let length = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
            quote!(Text(#length))
        }
        DefaultValue::Blob(bytes) => {
            let length = bytes.len();
            quote!(Bytes(#length))
        }
        DefaultValue::Sql(_) => return None,
    };
    Some(quote_spanned!(span=> #krate::model::check::Default::#kind))
}
