//! The keys of `#[model(...)]`: the one table that lists them, and the loop that reads them.
//!
//! Nothing here stops at the first mistake. Each key's value is read by a closure. If that fails,
//! the mistake is recorded, the rest of the key is skipped, and the next key is read.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::spanned::Spanned;
use syn::{Attribute, Ident, Meta, Token};

use crate::ctxt::Ctxt;

/// Where an attribute is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// A struct that derives `Model`.
    Model,
    /// A struct that derives `Columns`.
    Columns,
    /// A field of either.
    Field,
    /// A struct that derives `ColumnType`.
    Newtype,
    /// An enum that derives `ColumnType`.
    Enum,
    /// A variant of that enum.
    Variant,
}

impl Place {
    fn name(self) -> &'static str {
        match self {
            Place::Model => "a model's struct",
            Place::Columns => "a `Columns` struct",
            Place::Field => "a field",
            Place::Newtype => "a `ColumnType` struct",
            Place::Enum => "a `ColumnType` enum",
            Place::Variant => "a variant of a `ColumnType` enum",
        }
    }
}

/// A key: its name, how it is written, and where.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    /// How it is written, for messages, at each place where it is allowed. The first place is the
    /// one that is suggested.
    forms: &'static [(Place, &'static str)],
    /// Whether it may occur several times.
    repeats: bool,
}

impl Key {
    /// How it is written at this place.
    pub(crate) fn form(&self, place: Place) -> &'static str {
        self.forms.iter().find(|(form, _)| *form == place).map_or(self.name, |(_, form)| form)
    }

    fn belongs(&self, place: Place) -> bool {
        self.forms.iter().any(|(form, _)| *form == place)
    }
}

const fn key(name: &'static str, forms: &'static [(Place, &'static str)]) -> Key {
    Key { name, forms, repeats: false }
}

const fn many(name: &'static str, forms: &'static [(Place, &'static str)]) -> Key {
    Key { name, forms, repeats: true }
}

use Place::{Columns, Enum, Field, Model, Newtype, Variant};

const UNIQUE: &str = "unique(a, b)` or `unique(name = \"...\", columns(a, b), nulls_not_distinct, include(c), deferrable = \"...\")";
const INDEX: &str = "index(a, b desc)` or `index(name = \"...\", columns(a, b desc, c collate \"...\", sql(\"...\")), unique, where = \"...\", using = \"...\", include(d), nulls_not_distinct, with(\"...\"), concurrently)";
const EXCLUDE: &str = "exclude(name = \"...\", using = \"gist\", elements(a with \"=\", b with \"&&\"), where = \"...\")";
const CHECK: &str = "check(\"...\")`, `check(name = \"...\", expr = \"...\")` or `check(sqlite = \"...\", postgres = \"...\", mysql = \"...\")";
const FOREIGN_KEY: &str = "foreign_key(columns(a, b), references = Other(x, y))";
const TYPE: &str = "type = Decimal(10, 2)`, `type = raw(\"...\")` or `type = raw(sqlite = \"...\", postgres = \"...\", mysql = \"...\")";
const RENAME_ALL: &str = "rename_all = \"camelCase\"";
const CRATE: &str = "crate = path";
const ACTION: &str = "no_action|restrict|cascade|set_null|set_default";

/// All keys.
const KEYS: &[Key] = &[
    key("table", &[(Model, "table = \"...\"")]),
    key("schema", &[(Model, "schema = \"...\"")]),
    key("rename_all", &[(Model, RENAME_ALL), (Columns, RENAME_ALL), (Enum, RENAME_ALL)]),
    key("renamed_from", &[(Field, "renamed_from = \"...\""), (Model, "renamed_from = \"...\"")]),
    key(
        "primary_key",
        &[(Field, "primary_key"), (Model, "primary_key(a, b)"), (Columns, "primary_key(a, b)")],
    ),
    many("unique", &[(Field, "unique"), (Model, UNIQUE), (Columns, UNIQUE)]),
    many("index", &[(Field, "index"), (Model, INDEX), (Columns, INDEX)]),
    many("exclude", &[(Model, EXCLUDE), (Columns, EXCLUDE)]),
    many("check", &[(Field, CHECK), (Model, CHECK), (Columns, CHECK)]),
    many("foreign_key", &[(Model, FOREIGN_KEY), (Columns, FOREIGN_KEY)]),
    key("comment", &[(Field, "comment = \"...\""), (Model, "comment = \"...\"")]),
    key("strict", &[(Model, "strict")]),
    key("without_rowid", &[(Model, "without_rowid")]),
    key("sqlite", &[(Model, "sqlite(strict, without_rowid)")]),
    key(
        "postgres",
        &[(Model, "postgres(unlogged, with(\"fillfactor = 70\"), tablespace = \"...\")")],
    ),
    key(
        "mysql",
        &[
            (Model, "mysql(engine = \"...\", charset = \"...\", collate = \"...\")"),
            (Field, "mysql(on_update_now, invisible, charset = \"...\")"),
        ],
    ),
    key("database", &[(Model, "database = \"...\"")]),
    key("no_primary_key", &[(Model, "no_primary_key")]),
    key("unmanaged", &[(Model, "unmanaged")]),
    key("autoincrement", &[(Field, "autoincrement` or `autoincrement = false")]),
    key("identity", &[(Field, "identity = always|by_default|serial")]),
    key("column", &[(Field, "column = \"...\"")]),
    key("length", &[(Field, "length = 100"), (Newtype, "length = 100")]),
    key("precision", &[(Field, "precision = 10")]),
    key("scale", &[(Field, "scale = 2")]),
    key("type", &[(Field, TYPE), (Newtype, TYPE)]),
    key(
        "default",
        &[(
            Field,
            "default = 0`, `default = \"text\"`, `default = now` or `default = sql(\"...\")",
        )],
    ),
    key(
        "references",
        &[(
            Field,
            "references = Other`, `references = Other::field` or `references = Other(field)",
        )],
    ),
    key("on_delete", &[(Field, ACTION)]),
    key("on_update", &[(Field, ACTION)]),
    key(
        "deferrable",
        &[(Field, "deferrable = \"initially deferred\"` or `deferrable = \"initially immediate\"")],
    ),
    key("generated", &[(Field, "generated(\"...\", stored)` or `generated(\"...\", virtual)")]),
    key("collate", &[(Field, "collate = \"...\"")]),
    key("nullable", &[(Field, "nullable")]),
    key("not_null", &[(Field, "not_null")]),
    key("skip", &[(Field, "skip")]),
    key("flatten", &[(Field, "flatten")]),
    key("name", &[(Enum, "name = \"...\"")]),
    key("text", &[(Enum, "text")]),
    key("rename", &[(Variant, "rename = \"...\"")]),
    key("crate", &[(Model, CRATE), (Columns, CRATE), (Newtype, CRATE), (Enum, CRATE)]),
];

/// Reads all keys of the `#[model(...)]` attributes among these; `read` reads each value.
pub(crate) fn keys(
    cx: &Ctxt,
    attrs: &[Attribute],
    place: Place,
    mut read: impl FnMut(&'static Key, Span, ParseStream<'_>) -> syn::Result<()>,
) -> Keys {
    let mut seen = Keys::default();
    // The attributes of a column's type have a name of their own, too.
    let of_type = matches!(place, Newtype | Enum | Variant);
    let is_ours = |attribute: &&Attribute| {
        let path = attribute.path();
        path.is_ident("model") || of_type && path.is_ident("column_type")
    };
    for attr in attrs.iter().filter(is_ours) {
        if !matches!(attr.meta, Meta::List(_)) {
            let name = attr.path().get_ident().map(ToString::to_string).unwrap_or_default();
            let message = format!("this attribute is empty; write `#[{name}(...)]`");
            cx.error(attr.meta.span(), message);
            continue;
        }
        let result = attr.parse_args_with(|input: ParseStream<'_>| {
            while !input.is_empty() {
                let result = key_at(input, place).and_then(|(key, span)| {
                    let repeats = key.repeats && place != Field;
                    if seen.get(key.name).is_some() && !repeats {
                        cx.error(span, format!("`{}` is given twice", key.name));
                    }
                    seen.0.push((key.name, span));
                    read(key, span, input)
                });
                if let Err(error) = result {
                    cx.push(error);
                    pass_over(input)?;
                }
                if !input.is_empty() && input.parse::<Token![,]>().is_err() {
                    cx.push(input.error("expected `,` between keys"));
                    pass_over(input)?;
                    input.parse::<Option<Token![,]>>()?;
                }
            }
            Ok(())
        });
        if let Err(error) = result {
            cx.push(error);
        }
    }
    seen
}

/// The keys that occur, each with the position of its name.
#[derive(Default)]
pub(crate) struct Keys(Vec<(&'static str, Span)>);

impl Keys {
    pub(crate) fn get(&self, name: &str) -> Option<Span> {
        self.0.iter().find(|(text, _)| *text == name).map(|(_, span)| *span)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, Span)> + '_ {
        self.0.iter().copied()
    }
}

/// Reads the name of a key that is allowed at this place.
fn key_at(input: ParseStream<'_>, place: Place) -> syn::Result<(&'static Key, Span)> {
    if !input.peek(Ident::peek_any) {
        return Err(input.error(format!("expected a key; {}", valid(place))));
    }
    let ident = input.call(Ident::parse_any)?;
    let name = ident.unraw().to_string();
    let Some(key) = KEYS.iter().find(|key| key.name == name) else {
        let guess = match guess(&name, place) {
            Some(guess) => format!(" (did you mean `{guess}`?)"),
            None => String::new(),
        };
        let message = format!("unknown key `{name}`{guess}; {}", valid(place));
        return Err(syn::Error::new(ident.span(), message));
    };
    if !key.belongs(place) {
        let (belongs, form) = key.forms[0];
        let message = format!(
            "`{name}` is not a key of {}; it belongs on {}, as `{form}`",
            place.name(),
            belongs.name(),
        );
        return Err(syn::Error::new(ident.span(), message));
    }
    Ok((key, ident.span()))
}

/// Skips to the next comma, or to the end.
fn pass_over(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}

/// Parses the content of parentheses and consumes all of it, even after a mistake.
pub(crate) fn nested<T>(
    input: ParseStream<'_>,
    parse: impl FnOnce(ParseStream<'_>) -> syn::Result<T>,
) -> syn::Result<T> {
    let content;
    syn::parenthesized!(content in input);
    let result = parse(&content);
    let end = content.span();
    let rest: TokenStream = content.parse()?;
    match result {
        Ok(_) if !rest.is_empty() => Err(syn::Error::new(end, "unexpected token")),
        result => result,
    }
}

/// The keys that are allowed at a place.
fn valid(place: Place) -> String {
    let names: Vec<String> =
        KEYS.iter().filter(|key| key.belongs(place)).map(|key| format!("`{}`", key.name)).collect();
    format!("the keys of {} are {}", place.name(), names.join(", "))
}

/// The key that was probably intended.
fn guess(name: &str, place: Place) -> Option<&'static str> {
    let near = |key: &&Key| distance(name, key.name) <= name.len().div_ceil(3).min(3);
    KEYS.iter()
        .filter(|key| key.belongs(place))
        .filter(near)
        .min_by_key(|key| distance(name, key.name))
        .map(|key| key.name)
}

/// How many letters have to be changed, added or removed to turn one word into the other.
fn distance(one: &str, two: &str) -> usize {
    let two: Vec<char> = two.chars().collect();
    let mut row: Vec<usize> = (0..=two.len()).collect();
    for (y, from) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = y + 1;
        for (x, to) in two.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[x + 1];
            row[x + 1] = replaced.min(row[x] + 1).min(diagonal + 1);
        }
    }
    row[two.len()]
}

/// The first line of a doc comment.
pub(crate) fn docs(attrs: &[Attribute]) -> Option<String> {
    attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("doc"))
        .filter_map(|attribute| match &attribute.meta {
            Meta::NameValue(meta) => match &meta.value {
                syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
                _ => None,
            },
            _ => None,
        })
        .flat_map(|text| text.lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>())
        .find(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_guessed_from_what_looks_like_it() {
        assert_eq!(guess("lenght", Field), Some("length"));
        assert_eq!(guess("tabel", Model), Some("table"));
        assert_eq!(guess("ondelete", Field), Some("on_delete"));
        assert_eq!(guess("serde", Field), None);
    }
}
