//! Simple conditions, which PostgreSQL prints in a known way, so that they can be compared without
//! asking: comparisons of columns, calls and constants, joined by AND.

use super::POSTGRES;
use super::comparing::{plain, type_end};
use crate::sql::{Kind, Token};

/// Whether two expressions are simple and the same. `is_text` is whether the column with this name
/// is a text of limited length, which PostgreSQL casts to `text` wherever it is used. Anything else
/// has to be asked.
pub(super) fn is_simply_same(a: &str, b: &str, is_text: &dyn Fn(&str) -> bool) -> bool {
    let parts = |sql: &str| {
        let sql = plain(sql);
        let tokens = POSTGRES.significant(&sql);
        let mut parser = Parser { tokens: &tokens, is_text, parts: Vec::new() };
        parser.conjunction()?;
        parser.tokens.is_empty().then_some(parser.parts)
    };
    parts(a).is_some_and(|parts_of_a| parts(b) == Some(parts_of_a))
}

struct Parser<'t, 'a> {
    /// The tokens that are left.
    tokens: &'t [Token<'a>],
    is_text: &'t dyn Fn(&str) -> bool,
    /// The comparisons so far, in one spelling.
    parts: Vec<String>,
}

/// Each method reads what it is named after, or returns `None` if that isn't simple.
impl Parser<'_, '_> {
    fn takes(&mut self, is_it: impl Fn(&Token<'_>) -> bool) -> Option<()> {
        let (first, rest) = self.tokens.split_first()?;
        is_it(first).then(|| self.tokens = rest)
    }

    fn takes_word(&mut self, word: &str) -> bool {
        self.takes(|token| token.is_word(word)).is_some()
    }

    fn takes_symbol(&mut self, symbol: &str) -> bool {
        self.takes(|token| token.is_symbol(symbol)).is_some()
    }

    fn conjunction(&mut self) -> Option<()> {
        self.comparison()?;
        while self.takes_word("AND") {
            self.comparison()?;
        }
        Some(())
    }

    fn comparison(&mut self) -> Option<()> {
        // Parentheses are around conditions, or around an operand.
        let (before, n_parts) = (self.tokens, self.parts.len());
        if self.takes_symbol("(") {
            let is_condition = self.conjunction().is_some() && self.takes_symbol(")");
            let ends =
                self.tokens.first().is_none_or(|next| next.is_symbol(")") || next.is_word("AND"));
            if is_condition && ends {
                return Some(());
            }
            (self.tokens, _) = (before, self.parts.truncate(n_parts));
        }
        let left = self.operand()?;
        let is_not = self.takes_word("NOT");
        if self.takes_word("BETWEEN") {
            let low = self.operand()?;
            self.takes_word("AND").then_some(())?;
            let high = self.operand()?;
            self.parts.extend((!is_not).then(|| format!("{left} >= {low}")));
            self.parts.push(format!("{left} <= {high}"));
            return (!is_not).then_some(());
        }
        if self.takes_word("IN") {
            self.takes_symbol("(").then_some(())?;
            let list = self.list(")")?;
            let (one, many) = if is_not { ("<>", "<> ALL") } else { ("=", "= ANY") };
            self.parts.push(match list.as_slice() {
                [single] => format!("{left} {one} {single}"),
                list => format!("{left} {many} [{}]", list.join(", ")),
            });
            return Some(());
        }
        let likes = [("LIKE", "~~"), ("ILIKE", "~~*")];
        if let Some((_, sign)) = likes.into_iter().find(|(word, _)| self.takes_word(word)) {
            let right = self.operand()?;
            let sign = if is_not { format!("!{sign}") } else { sign.to_owned() };
            self.parts.push(format!("{left} {sign} {right}"));
            return Some(());
        }
        if is_not {
            return None;
        }
        if self.takes_word("IS") {
            let not = if self.takes_word("NOT") { "NOT " } else { "" };
            self.takes_word("NULL").then(|| self.parts.push(format!("{left} IS {not}NULL")))?;
            return Some(());
        }
        const SIGNS: [&str; 11] =
            ["=", "<>", "!=", "<", ">", "<=", ">=", "~~", "!~~", "~~*", "!~~*"];
        let sign = SIGNS.into_iter().find(|sign| self.takes_symbol(sign));
        let Some(sign) = sign.map(|sign| if sign == "!=" { "<>" } else { sign }) else {
            self.parts.push(left);
            return Some(());
        };
        for (word, of) in [("ANY", "="), ("ALL", "<>")] {
            if sign == of && self.takes_word(word) {
                let array = self.array()?;
                self.parts.push(format!("{left} {sign} {word} [{}]", array.join(", ")));
                return Some(());
            }
        }
        let right = self.operand()?;
        self.parts.push(format!("{left} {sign} {right}"));
        Some(())
    }

    /// `(ARRAY['a', 'b'])`, with any number of parentheses and casts to texts.
    fn array(&mut self) -> Option<Vec<String>> {
        let array = if self.takes_symbol("(") {
            let inner = self.array()?;
            self.takes_symbol(")").then_some(inner)?
        } else {
            (self.takes_word("ARRAY") && self.takes_symbol("[")).then_some(())?;
            self.list("]")?
        };
        if self.takes_symbol("::") {
            let cast = &self.tokens[..type_end(self.tokens)];
            cast.first().is_some_and(|first| first.is_word("text")).then_some(())?;
            self.tokens = &self.tokens[cast.len()..];
        }
        Some(array)
    }

    /// Operands up to this mark.
    fn list(&mut self, end: &str) -> Option<Vec<String>> {
        let mut list = vec![self.operand()?];
        while self.takes_symbol(",") {
            list.push(self.operand()?);
        }
        self.takes_symbol(end).then_some(list)
    }

    fn operand(&mut self) -> Option<String> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        let is_constant = ["TRUE", "FALSE", "NULL"].iter().any(|word| first.is_word(word));
        let operand = match first.kind {
            Kind::Symbol if first.text == "(" => {
                let inner = self.operand()?;
                self.takes_symbol(")").then_some(inner)?
            }
            Kind::Symbol if first.text == "-" => {
                let (number, rest) = self.tokens.split_first()?;
                self.tokens = rest;
                (number.kind == Kind::Number).then(|| format!("-{}", number.text))?
            }
            Kind::Number => first.text.to_owned(),
            Kind::Text => POSTGRES.quote_text(&first.unquoted()?),
            Kind::Word if is_constant => first.text.to_ascii_uppercase(),
            Kind::Word | Kind::Quoted => {
                let is_reserved = first.kind == Kind::Word && POSTGRES.is_reserved(first.text);
                let name = first.identifier().filter(|_| !is_reserved)?.into_owned();
                if self.takes_symbol("(") {
                    let arguments =
                        if self.takes_symbol(")") { Vec::new() } else { self.list(")")? };
                    format!("{}({})", crate::sql::quote(&name), arguments.join(", "))
                } else {
                    crate::sql::quote(&name)
                }
            }
            _ => return None,
        };
        if self.takes_symbol("::") {
            let cast = &self.tokens[..type_end(self.tokens)];
            let is_text = matches!(cast, [word] if word.is_word("text"));
            let column = crate::sql::Lexicon::significant(&POSTGRES, &operand);
            let name = column.first().and_then(Token::identifier);
            let is_limited = column.len() == 1 && name.is_some_and(|name| (self.is_text)(&name));
            (is_text && is_limited).then_some(())?;
            self.tokens = &self.tokens[1..];
        }
        Some(operand)
    }
}

#[cfg(test)]
mod tests {
    use super::is_simply_same;

    #[test]
    fn simple_conditions_are_the_same_as_postgresql_prints_them() {
        let is_text = |name: &str| name == "v" || name == "Odd";
        for (written, printed) in [
            ("a > 0 and b < 5", "((a > 0) AND (b < 5))"),
            ("a > 0 and (b > 0 and a != 5)", "(a > 0) AND (b > 0) AND (a <> 5)"),
            ("a between 1 and 10 and bo", "(((a >= 1) AND (a <= 10)) AND bo)"),
            ("a in (1, 2, -3)", "(a = ANY (ARRAY[1, 2, '-3'::integer]))"),
            ("a in (1)", "(a = 1)"),
            ("a not in (1,2)", "(a <> ALL (ARRAY[1, 2]))"),
            (
                "v in ('x', 'it''s')",
                "((v)::text = ANY ((ARRAY['x'::character varying, 'it''s'::character \
                 varying])::text[]))",
            ),
            ("lower(v) <> ''", "(lower((v)::text) <> ''::text)"),
            ("\"Odd\" like 'a%'", "((\"Odd\")::text ~~ 'a%'::text)"),
            ("t not ilike 'a%'", "(t !~~* 'a%'::text)"),
            ("a is not null and t is null", "((a IS NOT NULL) AND (t IS NULL))"),
            ("n > 0", "(n > (0)::numeric)"),
            ("(lower(v))", "lower((v)::text)"),
            ("m = 'ok'", "(m = 'ok'::mood)"),
        ] {
            assert!(is_simply_same(written, printed, &is_text), "{written}");
        }
        for (a, b) in [
            ("a > 0 or b > 0", "a > 0 or b > 0"),
            ("a > 0 and b > 0 or c", "a > 0 and (b > 0 or c)"),
            ("a + 1 > 0", "((a + 1) > 0)"),
            ("not a", "(NOT a)"),
            ("(a = b) = c", "a = (b = c)"),
            ("a = b", "a = \"B\""),
            ("t = 'x'", "(t)::text = 'x'"),
            ("v = 'x'", "(v)::citext = 'x'"),
            ("a in (1, 2)", "a = ANY (ARRAY[2, 1])"),
            ("a not between 1 and 2", "a between 1 and 2"),
            ("a not in (1)", "a in (1)"),
            ("extract(year from d) > 1", "extract(year from d) > 1"),
            ("cast(a as bigint) > 0", "((a)::bigint > 0)"),
            ("a > 0 and", "a > 0"),
            ("", ""),
        ] {
            assert!(!is_simply_same(a, b, &is_text), "{a}");
        }
    }
}
