//! The maps that were read last, ready to be asked.

use std::sync::{Arc, Mutex, PoisonError};

use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use sourcemap::{DecodedMap, RawToken, SourceMap};

use super::source_map;

/// Memory of the maps that are held, bytes. Two letters of a map can be a place, which takes fourteen times as much.
const HELD: usize = 192 << 20;

/// A map that is held.
#[derive(Debug)]
struct Held {
    hash: Vec<u8>,
    bytes: usize,
    map: Arc<SourceMap>,
}

/// The one that was asked last stands last. By hash, so that it does not matter which store a map is from.
static HELD_MAPS: Mutex<Vec<Held>> = Mutex::new(Vec::new());

/// Reads a map of revision 3; one in sections becomes one.
pub(super) fn parse(text: &[u8]) -> Result<SourceMap, String> {
    let error = |error: sourcemap::Error| error.to_string();
    let map = match sourcemap::decode_slice(text).map_err(error)? {
        DecodedMap::Regular(map) => map,
        DecodedMap::Index(index) => index.flatten().map_err(error)?,
        DecodedMap::Hermes(_) => return Err("maps of Hermes are not known".to_owned()),
    };
    match map.get_token_count() {
        0 => Err("it maps no place".to_owned()),
        _ => Ok(map),
    }
}

/// A map of the store; none where it is gone or damaged. `left`: bytes of maps that may still be read for the same
/// document; where there are none, only those that are held are found.
pub(super) fn get(
    conn: &mut SqliteConnection,
    id: i64,
    hash: &[u8],
    left: &mut usize,
) -> QueryResult<Option<Arc<SourceMap>>> {
    if let Some(map) = held(hash) {
        return Ok(Some(map));
    }
    if *left == 0 {
        return Ok(None);
    }
    let row: Option<(i64, Vec<u8>)> = source_map::table
        .find(id)
        .select((source_map::raw_bytes, source_map::map))
        .get_result(conn)
        .optional()?;
    let Some((raw_bytes, compressed)) = row else {
        return Ok(None);
    };
    // A damaged row does not get more memory than a map may take.
    let bytes = usize::try_from(raw_bytes).unwrap_or(0).min(super::LARGEST);
    *left = left.saturating_sub(bytes);
    let text = match zstd::bulk::decompress(&compressed, bytes) {
        Ok(text) => text,
        Err(error) => {
            log::warn!("the source map {id} is damaged: {error}");
            return Ok(None);
        }
    };
    let map = match parse(&text) {
        Ok(map) => Arc::new(map),
        Err(error) => {
            log::warn!("the source map {id} is damaged: {error}");
            return Ok(None);
        }
    };
    hold(Held {
        hash: hash.to_vec(),
        // Sources and names stay as they are in the text.
        bytes: bytes + map.get_token_count() as usize * size_of::<RawToken>(),
        map: Arc::clone(&map),
    });
    Ok(Some(map))
}

fn held(hash: &[u8]) -> Option<Arc<SourceMap>> {
    let mut all = HELD_MAPS.lock().unwrap_or_else(PoisonError::into_inner);
    let at = all.iter().position(|one| one.hash == hash)?;
    let found = all.remove(at);
    let map = Arc::clone(&found.map);
    all.push(found);
    Some(map)
}

fn hold(new: Held) {
    let mut all = HELD_MAPS.lock().unwrap_or_else(PoisonError::into_inner);
    all.retain(|one| one.hash != new.hash);
    all.push(new);
    // The newest stays, however large it is.
    while all.len() > 1 && all.iter().map(|one| one.bytes).sum::<usize>() > HELD {
        all.remove(0);
    }
}
