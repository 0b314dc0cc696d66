//! Generates the code of `#[derive(ColumnType)]`.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Data, DataEnum, DeriveInput, Fields, Path, Type};

use crate::ast::rule;
use crate::attr::{self, Place};
use crate::case::{self, Rule};
use crate::ctxt::Ctxt;
use crate::expand::{krate, respanned};
use crate::value::{Reader, Spanned, Ty};

/// The path of the runtime, the content of the impl, and the code next to the impl.
struct Code {
    krate: TokenStream,
    body: TokenStream,
    beside: TokenStream,
}

impl Code {
    fn new(krate: TokenStream, body: TokenStream) -> Code {
        Code { krate, body, beside: TokenStream::new() }
    }
}

/// The generated code, or the mistakes and a stub of an impl.
pub(crate) fn derive(input: &DeriveInput) -> TokenStream {
    let cx = Ctxt::new();
    let Code { krate, body, beside } = match &input.data {
        Data::Struct(data) => newtype(&cx, input, &data.fields),
        Data::Enum(data) => enumeration(&cx, input, data),
        Data::Union(data) => {
            let message = "a union can't be a column type; use a newtype, `struct Email(String)`, \
                           or an enum without data";
            cx.error(data.union_token.span, message);
            Code::new(krate(None), TokenStream::new())
        }
    };
    let is_clean = cx.is_clean();
    let errors = cx.finish();
    let beside = if is_clean { beside } else { TokenStream::new() };
    let body = if is_clean {
        body
    } else {
        quote!(const TY: #krate::model::Ty = #krate::model::Ty::TEXT;)
    };
    let ident = &input.ident;
    let (generics, arguments, bounds) = input.generics.split_for_impl();
    let inner = inner(input).filter(|_| is_clean && input.generics.type_params().next().is_some());
    let bounds = match (inner, bounds) {
        (Some(ty), Some(bounds)) => {
            let bounds = bounds.predicates.iter();
            quote!(where #(#bounds,)* #ty: #krate::ColumnType)
        }
        (Some(ty), None) => quote!(where #ty: #krate::ColumnType),
        (None, bounds) => quote!(#bounds),
    };
    quote! {
        #errors
        #[allow(deprecated, unused_qualifications, clippy::absolute_paths)]
        #[automatically_derived]
        impl #generics #krate::ColumnType for #ident #arguments #bounds {
            #body
        }
        #beside
    }
}

/// The type of the only field.
fn inner(input: &DeriveInput) -> Option<&Type> {
    match &input.data {
        Data::Struct(data) if data.fields.len() == 1 => {
            data.fields.iter().next().map(|field| &field.ty)
        }
        _ => None,
    }
}

/// `struct Email(String);`
fn newtype(cx: &Ctxt, input: &DeriveInput, fields: &Fields) -> Code {
    let mut path: Option<Path> = None;
    let mut length: Option<Spanned<u32>> = None;
    let mut ty: Option<Ty> = None;
    let keys = attr::keys(cx, &input.attrs, Place::Newtype, |key, span, input| {
        let read = Reader { key, place: Place::Newtype, span };
        match key.name {
            "length" => length = Some(read.number(input)?),
            "type" => ty = Some(read.ty(input)?),
            _ => path = Some(read.path(input)?),
        }
        Ok(())
    });
    let krate = krate(path.as_ref());
    let Some(inner) = inner(input) else {
        let message = format!(
            "a column type that is a struct has one field, `struct {}(String)`, but this one has \
             {}",
            input.ident,
            fields.len()
        );
        cx.error(input.ident.span(), message);
        return Code::new(krate, TokenStream::new());
    };
    if let (Some(span), Some(_)) = (keys.get("length"), &ty) {
        let message = "`length` and `type` exclude each other: the type includes its length, as in \
                       `type = String(100)`";
        cx.error(span, message);
    }
    if let Some(length) = length.as_ref().filter(|length| length.value == 0) {
        cx.error(length.span, "a `length` of 0 leaves no room for text");
    }
    let name = input.ident.unraw().to_string();
    let mut beside = TokenStream::new();
    let body = match (ty, length) {
        (Some(ty), _) => {
            let ty = constant(&ty, &krate);
            quote!(const TY: #krate::model::Ty = #ty;)
        }
        (None, Some(length)) => {
            let (span, number) = (length.span, length.value);
            let at = respanned(&krate, span);
            let checked = quote_spanned! {span=>
                #at::model::check::inner_text(<#inner as #krate::ColumnType>::TY, #name)
            };
            // Next to the impl this is checked at once, and inside it only where the type is first
            // used. But code next to the impl can't refer to the type's parameters.
            let mut inside = TokenStream::new();
            if input.generics.params.is_empty() {
                beside = quote_spanned!(span=> const _: () = #checked;);
            } else {
                inside = quote_spanned!(span=> #checked;);
            }
            quote! {
                const TY: #krate::model::Ty = {
                    #inside
                    #krate::model::Ty::string(#number)
                };
            }
        }
        (None, None) => quote! {
            const TY: #krate::model::Ty = <#inner as #krate::ColumnType>::TY;
            const LIST: #krate::model::Ty = <#inner as #krate::ColumnType>::LIST;
        },
    };
    Code { krate, body, beside }
}

/// A type from an attribute, as a constant.
fn constant(ty: &Ty, krate: &TokenStream) -> TokenStream {
    match ty {
        Ty::Named("String", numbers) => quote!(#krate::model::Ty::string(#(#numbers),*)),
        Ty::Named("FixedBinary", numbers) => quote!(#krate::model::Ty::fixed_binary(#(#numbers),*)),
        Ty::Named("Decimal", numbers) => quote!(#krate::model::Ty::decimal(#(#numbers),*)),
        Ty::Named(name, _) => {
            let constant = case::snake(name).to_uppercase();
            let constant = proc_macro2::Ident::new(&constant, Span::call_site());
            quote!(#krate::model::Ty::#constant)
        }
        Ty::Raw(sql) => quote!(#krate::model::Ty::raw(#sql)),
        Ty::PerDialect(types) => {
            let types = types.iter().map(|(dialect, ty)| quote!((#dialect, #ty)));
            quote!(#krate::model::Ty::per_dialect(&[#(#types),*]))
        }
    }
}

/// `enum Status { Draft, Published }`
fn enumeration(cx: &Ctxt, input: &DeriveInput, data: &DataEnum) -> Code {
    let mut path: Option<Path> = None;
    let mut rename_all: Option<Rule> = None;
    let mut name: Option<Spanned<String>> = None;
    let mut is_text = false;
    let keys = attr::keys(cx, &input.attrs, Place::Enum, |key, span, input| {
        let read = Reader { key, place: Place::Enum, span };
        match key.name {
            "rename_all" => rename_all = Some(rule(&read.text(input)?)?),
            "name" => name = Some(read.text(input)?),
            "text" => {
                read.flag(input)?;
                is_text = true;
            }
            _ => path = Some(read.path(input)?),
        }
        Ok(())
    });
    let krate = krate(path.as_ref());
    if data.variants.is_empty() {
        cx.error(input.ident.span(), "an enum without variants has no values to store");
    }
    let mut values: Vec<String> = Vec::new();
    for variant in &data.variants {
        let mut rename: Option<Spanned<String>> = None;
        attr::keys(cx, &variant.attrs, Place::Variant, |key, span, input| {
            rename = Some(Reader { key, place: Place::Variant, span }.text(input)?);
            Ok(())
        });
        if !matches!(variant.fields, Fields::Unit) {
            let message = format!(
                "a column stores the variant's name and nothing else, but `{}` has data",
                variant.ident
            );
            cx.error(variant.ident.span(), message);
        }
        let ident = variant.ident.unraw().to_string();
        let span = rename.as_ref().map_or_else(|| variant.ident.span(), |rename| rename.span);
        let value = match (rename, rename_all) {
            (Some(name), _) => name.value,
            (None, Some(rule)) => rule.apply(&ident),
            (None, None) => case::snake(&ident),
        };
        if values.contains(&value) {
            cx.error(span, format!("another variant is already stored as \"{value}\""));
        }
        values.push(value);
    }
    if let (true, Some(name)) = (is_text, keys.get("name")) {
        let message = "`name` and `text` exclude each other: with `text`, the enumeration is no type \
                       that could have a name";
        cx.error(name, message);
    }
    let body = if is_text {
        quote! {
            const TY: #krate::model::Ty = #krate::model::Ty::text_enumeration(&[#(#values),*]);
        }
    } else {
        let name =
            name.map_or_else(|| case::snake(&input.ident.unraw().to_string()), |name| name.value);
        quote! {
            const TY: #krate::model::Ty = #krate::model::Ty::enumeration(#name, &[#(#values),*]);
        }
    };
    Code { krate, body, beside: made(input, data) }
}

/// Code that makes every variant. Otherwise the compiler would warn about a private enum whose values
/// come from the database: `variants `Draft` and `Published` are never constructed`.
fn made(input: &DeriveInput, data: &DataEnum) -> TokenStream {
    if !input.generics.params.is_empty() {
        return TokenStream::new();
    }
    let ident = &input.ident;
    let variants = data.variants.iter().map(|variant| &variant.ident);
    quote! {
        const _: () = {
            #[allow(dead_code, deprecated)]
            fn made() {
                #(let _ = #ident::#variants;)*
            }
        };
    }
}
