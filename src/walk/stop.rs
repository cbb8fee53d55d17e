//! Hot: `Stop`, why a walk ended.

/// Why a walk ended. All zeros is `Complete`, as a walker begins.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// At the outermost function of the thread.
    Complete = 0,
    /// There are more frames than [`MAX_FRAMES`](super::MAX_FRAMES).
    TooDeep,
    /// At code without an unwind rule, or with one that the walker does not know: assembly, code made at run time, signal frames.
    UnknownCode,
    /// The stack pointer is at no stack: nothing can be read there.
    NoStack,
    /// A rule led out of the stack or not outwards.
    Inconsistent,
    /// A signal handler has interrupted the walker, or what keeps its stacks.
    Interrupting,
}

impl Stop {
    /// Whether the walk reached the thread's outermost function.
    pub(crate) const fn is_complete(self) -> bool {
        matches!(self, Self::Complete)
    }

    /// For people: the end of "the stack is not complete: ...".
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Complete => "it is complete",
            Self::TooDeep => "it is deeper than 512 frames",
            Self::UnknownCode => "it leads to code without known unwind tables",
            Self::NoStack => "it cannot be read",
            Self::Inconsistent => "it contradicts the unwind tables",
            Self::Interrupting => {
                "it is that of a signal handler, which interrupted mod-alloc at work"
            }
        }
    }
}
