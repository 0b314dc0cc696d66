//! The types of expressions, as far as the columns that they name tell them.
//!
//! A plan has to be the same with and without a database, so the server isn't asked.

use super::flavor::Flavor;
use super::types::{self, MAX_CHARS};
use crate::schema::{Column, Table, Type};
use crate::sql::{Case, Kind, Token, until, without_parentheses};

/// The words and signs of conditions.
const CONDITIONS: [&str; 22] = [
    "OR", "XOR", "AND", "NOT", "IS", "LIKE", "IN", "BETWEEN", "REGEXP", "RLIKE", "&&", "!", "=",
    "<=>", ">=", ">", "<=", "<", "<>", "!=", "SOUNDS", "EXISTS",
];

/// The most digits of a decimal, and the most after its point.
const DIGITS: (u32, u32) = (65, 30);

/// The digits that a division adds after the point.
const DIVIDED: u32 = 4;

/// The type that holds all results of an expression over a table's columns; `None` if that isn't
/// known.
pub(super) fn of(flavor: Flavor, table: &Table, expression: &str) -> Option<Type> {
    let tokens = flavor.lexicon().significant(expression);
    let results = Results { flavor, table };
    match results.expression(&tokens)? {
        Known::As(ty) => Some(ty),
        Known::Null => None,
    }
}

/// What is known of an expression.
#[derive(Debug, Clone)]
enum Known {
    /// It is NULL, which has no type.
    Null,
    As(Type),
}

/// The column whose collation the results of an expression have, or the name of their own one.
pub(super) enum Collated<'a> {
    Like(&'a Column),
    By(String),
    /// Nothing says, so the table does.
    Unsaid,
}

pub(super) fn collated<'a>(flavor: Flavor, table: &'a Table, expression: &str) -> Collated<'a> {
    let tokens = flavor.lexicon().significant(expression);
    if let [.., collate, name] = without_parentheses(&tokens) {
        if collate.is_word("COLLATE") {
            return Collated::By(name.identifier().unwrap_or_default().into_owned());
        }
    }
    let named = tokens.iter().filter_map(|token| {
        let column = table.columns.iter().find(|column| token.is_name(&column.name))?;
        types::is_collated(flavor, &column.ty).then_some(column)
    });
    named.into_iter().next().map_or(Collated::Unsaid, Collated::Like)
}

/// A number's kind and size.
#[derive(Debug, Clone, Copy)]
enum Number {
    Whole { digits: u32, is_unsigned: bool },
    Decimal { precision: u32, scale: u32 },
    Floating,
}

impl Number {
    fn of(ty: &Type) -> Option<Number> {
        let whole = |digits, is_unsigned| Some(Number::Whole { digits, is_unsigned });
        match ty {
            Type::Boolean | Type::TinyInteger => whole(3, false),
            Type::SmallInteger => whole(5, false),
            Type::Integer => whole(10, false),
            Type::BigInteger => whole(19, false),
            Type::TinyUnsigned => whole(3, true),
            Type::SmallUnsigned => whole(5, true),
            Type::Unsigned => whole(10, true),
            Type::BigUnsigned => whole(20, true),
            Type::Decimal(precision, scale) => {
                Some(Number::Decimal { precision: *precision, scale: *scale })
            }
            Type::Numeric => Some(Number::Decimal { precision: DIGITS.0, scale: DIGITS.1 }),
            Type::Float | Type::Double => Some(Number::Floating),
            _ => None,
        }
    }

    /// The digits before the point.
    fn whole(self) -> u32 {
        match self {
            Number::Whole { digits, .. } => digits,
            Number::Decimal { precision, scale } => precision.saturating_sub(scale),
            Number::Floating => 0,
        }
    }

    fn scale(self) -> u32 {
        match self {
            Number::Decimal { scale, .. } => scale,
            Number::Whole { .. } | Number::Floating => 0,
        }
    }

    fn is_unsigned(self) -> bool {
        matches!(self, Number::Whole { is_unsigned: true, .. })
    }
}

fn whole(is_unsigned: bool) -> Type {
    if is_unsigned { Type::BigUnsigned } else { Type::BigInteger }
}

fn decimal(whole: u32, scale: u32) -> Option<Type> {
    let precision = whole + scale;
    (precision <= DIGITS.0 && scale <= DIGITS.1).then_some(Type::Decimal(precision.max(1), scale))
}

/// A text of at most this many characters.
fn text(length: u32) -> Type {
    if length > MAX_CHARS { Type::Text } else { Type::String(length.max(1)) }
}

/// How many characters the values of a type have as a text; `None` if that isn't known.
fn characters(ty: &Type) -> Option<u32> {
    Some(match ty {
        Type::String(length) => *length,
        Type::Text | Type::Json => u32::MAX,
        Type::Enum(_, values) => values
            .iter()
            .map(|value| u32::try_from(value.chars().count()).unwrap_or(u32::MAX))
            .max()
            .unwrap_or_default(),
        Type::Date => 10,
        Type::Time => 17,
        Type::DateTime | Type::Timestamp => 26,
        ty => match Number::of(ty)? {
            Number::Whole { digits, is_unsigned } => digits + u32::from(!is_unsigned),
            Number::Decimal { precision, .. } => precision + 2,
            Number::Floating => return None,
        },
    })
}

fn is_text(ty: &Type) -> bool {
    matches!(ty, Type::String(_) | Type::Text | Type::Json | Type::Enum(..))
}

/// The type of a calculation.
fn calculated(sign: &str, left: &Type, right: &Type) -> Option<Type> {
    let (a, b) = (Number::of(left)?, Number::of(right)?);
    if let (Number::Floating, _) | (_, Number::Floating) = (a, b) {
        return Some(if sign == "DIV" { Type::BigInteger } else { Type::Double });
    }
    let is_unsigned = a.is_unsigned() || b.is_unsigned();
    let (of_a, of_b) = (a.whole(), b.whole());
    let scale = a.scale().max(b.scale());
    match sign {
        "DIV" => Some(whole(is_unsigned)),
        "/" => decimal(of_a + b.scale(), a.scale() + DIVIDED),
        _ if a.scale() == 0 && b.scale() == 0 && [left, right].iter().all(|ty| ty.is_integer()) => {
            Some(whole(if matches!(sign, "%" | "MOD") { a.is_unsigned() } else { is_unsigned }))
        }
        "*" => decimal(of_a + of_b, a.scale() + b.scale()),
        "%" | "MOD" => decimal(of_a.max(of_b), scale),
        _ => decimal(of_a.max(of_b) + 1, scale),
    }
}

/// The type that holds the values of both.
fn both(a: &Type, b: &Type) -> Option<Type> {
    if a == b {
        return Some(a.clone());
    }
    if is_text(a) || is_text(b) {
        return Some(text(characters(a)?.max(characters(b)?)));
    }
    let (one, other) = (Number::of(a)?, Number::of(b)?);
    match (one, other) {
        (Number::Floating, _) | (_, Number::Floating) => Some(Type::Double),
        (
            Number::Whole { is_unsigned: a, digits: of_a },
            Number::Whole { is_unsigned: b, digits: of_b },
        ) => match (a, b) {
            (true, true) => Some(Type::BigUnsigned),
            (false, false) => Some(Type::BigInteger),
            _ if of_a.max(of_b) < 20 => Some(Type::BigInteger),
            _ => decimal(20, 0),
        },
        _ => decimal(one.whole().max(other.whole()), one.scale().max(other.scale())),
    }
}

/// The tokens between separators that are outside of parentheses and `CASE`.
fn split<'t, 'a>(
    mut tokens: &'t [Token<'a>],
    is_separator: impl Fn(&Token<'a>) -> bool,
) -> Vec<&'t [Token<'a>]> {
    let mut parts = Vec::new();
    while let Some(part) = until(tokens, &is_separator) {
        parts.push(part);
        tokens = &tokens[part.len() + 1..];
    }
    parts.push(tokens);
    parts
}

/// A number as it is written.
fn count(tokens: &[Token<'_>]) -> Option<u32> {
    match tokens {
        [token] if token.kind == Kind::Number => token.text.parse().ok(),
        _ => None,
    }
}

struct Results<'a> {
    flavor: Flavor,
    table: &'a Table,
}

impl Results<'_> {
    /// The type of an expression; `None` if that isn't known.
    fn expression(&self, tokens: &[Token<'_>]) -> Option<Known> {
        let tokens = without_parentheses(tokens);
        let is_outside = |of: &[&str]| {
            let is_one = |token: &Token<'_>| {
                of.iter().any(|sign| token.is_symbol(sign) || token.is_word(sign))
            };
            until(tokens, is_one).is_some()
        };
        if tokens.is_empty() || is_outside(&["INTERVAL", "SELECT", ",", "->", "->>", ":="]) {
            return None;
        }
        if is_outside(&CONDITIONS) {
            return Some(Known::As(Type::Boolean));
        }
        if is_outside(&["|", "&", "^", "<<", ">>", "~"]) {
            return Some(Known::As(Type::BigUnsigned));
        }
        for signs in [&["+", "-"][..], &["*", "/", "%", "DIV", "MOD"]] {
            if let Some((left, sign, right)) = last_of(tokens, signs) {
                let (left, right) = (self.expression(left)?, self.expression(right)?);
                return match (left, right) {
                    (Known::As(left), Known::As(right)) => {
                        calculated(&sign, &left, &right).map(Known::As)
                    }
                    _ => Some(Known::Null),
                };
            }
        }
        let texts = split(tokens, |token| token.is_symbol("||"));
        if texts.len() > 1 {
            return self.concatenated(&texts).map(Known::As);
        }
        if let [sign, rest @ ..] = tokens {
            if sign.is_symbol("-") || sign.is_symbol("+") {
                let Known::As(ty) = self.expression(rest)? else { return Some(Known::Null) };
                let is_whole = matches!(Number::of(&ty), Some(Number::Whole { .. }));
                return Some(Known::As(if is_whole { Type::BigInteger } else { ty }));
            }
        }
        match tokens {
            [front @ .., collate, _] if collate.is_word("COLLATE") => self.expression(front),
            [token] => self.term(token),
            [case, .., _] if case.is_word("CASE") => {
                let case = Case::of(tokens)?;
                let results = case.arms.iter().map(|arm| arm.result).chain(case.other);
                self.one_of(results)
            }
            [name, open, arguments @ .., close]
                if open.is_symbol("(") && close.is_symbol(")") && name.kind == Kind::Word =>
            {
                self.call(&name.text.to_ascii_lowercase(), arguments)
            }
            _ => None,
        }
    }

    fn term(&self, token: &Token<'_>) -> Option<Known> {
        match token.kind {
            Kind::Number => {
                let (whole, fraction) = token.text.split_once('.').unwrap_or((token.text, ""));
                let all_digits = |text: &str| text.chars().all(|sign| sign.is_ascii_digit());
                if !all_digits(whole) || !all_digits(fraction) {
                    return Some(Known::As(Type::Double));
                }
                let length = |text: &str| u32::try_from(text.len()).ok();
                if token.text.contains('.') {
                    return decimal(length(whole)?, length(fraction)?).map(Known::As);
                }
                Some(Known::As(match whole.len() {
                    0..10 => Type::Integer,
                    10..19 => Type::BigInteger,
                    _ => Type::BigUnsigned,
                }))
            }
            Kind::Text => {
                let length = token.unquoted()?.chars().count();
                Some(Known::As(text(u32::try_from(length).ok()?)))
            }
            Kind::Word if token.is_word("NULL") => Some(Known::Null),
            Kind::Word if token.is_word("TRUE") || token.is_word("FALSE") => {
                Some(Known::As(Type::Boolean))
            }
            Kind::Word | Kind::Quoted => {
                let mut columns = self.table.columns.iter();
                let column = columns.find(|column| token.is_name(&column.name))?;
                Some(Known::As(types::plainly(self.flavor, &column.ty).into_owned()))
            }
            _ => None,
        }
    }

    /// The type of any of several expressions.
    fn one_of<'t, 'a: 't>(&self, all: impl Iterator<Item = &'t [Token<'a>]>) -> Option<Known> {
        let mut all_of_them = Known::Null;
        for tokens in all {
            let Known::As(ty) = self.expression(tokens)? else { continue };
            all_of_them = Known::As(match &all_of_them {
                Known::Null => ty,
                Known::As(known) => both(known, &ty)?,
            });
        }
        Some(all_of_them)
    }

    /// How many characters an expression has as a text.
    fn length(&self, tokens: &[Token<'_>]) -> Option<u32> {
        match self.expression(tokens)? {
            Known::Null => Some(0),
            Known::As(ty) => characters(&ty),
        }
    }

    /// The type of several texts, one after the other.
    fn concatenated(&self, all: &[&[Token<'_>]]) -> Option<Type> {
        let mut length = 0_u32;
        for tokens in all {
            length = length.saturating_add(self.length(tokens)?);
        }
        Some(text(length))
    }

    /// The type of a function's results.
    fn call(&self, name: &str, inside: &[Token<'_>]) -> Option<Known> {
        let arguments = split(inside, |token| token.is_symbol(","));
        let first = *arguments.first()?;
        let second = arguments.get(1).copied().unwrap_or_default();
        let third = arguments.get(2).copied().unwrap_or_default();
        let ty = match name {
            "coalesce" | "ifnull" | "nvl" | "greatest" | "least" => {
                return self.one_of(arguments.into_iter());
            }
            "if" | "nvl2" => return self.one_of(arguments.into_iter().skip(1)),
            "nullif" => return self.expression(first),
            "lower" | "upper" | "lcase" | "ucase" | "ltrim" | "rtrim" | "reverse"
            | "substring_index" => text(self.length(first)?),
            "trim" => {
                // As in `trim(both 'x' from name)`.
                let front = until(first, |token| token.is_word("FROM"));
                text(self.length(front.map_or(first, |front| &first[front.len() + 1..]))?)
            }
            "left" | "right" => text(self.length(first)?.min(count(second).unwrap_or(u32::MAX))),
            "substr" | "substring" | "mid" if arguments.len() > 1 => {
                text(self.length(first)?.min(count(third).unwrap_or(u32::MAX)))
            }
            "lpad" | "rpad" => text(count(second)?),
            "replace" => {
                let (was, to) = (self.length(second)?, self.length(third)?);
                let length = self.length(first)?;
                text(if to <= was.min(1) { length } else { length.saturating_mul(to) })
            }
            "concat" => self.concatenated(&arguments)?,
            "md5" => text(32),
            "sha" | "sha1" => text(40),
            "sha2" => text(count(second).filter(|bits| *bits > 0).unwrap_or(256) / 4),
            "json_value" | "json_unquote" | "json_extract" => Type::Text,
            "length" | "octet_length" | "char_length" | "character_length" | "instr" | "locate"
            | "position" | "ascii" | "ord" | "sign" | "field" | "year" | "month" | "day"
            | "dayofmonth" | "dayofweek" | "dayofyear" | "weekday" | "quarter" | "hour"
            | "minute" | "second" | "microsecond" | "datediff" | "to_days" => Type::Integer,
            "bit_length" => Type::BigInteger,
            "crc32" => Type::Unsigned,
            "isnull" => Type::Boolean,
            "date" | "last_day" => Type::Date,
            "time" => Type::Time,
            "sqrt" | "exp" | "ln" | "log" | "log2" | "log10" | "pow" | "power" => Type::Double,
            "mod" => {
                let (Known::As(left), Known::As(right)) =
                    (self.expression(first)?, self.expression(second)?)
                else {
                    return Some(Known::Null);
                };
                calculated("%", &left, &right)?
            }
            "abs" | "floor" | "ceil" | "ceiling" | "round" | "truncate" => {
                let Known::As(ty) = self.expression(first)? else { return Some(Known::Null) };
                rounded(name, Number::of(&ty)?, (arguments.len() > 1).then_some(second))?
            }
            "cast" | "convert" => return self.cast(name, inside).map(Known::As),
            _ => return None,
        };
        Some(Known::As(ty))
    }

    /// The type that a value is converted to.
    fn cast(&self, name: &str, inside: &[Token<'_>]) -> Option<Type> {
        let is_before = |token: &Token<'_>| {
            if name == "cast" { token.is_word("AS") } else { token.is_symbol(",") }
        };
        let value = until(inside, is_before)?;
        let ty = inside.get(value.len() + 1..)?;
        let number = |at: usize| ty.get(at).and_then(|token| token.text.parse::<u32>().ok());
        let fraction = |name: &str| {
            Type::raw(&number(2).map_or(name.to_owned(), |digits| format!("{name}({digits})")))
        };
        Some(match ty.first()?.text.to_ascii_lowercase().as_str() {
            "char" | "varchar" => match number(2) {
                Some(length) => text(length),
                None => text(self.length(value)?),
            },
            "signed" | "int" | "integer" => Type::BigInteger,
            "unsigned" => Type::BigUnsigned,
            "decimal" => Type::Decimal(number(2).unwrap_or(10), number(4).unwrap_or(0)),
            "double" => Type::Double,
            "float" => Type::Float,
            "date" => Type::Date,
            "time" if number(2) == Some(6) => Type::Time,
            "datetime" if number(2) == Some(6) => Type::DateTime,
            "time" => fraction("time"),
            "datetime" => fraction("datetime"),
            "binary" => Type::FixedBinary(number(2)?),
            _ => return None,
        })
    }
}

/// The type of a number without its sign, or with fewer digits after the point.
fn rounded(name: &str, number: Number, places: Option<&[Token<'_>]>) -> Option<Type> {
    match (number, name) {
        (Number::Floating, _) => Some(Type::Double),
        (Number::Whole { is_unsigned, .. }, _) => Some(whole(is_unsigned)),
        (Number::Decimal { .. }, "abs") => decimal(number.whole(), number.scale()),
        (Number::Decimal { .. }, _) => {
            let scale = match places {
                Some(places) => count(places)?.min(number.scale()),
                None => 0,
            };
            decimal(number.whole() + 1, scale)
        }
    }
}

/// What is to the left of a sign, the sign, and what is to its right.
type Calculation<'t, 'a> = (&'t [Token<'a>], String, &'t [Token<'a>]);

/// The last of these signs outside of parentheses that stands between two values.
fn last_of<'t, 'a>(tokens: &'t [Token<'a>], signs: &[&str]) -> Option<Calculation<'t, 'a>> {
    let mut depth = 0;
    let mut found = None;
    for (idx, token) in tokens.iter().enumerate() {
        let opens = token.is_symbol("(") || token.is_word("CASE");
        let closes = token.is_symbol(")") || token.is_word("END");
        depth += i32::from(opens) - i32::from(closes);
        let is_sign =
            depth == 0 && signs.iter().any(|sign| token.is_symbol(sign) || token.is_word(sign));
        let follows_value = idx.checked_sub(1).is_some_and(|before| {
            let before = &tokens[before];
            let is_operator = ["+", "-", "*", "/", "%", "DIV", "MOD"]
                .iter()
                .any(|sign| before.is_symbol(sign) || before.is_word(sign));
            !is_operator
        });
        if is_sign && follows_value {
            found = Some(idx);
        }
    }
    let at = found?;
    Some((&tokens[..at], tokens[at].text.to_ascii_uppercase(), &tokens[at + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Table;

    fn table() -> Table {
        Table::new("item")
            .column(Column::new("name", Type::String(100)))
            .column(Column::new("code", Type::raw("char(5)")))
            .column(Column::new("body", Type::Text))
            .column(Column::new("doc", Type::Json))
            .column(Column::new("n", Type::Integer))
            .column(Column::new("size", Type::BigUnsigned))
            .column(Column::new("price", Type::Decimal(10, 2)))
            .column(Column::new("rate", Type::Double))
            .column(Column::new("is_on", Type::Boolean))
            .column(Column::new("made_at", Type::DateTime))
            .column(Column::new("odd", Type::raw("geometry")))
    }

    #[test]
    fn an_expression_has_the_type_that_holds_all_its_results() {
        for (expression, ty) in [
            ("lower(name)", Type::String(100)),
            ("LOWER ( `name` )", Type::String(100)),
            ("((upper(code)))", Type::String(5)),
            ("lower(body)", Type::Text),
            ("trim(both ' ' from name)", Type::String(100)),
            ("coalesce(name, 'none')", Type::String(100)),
            ("coalesce(code, 'longer than five')", Type::String(16)),
            ("coalesce(n, 0)", Type::Integer),
            ("coalesce(n, 0) + 1", Type::BigInteger),
            ("-n", Type::BigInteger),
            ("n * -1", Type::BigInteger),
            ("size + n", Type::BigUnsigned),
            ("price * n", Type::Decimal(20, 2)),
            ("price + n", Type::Decimal(13, 2)),
            ("n / 2", Type::Decimal(14, 4)),
            ("n % 10", Type::BigInteger),
            ("rate * n", Type::Double),
            ("n > 3 and is_on", Type::Boolean),
            ("name is null", Type::Boolean),
            ("case when is_on then name end", Type::String(100)),
            ("case n when 1 then 'one' else 'many' end", Type::String(4)),
            ("if(is_on, n, null)", Type::Integer),
            ("nullif(name, '')", Type::String(100)),
            ("name || '-' || n", Type::String(112)),
            ("concat(name, ' ', code)", Type::String(106)),
            ("left(name, 3)", Type::String(3)),
            ("substr(name, 2)", Type::String(100)),
            ("substring_index(name, '@', -1)", Type::String(100)),
            ("char_length(name)", Type::Integer),
            ("year(made_at)", Type::Integer),
            ("date(made_at)", Type::Date),
            ("round(price, 1)", Type::Decimal(10, 1)),
            ("floor(price)", Type::Decimal(9, 0)),
            ("abs(n)", Type::BigInteger),
            ("md5(body)", Type::String(32)),
            ("sha2(body, 256)", Type::String(64)),
            ("json_value(doc, '$.a')", Type::Text),
            ("cast(json_value(doc, '$.a') as char(40))", Type::String(40)),
            ("cast(json_value(doc, '$.n') as signed)", Type::BigInteger),
            ("cast(name as decimal(8, 2))", Type::Decimal(8, 2)),
            ("cast(made_at as date)", Type::Date),
            ("name collate utf8mb4_general_ci", Type::String(100)),
            ("n | 4", Type::BigUnsigned),
        ] {
            assert_eq!(of(Flavor::Mariadb, &table(), expression), Some(ty), "{expression}");
        }
    }

    #[test]
    fn what_is_not_known_of_an_expression_is_not_guessed() {
        for expression in [
            "made_at + interval 1 day",
            "soundex(name)",
            "nosuch",
            "coalesce(made_at, n)",
            "name + 1",
            "null",
            "coalesce(name, odd)",
            "(select 1)",
            "",
        ] {
            assert_eq!(of(Flavor::Mariadb, &table(), expression), None, "{expression}");
        }
    }
}
