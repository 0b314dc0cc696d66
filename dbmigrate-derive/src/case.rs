//! Conversion of names to snake case, and the rules of `rename_all`.

/// `UserAccount` -> `user_account`, `HTTPServer` -> `http_server`; snake case stays as it is.
pub(crate) fn snake(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut snake = String::with_capacity(name.len() + 4);
    for (idx, &char) in chars.iter().enumerate() {
        let begins_word = char.is_uppercase()
            && idx > 0
            && chars[idx - 1] != '_'
            && (!chars[idx - 1].is_uppercase()
                || chars.get(idx + 1).is_some_and(|next| next.is_lowercase()));
        if begins_word {
            snake.push('_');
        }
        snake.extend(char.to_lowercase());
    }
    snake
}

/// A rule that converts names from snake case.
#[derive(Clone, Copy)]
pub(crate) struct Rule(fn(&[&str]) -> String);

/// The rules by name, for the parser and for its error message.
const RULES: &[(&str, Rule)] = &[
    ("lowercase", Rule(|words| words.concat())),
    ("UPPERCASE", Rule(|words| words.concat().to_uppercase())),
    ("PascalCase", Rule(|words| words.iter().map(|word| capital(word)).collect())),
    ("camelCase", Rule(camel)),
    ("snake_case", Rule(|words| words.join("_"))),
    ("SCREAMING_SNAKE_CASE", Rule(|words| words.join("_").to_uppercase())),
    ("kebab-case", Rule(|words| words.join("-"))),
    ("SCREAMING-KEBAB-CASE", Rule(|words| words.join("-").to_uppercase())),
];

impl Rule {
    /// The rule with this name, or a list of the valid names.
    pub(crate) fn named(name: &str) -> Result<Rule, String> {
        match RULES.iter().find(|(text, _)| *text == name) {
            Some((_, rule)) => Ok(*rule),
            None => {
                let names: Vec<String> =
                    RULES.iter().map(|(text, _)| format!("\"{text}\"")).collect();
                Err(format!("unknown rule \"{name}\"; the rules are {}", names.join(", ")))
            }
        }
    }

    /// Converts a name, whatever case it has.
    pub(crate) fn apply(self, name: &str) -> String {
        let snake = snake(name);
        let words: Vec<&str> = snake.split('_').filter(|part| !part.is_empty()).collect();
        (self.0)(&words)
    }
}

fn camel(words: &[&str]) -> String {
    match words {
        [first, rest @ ..] => {
            rest.iter().fold((*first).to_owned(), |name, word| name + &capital(word))
        }
        [] => String::new(),
    }
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_snake_case() {
        for (name, expected) in [
            ("User", "user"),
            ("UserAccount", "user_account"),
            ("HTTPServer", "http_server"),
            ("OAuth2Token", "o_auth2_token"),
            ("User_Group", "user_group"),
            ("user_account", "user_account"),
            ("Überweisung", "überweisung"),
            ("A", "a"),
        ] {
            assert_eq!(snake(name), expected);
        }
    }

    #[test]
    fn every_rule_has_its_case() {
        for (rule, expected) in [
            ("lowercase", "createdat"),
            ("UPPERCASE", "CREATEDAT"),
            ("PascalCase", "CreatedAt"),
            ("camelCase", "createdAt"),
            ("snake_case", "created_at"),
            ("SCREAMING_SNAKE_CASE", "CREATED_AT"),
            ("kebab-case", "created-at"),
            ("SCREAMING-KEBAB-CASE", "CREATED-AT"),
        ] {
            for name in ["created_at", "CreatedAt"] {
                assert_eq!(Rule::named(rule).ok().unwrap().apply(name), expected);
            }
        }
        assert!(Rule::named("Snake").err().unwrap().contains("\"snake_case\""));
    }
}
