//! The receiver of decoded items, one after the other: a body of many small ones needs no more memory than one of them.

use super::model::{LogRecord, Metric, Point, Resource, Scope, Span};

/// Takes what a body holds, in the order in which it stands there.
pub(super) trait Sink {
    /// The next scopes are of this resource.
    fn resource(&mut self, resource: &Resource<'_>);

    /// The next items are of this scope of the resource.
    fn scope(&mut self, scope: &Scope<'_>);

    fn span(&mut self, span: &Span<'_>);

    fn log(&mut self, record: &LogRecord<'_>);

    fn point(&mut self, metric: &Metric<'_>, point: &Point<'_>);

    /// An item was longer than one may be, bytes.
    fn oversized(&mut self, length: usize);
}
