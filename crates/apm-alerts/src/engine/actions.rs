//! Actions of people on rules and receivers, on the page and by the API.

use apm_store::Ticket;
use diesel::SqliteConnection;

use super::{Alerts, Core, evaluate, now};
use crate::error::AlertError;
use crate::measure::{self, Disk, Facts};
use crate::message::{Alert, Change, Message};
use crate::options::OutputProbe;
use crate::overview::{self, Origin};
use crate::receiver::{Receiver, Target};
use crate::rule::Rule;
use crate::slo::{self, Objective};
use crate::storage::rules::{self, MOST_RECEIVERS, MOST_RULES};

/// The longest silence, seconds.
const LONGEST_SILENCE: i64 = 30 * 86_400;

/// The beginning of the ids of rules of the configuration file.
pub(crate) const OF_FILE: &str = "file-";

impl Alerts {
    /// Keeps a rule: a new one where it has no id, else in the place of that one. The rule with its id and defaults.
    ///
    /// # Errors
    /// If it cannot be, is unknown or is of the configuration file, or there are too many.
    pub async fn save_rule(&self, rule: Rule) -> Result<Rule, AlertError> {
        let mut rule = rule.checked()?;
        if rule.id.is_empty() {
            rule.id = fresh()?;
        } else {
            self.0.core.own(rule.id.clone()).await?;
        }
        let kept = rule.clone();
        let at = now();
        let ticket = (self.0.core.store).write(move |conn| rules::keep_rule(conn, &kept, at))?;
        match ticket.await? {
            true => Ok(rule),
            false => Err(AlertError::Invalid(format!(
                "there are {MOST_RULES} rules already: delete one first"
            ))),
        }
    }

    /// Forgets a rule. One that comes with the program is as it was.
    ///
    /// # Errors
    /// If there is none, or it is of the configuration file.
    pub async fn delete_rule(&self, id: &str) -> Result<(), AlertError> {
        self.0.core.own(id.to_owned()).await?;
        let gone = id.to_owned();
        let ticket = (self.0.core.store).write(move |conn| rules::forget_rule(conn, &gone))?;
        found(ticket, "rule", id).await
    }

    /// Keeps an objective: a new one where it has no id, else in the place of that one. The objective with its id.
    ///
    /// # Errors
    /// If it cannot be, or there are too many.
    pub async fn save_objective(&self, objective: Objective) -> Result<Objective, AlertError> {
        let mut objective = objective.checked()?;
        if objective.id.is_empty() {
            objective.id = fresh()?;
        }
        let (kept, at) = (objective.clone(), now());
        let ticket = (self.0.core.store).write(move |conn| slo::keep(conn, &kept, at))?;
        match ticket.await? {
            true => Ok(objective),
            false => Err(AlertError::Invalid(format!(
                "there are {} objectives already: delete one first",
                slo::MOST
            ))),
        }
    }

    /// Forgets an objective.
    ///
    /// # Errors
    /// If there is none.
    pub async fn delete_objective(&self, id: &str) -> Result<(), AlertError> {
        let gone = id.to_owned();
        let ticket = (self.0.core.store).write(move |conn| slo::forget(conn, &gone))?;
        found(ticket, "objective", id).await
    }

    /// Sends nothing for a rule for some time; 0 ends the silence.
    ///
    /// # Errors
    /// If there is no such rule, or the time is too long.
    pub async fn silence(&self, id: &str, seconds: i64) -> Result<(), AlertError> {
        if !(0..=LONGEST_SILENCE).contains(&seconds) {
            return Err(AlertError::Invalid(format!(
                "a silence has 0 to {LONGEST_SILENCE} seconds"
            )));
        }
        self.0.core.rule(id.to_owned()).await?;
        let (id, until) = (id.to_owned(), now() + seconds);
        let ticket = (self.0.core.store).write(move |conn| rules::silence(conn, &id, until))?;
        Ok(ticket.await?)
    }

    /// Sends a message to the receivers of a rule that says what it would find now.
    ///
    /// # Errors
    /// If there is no such rule.
    pub async fn test_rule(&self, id: &str) -> Result<(), AlertError> {
        let (rule, _) = self.0.core.rule(id.to_owned()).await?;
        let core = self.0.core.clone();
        let asked = rule.clone();
        let store = core.store.clone();
        let found = store
            .read_async(move |conn| core.beyond(conn, &asked))
            .await?;
        let text = format!(
            "This is a test. The rule looks for: {}. {}",
            rule.words(),
            match found.len() {
                0 => "Nothing is beyond its bound now.".to_owned(),
                count => format!("{count} beyond its bound now: {}", found.join("; ")),
            }
        );
        let receivers = rule.receivers.clone();
        self.0
            .core
            .test((&rule.id, &rule.name), text, receivers)
            .await
    }

    /// Keeps a receiver in the place of one with its name.
    ///
    /// # Errors
    /// If it is a command, has the name of one of the configuration file, or there are too many.
    pub async fn save_receiver(&self, receiver: Receiver) -> Result<(), AlertError> {
        self.0.core.not_of_file(&receiver.name)?;
        if matches!(receiver.target, Target::Command { .. }) {
            return Err(AlertError::invalid(
                "a command can be named in the configuration file only: whoever may use this page would run programs \
                 on the server",
            ));
        }
        let at = now();
        let ticket =
            (self.0.core.store).write(move |conn| rules::keep_receiver(conn, &receiver, at))?;
        match ticket.await? {
            true => Ok(()),
            false => Err(AlertError::Invalid(format!(
                "there are {MOST_RECEIVERS} receivers already: delete one first"
            ))),
        }
    }

    /// Forgets a receiver.
    ///
    /// # Errors
    /// If there is none, or it is of the configuration file.
    pub async fn delete_receiver(&self, name: &str) -> Result<(), AlertError> {
        self.0.core.not_of_file(name)?;
        let gone = name.to_owned();
        let ticket = (self.0.core.store).write(move |conn| rules::forget_receiver(conn, &gone))?;
        found(ticket, "receiver", name).await
    }

    /// Sends a message to a receiver that says that it arrived.
    ///
    /// # Errors
    /// If there is no such receiver.
    pub async fn test_receiver(&self, name: &str) -> Result<(), AlertError> {
        let core = self.0.core.clone();
        let asked = name.to_owned();
        let store = core.store.clone();
        let is_there = store
            .read_async(move |conn| {
                let all = overview::receivers(conn, &core.options)?;
                Ok::<_, AlertError>(all.iter().any(|(one, _)| one.name == asked))
            })
            .await?;
        if !is_there {
            return Err(AlertError::Unknown {
                what: "receiver",
                name: name.to_owned(),
            });
        }
        let text = format!("This is a test. Messages arrive at {name}.");
        let to = vec![name.to_owned()];
        self.0.core.test(("", "a receiver"), text, to).await
    }
}

impl Core {
    /// A rule and its origin.
    async fn rule(&self, id: String) -> Result<(Rule, Origin), AlertError> {
        let options = self.options.clone();
        let rules = self
            .store
            .read_async(move |conn| overview::rules(conn, &options))
            .await?;
        let found = rules.into_iter().find(|(rule, _)| rule.id == id);
        found.ok_or(AlertError::Unknown {
            what: "rule",
            name: id,
        })
    }

    /// Whether there is a rule of this id that may be changed.
    async fn own(&self, id: String) -> Result<(), AlertError> {
        if id.starts_with(OF_FILE) {
            return Err(AlertError::OfFile(id));
        }
        self.rule(id).await.map(|_| ())
    }

    fn not_of_file(&self, receiver: &str) -> Result<(), AlertError> {
        match self
            .options
            .receivers
            .iter()
            .any(|one| one.name == receiver)
        {
            true => Err(AlertError::OfFile(receiver.to_owned())),
            false => Ok(()),
        }
    }

    /// The first subjects that are beyond the bound of a rule now, in words.
    fn beyond(&self, conn: &mut SqliteConnection, rule: &Rule) -> Result<Vec<String>, AlertError> {
        let at = now();
        let since = rules::watched(conn)?.get(&rule.id).copied();
        let disk = Disk::measure(&self.store);
        let facts = Facts {
            now: at,
            since: since.unwrap_or(at),
            started: self.started,
            disk: &disk,
            lag: self.options.output.as_ref().map(OutputProbe::read),
            firing: &[],
        };
        let readings = measure::readings(conn, rule, &facts)?.into_iter();
        let beyond = readings.filter(|reading| reading.level >= 1.0);
        Ok(beyond.map(|reading| reading.alert.text).take(3).collect())
    }

    async fn test(
        &self,
        of: (&str, &str),
        text: String,
        receivers: Vec<String>,
    ) -> Result<(), AlertError> {
        let alert = Alert {
            subject: "test".to_owned(),
            service: String::new(),
            environment: String::new(),
            text,
            link: "/alerts".to_owned(),
        };
        let message = Message::new(of, Change::Test, now(), vec![alert]);
        let options = self.options.clone();
        let all = self
            .store
            .read_async(move |conn| overview::receivers(conn, &options))
            .await?;
        let known: Vec<String> = all.iter().map(|(one, _)| one.name.clone()).collect();
        // A test goes through the history as every message does, which shows what became of it at each receiver.
        let kept = message.clone();
        let ticket = self
            .store
            .write(move |conn| evaluate::write(conn, &kept, false, (receivers, &known)))?;
        let (id, to) = ticket.await?;
        self.send(id, message, to);
        Ok(())
    }
}

/// A new id: 16 hex digits.
fn fresh() -> Result<String, AlertError> {
    let mut id = [0; 8];
    getrandom::fill(&mut id)
        .map_err(|error| AlertError::Invalid(format!("no random id: {error}")))?;
    Ok(format!("{:016x}", u64::from_be_bytes(id)))
}

/// Whether what was to be forgotten was there.
async fn found(ticket: Ticket<bool>, what: &'static str, name: &str) -> Result<(), AlertError> {
    match ticket.await? {
        true => Ok(()),
        false => Err(AlertError::Unknown {
            what,
            name: name.to_owned(),
        }),
    }
}
