//! Lines of browsers: written out, and taken on the terms of their sender.

use std::sync::Arc;

use apm_store::event::Resource;

use super::Sink;
use crate::counters::Wire;
use crate::elastic;
use crate::refused::Refused;

impl Sink {
    /// Reads a line of events.
    pub(super) fn line_of_browser(&mut self, line: &[u8], resource: &Arc<Resource>) {
        match elastic::rum::events(line) {
            Ok(None) => self.of_browser(&[line], resource),
            Ok(Some(lines)) => {
                let lines: Vec<_> = lines.iter().map(String::as_bytes).collect();
                self.of_browser(&lines, resource);
            }
            Err(refused) => self.reject(&refused, line),
        }
    }

    /// The lines that one line of a browser was written out to. Where the first, the transaction, is refused, the
    /// others have nothing to belong to.
    fn of_browser(&mut self, lines: &[&[u8]], resource: &Arc<Resource>) {
        let Some(sender) = &self.browser else { return };
        let events = u32::try_from(lines.len()).unwrap_or(u32::MAX);
        if let Err(refused) = sender.take(events) {
            self.count(&refused, u64::from(events), lines[0]);
            return self.end(429, refused.message, b"");
        }
        for (index, line) in lines.iter().enumerate() {
            if !self.event(line, resource) && index == 0 {
                return;
            }
        }
    }

    pub(super) fn wire(&self) -> Wire {
        match self.browser {
            Some(_) => Wire::Browser,
            None => Wire::Elastic,
        }
    }

    pub(super) fn is_metadata(&self, line: &[u8]) -> bool {
        elastic::is_metadata(line) || self.browser.is_some() && elastic::rum::is_metadata(line)
    }

    /// Reads the metadata line.
    pub(super) fn resource(&self, line: &[u8]) -> Result<Resource, Refused> {
        let Some(sender) = &self.browser else {
            return elastic::resource(line, self.client);
        };
        let resource = match elastic::rum::metadata(line)? {
            Some(line) => elastic::resource(line.as_bytes(), None),
            None => elastic::resource(line, None),
        }?;
        sender.admit(&resource.agent_name, &resource.service_name)?;
        Ok(resource)
    }
}
