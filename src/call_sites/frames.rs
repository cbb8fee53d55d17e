//! Cold: `Frames`, what is at the addresses of a recording.

use std::collections::BTreeSet;
use std::env;

use super::code::{Build, Owner};
use super::frame::{Frame, FrameParts};
use super::frame_list::FrameList;
use super::names;
use super::resolver::Resolver;
use super::source::moved_root;
use crate::index::Index;
use crate::reading::{return_addresses, Recording};
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
        symbolize: impl Fn(&[usize]) -> Vec<Place>,
    ) -> (Self, FrameList) {
        let addresses = distinct_addresses(recording);
        let places = symbolize(&addresses);
        let mut index = Index::default();
        for (place, address) in addresses.iter().enumerate() {
            index.find_or_insert(*address, place);
        }

        // The root is looked for in the openings first, and there from the inside out.
        let openings = recording.openings.iter();
        let opening = openings.flat_map(|stack| return_addresses(stack).into_iter().rev());
        let at_opening = opening.filter_map(|opening| places.get(index.find(opening)?));
        let symbols = at_opening.chain(&places).flat_map(|place| match place {
            Place::Known(symbols) => symbols.as_slice(),
            Place::Unknown { .. } => &[],
        });
        let files = symbols.filter_map(|symbol| symbol.file.as_deref());
        let fallbacks = fallbacks();
        let build = Build::find(location, files, &fallbacks);
        let moved_root = moved_root(location, &build.file(location), &fallbacks);

        let mut resolver = Resolver::new(build, moved_root);
        let mut frames: Vec<Vec<FrameParts>> =
            places.iter().map(|place| resolver.frames(place)).collect();
        mark_what_macros_make(&mut frames);
        let in_allocator = |frames: &Vec<FrameParts>| {
            frames.iter().rposition(|frame| names::is_allocator_shim(&frame.name))
        };
        let in_allocator: Vec<Option<usize>> = frames.iter().map(in_allocator).collect();
        let (list, numbers) = FrameList::new(frames);
        let resolved = numbers.into_iter().zip(in_allocator).map(|(frames, outermost)| Resolved {
            frames,
            in_allocator: outermost.map_or(0, |outermost| outermost + 1),
        });
        let is_library = list.map(Frame::is_of_library);
        (Self { places: index, resolved: resolved.collect(), is_library }, list)
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
    let mut addresses: Vec<usize> = Vec::new();
    let mut known = Index::default();
    let mut previous: Vec<usize> = Vec::new();
    for stack in stacks.chain(&recording.openings).chain(&first_overrun) {
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
    addresses.sort_unstable();
    addresses
}

/// Marks functions of the user's crates whose lines are in a dependency: macros of dependencies
/// make such (`proptest!`).
fn mark_what_macros_make(frames: &mut [Vec<FrameParts>]) {
    // The path of a method may begin with the crate of its type.
    fn crate_of(frame: &FrameParts) -> Option<&str> {
        names::crate_of(frame.function.as_deref().filter(|function| !function.starts_with('<'))?)
    }
    let of = |owner| frames.iter().flatten().filter(move |frame| frame.owner == owner);
    // Few frames are a dependency's, and their crates are looked for among the user's.
    let crates: BTreeSet<&str> = of(Owner::Dependency).filter_map(crate_of).collect();
    let is_users = |krate: &&str| {
        let mut users = of(Owner::User).filter(|frame| {
            frame.function.as_deref().is_some_and(|function| function.starts_with(*krate))
        });
        users.any(|frame| crate_of(frame) == Some(krate))
    };
    let users: Vec<String> = crates.into_iter().filter(is_users).map(str::to_owned).collect();
    for frame in frames.iter_mut().flatten().filter(|frame| frame.owner == Owner::Dependency) {
        let is_users = |krate| users.iter().any(|users| users == krate);
        frame.is_made_by_macro = crate_of(frame).is_some_and(is_users);
    }
}

/// Folders that may be the root of the build, for where no frame tells it.
fn fallbacks() -> Vec<String> {
    let manifest = env::var("CARGO_MANIFEST_DIR").ok();
    let current =
        env::current_dir().ok().and_then(|folder| folder.into_os_string().into_string().ok());
    manifest.into_iter().chain(current).collect()
}
