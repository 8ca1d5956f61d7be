//! The tables, views and indexes of a database, as far as advice needs to know them.

use rusqlite::{Connection, Result};
use sqlite3_parser::dialect::keyword_token;

/// Objects that are read; a schema with more is not one of a service.
const MOST: i64 = 5_000;

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// As declared, in capitals.
    pub(crate) kind: String,
    /// Whether a value can be given for it.
    pub(crate) is_stored: bool,
}

/// A table or a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) has_rowid: bool,
    /// The column that is another name for the rowid.
    pub(crate) rowid: Option<String>,
    /// The text of its SELECT, for a view.
    pub(crate) view: Option<String>,
    pub(crate) is_virtual: bool,
    pub(crate) indexes: Vec<Index>,
}

/// An index, also one that SQLite made for a constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Index {
    pub(crate) name: String,
    pub(crate) is_unique: bool,
    pub(crate) is_partial: bool,
    /// None for an expression.
    pub(crate) columns: Vec<Option<String>>,
}

impl Table {
    /// The column of a name, in any case.
    pub(crate) fn column(&self, name: &str) -> Option<&Column> {
        self.columns
            .iter()
            .find(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// Columns of which no two rows may have the same values, by index.
    pub(crate) fn unique(&self) -> impl Iterator<Item = &Index> {
        self.indexes.iter().filter(|index| index.is_unique)
    }
}

/// The tables, indexes and views of a database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Schema {
    pub(crate) tables: Vec<Table>,
}

impl Schema {
    pub(crate) fn read(conn: &Connection) -> Result<Self> {
        let mut tables = Vec::new();
        let mut found = conn.prepare(include_str!("schema/tables.sql"))?;
        let mut rows = found.query([MOST])?;
        while let Some(row) = rows.next()? {
            let name: String = row.get(0)?;
            let kind: String = row.get(1)?;
            let without_rowid: bool = row.get(2)?;
            let sql: Option<String> = row.get(3)?;
            let is_virtual = kind == "virtual";
            let (columns, key) = match columns(conn, &name) {
                // Its module is not in this SQLite: statements that use it are not judged, all others are.
                Err(_) if is_virtual => Default::default(),
                read => read?,
            };
            let is_table = kind == "table";
            // A single INTEGER PRIMARY KEY is the rowid itself, unless it was declared otherwise in a way that makes an
            // index for it.
            let indexes = match is_virtual {
                true => Vec::new(),
                false => indexes(conn, &name)?,
            };
            let rowid = match &key[..] {
                [only] if is_table && !without_rowid => columns
                    .iter()
                    .find(|column| column.name == *only && column.kind == "INTEGER")
                    .map(|column| column.name.clone())
                    .filter(|name| !indexes.iter().any(|index| index.is_on(name))),
                _ => None,
            };
            tables.push(Table {
                has_rowid: is_table && !without_rowid,
                rowid,
                view: (kind == "view").then(|| sql.unwrap_or_default()),
                is_virtual,
                indexes,
                columns,
                name,
            });
        }
        Ok(Self { tables })
    }

    /// The table of a name, in any case.
    pub(crate) fn table(&self, name: &str) -> Option<&Table> {
        self.tables
            .iter()
            .find(|table| table.name.eq_ignore_ascii_case(name))
    }

    /// Whether an index has a name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.table(name).is_some()
            || self
                .tables
                .iter()
                .flat_map(|table| &table.indexes)
                .any(|index| index.name.eq_ignore_ascii_case(name))
    }
}

impl Index {
    /// Whether it is the index of a primary key of one column.
    fn is_on(&self, column: &str) -> bool {
        self.is_unique
            && self.name.starts_with("sqlite_autoindex_")
            && matches!(&self.columns[..], [Some(only)] if only == column)
    }
}

/// The columns of a table, and those of its primary key in order.
fn columns(conn: &Connection, table: &str) -> Result<(Vec<Column>, Vec<String>)> {
    // Hidden columns of virtual tables have 1 there, generated ones 2 or 3.
    let mut found = conn.prepare(
        "SELECT name, upper(type), hidden, pk FROM pragma_table_xinfo(?1) WHERE hidden <> 1 ORDER BY cid",
    )?;
    let mut rows = found.query([table])?;
    let (mut columns, mut key) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        let position: i64 = row.get(3)?;
        if position > 0 {
            key.push((position, name.clone()));
        }
        columns.push(Column {
            name,
            kind: row.get(1)?,
            is_stored: row.get::<_, i64>(2)? == 0,
        });
    }
    key.sort_unstable();
    Ok((columns, key.into_iter().map(|(_, name)| name).collect()))
}

fn indexes(conn: &Connection, table: &str) -> Result<Vec<Index>> {
    let mut found = conn.prepare("SELECT name, \"unique\", partial FROM pragma_index_list(?1)")?;
    let mut inner = conn.prepare("SELECT name FROM pragma_index_info(?1) ORDER BY seqno")?;
    found
        .query_map([table], |row| {
            let name: String = row.get(0)?;
            Ok(Index {
                columns: inner
                    .query_map([&name], |row| row.get(0))?
                    .collect::<Result<_>>()?,
                is_unique: row.get(1)?,
                is_partial: row.get(2)?,
                name,
            })
        })?
        .collect()
}

/// A name as SQL writes it: bare where it can be.
pub(crate) fn quote(name: &str) -> String {
    let bare = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && (name.len() < 2 || keyword_token(name.as_bytes()).is_none());
    if bare {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}
