//! One line of a backtrace, as it is compared.
//!
//! Three things are taken out, in which the two must differ:
//! - the address. It is only compared whether it is that of the frame before, as inlined frames
//!   have the address of the function that they are in;
//! - the name of the program's own crate, since two crates have the same source;
//! - the innermost frames, as long as they are the allocator's own. See `is_allocator`.

use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Frame {
    pub address: u64,
    pub function: String,
    /// `file:line:column`
    pub place: String,
}

impl Frame {
    /// Reads `0xADDRESS: function (file:line:column)`.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, rest) = text.strip_prefix("0x")?.split_once(": ")?;
        let address = u64::from_str_radix(address, 16).ok()?;
        let (function, place) = rest.strip_suffix(')')?.rsplit_once(" (")?;
        let mut parts = place.rsplitn(3, ':');
        let _column: u32 = parts.next()?.parse().ok()?;
        let _line: u32 = parts.next()?.parse().ok()?;
        let file = parts.next()?;
        if file.is_empty() || function.is_empty() || file.split('/').count() > 3 {
            return None;
        }
        // A frame with a file and no line has neither in mod-alloc, which asks the standard
        // library.
        let place = if place.ends_with(":0:0") { "???:0:0" } else { place };
        let [function, place] = [function, place]
            .map(|text| text.replace("with_dhat", "program").replace("with_mod_alloc", "program"));
        Some(Self { address, function, place })
    }

    /// Whether it is a function of the allocator, one that walks the stack for it, or one that the
    /// compiler puts between it and `std::alloc`. In dhat, `alloc_zeroed` is that of the trait.
    pub fn is_allocator(&self) -> bool {
        const BEGINNINGS: [&str; 10] = [
            "<dhat::",
            "dhat::",
            "backtrace::",
            "<mod_alloc::",
            "mod_alloc::",
            "core::alloc::global::GlobalAlloc::alloc_zeroed",
            "__rustc::__rust_",
            "__rustc[",
            "__rust_",
            "__rg_",
        ];
        BEGINNINGS.iter().any(|beginning| self.function.starts_with(beginning))
    }

    fn is_of_program(&self) -> bool {
        self.function.starts_with("program::") || self.function.starts_with("<program::")
    }
}

/// How much of a backtrace is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// All of its frames are.
    Frames,
    /// The frames of the program's functions are.
    Program,
    Nothing,
}

/// A backtrace without what may differ.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Chain {
    lines: Vec<String>,
    may_be_of_several_points: bool,
}

impl Chain {
    pub fn new(frames: &[Frame], detail: Detail) -> Self {
        let own = frames.iter().take_while(|frame| frame.is_allocator()).count();
        let mut last = None;
        let mut lines = Vec::new();
        let mut reaches_program = false;
        for frame in &frames[own..] {
            let is_same_address = last.replace(frame.address) == Some(frame.address);
            reaches_program |= frame.is_of_program();
            let mark = if is_same_address { "  in " } else { "" };
            match detail {
                Detail::Frames => lines.push(format!("{mark}{} ({})", frame.function, frame.place)),
                Detail::Program if frame.is_of_program() => {
                    lines.push(format!("{} ({})", frame.function, frame.place))
                }
                Detail::Program | Detail::Nothing => (),
            }
        }
        Self { lines, may_be_of_several_points: detail != Detail::Frames || !reaches_program }
    }

    /// Whether several points may have this backtrace. There may be several copies of a generic
    /// function of std. They are not told apart if the backtrace was cut off before their callers.
    pub fn may_be_of_several_points(&self) -> bool {
        self.may_be_of_several_points
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| write!(f, "\n      {line}"))
    }
}
