//! Fenced blocks of Markdown.

use std::path::Path;

/// A fenced block.
#[derive(Debug)]
pub struct Block {
    /// Its file and line, for messages.
    pub place: String,
    /// The first word after the fence.
    pub language: String,
    /// The words after it.
    words: Vec<String>,
    pub text: String,
}

impl Block {
    pub fn has(&self, word: &str) -> bool {
        self.words.iter().any(|known| known == word)
    }

    /// The value of `name=value`.
    pub fn option(&self, name: &str) -> Option<&str> {
        self.words
            .iter()
            .find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
    }
}

/// The fenced blocks of a file.
pub fn blocks(path: &Path) -> Vec<Block> {
    let name = path
        .strip_prefix(super::root())
        .unwrap()
        .display()
        .to_string();
    let text = std::fs::read_to_string(path).unwrap();
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (number, line) in text.lines().enumerate() {
        let Some(info) = line.trim_start().strip_prefix("```") else {
            if let Some(block) = &mut open {
                block.text.push_str(line);
                block.text.push('\n');
            }
            continue;
        };
        match open.take() {
            Some(block) => blocks.push(block),
            None => {
                let mut words = info.split_whitespace().map(str::to_owned);
                open = Some(Block {
                    place: format!("{name}:{}", number + 1),
                    language: words.next().unwrap_or_default(),
                    words: words.collect(),
                    text: String::new(),
                });
            }
        }
    }
    assert!(open.is_none(), "{name}: a fence is not closed");
    blocks
}

/// The text of a file without its fenced blocks.
pub fn prose(path: &Path) -> String {
    let mut inside = false;
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().filter(|line| {
        let is_fence = line.trim_start().starts_with("```");
        inside ^= is_fence;
        !inside && !is_fence
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The pieces of code within a text: between single backticks.
pub fn spans(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .flat_map(|line| line.split('`').skip(1).step_by(2))
}

/// The first cells of the rows of the tables of a text, without what is set in other type.
pub fn first_cells(text: &str) -> Vec<String> {
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    rows.filter_map(|row| row.split('`').nth(1))
        .map(str::to_owned)
        .collect()
}
