//! Nodes and edges of a map while they are collected.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::analytics::totals::Total;
use crate::sort_rows::SortRows as _;

/// A node as it is known from calls alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place {
    pub(super) is_service: bool,
    pub(super) name: String,
    /// The type of the calls; empty for a service.
    pub(super) kind: String,
    pub(super) subtype: String,
}

/// Calls from place to place.
#[derive(Debug, Default)]
pub(super) struct Graph {
    nodes: Vec<Place>,
    /// By name, for services and for what they call.
    services: HashMap<String, usize>,
    called: HashMap<(String, String), usize>,
    edges: BTreeMap<(usize, usize), Total>,
}

/// The nodes and edges that are shown. Edges name places in `nodes`.
#[derive(Debug, PartialEq)]
pub(super) struct Drawn {
    pub(super) nodes: Vec<Place>,
    pub(super) edges: Vec<((usize, usize), Total)>,
    pub(super) left_out: usize,
}

impl Graph {
    /// The place of a service.
    pub(super) fn service(&mut self, name: &str) -> usize {
        if let Some(place) = self.services.get(name) {
            return *place;
        }
        let place = self.nodes.len();
        self.services.insert(name.to_owned(), place);
        self.nodes.push(Place {
            is_service: true,
            name: name.to_owned(),
            kind: String::new(),
            subtype: String::new(),
        });
        place
    }

    /// The place of something else that is called. Equal names of one type are one.
    pub(super) fn called(&mut self, name: &str, kind: &str, subtype: &str) -> usize {
        let key = (name.to_owned(), kind.to_owned());
        if let Some(place) = self.called.get(&key) {
            return *place;
        }
        let place = self.nodes.len();
        self.called.insert(key, place);
        self.nodes.push(Place {
            is_service: false,
            name: name.to_owned(),
            kind: kind.to_owned(),
            subtype: subtype.to_owned(),
        });
        place
    }

    pub(super) fn add(&mut self, from: usize, to: usize, total: &Total) {
        self.edges.entry((from, to)).or_default().add(total);
    }

    /// Whether a service calls something or is called.
    pub(super) fn has_service(&self, name: &str) -> bool {
        self.services.get(name).is_some_and(|place| {
            let mut ends = self.edges.keys();
            ends.any(|(from, to)| from == place || to == place)
        })
    }

    /// Leaves some services, what they call and what calls them; of a queue also the other end.
    pub(super) fn keep_neighbours(&mut self, is_chosen: impl Fn(&str) -> bool) {
        let chosen = self.services.iter().filter(|(name, _)| is_chosen(name));
        let centres: BTreeSet<usize> = chosen.map(|(_, place)| *place).collect();
        // A queue joins services that do not call each other. Its other end belongs to the picture.
        let is_between = |place: &usize| !self.nodes[*place].is_service;
        let mut after: BTreeSet<usize> = BTreeSet::new();
        let mut before: BTreeSet<usize> = BTreeSet::new();
        for (from, to) in self.edges.keys() {
            if centres.contains(from) {
                after.extend(Some(*to).filter(is_between));
            }
            if centres.contains(to) {
                before.extend(Some(*from).filter(is_between));
            }
        }
        self.edges.retain(|(from, to), _| {
            let touches = centres.contains(from) || centres.contains(to);
            touches || after.contains(from) || before.contains(to)
        });
    }

    /// The nodes with most calls, most first, and the edges between them.
    pub(super) fn drawn(&self, most: usize) -> Drawn {
        let mut calls = vec![0.0; self.nodes.len()];
        for ((from, to), total) in &self.edges {
            calls[*from] += total.count;
            calls[*to] += total.count;
        }
        let mut places: Vec<usize> = self
            .edges
            .keys()
            .flat_map(|(from, to)| [*from, *to])
            .collect::<BTreeSet<usize>>()
            .into_iter()
            .collect();
        places.sort_rows_by(|a, b| {
            let most = calls[*b].total_cmp(&calls[*a]);
            most.then_with(|| self.nodes[*a].cmp(&self.nodes[*b]))
        });
        let left_out = places.len().saturating_sub(most);
        places.truncate(most);
        // Nodes are numbered anew, in the order of those that are left.
        let new: HashMap<usize, usize> = places.iter().copied().zip(0..).collect();
        let edges = self
            .edges
            .iter()
            .filter_map(|((from, to), total)| Some(((*new.get(from)?, *new.get(to)?), *total)));
        let mut edges: Vec<_> = edges.collect();
        edges.sort_rows_by_key(|(ends, _)| *ends);
        Drawn {
            nodes: places
                .iter()
                .map(|place| self.nodes[*place].clone())
                .collect(),
            edges,
            left_out,
        }
    }
}

#[cfg(test)]
mod tests;
