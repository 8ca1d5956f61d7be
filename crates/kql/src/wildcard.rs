//! Text with `*` in it. Matching never backtracks over more than one star, so it is linear enough
//! for hostile patterns (`*a*a*a*…`).

/// The literal pieces between the stars; at least two pieces, each may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    pieces: Vec<String>,
}

impl Pattern {
    /// From the pieces around the stars: `["GET ", ""]` is `GET *`.
    #[must_use]
    pub(crate) fn new(pieces: Vec<String>) -> Self {
        Self { pieces }
    }

    /// Whether the pattern is nothing but stars: any value at all.
    #[must_use]
    pub(crate) fn is_any(&self) -> bool {
        self.pieces.iter().all(String::is_empty)
    }

    /// The texts between the stars, in order; each may be empty.
    #[must_use]
    pub fn pieces(&self) -> &[String] {
        &self.pieces
    }

    /// The longest of the pieces: it stands in every text that has this shape.
    #[must_use]
    pub fn longest_piece(&self) -> &str {
        let pieces = self.pieces.iter().map(String::as_str);
        pieces.max_by_key(|piece| piece.len()).unwrap_or_default()
    }

    /// Whether the whole of `text` has this shape.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let [first, middle @ .., last] = self.pieces.as_slice() else {
            return self.pieces.first().is_some_and(|only| only == text);
        };
        // Start and end are fixed, and must not overlap; between them the leftmost fit of each
        // piece is always as good as any later one.
        let Some(mut rest) = text.strip_prefix(first.as_str()) else {
            return false;
        };
        let Some(inner) = rest.strip_suffix(last.as_str()) else {
            return false;
        };
        rest = inner;
        for piece in middle {
            match rest.find(piece.as_str()) {
                Some(at) => rest = &rest[at + piece.len()..],
                None => return false,
            }
        }
        true
    }

    /// The same, ignoring case, anywhere in `text`; `lower_text` is lower case already.
    #[must_use]
    pub(crate) fn is_within(&self, lower_text: &str) -> bool {
        let mut rest = lower_text;
        for piece in &self.pieces {
            let piece = piece.to_lowercase();
            match rest.find(&piece) {
                Some(at) => rest = &rest[at + piece.len()..],
                None => return false,
            }
        }
        true
    }

    /// The same pattern of small letters.
    #[must_use]
    pub(crate) fn to_lowercase(&self) -> Self {
        Self::new(
            self.pieces
                .iter()
                .map(|piece| piece.to_lowercase())
                .collect(),
        )
    }

    /// The pattern for SQLite's GLOB, which is case-sensitive like [`Self::matches`].
    #[must_use]
    pub fn to_glob(&self) -> String {
        let mut glob = String::new();
        for (index, piece) in self.pieces.iter().enumerate() {
            if index > 0 {
                glob.push('*');
            }
            for char in piece.chars() {
                match char {
                    // GLOB has no escape: within brackets the sign stands for itself.
                    '*' | '?' | '[' => {
                        glob.push('[');
                        glob.push(char);
                        glob.push(']');
                    }
                    _ => glob.push(char),
                }
            }
        }
        glob
    }
}
