//! Links between files, and the pages of the site.

use std::path::Path;

use super::{blocks, page, pages, root};

/// The pages, and the files of the root that people read.
fn texts() -> Vec<std::path::PathBuf> {
    let more = [
        "ARCHITECTURE.md",
        "CODE_STYLE.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "crates/apm-agent/README.md",
    ];
    pages()
        .into_iter()
        .chain(more.map(|name| root().join(name)))
        .collect()
}

/// The targets of `[text](target)`.
fn targets(text: &str) -> impl Iterator<Item = &str> {
    let after = text
        .match_indices("](")
        .map(|(at, mark)| &text[at + mark.len()..]);
    after
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target)
}

/// The names by which links lead to the headings of a file.
fn anchors(path: &Path) -> Vec<String> {
    let text = blocks::prose(path);
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let heading = heading.trim_start_matches('#').trim().to_lowercase();
        let letters = heading
            .chars()
            .filter(|char| char.is_alphanumeric() || " -_".contains(*char));
        letters
            .map(|char| if char == ' ' { '-' } else { char })
            .collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn every_link_within_the_repository_leads_to_a_file_and_a_heading() {
    let mut broken = Vec::new();
    for path in texts() {
        let text = blocks::prose(&path);
        for target in
            targets(&text).filter(|target| !target.contains("://") && !target.contains(' '))
        {
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let to = match file {
                "" => path.clone(),
                file => path.parent().unwrap().join(file),
            };
            // Links of documentation comments, such as `crate::Agent`.
            if file.contains("::") {
                continue;
            }
            let has_anchor = || {
                anchor.is_empty()
                    || !file.ends_with("md")
                    || anchors(&to).iter().any(|one| one == anchor)
            };
            if !to.exists() || !has_anchor() {
                broken.push(format!("{}: {target}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn the_site_has_every_page() {
    let summary = page("SUMMARY.md");
    for path in pages() {
        let name = path.file_name().unwrap().to_str().unwrap();
        if !["README.md", "SUMMARY.md"].contains(&name) {
            assert!(
                summary.contains(&format!("({name})")),
                "SUMMARY.md lacks {name}"
            );
        }
    }
}
