//! Decimal numbers: which of them SQLite stores as numbers, and under which declared types.
//!
//! SQLite has no exact type for decimals. A number with a fraction is binary floating point, which
//! preserves the first 15 digits (sqlite.org, `datatype3.html`, section 3.1). So a column with at
//! most 15 digits is exact, and its values compare and add up as numbers. A column with more digits
//! is stored as text, which is exact too, but `10.5` sorts before `9.5`.

use super::affinity::{Affinity, affinity, has_no_nul};
use crate::dialect::sqlite::lexicon::LEXICON;
use crate::schema::{Column, Table, TableOption, Type};
use crate::sql::{Kind, quote};

/// How many digits SQLite preserves of a number with a fraction.
const EXACT_DIGITS: u32 = 15;

/// The declared type, if values are stored as numbers. A `STRICT` table has no such type.
pub(super) fn declared(ty: &Type, strict: bool) -> Option<String> {
    match ty {
        Type::Decimal(precision, scale) if *precision <= EXACT_DIGITS && !strict => {
            Some(format!("DECIMAL({precision}, {scale})"))
        }
        _ => None,
    }
}

/// Whether the column stores decimal numbers as text.
pub(super) fn is_text(table: &Table, column: &Column) -> bool {
    let is_decimal = matches!(column.ty, Type::Decimal(..) | Type::Numeric);
    is_decimal && declared(&column.ty, table.has(TableOption::Strict)).is_none()
}

/// Whether a column with this declared type stands for the type: as other tools declare it, or as
/// versions of dbmigrate did that stored all decimal numbers as text.
pub(super) fn stands_for(declared_type: &str, ty: &Type) -> bool {
    let digits = digits(declared_type);
    match (ty, digits.as_deref()) {
        (Type::Decimal(..) | Type::Numeric, Some([])) => {
            *ty == Type::Numeric || declared(ty, false).is_some()
        }
        (Type::Decimal(precision, scale), Some([own, rest @ ..])) => {
            declared(ty, false).is_some() && own == precision && rest.first().unwrap_or(&0) == scale
        }
        (Type::Decimal(..), None) => declared_type.eq_ignore_ascii_case("TEXT"),
        _ => false,
    }
}

/// The numbers in parentheses after `DECIMAL` or `NUMERIC`; `None` for any other declared type.
pub(super) fn digits(declared: &str) -> Option<Vec<u32>> {
    let tokens = LEXICON.significant(declared);
    let (word, rest) = tokens.split_first()?;
    if !word.is_word("DECIMAL") && !word.is_word("NUMERIC") {
        return None;
    }
    let numbers = rest.iter().filter(|token| token.kind == Kind::Number);
    let numbers: Option<Vec<u32>> = numbers.map(|token| token.text.parse().ok()).collect();
    let n_symbols = rest.iter().filter(|token| token.kind != Kind::Number).count();
    numbers.filter(|numbers| match numbers.len() {
        0 => n_symbols == 0,
        // The other symbols are the parentheses, and a comma between two numbers.
        n => n <= 2 && n_symbols == n + 1,
    })
}

/// The condition for a value other than NULL to be stored unchanged in a column of decimal numbers;
/// `None` if the new declared type is another one, or the old one guarantees it.
pub(super) fn fits(column: &str, from: &str, to: &str) -> Option<String> {
    if digits(to).is_none() || digits(from).is_some() {
        return None;
    }
    let c = quote(column);
    let is_plain = is_plain(&c);
    // Zeros at either end are not among the digits that have to be preserved.
    let digits = format!("trim(replace(ltrim({c}, '-'), '.', ''), '0')");
    Some(format!(
        "CASE typeof({c}) WHEN 'integer' THEN 1 WHEN 'real' THEN 1 WHEN 'text' THEN \
         CAST({c} AS NUMERIC) = {c} COLLATE BINARY AND {is_plain} \
         AND length({digits}) <= {EXACT_DIGITS} ELSE 0 END"
    ))
}

/// The condition for a text to be written as a number would be. Another one may be something else:
/// `007`, `+49`, `1e5`.
pub(super) fn is_plain(c: &str) -> String {
    format!(
        "{c} NOT GLOB '*[^-.0-9]*' AND {c} NOT GLOB '*.' AND ltrim({c}, '-') GLOB '[0-9]*' \
         AND ltrim({c}, '-') NOT GLOB '0[0-9]*'"
    )
}

/// The condition for a value, in SQL, to be a number that readers of decimals accept. They accept
/// exponents, and no spaces.
pub(super) fn is_number(c: &str) -> String {
    // Only what is a number is taken for one in a comparison with one.
    format!(
        "{c} COLLATE BINARY = CAST({c} AS NUMERIC) AND CAST({c} AS TEXT) NOT GLOB '*[^0-9.eE+-]*' \
         AND {}",
        has_no_nul(c)
    )
}

/// The condition under which a number has no more digits than a type of decimal numbers.
pub(super) fn in_range(c: &str, precision: u32, scale: u32, is_kept_as_number: bool) -> String {
    let n_whole = precision.saturating_sub(scale);
    let number = format!("CAST({c} AS NUMERIC)");
    let in_range = format!("round({number}, {scale}) = {number} AND abs({number}) < 1e{n_whole}");
    if is_kept_as_number {
        return in_range;
    }
    // SQLite's numbers have fewer digits, so those of the text are counted, without the zeros at
    // either end. A text with an exponent has no more than a number.
    let text = format!("CAST({c} AS TEXT)");
    let point = format!("instr({text} || '.', '.')");
    let whole = format!("ltrim(substr({text}, 1, {point} - 1), '+-0')");
    let fraction = format!("rtrim(substr({text}, {point} + 1), '0')");
    format!(
        "{} AND CASE WHEN {text} GLOB '*[eE]*' THEN {in_range} \
         ELSE length({whole}) <= {n_whole} AND length({fraction}) <= {scale} END",
        is_number(c)
    )
}

/// The value of a column of decimal numbers that is converted to text, with all digits after the
/// point. SQLite's own conversion uses an exponent for small numbers.
pub(super) fn as_text(column: &str, from: &str, to: &str) -> Option<String> {
    let digits = digits(from)?;
    let scale = match digits.as_slice() {
        [_] => 0,
        [_, scale] => *scale,
        _ => return None,
    };
    let c = quote(column);
    let text = format!("printf('%.{scale}f', {c})");
    let is_number = format!("typeof({c}) IN ('integer', 'real')");
    (affinity(to) == Affinity::Text).then(|| {
        format!("CASE WHEN {is_number} AND CAST({text} AS NUMERIC) = {c} THEN {text} ELSE {c} END")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifteen_digits_are_numbers() {
        let text = |ty: &Type| declared(ty, false);
        assert_eq!(text(&Type::Decimal(15, 2)).as_deref(), Some("DECIMAL(15, 2)"));
        assert_eq!(text(&Type::Decimal(16, 2)), None);
        assert_eq!(text(&Type::Numeric), None);
        assert_eq!(declared(&Type::Decimal(10, 2), true), None);
    }

    #[test]
    fn other_names_stand_for_a_decimal_type() {
        let ty = Type::Decimal(10, 2);
        for text in ["TEXT", "text", "decimal", "NUMERIC", "numeric( 10,2 )", "DECIMAL(10, 2)"] {
            assert!(stands_for(text, &ty), "{text}");
        }
        for text in ["", "REAL", "DECIMAL(10)", "DECIMAL(12, 2)", "NUMERIC(10, 2) x", "VARCHAR(9)"]
        {
            assert!(!stands_for(text, &ty), "{text}");
        }
        assert!(stands_for("DECIMAL(10)", &Type::Decimal(10, 0)));
        assert!(stands_for("NUMERIC", &Type::Numeric));
        assert!(!stands_for("NUMERIC(10, 2)", &Type::Numeric));
        // The column would lose digits beyond the 15th.
        assert!(!stands_for("DECIMAL(20, 2)", &Type::Decimal(20, 2)));
        assert!(!stands_for("NUMERIC", &Type::Text));
    }
}
