//! One evaluation: from readings and phases to what is to be written and sent.

use std::collections::BTreeMap;

use diesel::{QueryResult, SqliteConnection};

use crate::deliver::NO_RECEIVER;
use crate::error::AlertError;
use crate::measure::{self, Disk, Facts, Reading};
use crate::message::{Alert, Change, Message};
use crate::options::{Options, OutputProbe};
use crate::overview;
use crate::phase::{Phase, Step, step};
use crate::rule::Rule;
use crate::storage::history::{self, State as Became};
use crate::storage::rules;
use crate::storage::states::{self, State};

/// The shortest time between two messages of a rule about something that fires, seconds. Subjects that fire in between
/// are told together.
const PAUSE: i64 = 60;

/// Subjects of a rule that are watched at a time.
const MOST_SUBJECTS: usize = 200;

/// The consequences of an evaluation.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Rules that were evaluated for the first time, and when.
    watch: Vec<(String, i64)>,
    keep: Vec<State>,
    forget: Vec<(String, String)>,
    messages: Vec<Outgoing>,
}

#[derive(Debug)]
struct Outgoing {
    message: Message,
    silenced: bool,
    /// Names of receivers; none: all of them.
    receivers: Vec<String>,
}

/// Evaluates the rules that are switched on. Also says whether anything is pending or fires. Times in seconds.
pub(super) fn evaluate(
    conn: &mut SqliteConnection,
    options: &Options,
    disk: &Disk,
    (now, started): (i64, i64),
) -> Result<(Changes, bool), AlertError> {
    let mut changes = Changes::default();
    let watched = rules::watched(conn)?;
    let silences = rules::silences(conn)?;
    let told = history::last_fired(conn, now - PAUSE)?;
    let mut known: BTreeMap<String, BTreeMap<String, State>> = BTreeMap::new();
    for state in states::list(conn)? {
        let of_rule = known.entry(state.rule.clone()).or_default();
        of_rule.insert(state.alert.subject.clone(), state);
    }
    let lag = options.output.as_ref().map(OutputProbe::read);
    let mut is_active = false;
    for (rule, _) in overview::rules(conn, options)? {
        if !rule.enabled {
            continue;
        }
        let states = known.remove(&rule.id).unwrap_or_default();
        // Errors and insights from before the first evaluation of a rule are no news to it.
        let since = watched.get(&rule.id).copied();
        if since.is_none() {
            changes.watch.push((rule.id.clone(), now));
        }
        let firing: Vec<&State> = states
            .values()
            .filter(|state| matches!(state.phase, Phase::Firing { .. }))
            .collect();
        let facts = Facts {
            now,
            since: since.unwrap_or(now),
            started,
            disk,
            lag,
            firing: &firing,
        };
        // A rule that cannot be evaluated changes nothing, and the others go on.
        let readings = match measure::readings(conn, &rule, &facts) {
            Ok(readings) => readings,
            Err(error) => {
                log::warn!("the rule {} was not evaluated: {error}", rule.id);
                continue;
            }
        };
        let may_fire = told.get(&rule.id).is_none_or(|at| now - at >= PAUSE);
        let silenced = silences.get(&rule.id).is_some_and(|until| *until > now);
        is_active |= changes.judge(&rule, readings, states, (now, may_fire, silenced));
    }
    // Of rules that are gone or switched off.
    for (rule, states) in known {
        let subjects = states.into_keys();
        changes
            .forget
            .extend(subjects.map(|subject| (rule.clone(), subject)));
    }
    Ok((changes, is_active))
}

impl Changes {
    pub(super) fn is_empty(&self) -> bool {
        self.watch.is_empty()
            && self.keep.is_empty()
            && self.forget.is_empty()
            && self.messages.is_empty()
    }

    /// Takes each subject of a rule a step further. Whether any is watched.
    fn judge(
        &mut self,
        rule: &Rule,
        readings: Vec<Reading>,
        mut states: BTreeMap<String, State>,
        (now, may_fire, silenced): (i64, bool, bool),
    ) -> bool {
        let (mut fired, mut resolved): (Vec<Alert>, Vec<Alert>) = Default::default();
        let mut watched = states.len();
        let mut is_active = false;
        let mut read: Vec<(Reading, Option<State>)> = Vec::new();
        for reading in readings {
            let state = states.remove(&reading.alert.subject);
            read.push((reading, state));
        }
        // Subjects without a reading are calm.
        for state in states.into_values() {
            let alert = state.alert.clone();
            read.push((Reading { level: 0.0, alert }, Some(state)));
        }
        for (reading, state) in read {
            let Reading { level, alert } = reading;
            let before = state.as_ref().map(|state| state.phase);
            let keep = |phase, alert| State {
                rule: rule.id.clone(),
                phase,
                alert,
            };
            match step(before, level, now, rule.hold()) {
                Step::Quiet if before.is_some() => {
                    self.forget.push((rule.id.clone(), alert.subject));
                }
                Step::Quiet => {}
                Step::Stay(phase) => {
                    is_active = true;
                    // A new subject beyond the limit waits until another one ends.
                    if before.is_none() && watched >= MOST_SUBJECTS {
                        continue;
                    }
                    watched += usize::from(before.is_none());
                    // Most subjects stay as they are, and are not written again.
                    if before != Some(phase) {
                        self.keep.push(keep(phase, alert));
                    }
                }
                Step::Fire => {
                    is_active = true;
                    if before.is_none() && watched >= MOST_SUBJECTS {
                        continue;
                    }
                    watched += usize::from(before.is_none());
                    let since = match before {
                        Some(Phase::Pending { since }) => since,
                        _ => now,
                    };
                    if may_fire {
                        fired.push(alert.clone());
                        let phase = Phase::Firing { since, calm: None };
                        self.keep.push(keep(phase, alert));
                    // It waits for the pause as what is pending does.
                    } else if before.is_none() {
                        self.keep.push(keep(Phase::Pending { since }, alert));
                    }
                }
                Step::Resolve => {
                    self.forget.push((rule.id.clone(), alert.subject.clone()));
                    resolved.push(alert);
                }
            }
        }
        if !rule.kind.tells_end() {
            resolved.clear();
        }
        for (change, alerts) in [(Change::Fired, fired), (Change::Resolved, resolved)] {
            if !alerts.is_empty() {
                self.messages.push(Outgoing {
                    message: Message::new((&rule.id, &rule.name), change, now, alerts),
                    silenced,
                    receivers: rule.receivers.clone(),
                });
            }
        }
        is_active
    }

    /// Writes everything. The messages that are to be sent, each with its number and its receivers.
    pub(super) fn write(
        self,
        conn: &mut SqliteConnection,
        known: &[String],
    ) -> QueryResult<Vec<(i64, Message, Vec<String>)>> {
        for (rule, since) in self.watch {
            rules::watch(conn, &rule, since)?;
        }
        for state in &self.keep {
            states::keep(conn, state)?;
        }
        for (rule, subject) in &self.forget {
            states::forget(conn, rule, subject)?;
        }
        let mut sent = Vec::new();
        for outgoing in self.messages {
            let Outgoing {
                message,
                silenced,
                receivers,
            } = outgoing;
            let written = write(conn, &message, silenced, (receivers, known))?;
            sent.push((written.0, message, written.1));
        }
        Ok(sent)
    }
}

/// Writes a message, and the receivers that it is for. Its number, and those that there are.
pub(super) fn write(
    conn: &mut SqliteConnection,
    message: &Message,
    silenced: bool,
    (named, known): (Vec<String>, &[String]),
) -> QueryResult<(i64, Vec<String>)> {
    let named = match named.is_empty() {
        true => known.to_vec(),
        false => named,
    };
    let (there, missing): (Vec<_>, Vec<_>) =
        named.into_iter().partition(|name| known.contains(name));
    if silenced {
        return Ok((history::add(conn, message, true, &[])?, Vec::new()));
    }
    let id = history::add(conn, message, false, &there)?;
    for name in missing {
        let why = Some(NO_RECEIVER.to_owned());
        history::note(conn, id, &name, (Became::Failed, 0, message.at, why))?;
    }
    Ok((id, there))
}
