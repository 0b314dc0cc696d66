//! The names that constraints and indexes get when a model doesn't name them.
//!
//! The same model results in the same names on every machine and database, so that one migration
//! can alter what another one created. The names follow the project's [`Convention`]. A name longer
//! than [`LIMIT`] bytes is cut and ends in a hash of the whole name.

use super::qualified::bare;
use super::{IndexColumn, IndexTerm, Sql};

/// The longest identifier, in bytes, that no supported database truncates: PostgreSQL's 63
/// (`NAMEDATALEN - 1`, section 4.1.1 of its manual). MySQL allows 64 characters, and SQLite has no
/// limit.
pub const LIMIT: usize = 63;

/// Templates of the names, with `{table}`, `{columns}` and, for a foreign key, `{target}`.
///
/// # Example
///
/// ```
/// use dbmigrate_runtime::engine::naming::{Convention, Templates};
///
/// let naming = Convention::default();
/// assert_eq!(naming.unique("user", &["email"]), "uq_user_email");
///
/// let unique = "{table}_{columns}_key".to_owned();
/// let naming = Convention::new(Templates { unique, ..Templates::default() }).unwrap();
/// assert_eq!(naming.unique("user", &["email"]), "user_email_key");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Templates {
    /// For a primary key, `pk_{table}`.
    pub primary_key: String,
    /// For a unique constraint, `uq_{table}_{columns}`.
    pub unique: String,
    /// For an index, `ix_{table}_{columns}`; an expression is represented by a hash.
    pub index: String,
    /// For a foreign key, `fk_{table}_{columns}_{target}`.
    pub foreign_key: String,
    /// For a check, `ck_{table}_{columns}`: the column of the field that has the check, or else a
    /// hash of the expression.
    pub check: String,
}

impl Default for Templates {
    fn default() -> Templates {
        Templates {
            primary_key: "pk_{table}".to_owned(),
            unique: "uq_{table}_{columns}".to_owned(),
            index: "ix_{table}_{columns}".to_owned(),
            foreign_key: "fk_{table}_{columns}_{target}".to_owned(),
            check: "ck_{table}_{columns}".to_owned(),
        }
    }
}

impl Templates {
    /// Each template with its key and the placeholders that it needs.
    fn all(&self) -> [(&'static str, &str, &'static [&'static str]); 5] {
        let in_table: &[_] = &["table", "columns"];
        [
            ("primary_key", &self.primary_key, &["table"]),
            ("unique", &self.unique, in_table),
            ("index", &self.index, in_table),
            ("foreign_key", &self.foreign_key, in_table),
            ("check", &self.check, in_table),
        ]
    }
}

/// How constraints and indexes are named if a model doesn't name them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Convention {
    templates: Templates,
}

impl Convention {
    /// The convention of these templates.
    ///
    /// # Errors
    ///
    /// A template that is invalid, or that would give two objects the same name. The message
    /// includes its key and starts in lower case.
    pub fn new(templates: Templates) -> Result<Convention, String> {
        for (key, template, needed) in templates.all() {
            let all = if key == "foreign_key" { &PLACES[..] } else { &PLACES[..2] };
            let places = places(template).map_err(|why| format!("`{key}` {why}"))?;
            if let Some(place) = places.iter().find(|place| !all.contains(place)) {
                let all = all.join("}`, `{");
                return Err(format!(
                    "`{key}` has the unknown placeholder `{{{place}}}`; known are `{{{all}}}`"
                ));
            }
            if let Some(place) = needed.iter().find(|place| !places.contains(place)) {
                let of = if *place == "table" { "tables" } else { "objects of one table" };
                return Err(format!(
                    "`{key}` has no `{{{place}}}`, so two {of} would get the same name"
                ));
            }
        }
        let all = templates.all();
        for (idx, (key, template, _)) in all.iter().enumerate() {
            if let Some((other, ..)) = all[..idx].iter().find(|(_, text, _)| text == template) {
                return Err(format!(
                    "`{other}` and `{key}` are the same, so two objects of one table would get the \
                     same name"
                ));
            }
        }
        Ok(Convention { templates })
    }

    /// `pk_user`
    pub fn primary_key<S: AsRef<str>>(&self, table: &str, columns: &[S]) -> String {
        filled(&self.templates.primary_key, table, &joined(columns), "")
    }

    /// `uq_user_email`
    pub fn unique<S: AsRef<str>>(&self, table: &str, columns: &[S]) -> String {
        filled(&self.templates.unique, table, &joined(columns), "")
    }

    /// `ix_post_title`
    pub fn index(&self, table: &str, columns: &[IndexColumn]) -> String {
        let terms = columns.iter().map(|column| match &column.term {
            IndexTerm::Column(column) => column.clone(),
            IndexTerm::Expression(sql) => hash(sql),
        });
        filled(&self.templates.index, table, &joined(&terms.collect::<Vec<_>>()), "")
    }

    /// `fk_post_author_id_user`; the target may be in a schema, which is left out.
    pub fn foreign_key<S: AsRef<str>>(&self, table: &str, columns: &[S], target: &str) -> String {
        filled(&self.templates.foreign_key, table, &joined(columns), bare(target))
    }

    /// `ck_user_age`, for a check on the field of this column.
    pub fn check(&self, table: &str, column: &str) -> String {
        filled(&self.templates.check, table, column, "")
    }

    /// `ck_user_1f2e3d4c`, for a check on the table.
    pub fn table_check(&self, table: &str, expression: &Sql) -> String {
        self.check(table, &hash(expression))
    }
}

/// The placeholders of a template; the last one only for a foreign key.
const PLACES: [&str; 3] = ["table", "columns", "target"];

/// The placeholders in a template.
fn places(template: &str) -> Result<Vec<&str>, &'static str> {
    let open = "has an unmatched brace";
    let mut places = Vec::new();
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        rest = rest[at..].strip_prefix('{').ok_or(open)?;
        let end = rest.find(['{', '}']).ok_or(open)?;
        places.push(&rest[..end]);
        rest = rest[end..].strip_prefix('}').ok_or(open)?;
    }
    Ok(places)
}

/// Fills all placeholders in one pass, since a table's name may itself contain braces.
fn filled(template: &str, table: &str, columns: &str, target: &str) -> String {
    let mut name = String::new();
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        name += &rest[..at];
        rest = &rest[at + 1..];
        let place = PLACES
            .into_iter()
            .zip([table, columns, target])
            .find_map(|(place, text)| Some((rest.strip_prefix(place)?.strip_prefix('}')?, text)));
        match place {
            Some((after, text)) => {
                name += text;
                rest = after;
            }
            None => name.push('{'),
        }
    }
    limited(name + rest)
}

fn joined<S: AsRef<str>>(columns: &[S]) -> String {
    let columns: Vec<&str> = columns.iter().map(AsRef::as_ref).collect();
    columns.join("_")
}

/// The name itself, or its beginning with a hash of the whole name if it is too long.
pub fn limited(name: String) -> String {
    if name.len() <= LIMIT {
        return name;
    }
    let mut end = LIMIT - 9;
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}_{}", &name[..end], hash(&name))
}

/// Eight hexadecimal digits for a text that is too long for a name, or that can't be a name.
///
/// This is FNV-1a with 32 bits. Every name that was ever cut contains it, so it must never change.
pub fn hash(text: &str) -> String {
    let hash = text
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("{hash:08x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_is_cut_at_a_character_and_ends_in_a_hash() {
        let naming = Convention::default();
        let name = naming.unique("größenordnung", &["überlänge".repeat(8)]);
        assert!(name.len() <= LIMIT, "{name}");
        assert_eq!(name, naming.unique("größenordnung", &["überlänge".repeat(8)]));
        let other = naming.unique("größenordnung", &["überlänge".repeat(9)]);
        assert_ne!(name, other);
    }

    #[test]
    fn a_short_name_stays() {
        let naming = Convention::default();
        assert_eq!(naming.primary_key("user", &["id"]), "pk_user");
        assert_eq!(naming.unique("user", &["email", "name"]), "uq_user_email_name");
        assert_eq!(naming.foreign_key("post", &["author_id"], "user"), "fk_post_author_id_user");
        assert_eq!(naming.check("user", "age"), "ck_user_age");
        assert_eq!(
            naming.table_check("user", &"a > 0".into()),
            format!("ck_user_{}", hash("a > 0"))
        );
        let columns = [IndexColumn::new("a"), IndexColumn::expression("lower(b)")];
        let expected = format!("ix_user_a_{}", hash("lower(b)"));
        assert_eq!(naming.index("user", &columns), expected);
    }

    fn with(set: impl FnOnce(&mut Templates)) -> Result<Convention, String> {
        let mut templates = Templates::default();
        set(&mut templates);
        Convention::new(templates)
    }

    #[test]
    fn a_template_says_where_each_word_goes() {
        let naming = with(|templates| {
            templates.foreign_key = "{columns}->{target} of {table}/{table}".to_owned();
            templates.unique = "größe {table}{columns}".to_owned();
        });
        let naming = naming.unwrap();
        // The filled-in name isn't searched for placeholders again.
        let name = naming.foreign_key("{target}", &["a", "b"], "{columns}");
        assert_eq!(name, "a_b->{columns} of {target}/{target}");
        assert_eq!(naming.unique("t", &["a"]), "größe ta");
        let long = naming.unique("t", &["x".repeat(80)]);
        assert!(long.len() == LIMIT && long.starts_with("größe tx"), "{long}");
    }

    #[test]
    fn an_invalid_template_is_named() {
        let check = |set: fn(&mut Templates), expected: &str| {
            assert_eq!(with(set).unwrap_err(), expected);
        };
        check(
            |templates| templates.check = "ck_{tabel}".to_owned(),
            "`check` has the unknown placeholder `{tabel}`; known are `{table}`, `{columns}`",
        );
        check(
            |templates| templates.unique = "uq_{table}_{columns}_{target}".to_owned(),
            "`unique` has the unknown placeholder `{target}`; known are `{table}`, `{columns}`",
        );
        check(
            |templates| templates.primary_key = "pk".to_owned(),
            "`primary_key` has no `{table}`, so two tables would get the same name",
        );
        check(
            |templates| templates.index = "ix_{columns}".to_owned(),
            "`index` has no `{table}`, so two tables would get the same name",
        );
        check(
            |templates| templates.foreign_key = "fk_{table}_{target}".to_owned(),
            "`foreign_key` has no `{columns}`, so two objects of one table would get the same name",
        );
        for text in ["{table", "table}", "{table}}", "{{table}}", "{ta{ble}"] {
            let err = with(|templates| templates.primary_key = text.to_owned()).unwrap_err();
            assert_eq!(err, "`primary_key` has an unmatched brace", "{text}");
        }
        check(
            |templates| templates.check = "uq_{table}_{columns}".to_owned(),
            "`unique` and `check` are the same, so two objects of one table would get the \
             same name",
        );
    }
}
