//! Passwords, which no message shows.

/// A text without the passwords of the URLs in it, for messages that repeat what a person wrote.
pub fn without_passwords(text: String) -> String {
    // A part of a URL may have lost its scheme.
    const SCHEME: &str = "//";
    const PASSWORD: &str = "password=";
    if !text.contains(SCHEME) {
        return text;
    }
    let mut shown = String::with_capacity(text.len());
    for word in text.split_inclusive(|c: char| c.is_whitespace() || c == '`') {
        let Some((scheme, rest)) = word.split_once(SCHEME) else {
            shown += word;
            continue;
        };
        let (user, rest) = match rest.rsplit_once('@') {
            Some((user, rest)) => (user.split(':').next(), rest),
            None => (None, rest),
        };
        shown += scheme;
        shown += SCHEME;
        user.into_iter().for_each(|user| shown += &format!("{user}@"));
        match rest.split_once(PASSWORD) {
            Some((before, password)) => {
                let end = password.find(|c: char| c.is_whitespace() || c == '`' || c == '&');
                shown +=
                    &format!("{before}{PASSWORD}***{}", &password[end.unwrap_or(password.len())..]);
            }
            None => shown += rest,
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::without_passwords;

    #[test]
    fn a_password_is_left_out_wherever_it_stands() {
        for (text, shown) in [
            ("no revision `postgres://ada:secret@db/shop`", "no revision `postgres://ada@db/shop`"),
            ("--ulr=mysql://ada:s:e@c/r@t@db/shop is wrong", "--ulr=mysql://ada@db/shop is wrong"),
            ("postgres://db/shop?password=secret&x=1", "postgres://db/shop?password=***&x=1"),
            ("`postgres://ada@db/shop?password=secret`", "`postgres://ada@db/shop?password=***`"),
            ("see https://docs.rs/a and b:c@d", "see https://docs.rs/a and b:c@d"),
            ("`//ada:secret@db/shop` is a range", "`//ada@db/shop` is a range"),
            ("sqlite:app.db", "sqlite:app.db"),
        ] {
            assert_eq!(without_passwords(text.to_owned()), shown);
        }
    }
}
