//! Checks of a model that only the compiler can make, with our own wording. The derive calls these
//! functions in constants, with the attribute's position in the source.
//!
//! A function that finds a mistake panics, which is a compile error in a constant. All functions
//! are `#[track_caller]`, so that the error is reported at the attribute.

use super::ty::same_text;
use super::{Field, Fields, Ty};

/// Fails unless the field is text: for `length` and `collate`.
#[track_caller]
pub const fn text(key: &str, field: Field) {
    if let Field::Column(name, _, ty) = field {
        if !ty.is_text() {
            not_for(key, "text", name, ty);
        }
    }
}

/// Fails unless the newtype holds text: for its `length`.
#[track_caller]
pub const fn inner_text(ty: Ty, name: &str) {
    if !ty.is_text() {
        not_for("length", "text", name, ty);
    }
}

/// Fails unless the field is a decimal number: for `precision` and `scale`.
#[track_caller]
pub const fn decimal(key: &str, field: Field) {
    if let Field::Column(name, _, ty) = field {
        if !ty.is_decimal() {
            not_for(key, "decimal numbers", name, ty);
        }
    }
}

/// Fails unless the field is an integer: for `autoincrement`.
#[track_caller]
pub const fn integer(key: &str, field: Field) {
    if let Field::Column(name, _, ty) = field {
        if !ty.is_integer() {
            not_for(key, "integers", name, ty);
        }
    }
}

#[track_caller]
const fn not_for(key: &str, what: &str, field: &str, ty: Ty) -> ! {
    Message::new()
        .add("`")
        .add(key)
        .add("` is for ")
        .add(what)
        .add(", but the column type of `")
        .add(field)
        .add("` is ")
        .add(ty.words())
        .fail()
}

/// One column of a foreign key.
#[derive(Debug, Clone, Copy)]
pub struct Reference<'a> {
    /// The foreign key's field.
    pub own: Field,
    /// The name of the referenced model.
    pub model: &'a str,
    /// The fields of that model.
    pub other: Fields,
    /// The key of an action that sets the field to NULL, unless the field is declared as nullable;
    /// otherwise empty.
    pub sets_null: &'a str,
}

/// Fails unless the other model has the referenced field, with the same type as the foreign key's
/// field.
#[track_caller]
pub const fn reference(of: Reference<'_>, target: &str) {
    let Reference { own, model, other, sets_null } = of;
    // If the model's own column doesn't exist, that error is reported at its name.
    let Field::Column(column, _, from) = own else { return };
    if !other.known {
        return;
    }
    let Some((_, to)) = find(other, target) else {
        Message::new().add("`").add(model).add("` has no field `").add(target).add("`").fail();
    };
    if !from.same(&to) {
        Message::new()
            .add("the column type of `")
            .add(column)
            .add("` is ")
            .add(from.words())
            .add(", but that of `")
            .add(model)
            .add("::")
            .add(target)
            .add("` is ")
            .add(to.words())
            .fail();
    }
    if !sets_null.is_empty() && !from.is_nullable() {
        Message::new()
            .add("`")
            .add(sets_null)
            .add(" = set_null` needs a nullable column, but `")
            .add(column)
            .add("` is not an `Option`")
            .fail();
    }
}

/// Fails unless the referenced fields are the other model's primary key or unique together, in any
/// order: a database can't follow a foreign key to anything else.
#[track_caller]
pub const fn referable(model: &str, other: Fields, targets: &[&'static str]) {
    let mut idx = 0;
    while idx < targets.len() {
        // A missing field has its own error.
        if find(other, targets[idx]).is_none() {
            return;
        }
        idx += 1;
    }
    if !other.known || other.uniques.is_none() || is_unique(other, other, targets) {
        return;
    }
    let mut message = Message::new();
    idx = 0;
    while idx < targets.len() {
        let separator = if idx == 0 {
            "`"
        } else if idx + 1 == targets.len() {
            " and `"
        } else {
            ", `"
        };
        let name = targets[idx];
        message = message.add(separator).add(model).add("::").add(name).add("`");
        idx += 1;
    }
    message
        .add(if idx == 1 { " is neither the primary key" } else { " are neither the primary key" })
        .add(" of `")
        .add(model)
        .add(if idx == 1 { "` nor unique" } else { "` nor unique together" })
        .add(", so a foreign key cannot refer to ")
        .add(if idx == 1 { "it; write `#[model(unique)]`" } else { "them; write `unique(...)`" })
        .add(if idx == 1 { " there, or refer to the key" } else { " on the struct there" })
        .fail();
}

const fn is_unique(other: Fields, of: Fields, targets: &[&'static str]) -> bool {
    if are_same_columns(other, targets, of, of.primary_key) {
        return true;
    }
    let mut idx = 0;
    if let Some(uniques) = of.uniques {
        while idx < uniques.len() {
            if are_same_columns(other, targets, of, uniques[idx]) {
                return true;
            }
            idx += 1;
        }
    }
    idx = 0;
    while idx < of.list.len() {
        if let Field::Group(group) = of.list[idx] {
            // A group's key is the model's key unless the model has one of its own.
            let group = Fields { primary_key: &[], ..group };
            if is_unique(other, group, targets) {
                return true;
            }
        }
        idx += 1;
    }
    false
}

/// Whether both lists have the same columns; neither list has duplicates.
const fn are_same_columns(
    one: Fields,
    ones: &[&'static str],
    two: Fields,
    twos: &[&'static str],
) -> bool {
    let mut idx = 0;
    let mut same = ones.len() == twos.len();
    while same && idx < ones.len() {
        let mut at = 0;
        let column_of_one = column(one, ones[idx]);
        while at < twos.len() && !same_text(column(two, twos[at]), column_of_one) {
            at += 1;
        }
        same = at < twos.len();
        idx += 1;
    }
    same
}

/// A default in an attribute, as far as the column's type has to accept it.
#[derive(Debug, Clone, Copy)]
pub enum Default {
    Now,
    Bool,
    Integer(i64),
    Real,
    /// The number of characters.
    Text(u32),
    /// The number of bytes.
    Bytes(usize),
}

/// Fails unless the field's type can hold the default.
#[track_caller]
pub const fn default(field: Field, default: Default) {
    let Field::Column(name, _, ty) = field else { return };
    let is_text = ty.is_text();
    let misfit = match default {
        Default::Now if !is_text && !ty.is_time() => "the time",
        Default::Bool if !ty.is_boolean() => "a boolean",
        Default::Integer(number) => {
            if let Some((range, least, greatest)) = ty.range() {
                if number < least || number > greatest {
                    Message::new()
                        .add("the default is outside ")
                        .add(range)
                        .add(", the range of the column type of `")
                        .add(name)
                        .add("`: ")
                        .add(ty.words())
                        .fail();
                }
            }
            if ty.is_time() || ty.is_bytes() { "an integer" } else { "" }
        }
        Default::Real if ty.is_integer() || ty.is_boolean() || ty.is_time() || ty.is_bytes() => {
            "a fractional number"
        }
        Default::Text(_) if ty.is_integer() || ty.is_float() || ty.is_boolean() => "a string",
        Default::Text(_) if ty.is_binary() => "a string",
        Default::Text(0) if ty.is_char() => "an empty string",
        Default::Text(length) if ty.is_longer(length) => Message::new()
            .add("the default has more characters than `")
            .add(name)
            .add("` holds")
            .fail(),
        Default::Bytes(length) if ty.is_other_length(length) => Message::new()
            .add("the default has a different number of bytes than `")
            .add(name)
            .add("` holds")
            .fail(),
        Default::Bytes(_) if !ty.is_bytes() => "bytes",
        _ => "",
    };
    // A database's own type holds whatever the model says it holds.
    if !misfit.is_empty() && !ty.is_own() {
        Message::new()
            .add("the default is ")
            .add(misfit)
            .add(", but the column type of `")
            .add(name)
            .add("` is ")
            .add(ty.words())
            .fail();
    }
}

/// Fails unless a field without a default is nullable, since `set_default` then sets it to NULL.
#[track_caller]
pub const fn sets_default(key: &str, field: Field) {
    if let Field::Column(name, _, ty) = field {
        if !ty.is_nullable() {
            Message::new()
                .add("`")
                .add(key)
                .add(" = set_default` needs a default, but `")
                .add(name)
                .add("` has none and is not an `Option`")
                .fail();
        }
    }
}

/// The same as [`reference`] for one column of a foreign key to the primary key, given its position
/// and the number of columns.
#[track_caller]
pub const fn key_reference(of: Reference<'_>, place: usize, n_columns: usize) {
    let Reference { model, other, .. } = of;
    let key = other.primary_key;
    if key.len() == n_columns {
        reference(of, key[place]);
    } else if other.known && place == 0 && key.is_empty() {
        Message::new()
            .add("`")
            .add(model)
            .add("` has no primary key to refer to; name the field, as in `references = ")
            .add(model)
            .add("::field`")
            .fail();
    } else if other.known && place == 0 {
        Message::new()
            .add("the primary key of `")
            .add(model)
            .add("` has ")
            .add(count(key.len()))
            .add(", but the foreign key has ")
            .add(count(n_columns))
            .fail();
    }
}

/// The field with this name; a placeholder if [`field`] reports it as missing.
pub const fn grouped(own: Fields, name: &'static str) -> Field {
    match find(own, name) {
        Some((_, ty)) => Field::Column(name, "", ty),
        None => Field::Group(Fields::UNKNOWN),
    }
}

/// Fails unless a flattened group of columns has this field.
#[track_caller]
pub const fn field(own: Fields, name: &str) {
    if own.known && find(own, name).is_none() {
        let message = Message::new();
        message
            .add("there is no field `")
            .add(name)
            .add("`, in the flattened groups either")
            .fail();
    }
}

/// Fails unless a flattened group supplies the primary key that the model itself lacks.
#[track_caller]
pub const fn primary_key(own: Fields, model: &str) {
    if own.known && own.primary_key.is_empty() {
        Message::new()
            .add("`")
            .add(model)
            .add("` and the groups that it flattens have no primary key; ")
            .add("write `#[model(primary_key)]` on a field or `#[model(no_primary_key)]` on the struct")
            .fail();
    }
}

/// Fails if the flattened group at this position adds a second primary key, besides the model's own
/// or an earlier group's.
#[track_caller]
pub const fn second_key(own: Fields, place: usize, mut has_key: bool, model: &str) {
    let mut idx = 0;
    while idx < place {
        if let Field::Group(group) = own.list[idx] {
            has_key = has_key || !group.primary_key.is_empty();
        }
        idx += 1;
    }
    if let Field::Group(group) = own.list[place] {
        if has_key && !group.primary_key.is_empty() {
            Message::new()
                .add("this group brings the primary key `")
                .add(group.primary_key[0])
                .add("`, but `")
                .add(model)
                .add("` already has a primary key or `no_primary_key`")
                .fail();
        }
    }
}

/// Fails if the flattened group at this position adds a column that already exists in the model or
/// in an earlier group.
#[track_caller]
pub const fn second_column(own: Fields, place: usize) {
    let Field::Group(group) = own.list[place] else { return };
    let mut idx = 0;
    while idx < own.list.len() {
        let first = match own.list[idx] {
            Field::Column(field, column, _) => has_column(group, column_of(field, column)),
            Field::Group(other) if idx < place => common_column(group, other),
            Field::Group(_) => None,
        };
        if let Some(column) = first {
            Message::new()
                .add("this group brings a column `")
                .add(column)
                .add("`, which already exists")
                .fail();
        }
        idx += 1;
    }
}

/// A column that both groups have.
const fn common_column(one: Fields, two: Fields) -> Option<&'static str> {
    let mut idx = 0;
    while idx < two.list.len() {
        let common = match two.list[idx] {
            Field::Column(field, column, _) => has_column(one, column_of(field, column)),
            Field::Group(inner) => common_column(one, inner),
        };
        if common.is_some() {
            return common;
        }
        idx += 1;
    }
    None
}

/// The name of the column, if the list contains it.
const fn has_column(fields: Fields, name: &'static str) -> Option<&'static str> {
    if find_by(fields, name, false).is_some() { Some(name) } else { None }
}

/// The primary key of the first group that has one.
pub const fn inherited_key(groups: &[Fields]) -> &'static [&'static str] {
    let mut idx = 0;
    while idx < groups.len() {
        if !groups[idx].primary_key.is_empty() {
            return groups[idx].primary_key;
        }
        idx += 1;
    }
    &[]
}

/// The column of a referenced field; empty if [`reference`] reports it as missing.
pub const fn column(fields: Fields, name: &str) -> &'static str {
    match find(fields, name) {
        Some((column, _)) => column,
        None => "",
    }
}

/// One column of the primary key; empty if [`reference`] reports it as missing.
pub const fn key_column(fields: Fields, idx: usize) -> &'static str {
    if idx < fields.primary_key.len() { column(fields, fields.primary_key[idx]) } else { "" }
}

/// A field's column and type, looked up by field name first and by column name second.
const fn find(fields: Fields, name: &str) -> Option<(&'static str, Ty)> {
    match find_by(fields, name, true) {
        None => find_by(fields, name, false),
        found => found,
    }
}

const fn find_by(fields: Fields, name: &str, by_field: bool) -> Option<(&'static str, Ty)> {
    let mut idx = 0;
    while idx < fields.list.len() {
        match fields.list[idx] {
            Field::Column(field, column, ty) => {
                let column = column_of(field, column);
                if same_text(if by_field { field } else { column }, name) {
                    return Some((column, ty));
                }
            }
            Field::Group(group) => {
                let found = find_by(group, name, by_field);
                if found.is_some() {
                    return found;
                }
            }
        }
        idx += 1;
    }
    None
}

/// The column's name; an empty one means that it is the field's.
const fn column_of(field: &'static str, column: &'static str) -> &'static str {
    if column.is_empty() { field } else { column }
}

const fn count(n: usize) -> &'static str {
    match n {
        1 => "one column",
        2 => "two columns",
        3 => "three columns",
        4 => "four columns",
        _ => "another number of columns",
    }
}

/// A message that is assembled in a constant, where `format!` isn't available.
struct Message {
    bytes: [u8; 512],
    len: usize,
}

impl Message {
    const fn new() -> Message {
        Message { bytes: [0; 512], len: 0 }
    }

    /// Appends a string; what exceeds the capacity is cut off.
    const fn add(mut self, text: &str) -> Message {
        let text = text.as_bytes();
        if self.len + text.len() <= self.bytes.len() {
            let mut idx = 0;
            while idx < text.len() {
                self.bytes[self.len] = text[idx];
                self.len += 1;
                idx += 1;
            }
        }
        self
    }

    #[track_caller]
    const fn fail(&self) -> ! {
        match std::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => panic!("{}", text),
            Err(_) => panic!("this attribute doesn't fit the field's type"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OTHER: Fields = Fields {
        list: &[
            Field::Column("id", "", Ty::BIG_INTEGER),
            Field::Column("kind", "type", Ty::TEXT),
            Field::Group(Fields {
                list: &[Field::Column("deleted", "", Ty::BOOLEAN)],
                primary_key: &[],
                uniques: Some(&[&["deleted"]]),
                known: true,
            }),
        ],
        primary_key: &["id"],
        uniques: Some(&[&["id", "kind"]]),
        known: true,
    };

    #[test]
    fn a_field_is_found_by_its_name_its_columns_and_inside_a_group() {
        assert_eq!(column(OTHER, "id"), "id");
        assert_eq!(column(OTHER, "kind"), "type");
        assert_eq!(column(OTHER, "type"), "type");
        assert_eq!(column(OTHER, "deleted"), "deleted");
        assert_eq!(column(OTHER, "none"), "");
        assert_eq!(key_column(OTHER, 0), "id");
        assert_eq!(key_column(OTHER, 1), "");
        assert_eq!(inherited_key(&[Fields::UNKNOWN, OTHER]), ["id"]);
    }

    #[test]
    fn a_foreign_key_refers_to_a_key_or_to_what_is_unique_together() {
        for targets in [&["id"][..], &["type", "id"], &["kind", "id"], &["deleted"]] {
            assert!(is_unique(OTHER, OTHER, targets), "{targets:?}");
        }
        for targets in [&["kind"][..], &["id", "deleted"], &["id", "kind", "deleted"]] {
            assert!(!is_unique(OTHER, OTHER, targets), "{targets:?}");
        }
    }

    #[test]
    fn a_text_that_does_not_fit_is_left_out() {
        let message = Message::new().add("a").add(&"b".repeat(600)).add("c");
        assert_eq!(&message.bytes[..message.len], b"ac");
    }
}
