//! Tests that need a process of their own: for its environment, its memory, its threads, for what can be set only once,
//! or to be killed.

use std::process::Command;

/// A process that runs one ignored test of the calling test binary.
#[must_use]
pub fn command(test: &str) -> Command {
    let own = std::env::current_exe().expect("a test has a path");
    let mut command = Command::new(own);
    command.args([
        test,
        "--exact",
        "--ignored",
        "--nocapture",
        "--test-threads=1",
    ]);
    // A proxy of the machine that tests run on would be used by some processes and not by others.
    for variable in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        command.env_remove(variable);
        command.env_remove(variable.to_uppercase());
    }
    command
}

/// Runs an ignored test of the calling test binary, in a process of its own, under some environment variables. Returns
/// the text that it printed.
///
/// # Panics
/// If the test fails, or there is none of that name.
#[track_caller]
pub fn alone(test: &str, environment: &[(&str, &str)]) -> String {
    let variables = environment.iter().copied();
    let output = command(test).envs(variables).output().expect("it starts");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    // Without the second half a test that no longer exists would succeed.
    assert!(
        output.status.success() && printed.contains("1 passed"),
        "{test} {environment:?}: {printed}{errors}"
    );
    printed
}
