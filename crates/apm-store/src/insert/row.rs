//! A row by its columns: one list gives the struct, the statement and the order of the values.

use diesel::QueryResult;
use diesel::query_builder::AstPass;
use diesel::sql_types::{BigInt, Binary, Bool, Double, Integer, Nullable, Text};
use diesel::sqlite::Sqlite;

/// A row and the statement that inserts it: see [`row!`].
pub(crate) trait Row {
    /// Tells the statements of different rows apart.
    type Statement: 'static;
    /// `INSERT OR FAIL INTO t (a, b) VALUES`
    const INTO: &'static str;
    /// What follows the values: a conflict clause, or nothing.
    const THEN: &'static str;

    /// Writes the values in order.
    fn values<'b>(&'b self, values: &mut Values<'_, 'b>) -> QueryResult<()>;
}

/// Writes the values of one row, with commas between them.
pub(crate) struct Values<'a, 'b> {
    out: AstPass<'a, 'b, Sqlite>,
    first: bool,
}

impl<'a, 'b> Values<'a, 'b> {
    pub(super) fn new(out: AstPass<'a, 'b, Sqlite>) -> Self {
        Self { out, first: true }
    }

    /// One value of SQL type `S`.
    pub(crate) fn push<S, T>(&mut self, value: &'b T) -> QueryResult<()>
    where
        Sqlite: diesel::sql_types::HasSqlType<S>,
        T: diesel::serialize::ToSql<S, Sqlite> + ?Sized,
    {
        if !self.first {
            self.out.push_sql(", ");
        }
        self.first = false;
        self.out.push_bind_param::<S, T>(value)
    }
}

/// What a column may hold.
pub(crate) trait Column {
    fn push<'b>(&'b self, values: &mut Values<'_, 'b>) -> QueryResult<()>;
}

macro_rules! columns {
    ($($rust:ty: $sql:ty),* $(,)?) => {
        $(impl Column for $rust {
            fn push<'b>(&'b self, values: &mut Values<'_, 'b>) -> QueryResult<()> {
                values.push::<$sql, _>(self)
            }
        })*
    };
}

columns! {
    bool: Bool,
    i32: Integer,
    i64: BigInt,
    f64: Double,
    String: Text,
    Vec<u8>: Binary,
    Option<i32>: Nullable<Integer>,
    Option<i64>: Nullable<BigInt>,
    Option<f64>: Nullable<Double>,
}

impl Column for &str {
    fn push<'b>(&'b self, values: &mut Values<'_, 'b>) -> QueryResult<()> {
        values.push::<Text, str>(self)
    }
}

/// `row! { struct Name in "table" { column: Type, … } then "ON CONFLICT …" }`: a struct with one field per column, as a [`Row`].
macro_rules! row {
    ($(#[$meta:meta])* $vis:vis struct $name:ident<$life:lifetime> $($rest:tt)*) => {
        row! { @ [$(#[$meta])*] [$vis] [$name<$life>] [<$life>] [$name<'static>] $($rest)* }
    };
    ($(#[$meta:meta])* $vis:vis struct $name:ident in $($rest:tt)*) => {
        row! { @ [$(#[$meta])*] [$vis] [$name] [] [$name] in $($rest)* }
    };
    (
        @ [$($meta:tt)*] [$vis:vis] [$($name:tt)*] [$($generics:tt)*] [$statement:ty]
        in $table:literal { $first:ident: $first_type:ty $(, $column:ident: $type:ty)* $(,)? } $(then $then:literal)?
    ) => {
        $($meta)*
        #[derive(Debug)]
        $vis struct $($name)* {
            $vis $first: $first_type,
            $($vis $column: $type,)*
        }

        impl $($generics)* $crate::insert::Row for $($name)* {
            type Statement = $statement;
            const INTO: &'static str = concat!(
                "INSERT OR FAIL INTO ", $table, " (", stringify!($first) $(, ", ", stringify!($column))*, ") VALUES"
            );
            const THEN: &'static str = concat!("" $(, $then)?);

            fn values<'b>(
                &'b self,
                values: &mut $crate::insert::Values<'_, 'b>,
            ) -> diesel::QueryResult<()> {
                $crate::insert::Column::push(&self.$first, values)?;
                $($crate::insert::Column::push(&self.$column, values)?;)*
                Ok(())
            }
        }
    };
}
pub(crate) use row;
