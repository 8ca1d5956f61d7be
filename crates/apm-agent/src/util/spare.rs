//! Buffers that a thread uses again: a transaction fills two, which are too large for the fast lists of an allocator.

use std::cell::RefCell;

/// Buffers that a thread keeps.
const MOST: usize = 8;
/// Bytes of the largest buffer that is kept.
const LARGEST: usize = 16 * 1024;

thread_local! {
    static SPARE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// An empty buffer; without memory, if this thread has none left.
pub(crate) fn take() -> Vec<u8> {
    let spare = SPARE.try_with(|spare| spare.try_borrow_mut().ok()?.pop());
    spare.ok().flatten().unwrap_or_default()
}

/// Keeps the memory of a buffer for the next one of this thread.
pub(crate) fn give(mut buffer: Vec<u8>) {
    if buffer.capacity() == 0 || buffer.capacity() > LARGEST {
        return;
    }
    buffer.clear();
    // While a thread is being torn down, its buffers go.
    let _ = SPARE.try_with(|spare| {
        if let Ok(mut spare) = spare.try_borrow_mut()
            && spare.len() < MOST
        {
            spare.push(buffer);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_buffers_of_a_usual_size_are_used_again_and_are_empty() {
        let mut buffer = take();
        buffer.extend_from_slice(&[7; 5000]);
        let place = buffer.as_ptr();
        give(buffer);
        let again = take();
        assert_eq!((again.as_ptr(), again.len()), (place, 0));
        give(Vec::with_capacity(LARGEST + 1));
        assert_eq!(take().capacity(), 0);
        for _ in 0..2 * MOST {
            give(Vec::with_capacity(10));
        }
        let kept = std::iter::repeat_with(take).take_while(|it| it.capacity() > 0);
        assert_eq!(kept.count(), MOST);
    }
}
