//! A receiver of alerts: a name, and an address or a command.

use std::fmt;

use reqwest::Url;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::AlertError;
use crate::rule::LONGEST_NAME;

/// Longest address, bytes.
const LONGEST_URL: usize = 2_000;

/// Most addresses of an email receiver.
const MOST_ADDRESSES: usize = 20;

/// A receiver.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Receiver {
    /// Its name, by which rules name it.
    pub name: String,
    /// The address or command.
    pub target: Target,
}

/// An address that messages are sent to, or a command that gets them.
#[derive(Clone, PartialEq, Eq)]
pub enum Target {
    /// JSON is posted to an address.
    Webhook {
        /// The address, which may hold a secret.
        url: String,
        /// The value of the header `Authorization`.
        authorization: Option<String>,
    },
    /// The JSON that Slack's incoming webhooks take, which Mattermost, Rocket.Chat and others take too.
    Slack {
        /// The address, which holds a secret.
        url: String,
    },
    /// An email, by the mail server of the configuration file.
    Email {
        /// The addresses.
        to: Vec<String>,
    },
    /// A program of this machine gets the JSON on its standard input. Only the configuration file can name one.
    Command {
        /// The program and its arguments; no shell reads them.
        command: Vec<String>,
    },
}

/// A receiver as it is written in the configuration file and in the API.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// The name, by which rules name it.
    pub name: String,
    /// `webhook`, `slack`, `email` or, in the configuration file only, `command`.
    pub kind: String,
    /// Of a webhook: the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Of a webhook: the value of the header `Authorization`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization: Option<String>,
    /// Of an email: the addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Vec<String>>,
    /// Of a command: the program and its arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
}

impl Written {
    fn target(&self) -> Result<Target, String> {
        let unfit = |name: &str, is_given: bool| match is_given {
            true => Err(format!("a receiver of kind {} has no `{name}`", self.kind)),
            false => Ok(()),
        };
        let is_web = matches!(&*self.kind, "webhook" | "slack");
        unfit("url", self.url.is_some() && !is_web)?;
        unfit(
            "authorization",
            self.authorization.is_some() && self.kind != "webhook",
        )?;
        unfit("to", self.to.is_some() && self.kind != "email")?;
        unfit("command", self.command.is_some() && self.kind != "command")?;
        match &*self.kind {
            "webhook" => Ok(Target::Webhook {
                url: address(self.url.as_deref())?,
                authorization: self.authorization.clone().map(header).transpose()?,
            }),
            "slack" => Ok(Target::Slack {
                url: address(self.url.as_deref())?,
            }),
            "email" => Ok(Target::Email {
                to: addresses(self.to.as_deref().unwrap_or_default())?,
            }),
            "command" => match self.command.as_deref() {
                Some([program, ..]) if !program.is_empty() => Ok(Target::Command {
                    command: self.command.clone().unwrap_or_default(),
                }),
                _ => Err(
                    "give the program and its arguments as `command = [\"/usr/bin/…\"]`".to_owned(),
                ),
            },
            other => Err(format!(
                "`{other}` is no kind of receiver: use webhook, slack, email or command"
            )),
        }
    }
}

fn address(url: Option<&str>) -> Result<String, String> {
    let url = url.unwrap_or_default().trim();
    let parsed = Url::parse(url).ok().filter(|parsed| {
        matches!(parsed.scheme(), "http" | "https") && parsed.host_str().is_some()
    });
    match parsed {
        Some(_) if url.len() <= LONGEST_URL => Ok(url.to_owned()),
        // The address may be a secret, and is not repeated.
        _ => Err(format!(
            "`url` has to begin with https:// or http://, and has at most {LONGEST_URL} bytes"
        )),
    }
}

fn header(value: String) -> Result<String, String> {
    match reqwest::header::HeaderValue::from_str(&value) {
        Ok(_) if value.len() <= LONGEST_URL => Ok(value),
        _ => Err("`authorization` has to be one line of printable ASCII".to_owned()),
    }
}

fn addresses(to: &[String]) -> Result<Vec<String>, String> {
    if to.is_empty() || to.len() > MOST_ADDRESSES {
        return Err(format!("`to` has 1 to {MOST_ADDRESSES} addresses"));
    }
    for one in to {
        one.parse::<lettre::message::Mailbox>()
            .map_err(|error| format!("`{one}` is no email address: {error}"))?;
    }
    Ok(to.to_vec())
}

impl TryFrom<Written> for Receiver {
    type Error = AlertError;

    fn try_from(written: Written) -> Result<Self, AlertError> {
        let name = written.name.trim().to_owned();
        if name.is_empty() || name.len() > LONGEST_NAME || name.contains(',') {
            return Err(AlertError::Invalid(format!(
                "a receiver needs a name of at most {LONGEST_NAME} bytes without commas"
            )));
        }
        let target = written
            .target()
            .map_err(|error| AlertError::Invalid(format!("receiver `{name}`: {error}")))?;
        Ok(Self { name, target })
    }
}

impl From<Receiver> for Written {
    fn from(receiver: Receiver) -> Self {
        let kind = receiver.target.kind().to_owned();
        let mut written = Self {
            name: receiver.name,
            kind,
            ..Self::default()
        };
        match receiver.target {
            Target::Webhook { url, authorization } => {
                written.url = Some(url);
                written.authorization = authorization;
            }
            Target::Slack { url } => written.url = Some(url),
            Target::Email { to } => written.to = Some(to),
            Target::Command { command } => written.command = Some(command),
        }
        written
    }
}

impl Target {
    /// The word of its kind.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Webhook { .. } => "webhook",
            Self::Slack { .. } => "slack",
            Self::Email { .. } => "email",
            Self::Command { .. } => "command",
        }
    }

    /// The target without its secrets: of an address, scheme and host; of a command, the program.
    #[must_use]
    pub fn masked(&self) -> String {
        match self {
            Self::Webhook { url, .. } | Self::Slack { url } => match Url::parse(url) {
                Ok(url) => {
                    let port = url.port().map(|port| format!(":{port}"));
                    format!(
                        "{}://{}{}/…",
                        url.scheme(),
                        url.host_str().unwrap_or_default(),
                        port.unwrap_or_default()
                    )
                }
                Err(_) => "…".to_owned(),
            },
            Self::Email { to } => to.join(", "),
            Self::Command { command } => match &command[..] {
                [program] => program.clone(),
                [program, ..] => format!("{program} …"),
                [] => String::new(),
            },
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.kind(), self.masked())
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.name, self.target)
    }
}

#[cfg(test)]
mod tests;
