//! Passwords, which no message shows.

/// The schemes of URLs that may have any password, also one that would have to be encoded.
const DATABASES: [&str; 4] = ["postgres:", "postgresql:", "mysql:", "mariadb:"];

/// A text without the passwords of the URLs in it, for messages that repeat what a person wrote.
pub fn without_passwords(text: String) -> String {
    // A part of a URL may have lost its scheme.
    if !text.contains("//") {
        return text;
    }
    let text = without_values(&text, "password=");
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, url)) = rest.split_once("//") {
        shown += before;
        shown += "//";
        let is_database = DATABASES.iter().any(|scheme| before.ends_with(scheme));
        let n_user = user_info(url, is_database);
        let (user, after) = url.split_at(n_user);
        shown += user.split(':').next().unwrap_or_default();
        rest = after;
    }
    shown + rest
}

/// How many bytes of a URL after `//` are the user and the password; 0 if there is no password.
fn user_info(url: &str, is_database: bool) -> usize {
    let is_quote = |c: char| matches!(c, '`' | '\'' | '"' | '\n');
    let ends_authority = |c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#');
    let word = |text: &str| text.find(char::is_whitespace).unwrap_or(text.len());
    let end = match url.find(is_quote) {
        Some(end) if is_database => end,
        None if is_database => word(url),
        end => {
            let end = end.unwrap_or(url.len());
            url[..end].find(ends_authority).unwrap_or(end)
        }
    };
    let end = url[..end].find('?').unwrap_or(end);
    let part = &url[..end];
    let has_password =
        part.find(':').is_some_and(|colon| part.find('@').is_some_and(|at| colon < at));
    part.rfind('@').filter(|_| has_password).unwrap_or(0)
}

/// A text without what follows this key, at every place.
fn without_values(text: &str, key: &str) -> String {
    let mut parts = text.split(key);
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let ends = |c: char| c.is_whitespace() || matches!(c, '`' | '\'' | '"' | '&');
        let end = part.find(ends).unwrap_or(part.len());
        shown += &format!("{key}***{}", &part[end..]);
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
            ("`postgres://db/shop?password=p@ss`", "`postgres://db/shop?password=***`"),
            ("`mysql://db?sslpassword=a&password=b`", "`mysql://db?sslpassword=***&password=***`"),
            ("'postgres://ada:my s/cret@db/x' found", "'postgres://ada@db/x' found"),
            (
                "DEFAULT 'https://social.example:8443/@ada'",
                "DEFAULT 'https://social.example:8443/@ada'",
            ),
            ("`postgres://db:5432/shop?name=a@b`", "`postgres://db:5432/shop?name=a@b`"),
            (
                "`https://docs.rs` and `postgres://ada:b@c`",
                "`https://docs.rs` and `postgres://ada@c`",
            ),
            ("sqlite:app.db", "sqlite:app.db"),
        ] {
            assert_eq!(without_passwords(text.to_owned()), shown);
        }
    }
}
