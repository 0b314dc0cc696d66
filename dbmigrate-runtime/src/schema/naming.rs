//! The names that constraints and indexes get when a model doesn't name them.
//!
//! The same model gives the same name on every machine and database, so that what one migration
//! makes, another can alter. A name longer than [`LIMIT`] bytes is cut and ends in a hash of the
//! whole.

/// The longest identifier in bytes that every supported database keeps whole: PostgreSQL's 63
/// (`NAMEDATALEN - 1`, its manual's section 4.1.1); MySQL has 64 characters and SQLite no limit.
pub const LIMIT: usize = 63;

/// `pk_user`
pub fn primary_key(table: &str) -> String {
    limited(format!("pk_{table}"))
}

/// `uq_user_email`
pub fn unique<S: AsRef<str>>(table: &str, columns: &[S]) -> String {
    limited(format!("uq_{table}_{}", joined(columns)))
}

/// `ix_post_title`
pub fn index<S: AsRef<str>>(table: &str, columns: &[S]) -> String {
    limited(format!("ix_{table}_{}", joined(columns)))
}

/// `fk_post_author_id_user`
pub fn foreign_key<S: AsRef<str>>(table: &str, columns: &[S], target: &str) -> String {
    limited(format!("fk_{table}_{}_{target}", joined(columns)))
}

/// `ck_user_age`
pub fn check(table: &str, what: &str) -> String {
    limited(format!("ck_{table}_{what}"))
}

fn joined<S: AsRef<str>>(columns: &[S]) -> String {
    let columns: Vec<&str> = columns.iter().map(AsRef::as_ref).collect();
    columns.join("_")
}

/// The name itself, or its beginning and a hash of the whole when it is too long.
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

/// Eight hexadecimal digits for a text that is too long for a name, or no name itself.
///
/// FNV-1a of 32 bits: it is in every name that was ever cut, so it never changes.
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
        let name = unique("größenordnung", &["überlänge".repeat(8)]);
        assert!(name.len() <= LIMIT, "{name}");
        assert_eq!(name, unique("größenordnung", &["überlänge".repeat(8)]));
        let other = unique("größenordnung", &["überlänge".repeat(9)]);
        assert_ne!(name, other);
    }

    #[test]
    fn a_short_name_stays() {
        assert_eq!(unique("user", &["email", "name"]), "uq_user_email_name");
        assert_eq!(foreign_key("post", &["author_id"], "user"), "fk_post_author_id_user");
    }
}
