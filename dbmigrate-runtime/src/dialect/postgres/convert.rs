//! What happens to existing values when a column's type changes.
//!
//! PostgreSQL converts some values without a word that they became others: it rounds decimals and
//! cuts off the time of day. Such values are found before the change, and so are those that can't
//! be converted, so that all of them can be counted.

use super::{ddl, types};
use crate::dialect::{POSTGRES, Work};
use crate::schema::Type;
use crate::sql::is_balanced;

/// How the values of one type become those of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Conversion {
    /// The expression for `USING`; `None` if PostgreSQL converts the values by itself.
    pub(super) using: Option<String>,
    /// The condition for a value other than NULL to be kept; `None` if all are, or if that can't be
    /// told in advance.
    pub(super) fits: Option<String>,
    /// Whether the conversion depends on the session's time zone.
    pub(super) in_utc: bool,
    pub(super) work: Work,
}

/// Types whose values are converted alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind<'a> {
    Boolean,
    /// The smallest and the largest value.
    Integer(i128, i128),
    /// The number of bits.
    Real(u32),
    /// The digits, and how many of them follow the point.
    Decimal(Option<(u32, u32)>),
    /// The length.
    Text(Option<u32>),
    Date,
    Time,
    DateTime,
    Timestamp,
    Uuid,
    Json,
    /// The length.
    Bytes(Option<u32>),
    Enum(&'a [String]),
    Array(&'a Type),
    /// A type that only the database knows.
    Own,
}

fn kind(ty: &Type) -> Kind<'_> {
    match ty {
        Type::BigInteger => Kind::Integer(i64::MIN.into(), i64::MAX.into()),
        Type::BigUnsigned => Kind::Integer(0, u64::MAX.into()),
        Type::Boolean => Kind::Boolean,
        Type::Float => Kind::Real(32),
        Type::Double => Kind::Real(64),
        Type::Decimal(precision, scale) => Kind::Decimal(Some((*precision, *scale))),
        Type::Numeric => Kind::Decimal(None),
        Type::String(length) => Kind::Text(Some(*length)),
        Type::Text => Kind::Text(None),
        Type::Date => Kind::Date,
        Type::Time => Kind::Time,
        Type::DateTime => Kind::DateTime,
        Type::Timestamp => Kind::Timestamp,
        Type::Uuid => Kind::Uuid,
        Type::Json => Kind::Json,
        Type::Binary => Kind::Bytes(None),
        Type::FixedBinary(length) => Kind::Bytes(Some(*length)),
        Type::Enum(_, values) => Kind::Enum(values),
        Type::Array(of) => Kind::Array(of),
        Type::TinyInteger
        | Type::SmallInteger
        | Type::Integer
        | Type::TinyUnsigned
        | Type::SmallUnsigned
        | Type::Unsigned
        | Type::Raw(_)
        | Type::PerDialect(_) => match ty.integer_range() {
            Some((least, most)) => Kind::Integer(least.into(), most.into()),
            None => Kind::Own,
        },
    }
}

/// Whether the expressions over a column mean the same after the change of its type, as PostgreSQL
/// keeps them.
pub(super) fn keeps_meaning(from: &Type, to: &Type) -> bool {
    let (from, to) = (types::plainly(from), types::plainly(to));
    match (kind(&from), kind(&to)) {
        (Kind::Text(_), Kind::Text(_))
        | (Kind::Bytes(_), Kind::Bytes(_))
        | (Kind::Decimal(_), Kind::Decimal(_)) => true,
        // The largest are decimals, with which other constants are compared.
        (Kind::Integer(_, most), Kind::Integer(_, to_most)) => {
            (most > i64::MAX.into()) == (to_most > i64::MAX.into())
        }
        // Another enumeration is another type, even with the same values.
        (Kind::Own | Kind::Enum(_), _) | (_, Kind::Own) => false,
        (from, to) => from == to,
    }
}

/// Whether a column keeps all of its values when it gets a type in PostgreSQL's own words.
pub(super) fn keeps_values(from: &Type, to: &Type) -> bool {
    let Some(understood) = types::understood(to) else { return false };
    let conversion = conversion("c", from, &understood, 0);
    let is_told = !matches!(kind(&understood), Kind::Json) || *from == Type::Json;
    is_told && kind(from) != Kind::Own && conversion.fits.is_none()
}

/// The conversion of a column, given its quoted name. What a version earlier than this one can't
/// tell isn't told.
pub(super) fn conversion(column: &str, from: &Type, to: &Type, version: u32) -> Conversion {
    let plain = Conversion { using: None, fits: None, in_utc: false, work: Work::Rewrite };
    let (Ok(declared_from), Ok(declared)) = (types::type_name(from), types::type_name(to)) else {
        return plain;
    };
    let (from, to) = (types::plainly(from), types::plainly(to));
    let (from_kind, to_kind) = (kind(&from), kind(&to));
    let converter = Converter { c: column, declared: &declared, version };
    let mut conversion = converter.conversion(from_kind, to_kind);
    let is_own = from_kind == Kind::Own || to_kind == Kind::Own;
    if is_own && declared_from != declared && types::same_base(&declared_from, &declared) {
        // `timestamp(0)` rounds, and `interval day` cuts off.
        conversion.fits = Some(format!("{column}::{declared}::text = {column}::text"));
    }
    let is_free = declared_from == declared || converter.keeps_bytes(from_kind, to_kind);
    Conversion { work: if is_free { Work::None } else { Work::Rewrite }, ..conversion }
}

#[derive(Clone, Copy)]
struct Converter<'a> {
    /// The column, quoted.
    c: &'a str,
    /// The new type.
    declared: &'a str,
    version: u32,
}

impl Converter<'_> {
    fn plain(&self, fits: Option<String>) -> Conversion {
        Conversion { using: None, fits, in_utc: false, work: Work::Rewrite }
    }

    fn with(&self, using: String, fits: Option<String>) -> Conversion {
        Conversion { using: Some(using), ..self.plain(fits) }
    }

    fn cast(&self, fits: Option<String>) -> Conversion {
        self.with(format!("{}::{}", self.c, self.declared), fits)
    }

    /// No value has a counterpart.
    fn none(&self) -> Conversion {
        self.with(format!("NULL::{}", self.declared), Some("FALSE".to_owned()))
    }

    /// Whether the stored bytes stay as they are.
    fn keeps_bytes(&self, from: Kind<'_>, to: Kind<'_>) -> bool {
        match (from, to) {
            (Kind::Text(_), Kind::Text(None))
            | (Kind::Decimal(_), Kind::Decimal(None))
            | (Kind::Timestamp, Kind::DateTime)
            | (Kind::DateTime, Kind::Timestamp)
            | (Kind::Bytes(_), Kind::Bytes(_)) => true,
            (Kind::Text(Some(was)), Kind::Text(Some(now))) => now >= was,
            (Kind::Decimal(Some((was, scale_was))), Kind::Decimal(Some((now, scale)))) => {
                scale_was == scale && now >= was
            }
            _ => false,
        }
    }

    fn conversion(&self, from: Kind<'_>, to: Kind<'_>) -> Conversion {
        let c = self.c;
        match (from, to) {
            // The database decides, and converts nothing that it would have to be told to.
            (Kind::Own, _) | (_, Kind::Own) => self.plain(None),
            (Kind::Array(from), Kind::Array(to)) => self.array(from, to),
            (_, Kind::Text(length)) => self.text(from, length),
            (Kind::Text(_), to) => self.of_text(to),
            (Kind::Boolean, Kind::Boolean)
            | (Kind::Date, Kind::Date)
            | (Kind::Time, Kind::Time)
            | (Kind::DateTime, Kind::DateTime)
            | (Kind::Timestamp, Kind::Timestamp)
            | (Kind::Uuid, Kind::Uuid)
            | (Kind::Json, Kind::Json) => self.plain(None),
            (Kind::Boolean, Kind::Integer(..)) => self.with(format!("{c}::integer"), None),
            (Kind::Integer(..) | Kind::Real(_) | Kind::Decimal(_), Kind::Boolean) => {
                self.with(format!("{c} <> 0"), Some(format!("{c} IN (0, 1)")))
            }
            (Kind::Integer(..), Kind::Enum(values)) => {
                let text = format!("{c}::text");
                let fits = one_of(&text, values);
                self.with(format!("{text}::{}", self.declared), Some(fits))
            }
            (Kind::Integer(..) | Kind::Real(_) | Kind::Decimal(_), to) => self.number(from, to),
            (Kind::Timestamp, Kind::DateTime) | (Kind::DateTime, Kind::Timestamp) => {
                Conversion { in_utc: true, ..self.plain(None) }
            }
            (Kind::DateTime, Kind::Date) => {
                let fits = format!("{c} = date_trunc('day', {c})");
                self.with(format!("{c}::date"), Some(fits))
            }
            (Kind::Timestamp, Kind::Date) => {
                let local = format!("({c} AT TIME ZONE 'UTC')");
                let fits = format!("{local} = date_trunc('day', {local})");
                self.with(format!("{local}::date"), Some(fits))
            }
            (Kind::Uuid, Kind::Bytes(None | Some(16))) => {
                self.with(format!("uuid_send({c})"), None)
            }
            (Kind::Bytes(None | Some(16)), Kind::Uuid) => {
                let is_sure = from == Kind::Bytes(Some(16));
                let fits = (!is_sure).then(|| format!("octet_length({c}) = 16"));
                self.with(format!("encode({c}, 'hex')::uuid"), fits)
            }
            (Kind::Bytes(was), Kind::Bytes(Some(now))) if was != Some(now) => {
                self.plain(Some(format!("octet_length({c}) = {now}")))
            }
            (Kind::Bytes(_), Kind::Bytes(_)) => self.plain(None),
            (Kind::Enum(was), Kind::Enum(now)) => {
                let is_lost = |value: &String| !now.contains(value);
                let fits = was.iter().any(is_lost).then(|| one_of(&format!("{c}::text"), now));
                let is_text = self.declared == "text";
                let cast = if is_text { String::new() } else { format!("::{}", self.declared) };
                self.with(format!("{c}::text{cast}"), fits)
            }
            // A value is what its text is.
            (Kind::Enum(_), to) => {
                let c = format!("{c}::text");
                Converter { c: &c, ..*self }.of_text(to)
            }
            _ => self.none(),
        }
    }

    fn text(&self, from: Kind<'_>, length: Option<u32>) -> Conversion {
        let c = self.c;
        let longest = match from {
            Kind::Text(length) => length,
            Kind::Boolean => Some(5),
            Kind::Integer(least, most) => {
                u32::try_from(least.to_string().len().max(most.to_string().len())).ok()
            }
            // The sign, the point, and a zero before it if there is no other digit.
            Kind::Decimal(Some((precision, scale))) => {
                Some(precision.max(scale.saturating_add(1)).saturating_add(2))
            }
            Kind::Date => Some(13),
            Kind::Uuid => Some(36),
            Kind::Enum(values) => {
                let lengths = values.iter().map(|value| value.chars().count());
                u32::try_from(lengths.max().unwrap_or_default()).ok()
            }
            Kind::Bytes(_) => return self.none(),
            _ => None,
        };
        let of = if matches!(from, Kind::Text(_)) { c.to_owned() } else { format!("{c}::text") };
        let fits = length
            .filter(|length| longest.is_none_or(|longest| longest > *length))
            .map(|length| format!("char_length({of}) <= {length}"));
        self.plain(fits)
    }

    fn number(&self, from: Kind<'_>, to: Kind<'_>) -> Conversion {
        let c = self.c;
        match (from, to) {
            (Kind::Integer(least, most), Kind::Integer(to_least, to_most)) => {
                let is_within = to_least <= least && most <= to_most;
                self.plain((!is_within).then(|| between(c, to_least, to_most)))
            }
            (Kind::Integer(least, most), Kind::Real(bits)) => {
                let exact = if bits == 32 { 1 << 24 } else { 1 << 53 };
                let is_within = -exact <= least && most <= exact;
                self.plain((!is_within).then(|| between(c, -exact, exact)))
            }
            (Kind::Integer(least, most), Kind::Decimal(digits)) => {
                let digits = digits.map(|(precision, scale)| precision.saturating_sub(scale));
                let is_within = digits.is_none_or(|digits| {
                    10_i128.checked_pow(digits).is_none_or(|limit| -limit < least && most < limit)
                });
                let digits = digits.filter(|_| !is_within);
                self.plain(digits.map(|digits| below(&format!("{c}::numeric"), digits)))
            }
            (Kind::Real(_), Kind::Integer(least, most)) => {
                // The number above the largest one is exact as a floating point number.
                let fits = format!(
                    "{c} = trunc({c}::double precision) AND {c} >= {least} AND {c} < {}",
                    most + 1
                );
                // PostgreSQL's own conversion to `numeric` keeps 15 digits.
                let using = format!("{c}::text::numeric");
                self.with(using, Some(fits))
            }
            (Kind::Real(was), Kind::Real(now)) if was <= now => self.plain(None),
            (Kind::Real(_), Kind::Real(_)) => {
                let fits = format!(
                    "CASE WHEN {c} = 0 OR {c} IN ('NaN', 'Infinity', '-Infinity') THEN TRUE \
                     WHEN abs({c}) BETWEEN 1.2e-38 AND 3.4e38 \
                     THEN {c}::real::double precision = {c} ELSE FALSE END"
                );
                self.plain(Some(fits))
            }
            (Kind::Real(_), Kind::Decimal(digits)) => {
                let value = format!("{c}::text::numeric");
                let fits = match digits {
                    Some((precision, scale)) => format!(
                        "CASE WHEN {c} IN ('NaN', 'Infinity', '-Infinity') THEN FALSE ELSE {} END",
                        within(&value, precision, scale)
                    ),
                    None => format!("{c} NOT IN ('NaN', 'Infinity', '-Infinity')"),
                };
                self.with(value, Some(fits))
            }
            (Kind::Decimal(digits), Kind::Integer(least, most)) => {
                let in_range = between(c, least, most);
                let is_whole = digits.is_some_and(|(_, scale)| scale == 0);
                let whole = if is_whole { String::new() } else { format!("{c} = trunc({c}) AND ") };
                let most_digits = digits.map(|(precision, scale)| precision.saturating_sub(scale));
                let is_in_range = most_digits
                    .and_then(|digits| 10_i128.checked_pow(digits))
                    .is_some_and(|limit| least <= 1 - limit && limit - 1 <= most);
                let fits =
                    if is_whole && is_in_range { None } else { Some(format!("{whole}{in_range}")) };
                self.plain(fits)
            }
            (Kind::Decimal(_), Kind::Real(bits)) => {
                let real = if bits == 32 { "real" } else { "double precision" };
                let (least, most) =
                    if bits == 32 { ("1e-37", "1e38") } else { ("1e-300", "1e300") };
                let fits = format!(
                    "CASE WHEN {c} = 0 THEN TRUE WHEN abs({c}) BETWEEN {least} AND {most} \
                     THEN {c}::{real}::text::numeric = {c} ELSE FALSE END"
                );
                self.plain(Some(fits))
            }
            (Kind::Decimal(was), Kind::Decimal(Some((precision, scale)))) => {
                let digits = precision.saturating_sub(scale);
                let keeps = was.is_some_and(|(was_precision, was_scale)| {
                    was_scale <= scale && was_precision.saturating_sub(was_scale) <= digits
                });
                self.plain((!keeps).then(|| within(c, precision, scale)))
            }
            (Kind::Decimal(_), Kind::Decimal(None)) => self.plain(None),
            _ => self.none(),
        }
    }

    /// The conversion of texts. A text fits if it is one that the new type would be written as, or
    /// else it may have been something else: `007` is not the number 7.
    fn of_text(&self, to: Kind<'_>) -> Conversion {
        const NUMBER: &str = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?$";
        const SCIENTIFIC: &str = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?$";
        const TIME: &str = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?";
        const ZONE: &str = r" ?(Z|[-+][0-9]{2}(:?[0-9]{2})?)";
        let c = self.c;
        let when = |pattern: &str, then: &str| {
            format!("CASE WHEN {c} ~ '{pattern}' THEN {then} ELSE FALSE END")
        };
        let number = format!("{c}::numeric");
        let fits = match to {
            Kind::Integer(least, most) => {
                when("^(0|-?[1-9][0-9]*)$", &between(&number, least, most))
            }
            Kind::Real(bits) => {
                let real = if bits == 32 { "real" } else { "double precision" };
                let (least, most) =
                    if bits == 32 { ("1e-37", "1e38") } else { ("1e-300", "1e300") };
                let exact = format!(
                    "CASE WHEN {number} = 0 THEN TRUE \
                     WHEN abs({number}) BETWEEN {least} AND {most} \
                     THEN {c}::{real}::text::numeric = {number} ELSE FALSE END"
                );
                when(SCIENTIFIC, &exact)
            }
            Kind::Decimal(Some((precision, scale))) => {
                when(NUMBER, &within(&number, precision, scale))
            }
            Kind::Decimal(None) => format!("{c} ~ '{NUMBER}'"),
            Kind::Boolean => format!("{c} IN ('0', '1', 'false', 'true')"),
            Kind::Date => when("^[0-9]{4}-[0-9]{2}-[0-9]{2}$", &self.is_date()),
            Kind::Time => format!("{c} ~ '^{TIME}$'"),
            Kind::DateTime => {
                when(&format!("^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[ T]{TIME}$"), &self.is_date())
            }
            Kind::Timestamp => when(
                &format!("^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[ T]{TIME}{ZONE}$"),
                &self.is_date(),
            ),
            Kind::Uuid => {
                let group = |n: u32| format!("[0-9A-Fa-f]{{{n}}}");
                let groups = [group(8), group(4), group(4), group(4), group(12)].join("-");
                format!("{c} ~ '^({groups}|{})$'", group(32))
            }
            Kind::Enum(values) => one_of(c, values),
            // Earlier versions can't tell; converting it fails if it is none.
            Kind::Json if self.version >= 160_000 => self.is_json(),
            Kind::Json => return self.cast(None),
            _ => return self.none(),
        };
        self.cast(Some(fits))
    }

    /// Whether the text is JSON, of no more levels than readers take.
    fn is_json(&self) -> String {
        let c = self.c;
        format!(
            "CASE WHEN NOT pg_input_is_valid({c}, 'jsonb') THEN FALSE \
             WHEN length({c}) - length(translate({c}, '[{{', '')) < 128 THEN TRUE \
             ELSE NOT jsonb_path_exists({c}::jsonb, \
             'strict $.**{{127}} ? (@.type() == \"array\" || @.type() == \"object\")') END"
        )
    }

    /// Whether the text's first ten characters, which are digits where a date has some, are a date.
    fn is_date(&self) -> String {
        let c = self.c;
        let part = |from: u32, length: u32| format!("substr({c}, {from}, {length})");
        let (year, month, day) = (part(1, 4), part(6, 2), part(9, 2));
        format!(
            "CASE WHEN {year} <> '0000' AND {month} BETWEEN '01' AND '12' THEN {day} BETWEEN '01' \
             AND to_char(({} || '-01')::date + interval '1 month' - interval '1 day', 'DD') \
             ELSE FALSE END",
            part(1, 7)
        )
    }

    fn array(&self, from: &Type, to: &Type) -> Conversion {
        if from == to {
            return self.plain(None);
        }
        let element = conversion("\"value\"", from, to, self.version);
        let c = self.c;
        let is_cast = element
            .using
            .as_ref()
            .is_none_or(|using| using.starts_with("\"value\"::") && !using.contains(' '));
        if !is_cast || element.in_utc {
            return self.none();
        }
        let through = element.using.as_deref().unwrap_or_default();
        let text = if through.contains("::text::") { "::text[]" } else { "" };
        let fits = element.fits.map(|fits| {
            format!(
                "NOT EXISTS (SELECT 1 FROM unnest({c}) AS \"value\" \
                 WHERE \"value\" IS NOT NULL AND NOT ({fits}))"
            )
        });
        self.with(format!("{c}{text}::{}", self.declared), fits)
    }
}

fn between(value: &str, least: i128, most: i128) -> String {
    format!("{value} BETWEEN {least} AND {most}")
}

/// The condition for a number to have at most this many digits before the point.
fn below(value: &str, digits: u32) -> String {
    format!("abs({value}) < 1{}", "0".repeat(digits as usize))
}

fn within(value: &str, precision: u32, scale: u32) -> String {
    let below = below(value, precision.saturating_sub(scale));
    format!("{value} = round({value}, {scale}) AND {below}")
}

fn one_of(value: &str, values: &[String]) -> String {
    let values: Vec<_> = values.iter().map(|value| ddl::text(value)).collect();
    if values.is_empty() {
        return "FALSE".to_owned();
    }
    format!("{value} IN ({})", values.join(", "))
}

/// What `coalesce(column, ...)` gives in place of NULL.
pub(super) fn for_null(expression: &str, column: &str) -> Option<String> {
    let tokens = POSTGRES.significant(expression);
    let [coalesce, open, own, comma, rest @ .., close] = tokens.as_slice() else { return None };
    let is_one = coalesce.is_word("coalesce")
        && open.is_symbol("(")
        && own.is_name(column)
        && comma.is_symbol(",")
        && close.is_symbol(")")
        && is_balanced(rest);
    let (first, last) = (rest.first()?, rest.last()?);
    let rest_text = &expression[first.start..last.end()];
    let is_list = rest.iter().any(|token| token.is_symbol(","));
    let text = || if is_list { format!("coalesce({rest_text})") } else { rest_text.to_owned() };
    is_one.then(text)
}
