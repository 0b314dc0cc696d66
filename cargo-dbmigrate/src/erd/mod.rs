//! Pictures of a schema: its tables, keys and relations, as text that other programs draw, or drawn.
//!
//! What is shown is collected once, as a [`Drawing`]; each form only writes it down.

mod dot;
mod mermaid;
mod svg;

use std::collections::{BTreeMap, BTreeSet};

use dbmigrate_runtime::schema::{ForeignKey, Schema, Table};

pub use dot::{dot, quoted as dot_text};
pub use mermaid::{mermaid, quoted as mermaid_text};
pub use svg::{opening as svg_opening, svg};

/// What a revision does to a part of the schema.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Change {
    #[default]
    None,
    Added,
    Removed,
    Changed,
}

impl Change {
    /// The change of something that is there before and after, or on one side only.
    fn of<T: PartialEq>(before: Option<&T>, after: Option<&T>) -> Change {
        match (before, after) {
            (None, _) => Change::Added,
            (_, None) => Change::Removed,
            (Some(before), Some(after)) if before == after => Change::None,
            _ => Change::Changed,
        }
    }

    /// The word for it; `None` if there is none.
    fn word(self) -> Option<&'static str> {
        match self {
            Change::None => None,
            Change::Added => Some("added"),
            Change::Removed => Some("removed"),
            Change::Changed => Some("changed"),
        }
    }

    /// Its colour, readable on white.
    pub fn colour(self) -> &'static str {
        match self {
            Change::None => "#333333",
            Change::Added => "#1a7f37",
            Change::Removed => "#cf222e",
            Change::Changed => "#9a6700",
        }
    }
}

/// What a picture shows.
#[derive(Debug, Default)]
pub struct Drawing {
    tables: Vec<Entity>,
    relations: Vec<Relation>,
}

/// A table.
#[derive(Debug)]
struct Entity {
    name: String,
    change: Change,
    attributes: Vec<Attribute>,
}

/// A column.
#[derive(Debug)]
struct Attribute {
    name: String,
    ty: String,
    is_primary: bool,
    is_unique: bool,
    is_foreign: bool,
    is_nullable: bool,
    change: Change,
}

impl Attribute {
    /// `PK`, `FK` and `UK`, as far as they apply.
    fn keys(&self) -> String {
        let keys = [(self.is_primary, "PK"), (self.is_foreign, "FK"), (self.is_unique, "UK")];
        let keys: Vec<_> = keys.iter().filter(|(is, _)| *is).map(|(_, key)| *key).collect();
        keys.join(", ")
    }
}

/// A foreign key, between tables by their position.
#[derive(Debug)]
struct Relation {
    from: usize,
    to: usize,
    columns: String,
    /// Whether a row may refer to none.
    is_optional: bool,
    /// Whether at most one row refers to a row.
    is_unique: bool,
    change: Change,
}

impl Drawing {
    /// The schema, and if another one is given, what has changed since.
    pub fn of(before: Option<&Schema>, after: &Schema) -> Drawing {
        let before = before.unwrap_or(after);
        let names: BTreeSet<&str> =
            before.tables.keys().chain(after.tables.keys()).map(String::as_str).collect();
        let places: BTreeMap<&str, usize> =
            names.iter().enumerate().map(|(place, name)| (*name, place)).collect();
        let mut drawing = Drawing::default();
        for name in &names {
            let (was, is) = (before.table(name), after.table(name));
            let Some(shown) = is.or(was) else { continue };
            let change = Change::of(was, is);
            let within = |change: Change, whole: Change| match whole {
                Change::Added | Change::Removed => whole,
                Change::None | Change::Changed => change,
            };
            let mut attributes: Vec<Attribute> = Vec::new();
            let gone = was.into_iter().flat_map(|was| &was.columns);
            let gone = gone.filter(|column| shown.find_column(&column.name).is_none());
            for column in shown.columns.iter().chain(gone) {
                let name = column.name.as_str();
                let of = |table: Option<&Table>| {
                    table.and_then(|table| table.find_column(name)).cloned()
                };
                let own = Change::of(of(was).as_ref(), of(is).as_ref());
                // A removed column shows the keys that it was in.
                let table = was.filter(|_| own == Change::Removed).unwrap_or(shown);
                attributes.push(Attribute {
                    change: within(own, change),
                    ..attribute(table, name, &column.ty.to_string(), column.nullable)
                });
            }
            let keys = |table: Option<&Table>| -> BTreeMap<String, ForeignKey> {
                let keys = table.into_iter().flat_map(|table| &table.foreign_keys);
                keys.map(|key| (key.name.clone(), key.clone())).collect()
            };
            let (were, are) = (keys(was), keys(is));
            for key in are.values().chain(were.values().filter(|key| !are.contains_key(&key.name)))
            {
                let Some(to) = places.get(key.references_table.as_str()) else { continue };
                let own = Change::of(were.get(&key.name), are.get(&key.name));
                let table = if are.contains_key(&key.name) { shown } else { was.unwrap_or(shown) };
                drawing.relations.push(relation(table, key, (places[name], *to), own));
            }
            drawing.tables.push(Entity { name: (*name).to_owned(), change, attributes });
        }
        drawing
    }
}

fn attribute(table: &Table, name: &str, ty: &str, is_nullable: bool) -> Attribute {
    let is_in = |columns: &[String]| columns.iter().any(|column| column == name);
    let is_alone = |columns: &[String]| columns.len() == 1 && columns[0] == name;
    Attribute {
        name: name.to_owned(),
        ty: ty.to_owned(),
        is_primary: table.primary_key.as_ref().is_some_and(|key| is_in(&key.columns)),
        is_unique: table.uniques.iter().any(|unique| is_alone(&unique.columns)),
        is_foreign: table.foreign_keys.iter().any(|key| is_in(&key.columns)),
        is_nullable,
        change: Change::None,
    }
}

fn relation(
    table: &Table,
    key: &ForeignKey,
    (from, to): (usize, usize),
    change: Change,
) -> Relation {
    let is_null = |name: &String| table.find_column(name).is_some_and(|column| column.nullable);
    let is_key = |columns: &[String]| {
        columns.len() == key.columns.len() && columns.iter().all(|name| key.columns.contains(name))
    };
    let is_unique = table.uniques.iter().any(|unique| is_key(&unique.columns))
        || table.primary_key.as_ref().is_some_and(|primary| is_key(&primary.columns));
    Relation {
        from,
        to,
        columns: key.columns.join(", "),
        is_optional: key.columns.iter().any(is_null),
        is_unique,
        change,
    }
}

/// A text in XML or in HTML.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for sign in text.chars() {
        match sign {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(sign),
            // XML has no other control characters, and lacks two more.
            sign if sign.is_control() || matches!(sign, '\u{fffe}' | '\u{ffff}') => {
                escaped.push('\u{fffd}');
            }
            sign => escaped.push(sign),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use dbmigrate_runtime::schema::{Column, ReferentialAction, Type};
    use expect_test::expect;

    use super::*;

    fn schema() -> Schema {
        let id = || Column::new("id", Type::BigInteger).not_null();
        Schema::from_tables([
            Table::new("user")
                .column(id())
                .column(Column::new("e mail\"<", Type::String(100)).not_null())
                .primary_key("pk_user", ["id"])
                .unique("uq", ["e mail\"<"]),
            Table::new("post")
                .column(id())
                .column(Column::new("user_id", Type::BigInteger).not_null())
                .column(Column::new("parent", Type::BigInteger))
                .primary_key("pk_post", ["id"])
                .foreign_key(ForeignKey::new("fk_user", ["user_id"], "user", ["id"]))
                .foreign_key(
                    ForeignKey::new("fk_parent", ["parent"], "post", ["id"])
                        .on_delete(ReferentialAction::Cascade),
                ),
        ])
    }

    fn changed() -> Schema {
        let mut schema = schema();
        schema.tables.remove("user");
        let post = schema.tables.get_mut("post").expect("a table");
        post.columns.retain(|column| column.name != "parent");
        post.columns.push(Column::new("slug", Type::Text));
        post.foreign_keys.clear();
        schema
            .tables
            .insert("tag".to_owned(), Table::new("tag").column(Column::new("a", Type::Text)));
        schema
    }

    #[test]
    fn each_form_shows_tables_keys_and_relations() {
        let drawing = Drawing::of(None, &schema());
        expect![[r#"
            erDiagram
                "post" {
                    big_integer id PK
                    big_integer user_id FK
                    big_integer parent FK "may be NULL"
                }
                "user" {
                    big_integer id PK
                    string(100) e_mail__ UK "e mail#34;#60;"
                }
                "post" }o--o| "post" : "parent"
                "post" }o--|| "user" : "user_id"
        "#]]
        .assert_eq(&mermaid(&drawing));
        expect![[r##"
            digraph schema {
                rankdir=LR;
                node [shape=plain, fontname="sans-serif"];
                t0 [label=<<table border="0" cellborder="1" cellspacing="0"><tr><td colspan="2" bgcolor="#eeeeee"><b>post</b></td></tr><tr><td align="left">id</td><td align="left">big integer PK</td></tr><tr><td align="left">user_id</td><td align="left">big integer FK</td></tr><tr><td align="left">parent</td><td align="left">big integer? FK</td></tr></table>>];
                t1 [label=<<table border="0" cellborder="1" cellspacing="0"><tr><td colspan="2" bgcolor="#eeeeee"><b>user</b></td></tr><tr><td align="left">id</td><td align="left">big integer PK</td></tr><tr><td align="left">e mail&quot;&lt;</td><td align="left">string(100) UK</td></tr></table>>];
                t0 -> t0 [label="parent", color="#333333", style=dashed];
                t0 -> t1 [label="user_id", color="#333333"];
            }
        "##]].assert_eq(&dot(&drawing));
        expect![[r##"
            <svg xmlns="http://www.w3.org/2000/svg" width="650" height="112" font-family="sans-serif" font-size="12">
            <rect width="100%" height="100%" fill="#ffffff"/>
            <path d="M280 29 C325 29 325 47 280 47" fill="none" stroke="#333333" stroke-dasharray="4"><title>post (parent) to post</title></path>
            <path d="M280 29 C325 29 325 29 370 29" fill="none" stroke="#333333"><title>post (user_id) to user</title></path>
            <rect x="20" y="20" width="260" height="72" fill="#ffffff" stroke="#333333"/>
            <rect x="20" y="20" width="260" height="18" fill="#333333"/>
            <text x="26" y="33" fill="#ffffff" font-weight="bold">post</text>
            <text x="26" y="51" fill="#333333">id: big integer PK</text>
            <text x="26" y="69" fill="#333333">user_id: big integer FK</text>
            <text x="26" y="87" fill="#333333">parent: big integer? FK</text>
            <rect x="370" y="20" width="260" height="54" fill="#ffffff" stroke="#333333"/>
            <rect x="370" y="20" width="260" height="18" fill="#333333"/>
            <text x="376" y="33" fill="#ffffff" font-weight="bold">user</text>
            <text x="376" y="51" fill="#333333">id: big integer PK</text>
            <text x="376" y="69" fill="#333333">e mail&quot;&lt;: string(100) UK</text>
            </svg>
        "##]].assert_eq(&svg(&drawing));
    }

    #[test]
    fn what_a_revision_changes_has_its_colour() {
        let (before, after) = (schema(), changed());
        let drawing = Drawing::of(Some(&before), &after);
        expect![[r#"
            erDiagram
                "post (changed)" {
                    big_integer id PK
                    big_integer user_id
                    text slug "may be NULL, added"
                    big_integer parent FK "may be NULL, removed"
                }
                "tag (added)" {
                    text a "may be NULL, added"
                }
                "user (removed)" {
                    big_integer id PK "removed"
                    string(100) e_mail__ UK "e mail#34;#60;, removed"
                }
                "post (changed)" }o--o| "post (changed)" : "parent (removed)"
                "post (changed)" }o--|| "user (removed)" : "user_id (removed)"
        "#]]
        .assert_eq(&mermaid(&drawing));
        expect![[r##"
            digraph schema {
                rankdir=LR;
                node [shape=plain, fontname="sans-serif"];
                t0 [label=<<table border="0" cellborder="1" cellspacing="0"><tr><td colspan="2" bgcolor="#eeeeee"><font color="#9a6700"><b>post</b></font></td></tr><tr><td align="left">id</td><td align="left">big integer PK</td></tr><tr><td align="left">user_id</td><td align="left">big integer</td></tr><tr><td align="left"><font color="#1a7f37">slug</font></td><td align="left"><font color="#1a7f37">text?</font></td></tr><tr><td align="left"><font color="#cf222e">parent</font></td><td align="left"><font color="#cf222e">big integer? FK</font></td></tr></table>>];
                t1 [label=<<table border="0" cellborder="1" cellspacing="0"><tr><td colspan="2" bgcolor="#eeeeee"><font color="#1a7f37"><b>tag</b></font></td></tr><tr><td align="left"><font color="#1a7f37">a</font></td><td align="left"><font color="#1a7f37">text?</font></td></tr></table>>];
                t2 [label=<<table border="0" cellborder="1" cellspacing="0"><tr><td colspan="2" bgcolor="#eeeeee"><font color="#cf222e"><b>user</b></font></td></tr><tr><td align="left"><font color="#cf222e">id</font></td><td align="left"><font color="#cf222e">big integer PK</font></td></tr><tr><td align="left"><font color="#cf222e">e mail&quot;&lt;</font></td><td align="left"><font color="#cf222e">string(100) UK</font></td></tr></table>>];
                t0 -> t0 [label="parent", color="#cf222e", style=dashed];
                t0 -> t2 [label="user_id", color="#cf222e"];
            }
        "##]].assert_eq(&dot(&drawing));
        assert!(svg(&drawing).contains(Change::Removed.colour()));
        assert_eq!(mermaid(&Drawing::of(None, &Schema::default())), "erDiagram\n");
    }
}
