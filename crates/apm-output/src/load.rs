//! Loads of documents: what is read from the store at one go and sent in a few requests.

mod encode;

use apm_store::event::StoredEvent;
use apm_store::output::{self, Aggregate, Cargo, Flight, State};
use apm_store::{Store, StoreError, Texts};

use crate::aggregate::{Aggregator, Bounds, Flush};
use crate::config::Config;
use crate::dialect::Dialect;
use encode::Encoder;

pub(crate) use encode::Parts;

/// Aggregates that are read together.
const AGGREGATES: usize = 4096;

/// Seconds that counts wait at most where traces are sampled, and at least where events are deleted soon.
const SAMPLED: i64 = 600;
const SHORTEST: i64 = 60;

/// The part of the store's room that events take at most which were sent and are not counted yet.
const SHARE: u64 = 16;

/// Documents that are ready to be sent.
#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) flight: Flight,
    pub(crate) parts: Parts,
    /// Events of the flight that are no longer in the store.
    pub(crate) missing: i64,
}

/// The result of a look at the store.
#[derive(Debug, Default)]
pub(crate) struct Looked {
    pub(crate) load: Option<Load>,
    /// Aggregates that are complete.
    pub(crate) flush: Option<Flush>,
    /// Events that cannot be read: up to which number, and how many.
    pub(crate) unreadable: Option<(i64, i64)>,
    /// Whether more waits.
    pub(crate) has_more: bool,
}

/// Reads the store.
#[derive(Debug)]
pub(crate) struct Loader {
    store: Store,
    texts: Texts,
    encoder: Encoder,
    aggregator: Aggregator,
    /// The last event that was read.
    position: i64,
    /// The last event that needs no sending.
    sent: i64,
    bytes: usize,
}

impl Loader {
    /// Goes on where an output was.
    pub(crate) fn new(store: Store, config: &Config, dialect: Dialect, state: &State) -> Self {
        let counted = state.aggregated.iter().copied().min().unwrap_or(-1);
        Self {
            texts: Texts::default(),
            encoder: Encoder::new(config, dialect, &state.store),
            aggregator: Aggregator::new(&config.namespace, state.aggregated, bounds(&store)),
            // Events that were sent may still have to be counted.
            position: counted.min(state.sent),
            sent: state.sent,
            bytes: config.pace.bytes,
            store,
        }
    }

    /// The next load. `is_last`: aggregates are complete, whatever the time is.
    pub(crate) fn look(&mut self, is_last: bool) -> Result<Looked, StoreError> {
        let mut looked = Looked::default();
        let store = self.store.clone();
        store.read(|conn| self.read(conn, &mut looked))?;
        let parts = self.encoder.take();
        if let (Some(first), Some(last)) = (parts.first, parts.last) {
            looked.load = Some(Load {
                flight: Flight {
                    kind: Cargo::Events,
                    first,
                    last,
                    count: parts.count(),
                },
                parts,
                missing: 0,
            });
        }
        if is_last || self.aggregator.is_due() {
            looked.flush = self.aggregator.flush(self.position, is_last);
        }
        Ok(looked)
    }

    fn read(
        &mut self,
        conn: &mut diesel::SqliteConnection,
        looked: &mut Looked,
    ) -> Result<(), StoreError> {
        // Events that are only counted are bounded as well.
        let mut read = 0;
        while read < self.bytes {
            let Some(next) = output::next(conn, &mut self.texts, self.position)? else {
                return Ok(());
            };
            match next.events {
                Ok(events) => {
                    for event in &events {
                        read += event.rest.len();
                        self.take(event);
                    }
                }
                Err((error, count)) => {
                    // Those before them are sent first, so that the place in the store moves in order.
                    if !self.encoder.is_empty() {
                        break;
                    }
                    log::error!("{count} events cannot be sent: {error}");
                    if next.last > self.sent {
                        looked.unreadable = Some((next.last, count));
                    }
                }
            }
            self.position = next.last;
            if looked.unreadable.is_some() || self.encoder.bytes() >= self.bytes {
                break;
            }
        }
        looked.has_more = true;
        Ok(())
    }

    fn take(&mut self, event: &StoredEvent) {
        let aggregator = &mut self.aggregator;
        let is_sent = event.seq <= self.sent;
        self.encoder.push(event, !is_sent, |document| {
            aggregator.count(event, document)
        });
    }

    /// The events of a flight whose outcome is unknown.
    pub(crate) fn again(&mut self, flight: Flight) -> Result<Load, StoreError> {
        let mut at = flight.first - 1;
        let store = self.store.clone();
        store.read::<_, StoreError>(|conn| {
            while at < flight.last {
                let Some(next) = output::next(conn, &mut self.texts, at)? else {
                    break;
                };
                let events = next.events.map_err(|(error, _)| {
                    log::error!("events that were being sent cannot be read: {error}");
                });
                for event in events.iter().flatten() {
                    if event.seq <= flight.last {
                        self.encoder.push(event, true, |_| {});
                    }
                }
                at = next.last;
            }
            Ok(())
        })?;
        let parts = self.encoder.take();
        Ok(Load {
            flight,
            missing: (flight.count - parts.count()).max(0),
            parts,
        })
    }

    /// The next aggregates; of a flight, where one is given.
    pub(crate) fn aggregates(
        &mut self,
        flight: Option<Flight>,
    ) -> Result<Option<Load>, StoreError> {
        let read = self
            .store
            .read::<_, StoreError>(|conn| Ok(output::aggregates(conn, AGGREGATES)?))?;
        let until = flight.map_or(i64::MAX, |flight| flight.last);
        let read: Vec<Aggregate> = read.into_iter().filter(|one| one.id <= until).collect();
        let (Some(first), Some(last)) = (read.first(), read.last()) else {
            return Ok(None);
        };
        let flight = flight.unwrap_or(Flight {
            kind: Cargo::Aggregates,
            first: first.id,
            last: last.id,
            count: read.len() as i64,
        });
        for aggregate in &read {
            self.encoder.push_aggregate(aggregate);
        }
        Ok(Some(Load {
            flight,
            parts: self.encoder.take(),
            missing: 0,
        }))
    }
}

/// The bounds of counts that wait for their bucket to end. Events stay whole in the store until they are counted in all
/// widths: tail sampling and the age of events would wait for an hour, and a full store would delete old rollups first.
fn bounds(store: &Store) -> Bounds {
    let options = store.options();
    let age = |age: std::time::Duration| i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
    let seconds = match (options.tail, options.raw_max_age) {
        (Some(_), _) => SAMPLED,
        (None, Some(max_age)) => age(max_age).max(SHORTEST),
        (None, None) => i64::MAX,
    };
    Bounds {
        seconds,
        bytes: options.max_size.map_or(u64::MAX, |size| size / SHARE),
    }
}
