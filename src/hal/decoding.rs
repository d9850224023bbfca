//! Decoders of pictures that are not ours, and what they do with damaged ones.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a decoder gives; `None` if it panicked, as that of JPEG does on some damaged pictures (a row of blocks beyond the end of a
/// narrow one). A bad picture is the sender's, and must not end the thread that asked.
pub(super) fn unbroken<T>(decode: impl FnOnce() -> T) -> Option<T> {
    // A half-filled picture is all that `decode` can leave behind; who asked gets none, and writes the buffer anew.
    catch_unwind(AssertUnwindSafe(decode)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_no_picture() {
        assert_eq!(unbroken(|| 7), Some(7));
        assert_eq!(unbroken(|| [0u8; 2].get(2).copied().expect("beyond")), None);
    }
}
