//! A row by its columns: one list gives the struct, the statement and the order of the values.

use diesel::query_builder::AstPass;
use diesel::sql_types::{BigInt, Binary, Bool, Double, Integer, Nullable, Text};
use diesel::sqlite::Sqlite;
use diesel::{QueryResult, SqliteConnection};

use crate::checksum::Checksum;

/// A row and the statement that inserts it: see [`row!`].
pub(crate) trait Row {
    /// Tells the statements of different rows apart.
    type Statement: 'static;
    /// The text behind the values: a conflict clause, or nothing.
    const THEN: &'static str;

    /// The table.
    const TABLE: &'static str;
    /// The table or view that has the values as they were given.
    const VIEW: &'static str;
    /// The names of its columns.
    const NAMES: &'static [&'static str];
    /// `r.a, r.b`, for queries that call the table `r`.
    const LIST: &'static str;

    /// The number of columns at the end that most rows have nothing in.
    const TAIL: usize = 0;

    /// Whether there is nothing in these: to bind a NULL for each takes as long as to bind a value.
    fn is_short(&self) -> bool {
        true
    }

    /// The columns that have the same value in most rows of a statement: a bit for each, in order.
    const ONCE: u32 = 0;

    /// Whether another row has the same in these: they are bound for the first row then, and the others refer to it.
    fn is_alike(&self, _: &Self) -> bool {
        true
    }

    /// Inserts `N` rows. Rows without such columns have one statement, so that the others are not compiled.
    fn insert<const N: usize>(rows: &[Self], conn: &mut SqliteConnection) -> QueryResult<()>
    where
        Self: Sized,
    {
        super::whole::<Self, N>(rows, conn)
    }

    /// Writes the values in order.
    fn values<'b>(&'b self, values: &mut Values<'_, 'b>) -> QueryResult<()>;
    /// Adds the values to what a checksum is made of, in order.
    fn add_to(&self, sum: &mut Checksum);
    /// The checksum of the row; `memory` is used again for the next one.
    fn checksum(&self, memory: &mut Checksum) -> u32 {
        memory.compute(|sum| self.add_to(sum))
    }
}

/// The place of a column among those of a row.
pub(crate) const fn place(names: &[&str], name: &str) -> usize {
    let mut at = 0;
    while at < names.len() {
        let (one, other) = (names[at].as_bytes(), name.as_bytes());
        let mut same = 0;
        while same < one.len() && same < other.len() && one[same] == other[same] {
            same += 1;
        }
        if same == one.len() && same == other.len() {
            return at;
        }
        at += 1;
    }
    panic!("no such column");
}

/// Names of the values of a statement's first row.
const FIRST: [&str; 24] = [
    "?1", "?2", "?3", "?4", "?5", "?6", "?7", "?8", "?9", "?10", "?11", "?12", "?13", "?14", "?15",
    "?16", "?17", "?18", "?19", "?20", "?21", "?22", "?23", "?24",
];

/// Columns as bits, in the order of `names`.
pub(crate) const fn bits(names: &[&str], wanted: &[&str]) -> u32 {
    let mut bits = 0;
    let mut at = 0;
    while at < wanted.len() {
        let place = place(names, wanted[at]);
        assert!(place < FIRST.len(), "the value has a name");
        bits |= 1 << place;
        at += 1;
    }
    bits
}

/// Writes the values of one row, with commas between them.
pub(crate) struct Values<'a, 'b> {
    out: AstPass<'a, 'b, Sqlite>,
    /// The place of the next column.
    at: usize,
    /// The number of columns; values beyond them are left out.
    columns: usize,
    /// The columns that have the value of the statement's first row.
    as_first: u32,
}

impl<'a, 'b> Values<'a, 'b> {
    /// Of the first `columns`.
    pub(super) fn new(out: AstPass<'a, 'b, Sqlite>, columns: usize, as_first: u32) -> Self {
        Self {
            out,
            at: 0,
            columns,
            as_first,
        }
    }

    /// One value of SQL type `S`.
    pub(crate) fn push<S, T>(&mut self, value: &'b T) -> QueryResult<()>
    where
        Sqlite: diesel::sql_types::HasSqlType<S>,
        T: diesel::serialize::ToSql<S, Sqlite> + ?Sized,
    {
        let at = self.at;
        if at == self.columns {
            return Ok(());
        }
        self.at += 1;
        if at > 0 {
            self.out.push_sql(", ");
        }
        if self.as_first >> at & 1 == 1 {
            self.out.push_sql(FIRST[at]);
            return Ok(());
        }
        self.out.push_bind_param::<S, T>(value)
    }
}

/// A type of column values.
pub(crate) trait Column {
    fn push<'b>(&'b self, values: &mut Values<'_, 'b>) -> QueryResult<()>;
    /// Adds the value as SQLite gives it back.
    fn add_to(&self, sum: &mut Checksum);
}

macro_rules! columns {
    ($($rust:ty: $sql:ty, $sum:expr);* $(;)?) => {
        $(impl Column for $rust {
            #[inline]
            fn push<'b>(&'b self, values: &mut Values<'_, 'b>) -> QueryResult<()> {
                values.push::<$sql, _>(self)
            }

            #[inline]
            fn add_to(&self, sum: &mut Checksum) {
                let add: fn(&$rust, &mut Checksum) = $sum;
                add(self, sum);
            }
        })*
    };
}

columns! {
    bool: Bool, |value, sum| sum.int(i64::from(*value));
    i32: Integer, |value, sum| sum.int(i64::from(*value));
    i64: BigInt, |value, sum| sum.int(*value);
    f64: Double, |value, sum| sum.real(*value);
    String: Text, |value, sum| sum.text(value);
    Vec<u8>: Binary, |value, sum| sum.blob(value);
    Option<i32>: Nullable<Integer>, |value, sum| sum.optional(value.map(i64::from), Checksum::int);
    Option<i64>: Nullable<BigInt>, |value, sum| sum.optional(*value, Checksum::int);
    Option<f64>: Nullable<Double>, |value, sum| sum.optional(*value, Checksum::real);
}

impl Column for &str {
    fn push<'b>(&'b self, values: &mut Values<'_, 'b>) -> QueryResult<()> {
        values.push::<Text, str>(self)
    }

    fn add_to(&self, sum: &mut Checksum) {
        sum.text(self);
    }
}

/// `row! { struct Name in "table" { column: Type, … } read as "view" then "ON CONFLICT …" tail [column, …] }`: a struct
/// with one field per column, as a [`Row`]. `read as`: a view, where the table does not hold all values itself. `tail`:
/// the last columns, of optional values, which most rows have none of. `once`: the columns of [`Row::ONCE`].
macro_rules! row {
    ($(#[$meta:meta])* $vis:vis struct $name:ident<$life:lifetime> $($rest:tt)*) => {
        row! { @ [$(#[$meta])*] [$vis] [$name<$life>] [<$life>] [$name<'static>] $($rest)* }
    };
    ($(#[$meta:meta])* $vis:vis struct $name:ident in $($rest:tt)*) => {
        row! { @ [$(#[$meta])*] [$vis] [$name] [] [$name] in $($rest)* }
    };
    (
        @ [$($meta:tt)*] [$vis:vis] [$($name:tt)*] [$($generics:tt)*] [$statement:ty]
        in $table:literal { $first:ident: $first_type:ty $(, $column:ident: $type:ty)* $(,)? }
        $(read as $view:literal)? $(then $then:literal)? $(tail [$($tail:ident),*])?
        $(once [$($once:ident),*])?
    ) => {
        $($meta)*
        #[derive(Debug)]
        $vis struct $($name)* {
            $vis $first: $first_type,
            $($vis $column: $type,)*
        }

        impl $($generics)* $crate::insert::Row for $($name)* {
            type Statement = $statement;
            const THEN: &'static str = concat!("" $(, $then)?);
            const TABLE: &'static str = $table;
            const VIEW: &'static str = [$($view,)? $table][0];
            const NAMES: &'static [&'static str] = &[stringify!($first) $(, stringify!($column))*];
            const LIST: &'static str = concat!("r.", stringify!($first) $(, ", r.", stringify!($column))*);

            $crate::insert::of_some! { [$($($tail)*)?] [$($($once)*)?] }

            fn values<'b>(
                &'b self,
                values: &mut $crate::insert::Values<'_, 'b>,
            ) -> diesel::QueryResult<()> {
                $crate::insert::Column::push(&self.$first, values)?;
                $($crate::insert::Column::push(&self.$column, values)?;)*
                Ok(())
            }

            fn add_to(&self, sum: &mut $crate::checksum::Checksum) {
                $crate::insert::Column::add_to(&self.$first, sum);
                $($crate::insert::Column::add_to(&self.$column, sum);)*
            }
        }
    };
}
pub(crate) use row;

/// The statements of rows with `tail` or `once`; nothing for others.
macro_rules! of_some {
    ([] []) => {};
    ([$($tail:ident)*] [$($once:ident)*]) => {
        const TAIL: usize = <[&str]>::len(&[$(stringify!($tail)),*]);

        fn is_short(&self) -> bool {
            $(self.$tail.is_none() &&)* true
        }

        const ONCE: u32 = $crate::insert::bits(Self::NAMES, &[$(stringify!($once)),*]);

        fn is_alike(&self, _other: &Self) -> bool {
            $(self.$once == _other.$once &&)* true
        }

        fn insert<const N: usize>(
            rows: &[Self],
            conn: &mut diesel::SqliteConnection,
        ) -> diesel::QueryResult<()> {
            $crate::insert::short_or_alike::<Self, N>(rows, conn)
        }
    };
}
pub(crate) use of_some;
