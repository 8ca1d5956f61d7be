//! Imports point down: a crate, and a module within a crate, does not know what is above it (docs/adr/0100).
//!
//! * Crates: [`CRATES`] lists them from the lowest to the highest, with the crates that each may use.
//! * Modules at the top of a crate: [`MODULES`] lists them from the lowest to the highest.
//! * Below that, modules of one folder may use each other, as long as there is no circle.
//!
//! A module and what lies in its folder are one unit: a child may use its parent, whose types it is about. Only the
//! root of a crate is used by none of its modules.

mod source;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use source::{Import, imports};
use table::{CRATES, MODULES};

/// The packages of the workspace, by `cargo metadata`.
fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--format-version",
            "1",
            "--offline",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo metadata: {errors}");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    metadata["packages"].as_array().expect("packages").clone()
}

fn name(package: &Value) -> &str {
    package["name"].as_str().expect("a name")
}

#[test]
fn no_crate_depends_on_one_above_it() {
    let packages = packages();
    let place = |name: &str| CRATES.iter().position(|(listed, _)| *listed == name);
    let mut wrong = Vec::new();
    let found: BTreeSet<&str> = packages.iter().map(name).collect();
    for (listed, _) in CRATES {
        if !found.contains(listed) {
            wrong.push(format!("{listed} is listed in CRATES, but is not there"));
        }
    }
    for package in &packages {
        let from = name(package);
        let Some(at) = place(from) else {
            wrong.push(format!(
                "{from} is not listed: add it to CRATES, with what it may use"
            ));
            continue;
        };
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            let to = name(dependency);
            let is_for_tests = dependency["kind"] == "dev";
            let Some(below) = place(to).filter(|_| found.contains(to)) else {
                continue;
            };
            if below > at {
                wrong.push(format!("{from} depends on {to}, which is above it"));
            } else if !is_for_tests && !CRATES[at].1.contains(&to) {
                wrong.push(format!(
                    "{from} depends on {to}, and CRATES does not say so"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The folders of all crates.
fn folders() -> Vec<PathBuf> {
    let manifest = |package: &Value| {
        let manifest = package["manifest_path"].as_str().expect("a path");
        Path::new(manifest).parent().expect("a folder").to_owned()
    };
    packages().iter().map(manifest).collect()
}

/// The folder of a crate, from that of the workspace.
fn short(folder: &Path) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let short = folder.strip_prefix(root).expect("within the workspace");
    short.display().to_string()
}

#[test]
fn no_module_uses_the_root_of_its_crate() {
    let mut wrong = Vec::new();
    for folder in folders() {
        let of_root = imports(&folder).into_iter();
        wrong.extend(of_root.filter(|import| import.to.is_empty()).map(|import| {
            format!(
                "{}/src: {import}: name the module that has it",
                short(&folder)
            )
        }));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_module_uses_one_that_is_listed_above_it() {
    let mut wrong = Vec::new();
    for (folder, modules) in MODULES {
        let imports = imports(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder));
        let place = |path: &[String]| {
            let first = path.first()?;
            Some(modules.iter().position(|listed| listed == first))
        };
        for import in &imports {
            let (Some(from), Some(to)) = (place(&import.from), place(&import.to)) else {
                continue;
            };
            let mut is_missing = |path: &[String]| {
                wrong.push(format!(
                    "{folder}/src: {} is not listed: add it to MODULES",
                    path[0]
                ));
            };
            match (from, to) {
                (None, _) => is_missing(&import.from),
                (_, None) => is_missing(&import.to),
                (Some(from), Some(to)) if to > from => {
                    wrong.push(format!("{folder}/src: {import}, which is above it"));
                }
                _ => {}
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Arrows between the modules of one folder, each with an import that makes it.
type Arrows<'i> = BTreeMap<&'i str, BTreeMap<&'i str, &'i Import>>;

/// The arrows of each folder of a crate; what lies below a module belongs to it.
fn by_folder(imports: &[Import]) -> BTreeMap<&[String], Arrows<'_>> {
    let mut folders: BTreeMap<&[String], Arrows<'_>> = BTreeMap::new();
    for import in imports {
        let pairs = import.from.iter().zip(&import.to);
        let shared = pairs.take_while(|(from, to)| from == to).count();
        if let (Some(from), Some(to)) = (import.from.get(shared), import.to.get(shared)) {
            let arrows = folders.entry(&import.from[..shared]).or_default();
            arrows.entry(from).or_default().entry(to).or_insert(import);
        }
    }
    folders
}

/// The way from a module to another one along the arrows.
fn way<'i>(arrows: &Arrows<'i>, from: &'i str, to: &str) -> Option<Vec<&'i Import>> {
    let mut ways = vec![(from, Vec::new())];
    let mut seen = BTreeSet::from([from]);
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for (end, way) in ways {
            for (next, import) in arrows.get(end).into_iter().flatten() {
                let way: Vec<&Import> = way.iter().copied().chain([*import]).collect();
                if *next == to {
                    return Some(way);
                }
                if seen.insert(next) {
                    longer.push((*next, way));
                }
            }
        }
        ways = longer;
    }
    None
}

#[test]
fn modules_of_one_folder_form_no_circle() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for folder in folders() {
        let imports = imports(&folder);
        for arrows in by_folder(&imports).values() {
            let mut told = BTreeSet::new();
            for module in arrows.keys() {
                seen += arrows[module].len();
                let Some(way) = way(arrows, module, module) else {
                    continue;
                };
                // A circle is found from each of its modules.
                let mut members: Vec<&Import> = way.clone();
                members.sort();
                if told.insert(members) {
                    let way: Vec<String> = way.iter().map(ToString::to_string).collect();
                    wrong.push(format!("{}/src:\n  {}", short(&folder), way.join("\n  ")));
                }
            }
        }
    }
    assert!(seen > 500, "only {seen} arrows were read");
    assert!(
        wrong.is_empty(),
        "{} circles\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
