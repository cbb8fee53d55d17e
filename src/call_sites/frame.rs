//! Cold: `Frame`, one call on the way to an allocation, as users see it.

use std::fmt;
use std::sync::Arc;

use super::code::Owner;

/// A function, and the place in it that the next one was called from. What is not known is `None`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Frame {
    pub(crate) parts: Arc<FrameParts>,
}

/// What a frame says. A process may have millions of frames, and a few thousand of these.
#[derive(Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FrameParts {
    pub(crate) function: Option<String>,
    pub(crate) file: Option<Arc<str>>,
    pub(crate) line: Option<u32>,
    pub(crate) column: Option<u32>,
    pub(crate) owner: Owner,
    /// The last segment of the function's path. For a closure it is that of the function that the
    /// closure is written in. Empty if unknown.
    pub(crate) name: String,
    pub(crate) is_closure: bool,
    /// Whether `name` is empty because only the source has it, and that can't be read.
    pub(crate) is_name_unread: bool,
    /// Whether a macro of a dependency made it, in a crate of the user's. Then its file is the
    /// dependency's.
    pub(crate) is_made_by_macro: bool,
    /// Where the file can be read. Only the user's frames have it.
    pub(crate) path: Option<Arc<str>>,
    /// For code without symbols: the file that it was loaded from, and the offset in it.
    pub(crate) module: Option<(String, usize)>,
    /// Why nobody was asked for its symbols.
    pub(crate) unasked: Option<&'static str>,
}

impl Frame {
    /// The function's path, without hashes. It has generic arguments if the toolchain wrote them
    /// down.
    ///
    /// It is for people: toolchains differ in how they write it. Functions that were inlined have a
    /// name without a path where the debug information is `line-tables-only`.
    #[must_use]
    pub fn function(&self) -> Option<&str> {
        self.parts.function.as_deref()
    }

    /// The source file. For the user's frames it is relative to the folder that the build ran in
    /// (the workspace), as in `file!()`; a package that lies beside that folder has paths such as
    /// `../core/src/lib.rs`. For all others it is as the compiler wrote it down.
    #[must_use]
    pub fn file(&self) -> Option<&str> {
        self.parts.file.as_deref()
    }

    /// The line, the first of a file being 1.
    #[must_use]
    pub fn line(&self) -> Option<u32> {
        self.parts.line
    }

    /// The column, the first of a line being 1. It counts bytes, as debug information does;
    /// `column!()` counts characters.
    ///
    /// Of a method that is called, it is where the method's name begins. Older toolchains give the
    /// beginning of the whole expression. An optimised build may lose it where it merges code.
    #[must_use]
    pub fn column(&self) -> Option<u32> {
        self.parts.column
    }

    /// Whether this is the user's own code. That is what lies below the folder that the build ran
    /// in, or in a package beside it (up to three folders up). It is not a package below a `vendor`
    /// folder or in Cargo's registry or checkouts, nor what a build script wrote.
    #[must_use]
    pub fn is_user(&self) -> bool {
        self.parts.owner == Owner::User
    }

    pub(crate) fn is_of_library(&self) -> bool {
        self.parts.owner == Owner::Library
    }

    /// What two frames must have in common to read the same, but for columns.
    pub(crate) fn wording(&self) -> (Option<&str>, Option<&str>, Option<u32>, Option<usize>) {
        let offset = self.parts.module.as_ref().map(|(_, offset)| *offset);
        (self.function(), self.file(), self.line(), offset)
    }
}

/// `parser::tokens at src/parser.rs:14:5`
impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.function(), &self.parts.module) {
            (Some(function), _) => f.write_str(function)?,
            (None, Some((module, offset))) if module.is_empty() => write!(f, "{offset:#x}")?,
            (None, Some((module, offset))) => write!(f, "{module}+{offset:#x}")?,
            (None, None) => f.write_str("unknown")?,
        }
        if let Some(file) = self.file() {
            write!(f, " at {file}")?;
            for number in [self.line(), self.column()].into_iter().map_while(|number| number) {
                write!(f, ":{number}")?;
            }
        }
        Ok(())
    }
}

/// As it is displayed.
impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Which frame stands for a chain that is innermost first.
///
/// It is the user's innermost frame. If there is none, it is one that a macro made for the user;
/// else one that has a name, of a dependency, of unknown code or of std, in this order; else the
/// innermost of all.
pub(crate) fn leading(chain: &[&Frame]) -> Option<usize> {
    let find = |is_it: &dyn Fn(&Frame) -> bool| chain.iter().position(|frame| is_it(frame));
    let named = |owner| find(&|frame| frame.parts.owner == owner && frame.function().is_some());
    find(&Frame::is_user)
        .or_else(|| find(&|frame| frame.parts.is_made_by_macro))
        .or_else(|| named(Owner::Dependency))
        .or_else(|| named(Owner::Unknown))
        .or_else(|| named(Owner::Std))
        .or((!chain.is_empty()).then_some(0))
}
