//! Identifiers in columns: compact where they are hex, text where they are not.
//!
//! One SQL type, [`Identifier`], whose values SQLite keeps as an INTEGER (16 lower-case hex digits), a BLOB of
//! 16 bytes (32 digits) or TEXT (any other legal id). A string has exactly one of these forms, so that equal
//! strings are equal values and `trace_id = ?` needs no more than a [`StoredId`].

use std::fmt;

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{BigInt, Binary, SqlType, Text};
use diesel::sqlite::{Sqlite, SqliteType};

/// The SQL type of columns that hold an identifier.
#[derive(Clone, Copy, Debug, SqlType, diesel::query_builder::QueryId)]
#[diesel(sqlite_type(name = "Binary"))]
pub struct Identifier;

/// An identifier as it is stored.
#[derive(AsExpression, Clone, Debug, FromSqlRow, PartialEq, Eq, Hash, PartialOrd, Ord)]
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

impl ToSql<Identifier, Sqlite> for StoredId {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        match self {
            Self::Short(id) => out.set_value(id.cast_signed()),
            Self::Long(id) => out.set_value(&id[..]),
            Self::Other(id) => out.set_value(id.as_str()),
        }
        Ok(IsNull::No)
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
    use diesel::prelude::*;

    use super::*;

    #[test]
    fn every_form_of_id_comes_back_as_it_was_sent() {
        let mut conn = SqliteConnection::establish(":memory:").expect("in memory");
        for id in [
            "00000000000000ff",
            "ffffffffffffffff",
            "000000000000000000000000000000ff",
            "ffffffffffffffffffffffffffffffff",
            "FFFFFFFFFFFFFFFF",
            "",
            "žluťoučký",
            "12",
        ] {
            let stored = StoredId::from(id);
            assert_eq!(stored.to_string(), id);
            let back: StoredId = diesel::select(stored.clone().into_sql::<Identifier>())
                .get_result(&mut conn)
                .expect("select");
            assert_eq!(back, stored, "{id}");
        }
    }
}
