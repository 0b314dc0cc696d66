//! Column types for types of other crates, each behind the feature with the crate's name.

#[cfg(any(
    feature = "bigdecimal",
    feature = "bytes",
    feature = "chrono",
    feature = "jiff",
    feature = "rust_decimal",
    feature = "serde_json",
    feature = "time",
    feature = "uuid"
))]
use super::{ColumnType, Ty};

macro_rules! column_types {
    ($($feature:literal $ty:ty => $constant:ident;)*) => {
        $(#[cfg(feature = $feature)]
        impl ColumnType for $ty {
            const TY: Ty = Ty::$constant;
        })*
    };
}

column_types! {
    "chrono" chrono::NaiveDate => DATE;
    "chrono" chrono::NaiveTime => TIME;
    "chrono" chrono::NaiveDateTime => DATE_TIME;
    "time" time::Date => DATE;
    "time" time::Time => TIME;
    "time" time::PrimitiveDateTime => DATE_TIME;
    "time" time::OffsetDateTime => TIMESTAMP;
    "jiff" jiff::civil::Date => DATE;
    "jiff" jiff::civil::Time => TIME;
    "jiff" jiff::civil::DateTime => DATE_TIME;
    "jiff" jiff::Timestamp => TIMESTAMP;
    "uuid" uuid::Uuid => UUID;
    "rust_decimal" rust_decimal::Decimal => NUMERIC;
    "bigdecimal" bigdecimal::BigDecimal => NUMERIC;
    "serde_json" serde_json::Value => JSON;
    "bytes" bytes::Bytes => BINARY;
}

#[cfg(feature = "chrono")]
impl<Tz: chrono::TimeZone> ColumnType for chrono::DateTime<Tz> {
    const TY: Ty = Ty::TIMESTAMP;
}
