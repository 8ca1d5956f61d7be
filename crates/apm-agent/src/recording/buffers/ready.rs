//! Bodies that wait for the sender, oldest first, in a bounded number of bytes.
//!
//! The bound counts memory and not bodies: in an outage a small body ripens with every tick, and small ones are merged
//! into the last one that waits. When a new body needs room, the oldest goes. Errors wait in a lane of their own and go
//! last: they are few, and the first thing that one looks for after an outage. They never take more than half of the
//! room from other events.

use std::collections::VecDeque;

use super::body::Body;

#[derive(Debug, Default)]
struct Lane {
    bodies: VecDeque<Body>,
    memory: usize,
}

impl Lane {
    fn push_back(&mut self, body: Body) {
        self.memory += body.memory();
        self.bodies.push_back(body);
    }

    fn push_front(&mut self, body: Body) {
        self.memory += body.memory();
        self.bodies.push_front(body);
    }

    fn pop(&mut self) -> Option<Body> {
        let body = self.bodies.pop_front()?;
        self.memory -= body.memory();
        Some(body)
    }

    /// Adds the events of `body` to the last body if they fit, and says whether they did.
    fn merge(&mut self, body: &Body, limit: usize) -> bool {
        let Some(last) = self
            .bodies
            .back_mut()
            .filter(|last| last.takes(body, limit))
        else {
            return false;
        };
        self.memory -= last.memory();
        last.merge(body);
        self.memory += last.memory();
        true
    }
}

/// The events that a body holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Errors,
    /// Everything else.
    Events,
}

#[derive(Debug)]
pub(super) struct Ready {
    errors: Lane,
    events: Lane,
    /// Bytes of memory that all bodies may take.
    most: usize,
}

/// Bodies that are no longer needed: their memory can be used again.
#[derive(Debug, Default)]
pub(super) struct Freed {
    /// Bodies that had to go, with their events.
    pub(super) dropped: Vec<Body>,
    /// A body whose events are in another one now.
    pub(super) merged: Option<Body>,
}

impl Ready {
    pub(super) fn new(most: usize) -> Self {
        Self {
            errors: Lane::default(),
            events: Lane::default(),
            most,
        }
    }

    fn lane(&mut self, content: Content) -> &mut Lane {
        match content {
            Content::Errors => &mut self.errors,
            Content::Events => &mut self.events,
        }
    }

    /// Adds the newest body. `limit` is the size of a request.
    pub(super) fn push(&mut self, content: Content, body: Body, limit: usize) -> Freed {
        if self.lane(content).merge(&body, limit) {
            return Freed {
                merged: Some(body),
                // The body that took its events may have grown.
                dropped: self.make_room(content, 0),
            };
        }
        let dropped = self.make_room(content, body.memory());
        self.lane(content).push_back(body);
        Freed {
            dropped,
            merged: None,
        }
    }

    /// Puts a body back that could not be sent. It is the oldest: without room for it, it goes, unless it holds errors
    /// and other events can go instead.
    pub(super) fn push_back_unsent(&mut self, content: Content, body: Body) -> Freed {
        let dropped = match content {
            Content::Errors => self.make_room(content, body.memory()),
            Content::Events if self.memory() + body.memory() > self.most => {
                return Freed {
                    dropped: vec![body],
                    merged: None,
                };
            }
            Content::Events => Vec::new(),
        };
        self.lane(content).push_front(body);
        Freed {
            dropped,
            merged: None,
        }
    }

    /// The next body to send: errors first, then the oldest.
    pub(super) fn pop(&mut self) -> Option<(Content, Body)> {
        let errors = self.errors.pop().map(|body| (Content::Errors, body));
        errors.or_else(|| self.events.pop().map(|body| (Content::Events, body)))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.errors.bodies.is_empty() && self.events.bodies.is_empty()
    }

    /// Its filling, from 0 to 1.
    pub(super) fn fill(&self) -> f64 {
        (self.memory() as f64 / self.most as f64).min(1.0)
    }

    fn memory(&self) -> usize {
        self.errors.memory + self.events.memory
    }

    /// Takes the oldest bodies out until there is room for `more` bytes of this content.
    fn make_room(&mut self, content: Content, more: usize) -> Vec<Body> {
        let more_errors = if content == Content::Errors { more } else { 0 };
        let mut dropped = Vec::new();
        while self.memory() + more > self.most {
            let too_many_errors = self.errors.memory + more_errors > self.most / 2;
            let oldest = if too_many_errors {
                self.errors.pop().or_else(|| self.events.pop())
            } else {
                self.events.pop().or_else(|| self.errors.pop())
            };
            let Some(oldest) = oldest else { break };
            dropped.push(oldest);
        }
        dropped
    }
}
