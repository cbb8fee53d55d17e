//! Cold: `Frames`, what is at the addresses of a recording.

use super::code::{Build, Owner};
use super::frame::{Frame, FrameParts};
use super::frame_list::FrameList;
use super::names;
use super::resolver::Resolver;
use super::source::moved_root;
use crate::files;
use crate::index::Index;
use crate::reading::{return_addresses, Recording};
use crate::sort::sort_by;
use crate::symbolize::Place;

/// A frame is its number in the list of all: see [`FrameList`].
pub(super) struct Frames {
    /// Where an address is in `resolved`.
    places: Index,
    resolved: Vec<Resolved>,
    /// Of each frame, whether it is this library's.
    is_library: Vec<bool>,
}

/// What is at one address.
pub(super) struct Resolved {
    /// Innermost first.
    pub(super) frames: Vec<u32>,
    /// How many of the frames, the innermost, are the allocator. 0 for nearly all addresses.
    pub(super) in_allocator: usize,
}

impl Frames {
    pub(super) fn new(
        recording: &Recording,
        location: &str,
        symbolize: &dyn Fn(&[usize]) -> Vec<Place>,
    ) -> (Self, FrameList) {
        let addresses = distinct_addresses(recording);
        let places = symbolize(&addresses);
        let mut index = Index::default();
        for (place, address) in addresses.iter().enumerate() {
            index.find_or_insert(*address, place);
        }

        // The root is looked for in the openings first, and there from the inside out.
        let mut ordered: Vec<&Place> = Vec::new();
        for stack in &recording.openings {
            for address in return_addresses(stack).into_iter().rev() {
                ordered.extend(index.find(address).map(|at| &places[at]));
            }
        }
        ordered.extend(&places);
        let mut files: Vec<&str> = Vec::new();
        for place in ordered {
            if let Place::Known(symbols) = place {
                files.extend(symbols.iter().filter_map(|symbol| symbol.file.as_deref()));
            }
        }
        let fallbacks = files::source_folders();
        let build = Build::find(location, &files, &fallbacks);
        let moved_root = moved_root(location, &build.file(location), &fallbacks);

        let mut resolver = Resolver::new(build, moved_root);
        let mut frames: Vec<Vec<FrameParts>> =
            places.iter().map(|place| resolver.frames(place)).collect();
        mark_what_macros_make(&mut frames);
        let (list, numbers) = FrameList::new(frames);
        let is_shim = list.map(&mut |frame| names::is_allocator_shim(&frame.parts.name));
        let mut resolved = Vec::with_capacity(numbers.len());
        for frames in numbers {
            let outermost = frames.iter().rposition(|frame| is_shim[*frame as usize]);
            let in_allocator = outermost.map_or(0, |outermost| outermost + 1);
            resolved.push(Resolved { frames, in_allocator });
        }
        let is_library = list.map(&mut Frame::is_of_library);
        (Self { places: index, resolved, is_library }, list)
    }

    /// What is at an address, innermost first.
    pub(super) fn at(&self, address: usize) -> &[u32] {
        self.resolved(address).map_or(&[], |resolved| &resolved.frames)
    }

    pub(super) fn is_library(&self, frame: u32) -> bool {
        self.is_library.as_slice()[frame as usize]
    }

    pub(super) fn resolved(&self, address: usize) -> Option<&Resolved> {
        self.resolved.get(self.places.find(address)?)
    }
}

/// Sorted.
fn distinct_addresses(recording: &Recording) -> Vec<usize> {
    let first_overrun = recording.first_overrun.and_then(|(_, stack)| stack);
    let stacks = recording.stacks.iter().map(|(stack, _)| stack);
    let largest = recording.largest_blocks.iter().filter_map(|(stack, _)| stack.as_ref());
    let mut addresses: Vec<usize> = Vec::new();
    let mut known = Index::default();
    let mut previous: Vec<usize> = Vec::new();
    for stack in stacks.chain(&recording.openings).chain(&first_overrun).chain(largest) {
        let stack = return_addresses(stack);
        // Most of its addresses are those of the stack before it.
        let (here, before) = (stack.as_slice(), previous.as_slice());
        let mut common = 0;
        while common < here.len() && common < before.len() && here[common] == before[common] {
            common += 1;
        }
        for &address in &stack[common..] {
            if known.find_or_insert(address, addresses.len()).is_none() {
                addresses.push(address);
            }
        }
        previous = stack;
    }
    sort_by(&mut addresses, usize::cmp);
    addresses
}

/// Marks functions of the user's crates whose lines are in a dependency: macros of dependencies
/// make such (`proptest!`).
fn mark_what_macros_make(frames: &mut [Vec<FrameParts>]) {
    // The path of a method may begin with the crate of its type.
    fn crate_of(frame: &FrameParts) -> Option<&str> {
        names::crate_of(frame.function.as_deref().filter(|function| !function.starts_with('<'))?)
    }
    let of = |owner| {
        let mut found: Vec<&FrameParts> = Vec::new();
        for frames in frames.iter() {
            found.extend(frames.iter().filter(|frame| frame.owner == owner));
        }
        found
    };
    // Few frames are a dependency's, and their crates are looked for among the user's.
    let mut crates: Vec<&str> = Vec::new();
    for krate in of(Owner::Dependency).into_iter().filter_map(crate_of) {
        if !crates.contains(&krate) {
            crates.push(krate);
        }
    }
    let users = of(Owner::User);
    crates.retain(|krate| {
        users.iter().any(|frame| {
            let function = frame.function.as_deref();
            function.is_some_and(|function| function.starts_with(krate))
                && crate_of(frame) == Some(krate)
        })
    });
    let users: Vec<String> = crates.into_iter().map(str::to_owned).collect();
    for frames in frames {
        for frame in frames {
            let is_users = |krate| users.iter().any(|users| users == krate);
            frame.is_made_by_macro =
                frame.owner == Owner::Dependency && crate_of(frame).is_some_and(is_users);
        }
    }
}
