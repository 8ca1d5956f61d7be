//! Tells the agent which compiler built it: the version of the service's language in Elastic's terms. And `cfg(plans)`
//! holds if it has a feature of a database whose plans it knows.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(plans)");
    let has_feature = |name: &str| std::env::var_os(format!("CARGO_FEATURE_{name}")).is_some();
    if ["SQLITE_PLAIN", "POSTGRES", "MYSQL"]
        .into_iter()
        .any(has_feature)
    {
        println!("cargo::rustc-cfg=plans");
    }
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output().ok();
    let text = output
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .unwrap_or_default();
    // `rustc 1.95.0 (59807616e 2026-04-14)`
    let version = text.split_whitespace().nth(1).unwrap_or("unknown");
    println!("cargo::rustc-env=APM_AGENT_RUSTC_VERSION={version}");
}
