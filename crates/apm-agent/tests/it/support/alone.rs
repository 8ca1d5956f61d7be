//! Tests that need a process of their own: for its environment, its threads, or what can be set only once.

use std::process::Command;

/// Runs an ignored test of this binary alone in a process, under these environment variables, and says what it printed.
pub(crate) fn alone(test: &str, environment: &[(&str, &str)]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([
        test,
        "--exact",
        "--ignored",
        "--nocapture",
        "--test-threads=1",
    ]);
    for variable in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        command.env_remove(variable);
        command.env_remove(variable.to_uppercase());
    }
    let output = command.envs(environment.iter().copied()).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    // Without the second half a test that no longer exists would succeed.
    assert!(
        output.status.success() && printed.contains("1 passed"),
        "{test} {environment:?}: {printed}{errors}"
    );
    printed
}
