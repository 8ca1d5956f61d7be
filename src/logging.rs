//! The service's log: `env_logger`, with the ids of the trace that a line belongs to.

use std::io::Write as _;

/// Logs to standard error from level `info` on, or as `RUST_LOG` says.
pub fn init() {
    let env = env_logger::Env::default().default_filter_or("info,actix_server=warn");
    env_logger::Builder::from_env(env)
        .format(|out, record| {
            let (time, level) = (out.timestamp_millis(), record.level());
            let style = out.default_level_style(level);
            write!(
                out,
                "{time} {style}{level:5}{style:#} {} {}",
                record.target(),
                record.args()
            )?;
            if let Some(ids) = apm_agent::current_trace_ids() {
                write!(
                    out,
                    " trace.id={} transaction.id={}",
                    ids.trace_id, ids.transaction_id
                )?;
            }
            writeln!(out)
        })
        .init();
}
