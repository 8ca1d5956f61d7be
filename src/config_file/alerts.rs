//! The table `[alerts]` of the file of options.

use std::collections::BTreeSet;

use anyhow::{Context as _, ensure};
use apm_alerts::receiver::Receiver;
use apm_alerts::rule::Rule;
use apm_alerts::{Options, Smtp};
use ipnet::IpNet;
use serde::Deserialize;

/// The file, of which only the table is read here.
#[derive(Debug, Deserialize)]
pub(super) struct File {
    pub(super) alerts: Alerts,
}

/// The table.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Alerts {
    /// Networks that are not public, to which receivers of the page may lead.
    #[serde(default)]
    networks: Vec<String>,
    /// The mail server.
    smtp_url: Option<String>,
    /// The sender of mails.
    smtp_from: Option<String>,
    #[serde(default)]
    rules: Vec<Rule>,
    #[serde(default)]
    receivers: Vec<Receiver>,
}

/// The rules that name a receiver which the file does not have, with its name. People can make it on the page.
pub(super) fn receivers_elsewhere(options: &Options) -> Vec<(&str, &str)> {
    let known: BTreeSet<&str> = options
        .receivers
        .iter()
        .map(|receiver| receiver.name.as_str())
        .collect();
    let named = options.rules.iter().flat_map(|rule| {
        let receivers = rule.receivers.iter().map(String::as_str);
        receivers.map(|receiver| (rule.name.as_str(), receiver))
    });
    named.filter(|(_, name)| !known.contains(name)).collect()
}

impl Alerts {
    pub(super) fn options(self) -> anyhow::Result<Options> {
        let mut options = Options::default();
        for network in self.networks {
            let read = network.parse::<IpNet>();
            let read = read.with_context(|| {
                format!("networks of [alerts]: `{network}` is no network such as 10.0.0.0/8")
            });
            options.networks.push(read?);
        }
        options.smtp = match (self.smtp_url, self.smtp_from) {
            (Some(url), Some(from)) => Some(Smtp { url, from }),
            (None, None) => None,
            _ => anyhow::bail!("smtp_url and smtp_from of [alerts] belong together"),
        };
        let mut ids = BTreeSet::new();
        for rule in self.rules {
            let mut rule = rule.checked().context("in [alerts]")?;
            rule.id = format!("file-{}", rule.name);
            ensure!(
                ids.insert(rule.id.clone()),
                "two rules of [alerts] have the name `{}`",
                rule.name
            );
            options.rules.push(rule);
        }
        let mut names = BTreeSet::new();
        for receiver in &self.receivers {
            ensure!(
                names.insert(&*receiver.name),
                "two receivers of [alerts] have the name `{}`",
                receiver.name
            );
        }
        options.receivers = self.receivers;
        Ok(options)
    }
}
