//! The writer's memory from one commit to the next: dictionaries, and the block being filled.

use std::cell::RefCell;
use std::collections::HashSet;

use diesel::SqliteConnection;
use foldhash::fast::RandomState;

use super::calls::Calls;
use super::seen::Seen;
use super::shared_ids::SharedIds;
use super::{Counted, Pass};
use crate::block::{Builder, Packer, SLOTS};
use crate::dictionary::{
    Destination, Dictionary, ErrorGroup, Instance, MetricName, MetricSeries, ResultValue, Service,
    Statement, TxGroup,
};
use crate::error::StoreError;
use crate::event::Batch;
use crate::limits::{NameKind, NameLimits};

const KIB: usize = 1024;

/// The writer's memory from one commit to the next.
#[derive(Debug)]
pub(crate) struct Memory {
    limits: NameLimits,
    /// Whether instances are counted, for other servers.
    pub(super) shares_counts: bool,
    pub(super) names: Names,
    pub(super) self_times: Seen,
    pub(super) labels: Seen,
    /// Calls, and callees that wait for them.
    pub(super) calls: Calls,
    pub(super) packer: RefCell<Packer>,
    pub(super) block: Builder,
    /// The number of the next event.
    pub(super) next: i64,
    /// Traces that have an entry for the block being filled.
    pub(super) traces: HashSet<i64, RandomState>,
    /// Ids that spans of the block being filled share.
    pub(super) shared_ids: SharedIds,
    /// The block as it was at the last commit.
    committed: Committed,
}

/// The block being filled as it was at the last commit.
#[derive(Debug, Default)]
struct Committed {
    block: Builder,
    /// The number of the event that was next.
    next: i64,
    /// The number of places that were taken by ids that spans share.
    places: i64,
}

/// The dictionaries: together they remember at most 26 MiB.
#[derive(Debug)]
pub(crate) struct Names {
    pub(crate) services: Dictionary,
    pub(crate) resources: Dictionary,
    pub(crate) tx_groups: Dictionary,
    pub(crate) span_groups: Dictionary,
    pub(crate) destinations: Dictionary,
    /// By normalised text, and by text as sent.
    pub(crate) statements: Dictionary,
    pub(crate) statements_sent: Dictionary,
    pub(crate) error_groups: Dictionary,
    pub(crate) results: Dictionary,
    pub(crate) metrics: Dictionary,
    pub(crate) series: Dictionary,
    /// By their descriptions, and by service, sender, and whether the event names the service.
    pub(crate) instances: Dictionary,
    pub(crate) instances_sent: Dictionary,
    pub(crate) stacks: Dictionary,
}

impl Names {
    fn new(limits: &NameLimits) -> Self {
        Self {
            services: Dictionary::limited::<Service<'_>>(256 * KIB, limits),
            resources: Dictionary::new(2048 * KIB),
            tx_groups: Dictionary::limited::<TxGroup<'_>>(2048 * KIB, limits),
            span_groups: Dictionary::new(2048 * KIB),
            destinations: Dictionary::limited::<Destination<'_>>(1024 * KIB, limits),
            statements: Dictionary::limited::<Statement<'_>>(3072 * KIB, limits),
            statements_sent: Dictionary::new(4096 * KIB),
            error_groups: Dictionary::limited::<ErrorGroup<'_>>(512 * KIB, limits),
            results: Dictionary::limited::<ResultValue<'_>>(256 * KIB, limits),
            metrics: Dictionary::limited::<MetricName<'_>>(512 * KIB, limits),
            series: Dictionary::limited::<MetricSeries<'_>>(1024 * KIB, limits),
            instances: Dictionary::limited::<Instance<'_>>(512 * KIB, limits),
            instances_sent: Dictionary::new(256 * KIB),
            stacks: Dictionary::new(8192 * KIB),
        }
    }
}

impl Memory {
    /// `next`: the first number that is free, at the start of a block.
    pub(crate) fn new(next: i64, limits: NameLimits) -> std::io::Result<Self> {
        Ok(Self {
            limits,
            shares_counts: false,
            names: Names::new(&limits),
            self_times: Seen::new(limits.limit(NameKind::SelfTime)),
            labels: Seen::new(limits.limit(NameKind::Label)),
            calls: Calls::new(),
            packer: RefCell::new(Packer::new()?),
            block: Builder::default(),
            next,
            traces: HashSet::default(),
            shared_ids: SharedIds::default(),
            committed: Committed {
                next,
                ..Committed::default()
            },
        })
    }

    /// The same for a server that shares its counts, or not.
    pub(crate) fn sharing(self, shares_counts: bool) -> Self {
        Self {
            shares_counts,
            ..self
        }
    }

    /// The dictionaries.
    pub(crate) fn names(&mut self) -> &mut Names {
        &mut self.names
    }

    /// Types of spans in breakdowns.
    pub(crate) fn self_times(&mut self) -> &mut Seen {
        &mut self.self_times
    }

    /// Writes the rows and documents of batches; what is left to write is what they count. To be followed by
    /// [`Self::commit`] or [`Self::rollback`].
    pub(crate) fn apply<'a>(
        &mut self,
        conn: &mut SqliteConnection,
        batches: impl Iterator<Item = &'a Batch>,
    ) -> Result<Counted, StoreError> {
        let mut pass = Pass::new(self, conn);
        for batch in batches {
            pass.batch(batch)?;
        }
        pass.finish()
    }

    /// Keeps all that was applied.
    pub(crate) fn commit(&mut self) {
        self.committed.block.copy_from(&self.block);
        self.committed.next = self.next;
        self.committed.places = self.shared_ids.taken();
    }

    /// Begins a new block if the one being filled is among `ids`. Only between commits.
    pub(crate) fn leave_block_of(&mut self, ids: &[i64]) {
        if self.block.facts().events > 0 && ids.contains(&((self.next - 1) / SLOTS)) {
            self.block.clear();
            self.traces.clear();
            self.shared_ids.clear();
            self.next = ((self.next - 1) / SLOTS + 1) * SLOTS;
            self.commit();
        }
    }

    /// Nothing that was stored is there any more; numbers go on, so that no event gets one that another had.
    pub(crate) fn forget(&mut self) {
        self.block.clear();
        self.traces.clear();
        self.shared_ids.clear();
        self.names = Names::new(&self.limits);
        self.self_times.forget();
        self.labels.forget();
        self.calls.forget();
        self.next = self.free_block();
        self.commit();
    }

    /// The first number of the first block of which none is taken.
    pub(crate) fn free_block(&self) -> i64 {
        (self.next + SLOTS - 1) / SLOTS * SLOTS
    }

    /// Rows of a dictionary's table are gone: their ids are not to be referred to any more. Only between commits.
    pub(crate) fn forget_names(&mut self, table: &str, gone: &HashSet<i64>) {
        self.calls.forget_names(table, gone);
        let names = &mut self.names;
        let dictionaries: &mut [&mut Dictionary] = match table {
            "service" => &mut [&mut names.services],
            "resource" => &mut [&mut names.resources],
            "instance" => &mut [&mut names.instances, &mut names.instances_sent],
            "tx_group" => &mut [&mut names.tx_groups],
            "span_group" => &mut [&mut names.span_groups],
            "destination" => &mut [&mut names.destinations],
            "statement" => &mut [&mut names.statements, &mut names.statements_sent],
            "error_group" => &mut [&mut names.error_groups],
            "result" => &mut [&mut names.results],
            "metric_name" => &mut [&mut names.metrics],
            "metric_series" => &mut [&mut names.series],
            "stack" => &mut [&mut names.stacks],
            // For a table that is not listed, everything is forgotten: no id that is gone may be kept.
            _ => return *names = Names::new(&self.limits),
        };
        for dictionary in dictionaries {
            dictionary.forget(gone);
        }
    }

    /// Forgets all that was applied since the last commit: it is not in the database, so some ids have no rows.
    pub(crate) fn rollback(&mut self) {
        self.block.copy_from(&self.committed.block);
        self.next = self.committed.next;
        self.shared_ids.go_back(self.committed.places);
        // Traces of the events that were committed are met again: their entries are there, and the insert ignores that.
        self.traces.clear();
        // Nobody knows which of the ids have no rows now, so all names are read again.
        self.names = Names::new(&self.limits);
        self.calls.forget();
    }

    /// Rows that were not used for long are gone from any dictionary.
    pub(crate) fn has_room_again(&mut self) {
        self.labels.forget();
        self.calls.has_room_again();
        let names = &mut self.names;
        for dictionary in [
            &mut names.services,
            &mut names.tx_groups,
            &mut names.destinations,
            &mut names.statements,
            &mut names.statements_sent,
            &mut names.error_groups,
            &mut names.results,
            &mut names.metrics,
            &mut names.series,
            &mut names.instances,
            &mut names.instances_sent,
        ] {
            dictionary.has_room_again();
        }
    }
}
