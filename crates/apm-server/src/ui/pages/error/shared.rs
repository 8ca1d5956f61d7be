//! What the occurrences of an error have in common: the most frequent values of a few telling fields.

use apm_store::StoreError;
use maud::{Markup, html};
use serde_json::Value;

use crate::analytics::discover::{self, Field};
use crate::analytics::error_group::Sample;
use crate::ui::components::cells::meter;
use crate::ui::components::controls::plus_minus;
use crate::ui::number::grouped;
use crate::ui::pages::Ask;
use crate::ui::view::{View, quoted};

/// Fields that tell one deployment, machine, caller or release from another; labels count too.
const TELLING: [&str; 7] = [
    "http.request.headers.Host",
    "host.hostname",
    "service.version",
    "service.environment",
    "user.id",
    "client.ip",
    "url.path",
];
/// Occurrences that are looked at.
const LOOKED_AT: usize = 50;
/// Values shown of each field.
const VALUES: usize = 3;

/// The telling fields of the newest occurrences.
pub(super) fn values(ask: &mut Ask<'_>, samples: &[Sample]) -> Result<Vec<Field>, StoreError> {
    let mut documents: Vec<Value> = Vec::new();
    for sample in samples.iter().take(LOOKED_AT) {
        documents.extend(discover::document(ask.conn, sample.seq)?);
    }
    let mut fields = discover::fields(&documents);
    // A field that differs in every occurrence is an id: nothing is shared.
    fields.retain(|field| {
        (TELLING.contains(&field.name.as_str()) || field.name.starts_with("labels."))
            && (field.distinct < field.count || field.count == 1)
    });
    fields.sort_by_key(|field| {
        (
            TELLING
                .iter()
                .position(|name| *name == field.name)
                .unwrap_or(TELLING.len()),
            field.name.clone(),
        )
    });
    fields.truncate(5);
    Ok(fields)
}

pub(super) fn panel(view: &View, fields: &[Field], samples: usize) -> Markup {
    html! {
        section.panel {
            div.panel-head { h2 { "What they share" } @if samples > LOOKED_AT { span.note { "newest " (LOOKED_AT) } } }
            div.pad {
                @if fields.is_empty() { p.dim { "No host, version, address or label was sent with it." } }
                @for field in fields {
                    h3.soft { (field.name) }
                    ul.top {
                        @for top in field.top.iter().take(VALUES) {
                            li {
                                span.v title=(top.value) { (top.value) }
                                span.pc { (grouped(top.count as u64)) }
                                (plus_minus(&top.value, view.filtered(&format!("{}: {}", field.name, quoted(&top.value))), view.filtered(&format!("not {}: {}", field.name, quoted(&top.value)))))
                                (meter(top.count as f64 / field.count.max(1) as f64, "fill"))
                            }
                        }
                    }
                }
            }
        }
    }
}
