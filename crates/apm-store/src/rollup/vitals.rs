//! Web vitals: how fast, how responsive and how steady pages are for those who read them.

use super::{HashMap, LEVELS, bin, bucket, coarser, merged};

/// A web vital. Its number stands in the database: never to be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Vital {
    /// Largest contentful paint: when the main part of the page is there.
    Lcp = 1,
    /// Interaction to next paint: how long the page takes to show what a click did.
    Inp = 2,
    /// Cumulative layout shift: how much the page moves while it loads.
    Cls = 3,
    /// First contentful paint: when anything is there.
    Fcp = 4,
    /// Time to first byte: when the server's answer begins.
    Ttfb = 5,
    /// First input delay: how long the first click waited. INP has taken its place.
    Fid = 6,
    /// Total blocking time: how long scripts kept the page from answering.
    Tbt = 7,
}

/// The judgement of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rating {
    /// At most the first bound.
    Good = 0,
    /// Between the bounds.
    NeedsImprovement = 1,
    /// Above the second bound.
    Poor = 2,
}

impl Vital {
    /// All of them, the most telling first.
    pub const ALL: [Self; 7] = [
        Self::Lcp,
        Self::Inp,
        Self::Cls,
        Self::Fcp,
        Self::Ttfb,
        Self::Fid,
        Self::Tbt,
    ];

    /// Its number in the database.
    pub fn code(self) -> i32 {
        self as i32
    }

    /// Its usual abbreviation.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lcp => "LCP",
            Self::Inp => "INP",
            Self::Cls => "CLS",
            Self::Fcp => "FCP",
            Self::Ttfb => "TTFB",
            Self::Fid => "FID",
            Self::Tbt => "TBT",
        }
    }

    /// The largest good value, and the largest that is not poor: µs, for CLS millionths.
    pub fn bounds(self) -> (i64, i64) {
        match self {
            Self::Lcp => (2_500_000, 4_000_000),
            Self::Inp => (200_000, 500_000),
            Self::Cls => (100_000, 250_000),
            Self::Fcp => (1_800_000, 3_000_000),
            Self::Ttfb => (800_000, 1_800_000),
            Self::Fid => (100_000, 300_000),
            Self::Tbt => (200_000, 600_000),
        }
    }

    /// The judgement of a value.
    pub fn rate(self, value: i64) -> Rating {
        let (good, fair) = self.bounds();
        match value {
            value if value <= good => Rating::Good,
            value if value <= fair => Rating::NeedsImprovement,
            _ => Rating::Poor,
        }
    }
}

/// A bar of a histogram of a vital.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct VitalKey {
    /// The group of page loads.
    pub(crate) group: i64,
    /// Start of the bucket, seconds since the epoch.
    pub(crate) bucket: i64,
    /// See [`Vital::code`].
    pub(crate) vital: i32,
    /// See [`Rating`].
    pub(crate) rating: i32,
    /// See [`bin`].
    pub(crate) bin: i32,
}

/// The vitals of pages, by minute.
#[derive(Debug, Default)]
pub(crate) struct VitalSeries(HashMap<VitalKey, f64>);

impl VitalSeries {
    /// Counts a value of a page: µs, for CLS millionths. `ts`: µs.
    pub(crate) fn add(&mut self, group: i64, ts: i64, vital: Vital, value: i64, count: f64) {
        if count > 0.0 {
            let key = VitalKey {
                group,
                bucket: bucket(ts, LEVELS[0]),
                vital: vital.code(),
                rating: vital.rate(value) as i32,
                bin: bin(value),
            };
            *self.0.entry(key).or_default() += count;
        }
    }

    pub(super) fn absorb(&mut self, other: &Self) {
        for (key, count) in &other.0 {
            self.put(*key, *count);
        }
    }

    /// Adds a bar that was counted elsewhere.
    pub(crate) fn put(&mut self, key: VitalKey, count: f64) {
        *self.0.entry(key).or_default() += count;
    }

    /// The bins of a level, sorted.
    pub(crate) fn bins(&self, level: i64) -> Vec<(VitalKey, f64)> {
        let of_level = |key: &VitalKey| VitalKey {
            bucket: coarser(key.bucket, level),
            ..*key
        };
        merged(&self.0, of_level, |sum, count| *sum += count)
    }

    pub(super) fn buckets(&self) -> impl Iterator<Item = i64> {
        self.0.keys().map(|key| key.bucket)
    }
}
