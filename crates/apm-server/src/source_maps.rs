//! Source maps: what the lines of a minified file were written as.
//!
//! They are uploaded by name and version of a service and by the address of the minified file. Stack traces stay as
//! they were sent; they are mapped when they are read (`frames`), so a map that comes late helps too. The maps have a
//! bound together, beyond which the oldest go.

mod cache;
mod frames;
mod path;

use apm_store::{Store, SubmitError, Ticket};
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use ring::digest::{Digest, SHA256, digest};
use schemars::JsonSchema;
use serde::Serialize;

pub(crate) use frames::map_frames;

/// Largest map that is taken, bytes.
pub const LARGEST: usize = 32 << 20;
/// Bytes of all maps together, compressed. The oldest go first.
const TOGETHER: i64 = 128 << 20;
/// Maps together.
const MOST: i64 = 2000;
/// Longest name, version and path, bytes.
const LONGEST: usize = 1024;
/// The level at which maps are compressed: they are written once and kept for long.
const LEVEL: i32 = 6;

diesel::table! {
    /// One row per service, version and path.
    source_map (id) {
        id -> BigInt,
        service -> Text,
        version -> Text,
        path -> Text,
        received -> BigInt,
        raw_bytes -> BigInt,
        bytes -> BigInt,
        hash -> Binary,
        map -> Binary,
    }
}

/// A map that is ready to be stored.
#[derive(Clone, Debug)]
pub struct NewMap {
    service: String,
    version: String,
    path: String,
    raw_bytes: usize,
    /// Maps of one hash are taken for the same, whoever uploaded them.
    hash: Digest,
    map: Vec<u8>,
}

/// Why a map is not taken.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MapError {
    /// A field is missing or too long.
    #[error("'{0}' is required, and has at most {LONGEST} bytes")]
    Field(&'static str),
    /// It is too large.
    #[error("the source map is larger than {} MiB", LARGEST >> 20)]
    Large,
    /// It is no map.
    #[error("the source map cannot be read: {0}")]
    Map(String),
}

/// A map in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Listed {
    /// Its number.
    pub id: i64,
    /// `service.name`
    pub service: String,
    /// `service.version`
    pub version: String,
    /// The address of the minified file, or its path alone.
    pub path: String,
    /// When it was uploaded, seconds since the epoch.
    pub received: i64,
    /// Its size, bytes.
    pub raw_bytes: i64,
    /// Its size in the store, bytes.
    pub bytes: i64,
}

impl NewMap {
    /// The address of the minified file, cleaned.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Checks a map, and compresses it. Takes long for a large one.
    ///
    /// # Errors
    /// If it is no source map of revision 3, or something is missing or too large.
    pub fn check(service: &str, version: &str, path: &str, map: &[u8]) -> Result<Self, MapError> {
        let fields = [
            ("service_name", service),
            ("service_version", version),
            ("bundle_filepath", path),
        ];
        for (name, value) in fields {
            if value.is_empty() || value.len() > LONGEST {
                return Err(MapError::Field(name));
            }
        }
        if map.len() > LARGEST {
            return Err(MapError::Large);
        }
        cache::parse(map).map_err(MapError::Map)?;
        let compressed = zstd::bulk::compress(map, LEVEL);
        Ok(Self {
            service: service.to_owned(),
            version: version.to_owned(),
            path: path::clean(path),
            raw_bytes: map.len(),
            hash: digest(&SHA256, map),
            map: compressed.map_err(|error| MapError::Map(error.to_string()))?,
        })
    }
}

/// Stores a map in the place of the one of the same service, version and path. Gives its number.
///
/// # Errors
/// The store does not take it, or (from the ticket) fails to write.
pub fn put(store: &Store, new: NewMap, received: i64) -> Result<Ticket<i64>, SubmitError> {
    store.write(move |conn| {
        use source_map::dsl;
        let key = dsl::service
            .eq(&new.service)
            .and(dsl::version.eq(&new.version))
            .and(dsl::path.eq(&new.path));
        diesel::delete(dsl::source_map.filter(key)).execute(conn)?;
        let whole = |bytes: usize| i64::try_from(bytes).unwrap_or(i64::MAX);
        make_room(conn, whole(new.map.len()))?;
        let row = (
            dsl::service.eq(&new.service),
            dsl::version.eq(&new.version),
            dsl::path.eq(&new.path),
            dsl::received.eq(received),
            dsl::raw_bytes.eq(whole(new.raw_bytes)),
            dsl::bytes.eq(whole(new.map.len())),
            dsl::hash.eq(new.hash.as_ref()),
            dsl::map.eq(new.map.as_slice()),
        );
        diesel::insert_into(dsl::source_map)
            .values(row)
            .returning(dsl::id)
            .get_result(conn)
    })
}

/// Deletes the oldest maps until one of so many bytes has room.
fn make_room(conn: &mut SqliteConnection, bytes: i64) -> QueryResult<()> {
    use source_map::dsl;
    let all: Vec<(i64, i64)> = dsl::source_map
        .order((dsl::received, dsl::id))
        .select((dsl::id, dsl::bytes))
        .load(conn)?;
    let mut left: i64 = all.iter().map(|(_, bytes)| bytes).sum();
    let mut count = i64::try_from(all.len()).unwrap_or(i64::MAX);
    for (id, own) in all {
        if left + bytes <= TOGETHER && count < MOST {
            break;
        }
        diesel::delete(dsl::source_map.find(id)).execute(conn)?;
        left -= own;
        count -= 1;
    }
    Ok(())
}

/// All maps, the newest first.
///
/// # Errors
/// The database cannot be read.
pub fn list(conn: &mut SqliteConnection) -> QueryResult<Vec<Listed>> {
    use source_map::dsl;
    type Row = (i64, String, String, String, i64, i64, i64);
    let rows = dsl::source_map
        .order((dsl::received.desc(), dsl::id.desc()))
        .select((
            dsl::id,
            dsl::service,
            dsl::version,
            dsl::path,
            dsl::received,
            dsl::raw_bytes,
            dsl::bytes,
        ))
        .load::<Row>(conn)?;
    let listed = |(id, service, version, path, received, raw_bytes, bytes): Row| Listed {
        id,
        service,
        version,
        path,
        received,
        raw_bytes,
        bytes,
    };
    Ok(rows.into_iter().map(listed).collect())
}

/// Deletes a map. Gives whether there was one.
///
/// # Errors
/// The store does not take it, or (from the ticket) fails to write.
pub fn delete(store: &Store, id: i64) -> Result<Ticket<bool>, SubmitError> {
    store.write(move |conn| {
        let deleted = diesel::delete(source_map::table.find(id)).execute(conn)?;
        Ok(deleted > 0)
    })
}

/// The maps of a version of a service, without their content: number, path and hash.
fn of_version(
    conn: &mut SqliteConnection,
    service: &str,
    version: &str,
) -> QueryResult<Vec<(i64, String, Vec<u8>)>> {
    use source_map::dsl;
    dsl::source_map
        .filter(dsl::service.eq(service).and(dsl::version.eq(version)))
        .select((dsl::id, dsl::path, dsl::hash))
        .load(conn)
}
