//! Identifiers in columns: compact where they are hex, text where they are not.
//!
//! One SQL type, [`Identifier`], whose values SQLite keeps as an INTEGER (16 lower-case hex digits), a BLOB of
//! 16 bytes (32 digits) or TEXT (any other legal id). A string has exactly one of these forms, so that equal
//! strings are equal values. Diesel binds a value as the one type that its SQL type stands for: who compares with an
//! identifier binds the form that its [`StoredId`] has.

use std::fmt;

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::sql_types::{BigInt, Binary, SqlType, Text};
use diesel::sqlite::{Sqlite, SqliteType};

/// The SQL type of columns that hold an identifier.
#[derive(Clone, Copy, Debug, SqlType, diesel::query_builder::QueryId)]
#[diesel(sqlite_type(name = "Binary"))]
pub struct Identifier;

/// An identifier as it is stored.
#[derive(Clone, Debug, FromSqlRow, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[diesel(sql_type = Identifier)]
pub enum StoredId {
    /// 16 lower-case hex digits.
    Short(u64),
    /// 32 lower-case hex digits.
    Long([u8; 16]),
    /// Any other string.
    Other(String),
}

impl From<&str> for StoredId {
    fn from(value: &str) -> Self {
        let hex = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if !matches!(value.len(), 16 | 32) || !value.as_bytes().iter().all(hex) {
            return Self::Other(value.to_owned());
        }
        let number = u128::from_str_radix(value, 16).unwrap_or_default();
        match u64::try_from(number) {
            // 32 digits that begin with zeros stay long: the last 16 alone are another id.
            Ok(short) if value.len() == 16 => Self::Short(short),
            _ => Self::Long(number.to_be_bytes()),
        }
    }
}

impl fmt::Display for StoredId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short(id) => write!(f, "{id:016x}"),
            Self::Long(id) => write!(f, "{:032x}", u128::from_be_bytes(*id)),
            Self::Other(id) => f.write_str(id),
        }
    }
}

impl FromSql<Identifier, Sqlite> for StoredId {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        match value.value_type() {
            Some(SqliteType::Long | SqliteType::Integer | SqliteType::SmallInt) => {
                let id = <i64 as FromSql<BigInt, Sqlite>>::from_sql(value)?;
                Ok(Self::Short(id.cast_unsigned()))
            }
            Some(SqliteType::Binary) => {
                let id = <Vec<u8> as FromSql<Binary, Sqlite>>::from_sql(value)?;
                let id = <[u8; 16]>::try_from(id)
                    .map_err(|id| format!("an id of {} bytes in the database: not 16", id.len()))?;
                Ok(Self::Long(id))
            }
            _ => Ok(Self::Other(<String as FromSql<Text, Sqlite>>::from_sql(
                value,
            )?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lower_case_hex_of_16_or_32_digits_is_compact() {
        for (text, stored) in [
            ("00000000000000ff", StoredId::Short(255)),
            ("ffffffffffffffff", StoredId::Short(u64::MAX)),
            (
                "ffffffffffffffffffffffffffffffff",
                StoredId::Long([255; 16]),
            ),
            (
                "FFFFFFFFFFFFFFFF",
                StoredId::Other("FFFFFFFFFFFFFFFF".into()),
            ),
            ("", StoredId::Other(String::new())),
            ("žluťoučký", StoredId::Other("žluťoučký".into())),
            ("12", StoredId::Other("12".into())),
        ] {
            assert_eq!(StoredId::from(text), stored);
            assert_eq!(stored.to_string(), text);
        }
    }
}
