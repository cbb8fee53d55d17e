//! Hot: `thread_word!`, a number that each thread has its own of, zero at first. `keyed_word.rs`
//! stands in its place where the system has no thread-locals.

/// Without a destructor, so that it can be used at any time of a thread's life.
macro_rules! thread_word {
    ($(#[$doc:meta])* static $name:ident) => {
        thread_local! {
            $(#[$doc])*
            static $name: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
        }

        const _: () = assert!(!std::mem::needs_drop::<std::cell::Cell<usize>>());
    };
}

pub(crate) use thread_word;
