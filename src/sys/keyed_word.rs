//! Hot: `thread_word!` where `thread_local!` is made of keys of the system, and may ask the
//! allocator. It stands in the place of `thread_word.rs`.

use super::thread_key::ThreadKey;

macro_rules! thread_word {
    ($(#[$doc:meta])* static $name:ident) => {
        $(#[$doc])*
        static $name: $crate::sys::ThreadWord = $crate::sys::ThreadWord::new();
    };
}

pub(crate) use thread_word;

pub(crate) struct ThreadWord(ThreadKey);

impl ThreadWord {
    pub(crate) const fn new() -> Self {
        Self(ThreadKey::new(None))
    }

    pub(crate) fn get(&self) -> usize {
        self.0.get() as usize
    }

    /// Without a key, the word stays zero.
    pub(crate) fn set(&self, value: usize) {
        self.0.set(value as *const _);
    }
}
