//! Rules that involve more than one key.

use proc_macro2::Span;
use syn::spanned::Spanned as _;
use syn::{Data, DeriveInput, Fields, GenericParam, Token, punctuated::Punctuated};

use crate::ast::{Field, Struct};
use crate::attr::Place;
use crate::ctxt::Ctxt;
use crate::value::{Names, Spanned, list};

/// The named fields of a struct, if it can be a model or a group of columns.
pub(crate) fn fields<'a>(
    cx: &Ctxt,
    input: &'a DeriveInput,
    place: Place,
) -> Option<&'a Punctuated<syn::Field, Token![,]>> {
    let what = if place == Place::Model { "a model" } else { "a group of columns" };
    for parameter in &input.generics.params {
        let (kind, ident) = match parameter {
            GenericParam::Lifetime(_) => continue,
            GenericParam::Type(type_param) => ("type", &type_param.ident),
            GenericParam::Const(const_param) => ("const", &const_param.ident),
        };
        let message = format!(
            "{what} can't have {kind} parameters, since it stands for one table and not for one \
             per `{ident}`; only lifetimes are allowed"
        );
        cx.error(ident.span(), message);
    }
    let name = &input.ident;
    let form = format!("`struct {name} {{ ... }}`");
    let (span, is) = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) if !fields.named.is_empty() => return Some(&fields.named),
            Fields::Named(fields) => (fields.span(), "a struct without fields has no columns"),
            Fields::Unnamed(fields) => {
                (fields.span(), "the fields of a tuple struct have no names for columns")
            }
            Fields::Unit => (name.span(), "a unit struct has no columns"),
        },
        Data::Enum(data) => (data.enum_token.span, "an enum has no columns"),
        Data::Union(data) => (data.union_token.span, "a union has no columns"),
    };
    let hint = match &input.data {
        Data::Enum(_) => "; to use it as the type of one column, derive `ColumnType`",
        _ => "",
    };
    cx.error(span, format!("{is}; {what} is a struct with named fields, {form}{hint}"));
    None
}

/// Checks a whole struct.
pub(crate) fn rules(cx: &Ctxt, model: &Struct<'_>) {
    for field in &model.fields {
        field_rules(cx, model, field);
    }
    primary_key(cx, model);
    columns_are_distinct(cx, model);
    names_are_there(cx, model);
    names_are_distinct(cx, model);
    let keys = &model.attrs.keys;
    let has_option = |name| model.attrs.options.iter().any(|option| option == name);
    let without_rowid = keys.get("without_rowid").or(keys.get("sqlite"));
    if let Some(span) = without_rowid.filter(|_| has_option("without_rowid")) {
        if model.attrs.keys.get("no_primary_key").is_some() {
            cx.error(span, "a table `without_rowid` needs a primary key");
        }
    }
    for key in &model.attrs.foreign_keys {
        let (here, there) = (key.columns.len(), key.references.fields.len());
        if there > 0 && here != there {
            let message = format!("{here} columns can't refer to {there}");
            cx.error(key.references.span, message);
        }
    }
    if model.columns().next().is_none() && model.groups().next().is_none() {
        cx.error(model.ident.span(), format!("all fields of `{}` are skipped", model.name));
    }
}

/// Keys that exclude each other on a field, with the reason.
const EXCLUSIVE: &[(&str, &str, &str)] = &[
    ("nullable", "not_null", "a column is one or the other"),
    ("nullable", "primary_key", "a primary key is never NULL"),
    ("not_null", "primary_key", "a primary key is never NULL anyway"),
    ("length", "type", "the type includes its length, as in `type = String(100)`"),
    ("precision", "type", "the type includes its precision, as in `type = Decimal(10, 2)`"),
    ("scale", "type", "the type includes its scale, as in `type = Decimal(10, 2)`"),
    ("length", "precision", "`length` is for text, `precision` for decimal numbers"),
    ("length", "scale", "`length` is for text, `scale` for decimal numbers"),
    ("generated", "default", "a generated column is never inserted"),
    ("generated", "autoincrement", "a column's values come from one of them"),
    ("generated", "identity", "a column's values come from one of them"),
    ("default", "identity", "a column's values come from one of them"),
    ("nullable", "identity", "a column that generates its values is never NULL"),
    ("generated", "primary_key", "a generated column can't be the primary key"),
    ("unique", "primary_key", "a primary key is already unique"),
    ("index", "primary_key", "a primary key already has an index"),
    ("index", "unique", "a unique column already has an index"),
];

fn field_rules(cx: &Ctxt, model: &Struct<'_>, field: &Field<'_>) {
    let attrs = &field.attrs;
    let name = &field.name;
    for lone in ["skip", "flatten"] {
        if attrs.has(lone) {
            let why = match lone {
                "skip" => "a skipped field is not a column",
                _ => "a flattened field is a group of columns, whose own struct has the attributes",
            };
            for (key, span) in attrs.keys.iter().filter(|(key, _)| *key != lone) {
                cx.error(span, format!("`{key}` and `{lone}` exclude each other: {why}"));
            }
            return;
        }
    }
    for (one, other, why) in EXCLUSIVE {
        if let (Some(one_span), Some(other_span)) = (attrs.keys.get(one), attrs.keys.get(other)) {
            let span = later(one_span, other_span);
            cx.error(span, format!("`{one}` and `{other}` exclude each other: {why}"));
        }
    }
    if let Some(switch) = &attrs.autoincrement {
        if let (true, Some(span)) = (switch.value, attrs.keys.get("default")) {
            let message = "`autoincrement` and `default` exclude each other: a column's values \
                           come from one of them";
            cx.error(span, message);
        }
        let is_key = attrs.has("primary_key")
            || model.attrs.primary_key.as_ref().is_some_and(|key| is_alone(key, field));
        if !is_key {
            let message = format!(
                "only a primary key of a single column generates its values, and `{name}` is not \
                 one; add `primary_key` or remove `autoincrement`"
            );
            cx.error(switch.span, message);
        }
    }
    if let (Some(identity), Some(Spanned { value: false, .. })) =
        (&attrs.identity, &attrs.autoincrement)
    {
        let message = "`identity` and `autoincrement = false` exclude each other: one says that \
                       the column generates its values, the other that it doesn't";
        cx.error(identity.span, message);
    }
    if let Some(length) = &attrs.length {
        if length.value == 0 {
            cx.error(length.span, "a `length` of 0 leaves no room for text");
        }
    }
    match (&attrs.precision, &attrs.scale) {
        (Some(precision), Some(scale)) if scale.value > precision.value => {
            let message = format!("the `scale` is at most the `precision`, {}", precision.value);
            cx.error(scale.span, message);
        }
        (Some(precision), Some(_)) if precision.value == 0 => {
            cx.error(precision.span, "a `precision` of 0 leaves no room for digits");
        }
        (Some(precision), None) => {
            let message = "`precision` also needs `scale`, as in `precision = 10, scale = 2`";
            cx.error(precision.span, message);
        }
        (None, Some(scale)) => {
            let message = "`scale` also needs `precision`, as in `precision = 10, scale = 2`";
            cx.error(scale.span, message);
        }
        _ => {}
    }
    if !attrs.has("references") {
        for key in ["on_delete", "on_update", "deferrable"] {
            if let Some(span) = attrs.keys.get(key) {
                let message = format!(
                    "`{key}` is for foreign keys, and `{name}` is not one; add `references = \
                     Other` or remove it"
                );
                cx.error(span, message);
            }
        }
    }
    if let (Some(action), true) = (&attrs.actions.on_delete, attrs.has("not_null")) {
        if action.value == "set_null" {
            let message = "`on_delete = set_null` and `not_null` exclude each other";
            cx.error(action.span, message);
        }
    }
}

/// Whether the list consists of this one field.
fn is_alone(names: &Names, field: &Field<'_>) -> bool {
    matches!(names.as_slice(), [one] if one.value == field.name || one.value == field.column)
}

fn primary_key(cx: &Ctxt, model: &Struct<'_>) {
    let keys: Vec<&Field<'_>> =
        model.columns().filter(|field| field.attrs.has("primary_key")).collect();
    let none = model.attrs.keys.get("no_primary_key");
    if let (Some(span), Some(_)) = (none, &model.attrs.primary_key) {
        cx.error(span, "`primary_key` and `no_primary_key` exclude each other");
    }
    for field in &keys {
        let span = field.attrs.keys.get("primary_key").unwrap_or_else(|| field.span());
        if none.is_some() {
            cx.error(span, "`primary_key` and `no_primary_key` exclude each other");
        } else if model.attrs.primary_key.is_some() {
            let message =
                "the struct's `primary_key(...)` already names the key; remove one of them";
            cx.error(span, message);
        }
    }
    if let (None, None, [_, second, ..]) = (none, &model.attrs.primary_key, keys.as_slice()) {
        let names: Vec<&str> = keys.iter().map(|field| field.name.as_str()).collect();
        let message = format!(
            "a second primary key; for one key of several columns write `#[model(primary_key({}))]` \
             on the struct",
            names.join(", ")
        );
        let span = second.attrs.keys.get("primary_key").unwrap_or_else(|| second.span());
        cx.error(span, message);
    }
    let missing = model.place == Place::Model
        && none.is_none()
        && model.attrs.primary_key.is_none()
        && model.attrs.keys.get("primary_key").is_none()
        && keys.is_empty()
        && model.groups().next().is_none();
    if missing {
        let message = format!(
            "`{}` has no primary key; write `#[model(primary_key)]` on a field, \
             `#[model(primary_key(a, b))]` or `#[model(no_primary_key)]` on the struct",
            model.name
        );
        cx.error(model.ident.span(), message);
    }
}

fn columns_are_distinct(cx: &Ctxt, model: &Struct<'_>) {
    let columns: Vec<&Field<'_>> = model.columns().collect();
    for (idx, field) in columns.iter().enumerate() {
        if let Some(first) = columns[..idx].iter().find(|column| column.column == field.column) {
            let span =
                field.attrs.column.as_ref().map_or_else(|| field.span(), |column| column.span);
            let message =
                format!("`{}` is already the column of the field `{}`", field.column, first.name);
            cx.error(span, message);
        }
    }
}

/// All lists of columns in the struct's attributes.
pub(crate) fn lists<'a>(model: &'a Struct<'_>) -> Vec<Vec<(&'a str, Span)>> {
    let names =
        |names: &'a Names| names.iter().map(|name| (name.value.as_str(), name.span)).collect();
    let mut lists: Vec<Vec<(&str, Span)>> = Vec::new();
    lists.extend(model.attrs.primary_key.iter().map(names));
    lists.extend(model.attrs.uniques.iter().map(|unique| names(&unique.columns)));
    let attrs = || model.columns().map(|field| &field.attrs);
    let uniques = attrs().filter_map(|attrs| attrs.unique.as_ref()).chain(&model.attrs.uniques);
    lists.extend(uniques.map(|unique| names(&unique.include)));
    let indexes = attrs().filter_map(|attrs| attrs.index.as_ref()).chain(&model.attrs.indexes);
    lists.extend(indexes.map(|index| names(&index.include)));
    lists.extend(model.attrs.foreign_keys.iter().map(|foreign_key| names(&foreign_key.columns)));
    for index in &model.attrs.indexes {
        // A column can be indexed by several collations and classes of operators.
        let others = |idx: usize| {
            let term = &index.terms[idx];
            let mut before = index.terms[..idx].iter();
            before.any(|other| other.what.value == term.what.value && !other.orders_as(term))
        };
        let columns = index.terms.iter().enumerate();
        let columns = columns.filter(|(idx, term)| term.sql.is_none() && !others(*idx));
        let columns = columns.map(|(_, term)| term);
        lists.push(columns.map(|term| (term.what.value.as_str(), term.what.span)).collect());
    }
    lists
}

fn names_are_there(cx: &Ctxt, model: &Struct<'_>) {
    let fields: Vec<&str> = model.columns().map(|field| field.name.as_str()).collect();
    for list_of_names in lists(model) {
        for (idx, (name, span)) in list_of_names.iter().enumerate() {
            if list_of_names[..idx].iter().any(|(text, _)| text == name) {
                cx.error(*span, format!("`{name}` is listed twice"));
            }
            let skipped =
                model.fields.iter().any(|field| field.name == *name && field.attrs.has("skip"));
            if skipped {
                cx.error(*span, format!("the field `{name}` is skipped, so it is not a column"));
            } else if model.find(name).is_none() && model.groups().next().is_none() {
                let message =
                    format!("there is no field `{name}`; the fields are {}", list(&fields, "and"));
                cx.error(*span, message);
            }
        }
    }
}

/// Checks that no two constraints of one kind have the same content or the same name.
fn names_are_distinct(cx: &Ctxt, model: &Struct<'_>) {
    let on_fields =
        |name: &str| model.find(name).map_or_else(|| name.to_owned(), |field| field.name.clone());
    let mut uniques: Vec<Vec<String>> = Vec::new();
    for field in model.columns().filter(|field| field.attrs.unique.is_some()) {
        uniques.push(vec![field.name.clone()]);
    }
    for unique in &model.attrs.uniques {
        let columns: Vec<String> =
            unique.columns.iter().map(|column| on_fields(&column.value)).collect();
        if uniques.contains(&columns) {
            cx.error(unique.span, "these columns are already unique");
        }
        uniques.push(columns);
    }
    let columns: Vec<_> = model.columns().map(|field| &field.attrs).collect();
    let mut named: Vec<&Option<Spanned<String>>> = Vec::new();
    named.extend(columns.iter().filter_map(|attrs| Some(&attrs.unique.as_ref()?.name)));
    named.extend(model.attrs.uniques.iter().map(|unique| &unique.name));
    named.extend(columns.iter().filter_map(|attrs| Some(&attrs.index.as_ref()?.name)));
    named.extend(model.attrs.indexes.iter().map(|index| &index.name));
    named.extend(columns.iter().filter_map(|attrs| Some(&attrs.check.as_ref()?.name)));
    named.extend(model.attrs.checks.iter().map(|check| &check.name));
    named.extend(model.attrs.foreign_keys.iter().map(|foreign_key| &foreign_key.name));
    let named: Vec<_> = named.into_iter().flatten().collect();
    for (idx, name) in named.iter().enumerate() {
        if named[..idx].iter().any(|candidate| candidate.value == name.value) {
            let message = format!("the name `{}` is already used in this struct", name.value);
            cx.error(name.span, message);
        }
    }
}

/// The later of two positions in the source, as far as that can be determined.
fn later(one: Span, other: Span) -> Span {
    let (first, second) = (one.start(), other.start());
    if (first.line, first.column) > (second.line, second.column) { one } else { other }
}
