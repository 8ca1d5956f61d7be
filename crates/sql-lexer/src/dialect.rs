//! Dialects of SQL.

/// A family of databases that read SQL alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Dialect {
    /// MySQL and MariaDB: `"…"` is a string, `` `…` `` a name, `#` begins a comment.
    Mysql,
    /// PostgreSQL: `"…"` is a name, `$tag$…$tag$` a string, comments hold comments.
    Postgresql,
    /// SQLite: `"…"` is a name, or a string where no column has that name.
    Sqlite,
    /// Oracle, SQL Server, Db2, H2 and HSQLDB: `"…"` is a name, as the standard has it.
    Standard,
    /// Nobody says which.
    #[default]
    Unknown,
}

impl Dialect {
    /// The dialect of a span's subtype: `mysql`, `postgresql`, …
    #[must_use]
    pub fn of_subtype(subtype: &str) -> Self {
        match subtype {
            "mysql" | "mariadb" => Self::Mysql,
            "postgresql" => Self::Postgresql,
            "sqlite" => Self::Sqlite,
            "oracle" | "db2" | "h2" | "hsqldb" | "mssql" | "sqlserver" => Self::Standard,
            _ => Self::Unknown,
        }
    }
}
