//! The disk of the server's database.

use std::path::Path;

use apm_store::Store;

use super::Reading;
use crate::message::Alert;
use crate::rule::Rule;

/// A level far beyond any bound.
const FULL: f64 = 1e6;

/// The state of the disk.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    /// Bytes that are free; `None` where the system does not say.
    free: Option<u64>,
    /// Why the last commit failed, if it did.
    trouble: Option<String>,
}

impl Disk {
    pub(crate) fn measure(store: &Store) -> Self {
        let path = &store.options().path;
        // The folder of a bare file name is the current one.
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        Self {
            free: fs4::available_space(folder.unwrap_or(Path::new("."))).ok(),
            trouble: store.stats().trouble.map(|error| error.to_string()),
        }
    }
}

pub(super) fn read(rule: &Rule, disk: &Disk) -> Vec<Reading> {
    let least = rule.number("megabytes") * 1e6;
    let (level, text) = match (&disk.trouble, disk.free) {
        (Some(error), _) => (FULL, format!("The database takes no events: {error}")),
        (None, Some(free)) => {
            let text = format!(
                "{:.0} MB are free on the disk of the telemetry database",
                free as f64 / 1e6
            );
            // The level rises as the room falls, so that 1 is the bound here too.
            (least / (free as f64).max(1.0), text)
        }
        (None, None) => return Vec::new(),
    };
    let alert = Alert {
        subject: "disk".to_owned(),
        service: String::new(),
        environment: String::new(),
        text: crate::message::plain(&text),
        link: "/settings".to_owned(),
    };
    vec![Reading { level, alert }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::{Kind, builtin};

    #[test]
    fn the_level_of_the_disk_follows_the_free_space() {
        let rules = builtin();
        let rule = rules.iter().find(|rule| rule.kind == Kind::Disk).unwrap();
        let level = |free: Option<u64>, trouble: Option<&str>| {
            let trouble = trouble.map(str::to_owned);
            read(rule, &Disk { free, trouble })
                .first()
                .map(|reading| reading.level)
        };
        assert_eq!(level(Some(500_000_000), None), Some(1.0));
        assert!(level(Some(2_000_000_000), None) < Some(0.9));
        assert!(level(Some(0), None) > Some(1.0));
        assert_eq!(level(Some(u64::MAX), Some("disk is full")), Some(FULL));
        assert_eq!(level(None, None), None);
    }
}
