//! Settings of central configuration that would make the agent record what the service's own configuration keeps out.
//!
//! Whoever can write to the server's settings could otherwise ask for bodies and passwords of a running service. Such
//! settings are refused unless the service allows them (`remote_capture`). To record less from afar is always allowed.

use super::Settings;

/// Whether the option `key` records more in `central` than in `local`, which the service configured.
pub(super) fn records_more(key: &str, local: &Settings, central: &Settings) -> bool {
    match key {
        "capture_body" => {
            let (local, central) = (local.capture_body, central.capture_body);
            (central.for_errors() && !local.for_errors())
                || (central.for_transactions() && !local.for_transactions())
        }
        "capture_headers" => central.capture_headers && !local.capture_headers,
        "log_sending" => central.log_sending && !local.log_sending,
        // A list that still holds all local patterns can only cover more.
        "sanitize_field_names" => !central
            .sanitize_field_names
            .holds_all_of(&local.sanitize_field_names),
        _ => false,
    }
}
