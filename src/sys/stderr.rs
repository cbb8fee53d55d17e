//! Hot: a word on stderr, past std's lock and buffer: for what must be said inside the allocator,
//! where the thread may hold that lock.
//!
//! Relies on: POSIX, by which `write` may be called anywhere, even in a signal handler.
#![allow(unsafe_code)]

/// Says it, where there is a way to. If nobody reads it, nothing is lost but the word.
///
/// It saves no `errno`: within a call of the allocator, whose callers rely on none.
#[cfg(all(unix, not(miri)))]
pub(crate) fn say(text: &[u8]) {
    const STDERR: i32 = 2;
    let mut rest = text;
    while !rest.is_empty() {
        // SAFETY: the text is valid for so many bytes.
        let written = unsafe { super::process::write(STDERR, rest.as_ptr().cast(), rest.len()) };
        match usize::try_from(written).ok().and_then(|written| rest.get(written..)) {
            Some(left) if left.len() < rest.len() => rest = left,
            _ => return,
        }
    }
}

#[cfg(not(all(unix, not(miri))))]
pub(crate) fn say(_text: &[u8]) {}
