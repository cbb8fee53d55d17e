//! Hot: `Stop`, why a walk ended.

/// At most so many frames of a walk are kept: all of them, or the innermost half and the outermost.
pub(crate) const MAX_FRAMES: usize = 512;

/// Why a walk ended. All zeros is `Complete`, as a walker begins.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code)] // Where nothing is walked, some reasons never come up.
pub(crate) enum Stop {
    /// At the outermost function of the thread.
    Complete = 0,
    /// There are more frames than are walked at all: the innermost half of [`MAX_FRAMES`] is kept.
    TooDeep,
    /// At code without an unwind rule, or with one that the walker does not know: assembly, code
    /// made at run time, signal frames.
    UnknownCode,
    /// The stack pointer is at no stack: nothing can be read there.
    NoStack,
    /// A rule led out of the stack or not outwards.
    Inconsistent,
    /// A signal handler has interrupted the walker, or what keeps its stacks.
    Interrupting,
    /// At the outermost function of the thread, past more frames than [`MAX_FRAMES`]: the innermost
    /// half of so many is kept, and the outermost half.
    MiddleLeftOut,
}

impl Stop {
    /// Whether the walk reached the thread's outermost function.
    pub(crate) const fn is_complete(self) -> bool {
        matches!(self, Self::Complete | Self::MiddleLeftOut)
    }

    /// How many of the addresses, the outermost, lie outside of those that were left out.
    pub(crate) const fn outer_end(self) -> Option<usize> {
        match self {
            Self::MiddleLeftOut => Some(MAX_FRAMES / 2),
            _ => None,
        }
    }

    /// For people: the end of "the stack is not complete: ...".
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Complete => "it is complete",
            Self::TooDeep => {
                "it is deeper than 16,384 frames, or leads to unknown code past 512 of them"
            }
            Self::MiddleLeftOut => "it is deeper than 512 frames",
            Self::UnknownCode => "it leads to code without known unwind tables",
            Self::NoStack => "it cannot be read",
            Self::Inconsistent => "it contradicts the unwind tables",
            Self::Interrupting => {
                "it is that of a signal handler, which interrupted mod-alloc at work"
            }
        }
    }
}
