//! The documentation: every command in it runs, every other block is well-formed, every link leads somewhere, and
//! tables of names are those of the code.
//!
//! The language of a fenced block says what is done with it:
//!
//! | block | what is done |
//! |---|---|
//! | `sh` | run in a directory with a server and a service, whose addresses take the place of the usual ones |
//! | `sh` with `cargo run` | run in a directory of its own, in which `cargo run` is the binary |
//! | `sh no-run`, or with another command of cargo or a script of `.ci` | parsed; what it names has to be there |
//! | `sql` | asked of a store with generated data, and has to find rows |
//! | `kql` | each line asked of the server, and has to find events; not with `no-match` |
//! | `json`, `yaml` | parsed |
//! | `toml` | parsed, and has to be a part of a `Cargo.toml` |
//! | `toml options` | options of the server: read by `pocket-apm config check` |
//! | `rust from=FILE` | has to stand in that file, which is compiled |
//! | `rust`, `text` and the like | counted |

mod blocks;
mod deploy;
mod facts;
mod grafana;
mod image;
mod links;
mod options;
mod prometheus;
mod proxies;
mod sandbox;
mod scale_out;
mod shell;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Instant;

use blocks::{Block, blocks};
use sandbox::Sandbox;

/// Blocks that cannot run in a test.
const ONLY_PARSED: &str = "only parsed by the shell";

/// The folder of the repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// README.md and the pages of docs/, without the records of decisions.
fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<_> = std::fs::read_dir(root().join("docs"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .chain([root().join("README.md")])
        .collect();
    pages.sort();
    pages
}

fn all_blocks() -> Vec<Block> {
    pages().iter().flat_map(|page| blocks(page)).collect()
}

/// A page of docs/.
fn page(name: &str) -> String {
    std::fs::read_to_string(root().join("docs").join(name)).unwrap()
}

#[actix_web::test]
#[cfg_attr(not(target_os = "linux"), ignore = "blocks use GNU's programs")]
async fn every_block_of_the_documentation_runs_or_is_well_formed() {
    let started = Instant::now();
    let sandbox = Sandbox::start().await;
    let mut counts = BTreeMap::<&str, usize>::new();
    let (mut wrong, mut not_run) = (Vec::new(), BTreeSet::new());
    for block in all_blocks() {
        let (done, result) = match (
            block.language.as_str(),
            block.has("no-run") || shell::needs_checkout(&block),
        ) {
            _ if has_own_script(&block) => {
                ("run by a script of the gate", shell::can_be_read(&block))
            }
            ("sh", false) => ("run by the shell", sandbox.run(&block)),
            ("sh", true) if !block.has("no-run") && shell::needs_binary_alone(&block) => {
                ("run by the shell", sandbox.run_in_checkout(&block))
            }
            ("sh", true) => (
                ONLY_PARSED,
                shell::is_well_formed(&block).and_then(|()| shell::names_what_is_there(&block)),
            ),
            ("sql", false) => ("asked in SQL", sandbox.sql(&block)),
            ("sql", true) => ("SQL that is not asked", Ok(())),
            ("kql", _) => ("asked in KQL", sandbox.kql(&block).await),
            ("json", _) => (
                "JSON",
                parsed(serde_json::from_str::<serde_json::Value>(&whole(
                    &block.text,
                ))),
            ),
            ("yaml", _) => (
                "YAML",
                parsed(yaml_rust2::YamlLoader::load_from_str(&block.text)),
            ),
            ("toml", _) if block.has("options") => ("options in TOML", sandbox.options(&block)),
            ("toml", _) => ("a part of Cargo.toml", is_of_cargo(&block)),
            ("rust", _) => match block.option("from") {
                Some(file) => ("Rust of a file that is compiled", stands_in(&block, file)),
                None => ("Rust that is not compiled", Ok(())),
            },
            ("text" | "ini" | "nginx" | "caddy" | "http" | "html" | "js" | "python", _) => {
                ("shown", Ok(()))
            }
            (other, _) => ("", Err(format!("nobody knows what to do with `{other}`"))),
        };
        if done == ONLY_PARSED {
            let page = block.place.split(':').next().unwrap_or_default();
            not_run.insert(page.to_owned());
        }
        *counts.entry(done).or_default() += 1;
        if let Err(error) = result {
            wrong.push(format!("{}: {error}", block.place));
        }
    }
    eprintln!("{counts:#?} in {} ms", started.elapsed().as_millis());
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n\n"));
    // Nobody may get round this test by calling every block one that cannot run.
    let run = counts["run by the shell"] + counts["run by a script of the gate"];
    assert!(run > counts[ONLY_PARSED], "{counts:#?}");
    assert!(counts["Rust of a file that is compiled"] > 0, "{counts:#?}");
    let contributing = std::fs::read_to_string(root().join("CONTRIBUTING.md")).unwrap();
    let listed: BTreeSet<_> = blocks::first_cells(&contributing).into_iter().collect();
    assert_eq!(not_run, listed, "CONTRIBUTING.md says what is not run");
}

/// Whether a script of the gate runs the blocks of a page in one shell, and compares what they print.
fn has_own_script(block: &Block) -> bool {
    block.language == "sh"
        && block.place.starts_with("docs/sql-insight.md")
        && root().join(".ci/sql-insight").exists()
}

/// Whether TOML is a part of a manifest of cargo: a block of the server's options that is not marked is none.
fn is_of_cargo(block: &Block) -> Result<(), String> {
    const PARTS: [&str; 3] = ["dependencies", "dev-dependencies", "profile"];
    let table: toml::Table = block.text.parse().map_err(|error| format!("{error}"))?;
    match table.keys().find(|part| !PARTS.contains(&part.as_str())) {
        None => Ok(()),
        Some(other) => Err(format!(
            "`{other}` is no part of a Cargo.toml: mark options of the server by ```toml options"
        )),
    }
}

/// A piece of JSON, such as an entry of a list, as a document.
fn whole(json: &str) -> String {
    json.trim().trim_end_matches(',').to_owned()
}

fn parsed<T, E: std::fmt::Display>(result: Result<T, E>) -> Result<(), String> {
    result.map(drop).map_err(|error| error.to_string())
}

/// Whether the lines of a block stand in a file as they are.
fn stands_in(block: &Block, file: &str) -> Result<(), String> {
    let source =
        std::fs::read_to_string(root().join(file)).map_err(|error| format!("{file}: {error}"))?;
    match source.contains(block.text.trim_end()) {
        true => Ok(()),
        false => Err(format!("{file} has other lines than\n{}", block.text)),
    }
}
