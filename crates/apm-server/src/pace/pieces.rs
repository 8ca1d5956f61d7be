//! For tests: text that arrives in pieces.

/// Feeds `text` to readers in pieces of one size each, and returns in how many bytes each found the end.
///
/// `take` reads a piece, and says how many bytes of it belong to what is read, and whether that is all.
pub(super) fn ends<Reader: Default>(
    text: &str,
    take: fn(&mut Reader, &[u8]) -> (usize, bool),
) -> impl Iterator<Item = (usize, Option<usize>)> {
    (1..=text.len()).map(move |size| {
        let mut reader = Reader::default();
        let mut taken = 0;
        for piece in text.as_bytes().chunks(size) {
            let (length, is_whole) = take(&mut reader, piece);
            taken += length;
            if is_whole {
                return (size, Some(taken));
            }
            assert_eq!(length, piece.len());
        }
        (size, None)
    })
}
