//! Whether the files are whole, and making them whole again.
//!
//! * A log that was deleted, moved away or replaced is still open here, with all that is in it. It is copied into the
//!   database, and a new one is begun: nothing is lost.
//! * A log that was cut or overwritten has lost what was not copied into the database yet. SQLite must not touch it any
//!   more: it would copy other bytes over the database, or write behind the hole. The log is emptied, and the database
//!   goes on as of its last checkpoint, which is sound. What is lost is said.
//! * A database that was deleted or replaced cannot be mended.
//!
//! In between, events are refused.

use std::fs::OpenOptions;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use diesel::prelude::*;

use super::Writer;
use crate::apply::Memory;
use crate::bounds::PAGE;
use crate::error::StoreError;
use crate::file::Look;
use crate::number::number;
use crate::open;
use crate::wal::{Emptied, Frames};

/// A change since the files were last remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Since {
    /// Nothing that the writer knows of.
    Rest,
    /// It wrote: pages that the database got since may still be in the log alone.
    OwnWork,
}

/// The longest time that readers are waited for.
const PATIENCE: Duration = Duration::from_secs(4);

impl Writer {
    /// Whether the files are as they were left; they are mended where that can be done.
    pub(super) fn whole(&mut self) -> Result<(), StoreError> {
        if !self.is_open {
            self.reopen()?;
        }
        match self.files.look() {
            Look::Same => Ok(()),
            Look::Gone => Err(self.gone()),
            Look::Shorter => self.check_length(Since::Rest),
            Look::Moved => self.save_log(),
            Look::Changed if self.is_of_another_process()? => {
                self.files.remember();
                Ok(())
            }
            Look::Changed => self.give_up_log(),
        }
    }

    /// After a commit: whether what it wrote is where the next start finds it.
    pub(super) fn written(&mut self) -> Result<(), StoreError> {
        match self.files.after_own_work() {
            Look::Same => {}
            Look::Gone => return Err(self.gone()),
            Look::Shorter => self.check_length(Since::OwnWork)?,
            Look::Moved => return self.save_log(),
            Look::Changed if self.log_is_sound()? => {}
            Look::Changed => {
                self.give_up_log()?;
                return Err(self.lost("events of the last moment are gone"));
            }
        }
        self.files.remember();
        Ok(())
    }

    /// [`Self::written`] after what nobody waits for; trouble is met again by the next one who writes.
    pub(super) fn noted(&mut self) {
        if let Err(error) = self.written() {
            self.failed(0, &error);
        }
    }

    fn gone(&self) -> StoreError {
        StoreError::Gone(Arc::clone(self.files.path()))
    }

    fn lost(&self, why: &str) -> StoreError {
        StoreError::LogLost {
            log: self.files.log_path().into(),
            why: why.into(),
        }
    }

    /// Whether the log has all that SQLite believes to be in it.
    fn log_is_sound(&mut self) -> Result<bool, StoreError> {
        let bytes = Frames::read(&mut self.conn)?.bytes();
        Ok(bytes == 0 || (self.wal.size() >= bytes && self.files.log_begins_well()))
    }

    /// Whether the log differs because another process wrote to the database, or emptied its log, as it may.
    fn is_of_another_process(&mut self) -> Result<bool, StoreError> {
        if !self.log_is_sound()? {
            return Ok(false);
        }
        if Frames::read(&mut self.conn)?.bytes() == 0 {
            return Ok(true);
        }
        let before = self.foreign_writes;
        self.foreign_writes = open::foreign_writes(&mut self.conn)?;
        Ok(self.foreign_writes != before)
    }

    /// Whether the database has all of its pages: a checkpoint may have made it shorter.
    fn check_length(&mut self, since: Since) -> Result<(), StoreError> {
        let pages = number(
            &mut self.conn,
            "SELECT page_count AS n FROM pragma_page_count",
        )?;
        let frames = Frames::read(&mut self.conn)?;
        let size = std::fs::metadata(self.files.path()).map_or(0, |file| file.len());
        let not_yet = match since {
            // Nothing was written since that checkpoint.
            Since::Rest if frames.is_copied() => 0,
            Since::Rest => return Err(self.gone()),
            Since::OwnWork => frames.pages(),
        };
        if size < pages.unsigned_abs().saturating_sub(not_yet) * PAGE {
            return Err(self.gone());
        }
        self.files.remember();
        Ok(())
    }

    /// The log is not at its path: what is in it is copied into the database, and a new one is begun.
    fn save_log(&mut self) -> Result<(), StoreError> {
        self.note_loss();
        match self.wal.empty(&mut self.conn, PATIENCE)? {
            Emptied::Yes => {}
            Emptied::ReadersInTheWay => return Err(self.lost("queries take too long")),
            Emptied::Pinned => return Err(self.lost("another process reads the database")),
        }
        // SQLite would take a foreign log for its own, or delete it.
        let path = self.files.log_path();
        if std::fs::metadata(path).is_ok_and(|log| log.len() > 0) {
            let mut aside = path.as_os_str().to_owned();
            aside.push(".replaced");
            std::fs::rename(path, PathBuf::from(aside)).map_err(|error| {
                self.lost(&format!("what took its place cannot be moved: {error}"))
            })?;
        }
        self.reopen()?;
        log::warn!("the log was made anew, nothing is lost");
        Ok(())
    }

    /// The log was cut or overwritten: what it had beyond the last checkpoint is gone.
    fn give_up_log(&mut self) -> Result<(), StoreError> {
        self.note_loss();
        let frames = Frames::read(&mut self.conn)?;
        // An empty log fails SQLite at its first page: it copies nothing when the last connection is closed.
        let emptied = OpenOptions::new()
            .write(true)
            .open(self.files.log_path())
            .and_then(|log| log.set_len(0));
        emptied.map_err(|error| self.lost(&format!("it cannot be emptied: {error}")))?;
        self.reopen()?;
        match frames.is_copied() {
            true => log::warn!("the log was made anew, nothing is lost"),
            false => log::error!(
                "the log was made anew; acknowledged events that were only in it, at most {} bytes, are lost",
                frames.bytes()
            ),
        }
        Ok(())
    }

    fn note_loss(&mut self) {
        if std::mem::replace(&mut self.is_lost, true) {
            return;
        }
        self.counters.lost_logs.fetch_add(1, Ordering::Relaxed);
        log::error!(
            "{} was deleted, replaced or cut while it was in use",
            self.files.log_path().display()
        );
    }

    /// Closes every connection and opens the files anew; what is remembered of them is forgotten.
    fn reopen(&mut self) -> Result<(), StoreError> {
        let wal = &self.wal;
        let closed = wal.gate().close(PATIENCE);
        if !closed.drained {
            return Err(self.lost("queries take too long"));
        }
        // Connections that wait there would go on with the old files.
        self.pool.forget();
        self.is_open = false;
        // This one takes the place of the old connection, which has to be closed before the files are opened again.
        let nothing = SqliteConnection::establish(":memory:");
        self.conn = nothing.map_err(|error| self.lost(&error.to_string()))?;
        let opened = open::open(&self.options).map_err(|error| self.lost(&error.to_string()))?;
        self.conn = opened.conn;
        self.foreign_writes = open::foreign_writes(&mut self.conn)?;
        // Numbers go on, so that no event gets one that another had.
        let next = opened.next.max(self.memory.free_block());
        let memory = Memory::new(next, self.options.names);
        let memory = memory.map_err(|error| self.lost(&error.to_string()))?;
        self.memory = memory.sharing(self.options.shares_counts);
        // `open` has made the coarser rows from `roll_behind`, with what was still held here.
        self.coarse.forget();
        self.retention.forget();
        self.files.renew();
        self.is_open = true;
        self.is_lost = false;
        drop(closed);
        self.counters.changed();
        Ok(())
    }
}
