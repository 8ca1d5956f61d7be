//! The weight of an item of a trace: a composite span stands for many calls.

use crate::analytics::trace::item::Item;

/// Number of calls that an item stands for.
pub(crate) fn weight(item: &Item) -> i64 {
    item.composite()
        .map_or(1, |composite| composite.count.max(1))
}

/// Time of the calls that an item stands for, µs.
pub(crate) fn busy(item: &Item) -> i64 {
    item.composite()
        .map_or(item.duration, |composite| composite.sum)
}

/// Time of one of the calls that an item stands for, µs: their mean, as a composite does not know each.
pub(crate) fn each(item: &Item) -> i64 {
    busy(item) / weight(item)
}

/// True if an item is a statement.
pub(crate) fn is_sql(item: &Item) -> bool {
    !item.is_transaction && &*item.what.kind == "db"
}
