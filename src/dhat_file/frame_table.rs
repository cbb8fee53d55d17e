//! Cold: `FrameTable`, the frames of a DHAT file: their texts, and which of a stack are shown.
//!
//! It does as dhat-rs does. At the inner end of a stack are functions of the allocator: only the
//! outermost of them is shown. What lies above the function that began the profile is not shown at
//! all.
//!
//! Stacks are trimmed in `call_sites` as well, and both ways are right. A file has the addresses
//! and the allocator as dhat-rs shows them, so that the two can be compared; a call site ends at
//! one function of the user's, which may share its address with others.

use std::collections::{BTreeMap, BTreeSet};

use crate::call_sites::{common_with_opening, is_allocator_shim};
use crate::reading::{return_addresses, DhatProfile};
use crate::stacks::Stack;
use crate::symbolize::names::{short_name, without_numbers};
use crate::symbolize::{Place, Symbol};

/// The frames of all stacks of a profile, and what each address has of them.
pub(super) struct FrameTable {
    texts: Vec<String>,
    at: BTreeMap<usize, Vec<Entry>>,
    /// For each opening the addresses above the function that began the profile, outermost first,
    /// and whether they begin at the start of the thread.
    above: Vec<(Vec<usize>, bool)>,
    is_trimmed: bool,
}

/// A frame of an address.
#[derive(Clone, Copy)]
struct Entry {
    /// Where its text is in the table.
    index: usize,
    is_allocator: bool,
    is_library: bool,
}

/// The first of the texts: it is the frame of what has no stack.
const NOWHERE: &str = "[not attributed]";

impl FrameTable {
    pub(super) fn new(profile: &DhatProfile, symbolize: impl Fn(&[usize]) -> Vec<Place>) -> Self {
        let stacks = profile.points.iter().filter_map(|(stack, _)| *stack);
        let addresses: BTreeSet<usize> =
            stacks.chain(profile.openings.iter().copied()).flat_map(return_addresses).collect();
        let addresses: Vec<usize> = addresses.into_iter().collect();
        let mut texts = vec![NOWHERE.to_owned()];
        let at: BTreeMap<usize, Vec<Entry>> = addresses
            .iter()
            .zip(symbolize(&addresses))
            .map(|(address, place)| (*address, frames(*address, &place, &mut texts)))
            .collect();
        let is_trimmed = profile.is_trimmed;
        let mut frames = Self { texts, at, above: Vec::new(), is_trimmed };
        if is_trimmed {
            let above = profile.openings.iter().map(|stack| frames.above(stack));
            frames.above = above.collect();
        }
        frames
    }

    pub(super) fn text(&self, frame: usize) -> &str {
        &self.texts[frame]
    }

    /// The addresses above the function that has called the library.
    fn above(&self, opening: &Stack) -> (Vec<usize>, bool) {
        let addresses = return_addresses(opening);
        let is_library = |address: &&usize| {
            self.at.get(*address).is_some_and(|frames| frames.iter().all(|frame| frame.is_library))
        };
        let own = addresses.iter().rev().take_while(is_library).count();
        let above = addresses[..addresses.len().saturating_sub(own + 1)].to_vec();
        (above, opening.stop().is_complete())
    }

    /// How many outer addresses of a stack are left out: those that it shares with what is above
    /// the function that began the profile. A stack that was not walked to its end may begin
    /// anywhere in that. A stack that shares nothing is another thread's. From its innermost
    /// address such an address is above, too, it has reached what the runtime puts around a thread,
    /// and is left out from there on.
    fn left_out(&self, stack: &Stack, addresses: &[usize]) -> usize {
        let shared = |(above, is_complete): &(Vec<usize>, bool)| {
            common_with_opening(above, addresses, *is_complete && stack.stop().is_complete()).1
        };
        match self.above.iter().map(shared).max() {
            None | Some(0) => {
                let is_above =
                    |address| self.above.iter().any(|(above, _)| above.contains(address));
                addresses.iter().rposition(is_above).map_or(0, |last| last + 1)
            }
            Some(shared) => shared,
        }
    }

    /// The frames to show, innermost first; never empty.
    pub(super) fn shown(&self, stack: Option<&Stack>) -> Vec<usize> {
        let addresses = stack.map_or_else(Vec::new, |stack| {
            let mut addresses = return_addresses(stack);
            addresses.drain(..self.left_out(stack, &addresses));
            addresses
        });
        let frames: Vec<Entry> = addresses
            .iter()
            .rev()
            .flat_map(|address| self.at.get(address).map_or(&[][..], Vec::as_slice))
            .copied()
            .collect();
        let first = if self.is_trimmed {
            frames.iter().rposition(|frame| frame.is_allocator).unwrap_or(0)
        } else {
            0
        };
        match frames.get(first..) {
            Some([]) | None => vec![0],
            Some(frames) => frames.iter().map(|frame| frame.index).collect(),
        }
    }
}

/// What is at an address, innermost first.
fn frames(address: usize, place: &Place, texts: &mut Vec<String>) -> Vec<Entry> {
    match place {
        Place::Known(symbols) => {
            let first = texts.len();
            symbols.iter().map(|symbol| frame(address, symbol, first, texts)).collect()
        }
        Place::Unknown { module, .. } | Place::Unasked { module, .. } => {
            let text = match module.as_str() {
                "" => format!("{address:#x}: ???"),
                module => format!("{address:#x}: ??? (in {module})"),
            };
            texts.push(text);
            vec![Entry { index: texts.len() - 1, is_allocator: false, is_library: false }]
        }
    }
}

/// No other address has these texts, of which the first is at `first`. Each is there once, although
/// a function may be inlined into itself.
fn frame(address: usize, symbol: &Symbol, first: usize, texts: &mut Vec<String>) -> Entry {
    let name = symbol.function.as_deref().map(without_numbers);
    let name = name.as_deref().unwrap_or("???");
    let path = symbol.file.as_deref().unwrap_or("???");
    let file = short(path);
    let (line, column) = (symbol.line.unwrap_or(0), symbol.column.unwrap_or(0));
    let text = format!("{address:#x}: {name} ({file}:{line}:{column})");
    let known = texts[first..].iter().position(|known| *known == text);
    let index = known.map_or(texts.len(), |at| first + at);
    if known.is_none() {
        texts.push(text);
    }
    Entry { index, is_allocator: is_allocator(name, path), is_library: is_library(name) }
}

/// Whether a function hands requests on to the allocator, or is the allocator. Names of inlined
/// functions have no path where the debug information is `line-tables-only`: there the file tells.
fn is_allocator(name: &str, file: &str) -> bool {
    is_allocator_shim(short_name(name).name)
        || ["alloc::alloc::", "<alloc::alloc::"].iter().any(|start| name.starts_with(start))
        || file.ends_with("/library/alloc/src/alloc.rs")
        || name.starts_with("<mod_alloc::") && name.contains(" as core::alloc::")
        || name.starts_with("mod_alloc::threads::")
}

fn is_library(name: &str) -> bool {
    name.starts_with("mod_alloc::") || name.starts_with("<mod_alloc::")
}

/// The last three components of a path.
fn short(path: &str) -> &str {
    let mut separators = path.rmatch_indices(std::path::is_separator).skip(2);
    separators.next().map_or(path, |(at, _)| &path[at + 1..])
}

#[cfg(test)]
mod tests {
    use super::{is_allocator, short};

    #[test]
    fn paths_have_three_components() {
        let check = |path, expected| assert_eq!(short(path), expected);
        check("", "");
        check("a.rs", "a.rs");
        check("/a.rs", "/a.rs");
        check("/b/a.rs", "/b/a.rs");
        check("c/b/a.rs", "c/b/a.rs");
        check("/c/b/a.rs", "c/b/a.rs");
        check("/d/c/b/a.rs", "c/b/a.rs");
    }

    #[test]
    fn inlined_allocators_are_told_by_their_file() {
        assert!(is_allocator("alloc_impl", "/rustc/5/library/alloc/src/alloc.rs"));
        assert!(!is_allocator("with_capacity<u8>", "/rustc/5/library/alloc/src/vec/mod.rs"));
    }

    #[test]
    fn allocators_are_told_by_their_names() {
        for name in [
            "alloc::alloc::alloc",
            "<alloc::alloc::Global as core::alloc::Allocator>::allocate",
            "<alloc::alloc::Global>::alloc_impl_runtime",
            "<mod_alloc::allocator::ModAlloc<A> as core::alloc::global::GlobalAlloc>::alloc",
            "__rust_realloc",
            "__rustc::__rust_alloc",
        ] {
            assert!(is_allocator(name, "/p/src/a.rs"), "{name}");
        }
        for name in [
            "alloc::vec::Vec<T,A>::push",
            "mod_alloc::dhat::ad_hoc_event",
            "p::alloc",
            "__rust_begin_short_backtrace<p::main>",
            "__rust_try",
            "__rustc::__rust_start_panic",
        ] {
            assert!(!is_allocator(name, "/p/src/alloc.rs"), "{name}");
        }
    }
}
