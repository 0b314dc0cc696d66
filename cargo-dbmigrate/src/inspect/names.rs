//! Names of structs, fields and variants for names of a database.

use std::collections::BTreeSet;

use unicode_ident::{is_xid_continue, is_xid_start};
use unicode_normalization::UnicodeNormalization as _;

/// Words that can be names only with `r#` before them, in order.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let",
    "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return",
    "static", "struct", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use",
    "virtual", "where", "while", "yield",
];

/// Words that can't be names at all.
const RESERVED: &[&str] = &["_", "crate", "self", "Self", "super"];

/// Names that the generated code uses itself.
const TAKEN: &[&str] = &["Box", "ColumnType", "Model", "Option", "String", "Vec"];

/// `UserAccount` -> `user_account`: the table of a struct that doesn't name one.
pub fn snake(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut snake = String::with_capacity(name.len() + 4);
    for (idx, char) in chars.iter().enumerate() {
        let before = idx.checked_sub(1).map(|idx| chars[idx]);
        let is_end_of_capitals = chars.get(idx + 1).is_some_and(|next| next.is_lowercase());
        let begins_word = char.is_uppercase()
            && before.is_some_and(|before| {
                before != '_' && (!before.is_uppercase() || is_end_of_capitals)
            });
        if begins_word {
            snake.push('_');
        }
        snake.extend(char.to_lowercase());
    }
    snake
}

/// The words of a name, in lower case.
fn words(name: &str) -> Vec<String> {
    // The compiler wants letters in their usual form.
    let letters = name.nfkc();
    let cleaned: String =
        letters.map(|char| if is_xid_continue(char) { char } else { '_' }).collect();
    snake(&cleaned).split('_').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// A name that begins with a letter.
fn begun(name: String, with: &str) -> String {
    let is_begun = name.starts_with(|char: char| is_xid_start(char) || char == '_');
    if is_begun { name } else { format!("{with}{name}") }
}

/// The name in the case of types: `user_account` -> `UserAccount`.
pub(super) fn of_type(name: &str) -> String {
    let name = begun(words(name).iter().map(|word| capital(word)).collect(), "T");
    let is_taken = TAKEN.contains(&name.as_str()) || RESERVED.contains(&name.as_str());
    if is_taken { format!("{name}_") } else { name }
}

/// The name of a field, without `r#`: `userAccount` -> `user_account`. An identifier that is in
/// snake case stays as it is.
pub fn of_field(name: &str) -> String {
    let is_plain = name.chars().all(|char| char == '_' || char.is_ascii_alphanumeric())
        && !name.chars().any(|char| char.is_ascii_uppercase())
        && !name.starts_with(|char: char| char.is_ascii_digit())
        && !name.is_empty();
    let name = if is_plain { name.to_owned() } else { begun(words(name).join("_"), "c") };
    if RESERVED.contains(&name.as_str()) { format!("{name}_") } else { name }
}

/// The name as it is written in code.
pub fn written(field: &str) -> String {
    let is_keyword = KEYWORDS.binary_search(&field).is_ok();
    if is_keyword { format!("r#{field}") } else { field.to_owned() }
}

/// The singular of a table's name in English, where it is plain.
pub(super) fn singular(name: &str) -> String {
    let (rest, last) = name.rsplit_once('_').map_or(("", name), |(rest, last)| (rest, last));
    let lower = last.to_lowercase();
    let without = |n: usize| last[..last.len() - n].to_owned();
    let is_kept = !last.is_ascii()
        || lower.len() < 4
        || ["ss", "us", "is", "ics"].iter().any(|end| lower.ends_with(end))
        || ["news", "series", "species", "lens"].contains(&lower.as_str());
    let one = if is_kept {
        last.to_owned()
    } else if lower.ends_with("ies") && lower.len() > 4 {
        without(3) + "y"
    } else if ["sses", "xes", "ches", "shes", "zzes"].iter().any(|end| lower.ends_with(end)) {
        without(2)
    } else if lower.ends_with('s') {
        without(1)
    } else {
        last.to_owned()
    };
    if rest.is_empty() && !name.starts_with('_') { one } else { format!("{rest}_{one}") }
}

/// A name that isn't among those that are used, and is from now on.
pub fn unused(name: String, used: &mut BTreeSet<String>) -> String {
    if !used.contains(&name) {
        used.insert(name.clone());
        return name;
    }
    // A type's name has no underscore before a number.
    let is_type = name.starts_with(char::is_uppercase);
    let stem = if is_type { name.trim_end_matches('_') } else { &name };
    let mut numbered = (2..).map(|number| format!("{stem}{number}"));
    numbered.find(|name| used.insert(name.clone())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_plurals_become_singular() {
        let pairs = [
            ("users", "user"),
            ("blog_posts", "blog_post"),
            ("categories", "category"),
            ("addresses", "address"),
            ("boxes", "box"),
            ("matches", "match"),
            ("houses", "house"),
            ("status", "status"),
            ("news", "news"),
            ("analysis", "analysis"),
            ("bus", "bus"),
            ("series", "series"),
            ("statistics", "statistics"),
            ("user", "user"),
            ("_logs", "_log"),
        ];
        for (many, one) in pairs {
            assert_eq!(singular(many), one);
        }
    }

    #[test]
    fn every_name_becomes_an_identifier() {
        let pairs = [
            ("id", "id", "Id"),
            ("type", "type", "Type"),
            ("self", "self_", "Self_"),
            ("userId", "user_id", "UserId"),
            ("HTTPServer", "http_server", "HttpServer"),
            ("2nd try", "c2nd_try", "T2ndTry"),
            ("a-b.c", "a_b_c", "ABC"),
            ("", "c", "T"),
            ("größe", "größe", "Größe"),
            ("x²", "x2", "X2"),
            ("e\u{301}ﬁ", "éfi", "Éfi"),
            ("👍", "c", "T"),
            ("_", "__", "T"),
            ("option", "option", "Option_"),
        ];
        for (name, field, ty) in pairs {
            assert_eq!((of_field(name), of_type(name)), (field.to_owned(), ty.to_owned()));
        }
        assert_eq!(written("type"), "r#type");
        assert!(KEYWORDS.is_sorted());
    }
}
