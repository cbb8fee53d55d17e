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
    pub(crate) file: Option<String>,
    pub(crate) line: Option<u32>,
    pub(crate) column: Option<u32>,
    pub(crate) owner: Owner,
    /// The last segment of the function's path; of a closure's, that of the function that it is
    /// written in. Empty if unknown.
    pub(crate) name: String,
    pub(crate) is_closure: bool,
    /// Whether `name` is empty because the source, which alone has it, can't be read.
    pub(crate) is_name_unread: bool,
    /// Whether a macro of a dependency made it, in a crate of the user's: its file is the
    /// dependency's.
    pub(crate) is_made_by_macro: bool,
    /// Where the file can be read. Only of the user's.
    pub(crate) path: Option<String>,
    /// The file of code without symbols, and the offset in it.
    pub(crate) module: Option<(String, usize)>,
}

impl Frame {
    /// The function's path, with generic arguments if the toolchain wrote them down, without
    /// hashes.
    ///
    /// For people: toolchains differ in how they write it. Functions that were inlined come without
    /// their path where the debug information is only that of lines.
    #[must_use]
    pub fn function(&self) -> Option<&str> {
        self.parts.function.as_deref()
    }

    /// The source file. Of the user's frames, relative to the folder that the build ran in (the
    /// workspace), as in `file!()`, or `../core/src/lib.rs` of a package that lies beside it; else
    /// as the compiler wrote it down.
    #[must_use]
    pub fn file(&self) -> Option<&str> {
        self.parts.file.as_deref()
    }

    /// The line, the first of a file being 1.
    #[must_use]
    pub fn line(&self) -> Option<u32> {
        self.parts.line
    }

    /// The column, the first of a line being 1.
    #[must_use]
    pub fn column(&self) -> Option<u32> {
        self.parts.column
    }

    /// Whether this is the user's own code: a file below the folder that the build ran in, or in a
    /// package that lies beside it (up to three folders up), but not of a package below a `vendor`
    /// folder, in Cargo's registry or checkouts, or written by a build script.
    #[must_use]
    pub fn is_user(&self) -> bool {
        self.parts.owner == Owner::User
    }

    pub(crate) fn is_of_library(&self) -> bool {
        self.parts.owner == Owner::Library
    }

    /// What two frames must have in common to be the same place.
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

/// The frame that stands for a chain, which is innermost first.
///
/// It is the user's innermost frame; else one that a macro made for the user; else one of a
/// dependency, then one of unknown code, then one of std, each if it has a name; else any.
pub(crate) fn leading(chain: &[Frame]) -> Option<&Frame> {
    let named = |owner| {
        chain.iter().find(move |frame| frame.parts.owner == owner && frame.function().is_some())
    };
    chain
        .iter()
        .find(|frame| frame.is_user())
        .or_else(|| chain.iter().find(|frame| frame.parts.is_made_by_macro))
        .or_else(|| named(Owner::Dependency))
        .or_else(|| named(Owner::Unknown))
        .or_else(|| named(Owner::Std))
        .or_else(|| chain.first())
}
