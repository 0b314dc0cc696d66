//! Parameters: statements contain `?1` for every database, and are rewritten to its own
//! placeholders.

use std::borrow::Cow;

use super::DatabaseError;
use crate::sql::{Kind, Lexicon};

/// A statement with the placeholders of its database.
#[derive(Debug, PartialEq, Eq)]
pub struct Bound<'a> {
    /// The statement.
    pub sql: Cow<'a, str>,
    /// The values to pass to the database, in order, as positions in the given list.
    pub values: Vec<usize>,
}

/// Rewrites the placeholders of a statement for this many values to those of a database.
///
/// `?1` is the first value on every database, however often and in whatever order the numbers
/// occur. A database's own form is accepted as well: `$1` on PostgreSQL, and on MySQL a `?` without
/// a number, which stands for the value after the highest one so far, as on SQLite.
///
/// # Errors
///
/// A number without a value, or a value without a number.
pub fn bound<'a>(
    sql: &'a str,
    n_values: usize,
    lexicon: &'static Lexicon,
) -> Result<Bound<'a>, DatabaseError> {
    // Most statements have no placeholder, and reading them takes longer than looking for a sign.
    let params = &lexicon.params;
    let is_sign = |byte: u8| {
        let sign = char::from(byte);
        sign == '?' || params.numbered.contains(&sign) || params.named.contains(&sign)
    };
    if n_values == 0 && !sql.bytes().any(is_sign) {
        return Ok(Bound { sql: Cow::Borrowed(sql), values: Vec::new() });
    }
    let mut text = String::with_capacity(sql.len());
    let mut values: Vec<usize> = Vec::new();
    let mut highest = 0;
    for token in lexicon.tokens(sql) {
        if token.kind != Kind::Param {
            text.push_str(token.text);
            continue;
        }
        let number = match &token.text[1..] {
            "" => highest + 1,
            digits => digits.parse().ok().filter(|number| *number > 0).ok_or_else(|| {
                let message =
                    format!("`{}` is not a placeholder: the first one is `?1`", token.text);
                DatabaseError::new(message)
            })?,
        };
        highest = highest.max(number);
        let value = number - 1;
        match lexicon.params.numbered.first() {
            Some(mark) => {
                let known = values.iter().position(|known| *known == value);
                let place = known.unwrap_or_else(|| {
                    values.push(value);
                    values.len() - 1
                });
                text.push_str(&format!("{mark}{}", place + 1));
            }
            None => {
                values.push(value);
                text.push('?');
            }
        }
    }
    if highest != n_values {
        let given = if n_values == 1 {
            "1 value was given".to_owned()
        } else {
            format!("{n_values} values were given")
        };
        let message = match highest {
            0 => format!("the statement has no placeholder, and {given}"),
            _ => format!("the highest placeholder of the statement is `?{highest}`, and {given}"),
        };
        return Err(DatabaseError::new(message));
    }
    let sql = if values.is_empty() { Cow::Borrowed(sql) } else { Cow::Owned(text) };
    Ok(Bound { sql, values })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::{MYSQL, POSTGRES};

    #[track_caller]
    fn check(sql: &str, n_values: usize, postgres: (&str, &[usize]), mysql: (&str, &[usize])) {
        for (lexicon, (text, values)) in [(&POSTGRES, postgres), (&MYSQL, mysql)] {
            let bound = bound(sql, n_values, lexicon).unwrap();
            assert_eq!((&*bound.sql, bound.values.as_slice()), (text, values));
        }
    }

    #[test]
    fn a_value_is_the_one_of_its_number_on_every_database() {
        check("SELECT 1", 0, ("SELECT 1", &[]), ("SELECT 1", &[]));
        check("a = ?1 AND b = ?2", 2, ("a = $1 AND b = $2", &[0, 1]), ("a = ? AND b = ?", &[0, 1]));
        // Numbers out of order, repeated numbers, and a number without a value.
        check("?2, ?1, ?2", 2, ("$1, $2, $1", &[1, 0]), ("?, ?, ?", &[1, 0, 1]));
        check("?3, ?12", 12, ("$1, $2", &[2, 11]), ("?, ?", &[2, 11]));
        // Placeholders in a text, a name or a comment don't count.
        check(
            "'?1' \"?2\" /* ?3 */ ?1 -- ?4",
            1,
            ("'?1' \"?2\" /* ?3 */ $1 -- ?4", &[0]),
            ("'?1' \"?2\" /* ?3 */ ? -- ?4", &[0]),
        );
    }

    #[test]
    fn a_database_s_own_placeholders_are_taken_too() {
        let bound = |sql, n_values, lexicon| {
            let Bound { sql, values } = bound(sql, n_values, lexicon).unwrap();
            (sql.into_owned(), values)
        };
        assert_eq!(bound("?, ?, ?1, ?", 3, &MYSQL), ("?, ?, ?, ?".to_owned(), vec![0, 1, 0, 2]));
        assert_eq!(bound("$2 || ?1", 2, &POSTGRES), ("$1 || $2".to_owned(), vec![1, 0]));
        // `?` is an operator here.
        let has_key = "data ? 'a' AND n = ?1";
        assert_eq!(bound(has_key, 1, &POSTGRES), (has_key.replace("?1", "$1"), vec![0]));
    }

    #[test]
    fn numbers_and_values_have_to_fit() {
        let fails = |sql, n_values| bound(sql, n_values, &MYSQL).unwrap_err().to_string();
        assert_eq!(fails("?0", 1), "`?0` is not a placeholder: the first one is `?1`");
        assert_eq!(fails("?99999999999999999999", 1).split(':').count(), 2);
        assert_eq!(fails("1", 1), "the statement has no placeholder, and 1 value was given");
        assert_eq!(
            fails("?1, ?3", 2),
            "the highest placeholder of the statement is `?3`, and 2 values were given"
        );
    }

    #[cfg(feature = "sqlite")]
    #[test]
    fn sqlite_takes_numbers_as_others_are_given_them() {
        use crate::Value;
        use crate::driver::Connection as _;
        use crate::driver::sqlite::SqliteDriver;

        let mut driver = SqliteDriver::open_in_memory().unwrap();
        let mut query = |sql, values: &[i64]| {
            let values: Vec<Value> = values.iter().copied().map(Value::Integer).collect();
            driver.query(sql, &values).map(|rows| rows.rows.concat())
        };
        let integers = |values: &[i64]| values.iter().copied().map(Value::Integer).collect();
        assert_eq!(query("SELECT ?2, ?1, ?2", &[7, 8]), Ok(integers(&[8, 7, 8])));
        assert_eq!(query("SELECT ?, ?, ?1, ?", &[7, 8, 9]), Ok(integers(&[7, 8, 7, 9])));
        assert!(query("SELECT ?2", &[7]).is_err());
        assert!(query("SELECT 1", &[7]).is_err());
    }
}
