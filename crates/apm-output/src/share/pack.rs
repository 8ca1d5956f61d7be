//! Numbers what was counted here. This needs no engine.

use std::time::Duration;

use apm_store::share;

use super::{Sharing, now};

/// Rows of deltas in a second, at most: with more there is more time between deltas, and rows of a minute meet.
const ROWS: f64 = 1000.0;

/// The longest time between deltas.
const LONGEST: Duration = Duration::from_secs(60);

impl Sharing {
    pub(super) async fn pack(&self) {
        loop {
            let rows = self.pack_now().await;
            let pause = self
                .config
                .pace
                .pack
                .max(Duration::from_secs_f64(rows as f64 / ROWS));
            tokio::time::sleep(pause.min(LONGEST)).await;
        }
    }

    /// Numbers all that was counted; gives back its rows.
    pub(super) async fn pack_now(&self) -> usize {
        let mut rows = 0;
        loop {
            match self.pack_some().await {
                Ok((more, has_more)) => {
                    rows += more;
                    if !has_more {
                        return rows;
                    }
                }
                Err(why) => {
                    // The counts wait in the journal.
                    log::warn!("counts for other servers wait: {why}");
                    return rows;
                }
            }
        }
    }

    async fn pack_some(&self) -> Result<(usize, bool), String> {
        let clears = self.store.clears();
        // Deltas are made by a reader, so that the writer only writes them. `put` does nothing where the journal is not
        // the one that they were made of.
        let Some(packed) = self.read(share::pack).await? else {
            return Ok((0, false));
        };
        if packed.lost > 0 {
            log::warn!(
                "{} counts are not shared: their names are gone",
                packed.lost
            );
        }
        let (rows, has_more) = (packed.rows, packed.has_more);
        self.write(clears, move |conn| share::put(conn, &packed, now()))
            .await?;
        Ok((rows, has_more))
    }
}
