//! Instances of services.

use super::super::instances::{InstanceBinKey, InstanceCell, InstanceKey, InstanceSeries};
use super::{LEVELS, Reader, Writer};

impl Writer<'_> {
    pub(super) fn instances(&mut self, instances: &InstanceSeries) {
        self.all(instances.cells(LEVELS[0]), |out, (key, cell)| {
            out.ints([key.instance, key.bucket]);
            for sum in cell.sums {
                out.float(sum);
            }
            out.some(cell.used.map(|used| used.0));
            out.some(cell.used.map(|used| used.1));
        });
        self.all(instances.bins(LEVELS[0]), |out, (key, count)| {
            out.ints([key.instance, key.bucket, key.bin.into()]);
            out.float(*count);
        });
    }

    /// The longest transaction of each cell, where it has any.
    pub(super) fn longest(&mut self, instances: &InstanceSeries) {
        let mut cells = instances.cells(LEVELS[0]);
        cells.retain(|(_, cell)| cell.longest.is_some());
        self.all(cells, |out, (key, cell)| {
            out.ints([key.instance, key.bucket, cell.longest.unwrap_or_default()]);
        });
    }
}

impl Reader<'_> {
    pub(super) fn instances(&mut self, instances: &mut InstanceSeries) -> Option<()> {
        self.all(|from| {
            let [instance, bucket] = from.ints()?;
            let mut cell = InstanceCell::default();
            for sum in &mut cell.sums {
                *sum = from.float()?;
            }
            cell.used = from.some()?.zip(from.some()?);
            instances.put_cell(InstanceKey { instance, bucket }, &cell);
            Some(())
        })?;
        self.all(|from| {
            let [instance, bucket, bin] = from.ints()?;
            let key = InstanceBinKey {
                instance,
                bucket,
                bin: bin.try_into().ok()?,
            };
            instances.put_bin(key, from.float()?);
            Some(())
        })
    }

    /// The longest transactions of cells that were read before.
    pub(super) fn longest(&mut self, instances: &mut InstanceSeries) -> Option<()> {
        self.all(|from| {
            let [instance, bucket, longest] = from.ints()?;
            instances.set_longest(InstanceKey { instance, bucket }, longest);
            Some(())
        })
    }
}
