//! Entries by their durations, as they come.

use std::cmp::Reverse;

use apm_store::StoreError;
use diesel::SqliteConnection;

use super::{Entry, Order, Question, entries};
use crate::analytics::discover;
use crate::analytics::discover::points::Point;

/// The entries that took longest, or the shortest time.
pub(super) struct Ranked {
    order: Order,
    size: usize,
    points: Vec<Point>,
    pub(super) count: u64,
}

impl Ranked {
    pub(super) fn new(question: &Question) -> Self {
        Self {
            order: question.order,
            size: question.size.min(discover::MOST_HITS),
            points: Vec::new(),
            count: 0,
        }
    }

    pub(super) fn add(&mut self, point: Point) {
        self.count += 1;
        if self.order == Order::Newest || self.size == 0 {
            return;
        }
        self.points.push(point);
        if self.points.len() >= self.size * 2 + 64 {
            self.cut();
        }
    }

    fn cut(&mut self) {
        match self.order {
            Order::Shortest => self.points.sort_unstable_by_key(|of| (of.duration, of.seq)),
            _ => self
                .points
                .sort_unstable_by_key(|of| (Reverse(of.duration), of.seq)),
        }
        self.points.truncate(self.size);
    }

    /// Their numbers, in order.
    pub(super) fn seqs(mut self) -> Vec<i64> {
        self.cut();
        self.points.iter().map(|point| point.seq).collect()
    }

    pub(super) fn load(self, conn: &mut SqliteConnection) -> Result<Vec<Entry>, StoreError> {
        entries(conn, &self.seqs())
    }
}
