//! Parses the values of `references`, `foreign_key` and related keys.

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Ident, LitStr, Path, token};

use super::{Names, Options, Reader, Spanned, Text, list};
use crate::attr::nested;

/// What a foreign key refers to.
pub(crate) struct Reference {
    pub(crate) model: Path,
    /// Empty for the primary key.
    pub(crate) fields: Names,
    pub(crate) span: Span,
}

/// The other options of a foreign key.
#[derive(Default)]
pub(crate) struct Actions {
    pub(crate) on_delete: Option<Text>,
    pub(crate) on_update: Option<Text>,
    pub(crate) deferrable: Option<Text>,
}

/// `foreign_key(...)` on a struct.
pub(crate) struct ForeignKey {
    pub(crate) name: Option<Text>,
    pub(crate) columns: Names,
    pub(crate) references: Reference,
    pub(crate) actions: Actions,
}

impl Reader {
    /// `= Other::field`, `= Other`, `= Other(field)`
    pub(crate) fn references(self, input: ParseStream<'_>) -> syn::Result<Reference> {
        self.equals(input)?;
        let start = input.span();
        let mut model = input.call(Path::parse_mod_style).map_err(|_| self.expected_at(start))?;
        let last = model.segments.last().map(|segment| segment.ident.clone());
        let last = last.ok_or_else(|| self.expected_at(start))?;
        if input.peek(token::Paren) {
            let fields = nested(input, |input| self.names_inside(input))?;
            return Ok(Reference { model, fields, span: last.span() });
        }
        let name = last.unraw().to_string();
        if name.starts_with(char::is_uppercase) {
            return Ok(Reference { model, fields: Vec::new(), span: last.span() });
        }
        model.segments.pop();
        model.segments.pop_punct();
        if model.segments.is_empty() {
            let message = format!(
                "`{name}` is not the name of a model; write `references = Model::{name}`, or \
                 `references = {name}(field)` if that is its name"
            );
            return Err(syn::Error::new(last.span(), message));
        }
        let fields = vec![Spanned { value: name, span: last.span() }];
        Ok(Reference { model, fields, span: last.span() })
    }

    /// `= cascade`
    pub(crate) fn action(self, name: &str, input: ParseStream<'_>) -> syn::Result<Text> {
        const ACTIONS: &[&str] = &["no_action", "restrict", "cascade", "set_null", "set_default"];
        self.equals(input)?;
        let span = if input.is_empty() { self.span } else { input.span() };
        let value = match input.call(Ident::parse_any) {
            Ok(ident) => ident.to_string(),
            Err(_) => String::new(),
        };
        if !ACTIONS.contains(&value.as_str()) {
            let message = format!("expected `{name} = ` and {}", list(ACTIONS, "or"));
            return Err(syn::Error::new(span, message));
        }
        Ok(Spanned { value, span })
    }

    /// `= "initially deferred"`
    pub(crate) fn deferrable(self, input: ParseStream<'_>) -> syn::Result<Text> {
        const TIMES: &[&str] = &["initially deferred", "initially immediate"];
        self.equals(input)?;
        let span = if input.is_empty() { self.span } else { input.span() };
        match input.parse::<LitStr>() {
            Ok(text) if TIMES.contains(&text.value().as_str()) => {
                Ok(Spanned { value: text.value(), span })
            }
            _ => {
                let message = "expected `deferrable = \"initially deferred\"` or `deferrable = \"initially immediate\"`";
                Err(syn::Error::new(span, message))
            }
        }
    }

    pub(crate) fn foreign_key(self, input: ParseStream<'_>) -> syn::Result<ForeignKey> {
        if !input.peek(token::Paren) {
            return Err(self.expected(input));
        }
        nested(input, |input| {
            let (mut name, mut columns, mut references) = (None, None, None);
            let mut actions = Actions::default();
            let mut options = Options::new(&[
                "name",
                "columns",
                "references",
                "on_delete",
                "on_update",
                "deferrable",
            ]);
            while !input.is_empty() {
                let (option, span) = options.next(input)?;
                let at = Reader { span, ..self };
                match option.as_str() {
                    "name" => name = Some(at.text(input)?),
                    "columns" => columns = Some(at.names(input)?),
                    "references" => references = Some(at.references(input)?),
                    "on_delete" => actions.on_delete = Some(at.action("on_delete", input)?),
                    "on_update" => actions.on_update = Some(at.action("on_update", input)?),
                    _ => actions.deferrable = Some(at.deferrable(input)?),
                }
                self.comma(input)?;
            }
            match (columns, references) {
                (Some(columns), Some(references)) => {
                    Ok(ForeignKey { name, columns, references, actions })
                }
                _ => Err(self.expected_at(self.span)),
            }
        })
    }
}
