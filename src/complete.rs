//! Completions for shells and the manual page, which a package installs beside the program.

use clap_complete::Shell;
use clap_mangen::Man;

use crate::cli::Cli;
use crate::terminal::print;

/// Prints a script that completes the command line.
///
/// # Errors
/// If the output takes nothing.
pub fn completions(shell: Shell) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::listed(), "pocket-apm", &mut script);
    Ok(print(&String::from_utf8(script)?)?)
}

/// Prints the manual page.
///
/// # Errors
/// If the output takes nothing.
pub fn man() -> anyhow::Result<()> {
    let mut page = Vec::new();
    Man::new(Cli::listed()).render(&mut page)?;
    Ok(print(&String::from_utf8(page)?)?)
}
