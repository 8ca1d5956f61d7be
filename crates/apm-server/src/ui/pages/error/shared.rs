//! Fields that the occurrences of an error share: the most frequent values of a few telling fields.

use maud::{Markup, html};

use crate::analytics::discover::Field;
use crate::answers::error::COMPARED;
use crate::ui::components::cells::meter;
use crate::ui::components::controls::plus_minus;
use crate::ui::number::grouped;
use crate::ui::view::{View, quoted};
use crate::ui::words;

/// Values shown of each field.
const VALUES: usize = 3;

pub(super) fn panel(view: &View, fields: &[Field], samples: usize) -> Markup {
    html! {
        section.panel {
            div.panel-head { h2 { "Common attributes" } @if samples > COMPARED { span.note { "newest " (COMPARED) } } }
            div.pad {
                @if fields.is_empty() { p.dim { "This error was sent without a host, version, address or label." } }
                @for field in fields {
                    h3.soft { (field.name) }
                    ul.top {
                        @for top in field.top.iter().take(VALUES) {
                            li {
                                span.v title=(top.value) { (top.value) }
                                span.pc { (grouped(top.count as u64)) }
                                @let clause = format!("{}: {}", field.name, quoted(&top.value));
                                @let without = view.filtered(&format!("not {clause}"));
                                (plus_minus(&top.value, view.filtered(&clause), without))
                                (meter(top.count as f64 / field.count.max(1) as f64, "fill"))
                            }
                        }
                        @if field.distinct > VALUES {
                            li.dim { (words::count((field.distinct - VALUES) as u64, "other value", "other values")) }
                        }
                    }
                }
            }
        }
    }
}
