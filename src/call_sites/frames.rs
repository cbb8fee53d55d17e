//! Cold: `Frames`, what is at the addresses of a recording.

use std::collections::BTreeSet;
use std::env;
use std::sync::Arc;

use super::code::{Build, Owner};
use super::frame::Frame;
use super::names;
use super::resolver::{Numbered, Resolved, Resolver};
use super::source::moved_root;
use crate::reading::{return_addresses, Recording};
use crate::symbolize::Place;

pub(super) struct Frames {
    /// Sorted; each is there once.
    addresses: Vec<usize>,
    /// What is at each of them.
    resolved: Vec<Resolved>,
}

impl Frames {
    pub(super) fn new(
        recording: &Recording,
        location: &str,
        symbolize: impl Fn(&[usize]) -> Vec<Place>,
    ) -> Self {
        let addresses = distinct_addresses(recording);
        let places = symbolize(&addresses);

        // The root is looked for in the openings first, and there from the inside out.
        let openings = recording.openings.iter();
        let opening = openings.flat_map(|stack| return_addresses(stack).into_iter().rev());
        let at_opening = opening.filter_map(|opening| places.get(position(&addresses, opening)?));
        let symbols = at_opening.chain(&places).flat_map(|place| match place {
            Place::Known(symbols) => symbols.as_slice(),
            Place::Unknown { .. } => &[],
        });
        let files = symbols.filter_map(|symbol| symbol.file.as_deref());
        let fallbacks = fallbacks();
        let build = Build::find(location, files, &fallbacks);
        let moved_root = moved_root(location, &build.file(location), &fallbacks);

        let mut resolver = Resolver::new(build, moved_root);
        let mut resolved: Vec<Resolved> =
            places.iter().map(|place| resolver.resolved(place)).collect();
        mark_what_macros_make(&mut resolved);
        number(&mut resolved);
        Self { addresses, resolved }
    }

    /// What is at an address, innermost first.
    pub(super) fn at(&self, address: usize) -> &[Numbered] {
        self.resolved(address).map_or(&[], |resolved| &resolved.frames)
    }

    pub(super) fn resolved(&self, address: usize) -> Option<&Resolved> {
        self.resolved.get(position(&self.addresses, address)?)
    }
}

/// Sorted.
fn distinct_addresses(recording: &Recording) -> Vec<usize> {
    let first_overrun = recording.first_overrun.and_then(|(_, stack)| stack);
    let stacks = recording.stacks.iter().map(|(stack, _)| stack);
    let mut addresses: Vec<usize> = Vec::new();
    let mut most = 1 << 16;
    let mut previous = Vec::new();
    for stack in stacks.chain(&recording.openings).chain(&first_overrun) {
        let stack = return_addresses(stack);
        // Most of its addresses are those of the stack before it.
        let mut common = 0;
        while common < stack.len() && common < previous.len() && stack[common] == previous[common] {
            common += 1;
        }
        addresses.extend_from_slice(&stack[common..]);
        previous = stack;
        // A million stacks may have a few thousand different addresses.
        if addresses.len() > most {
            addresses.sort_unstable();
            addresses.dedup();
            most = most.max(2 * addresses.len());
        }
    }
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

/// Marks functions of the user's crates whose lines are in a dependency: macros of dependencies
/// make such (`proptest!`).
fn mark_what_macros_make(resolved: &mut [Resolved]) {
    // The path of a method may begin with the crate of its type.
    let crate_of = |frame: &Frame| {
        let function = frame.function().filter(|function| !function.starts_with('<'))?;
        names::crate_of(function).map(str::to_owned)
    };
    let users: BTreeSet<String> = resolved
        .iter()
        .flat_map(|resolved| &resolved.frames)
        .map(|numbered| &numbered.frame)
        .filter(|frame| frame.is_user())
        .filter_map(crate_of)
        .collect();
    for Numbered { frame, .. } in resolved.iter_mut().flat_map(|resolved| &mut resolved.frames) {
        if frame.parts.owner == Owner::Dependency
            && crate_of(frame).is_some_and(|krate| users.contains(&krate))
        {
            if let Some(parts) = Arc::get_mut(&mut frame.parts) {
                parts.is_made_by_macro = true;
            }
        }
    }
}

/// Gives the same number to all frames that read the same.
fn number(resolved: &mut [Resolved]) {
    let all = resolved.iter_mut().flat_map(|resolved| &mut resolved.frames);
    let mut sorted: Vec<&mut Numbered> = all.collect();
    sorted.sort_unstable_by(|a, b| a.frame.wording().cmp(&b.frame.wording()));
    for next in 1..sorted.len() {
        let differs = sorted[next - 1].frame.wording() != sorted[next].frame.wording();
        sorted[next].wording = sorted[next - 1].wording + usize::from(differs);
    }
}

/// Where in sorted addresses this one is. Written by hand because std's search is slow in debug
/// builds, and this is asked for each address of each stack.
fn position(addresses: &[usize], address: usize) -> Option<usize> {
    let (mut low, mut high) = (0, addresses.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let there = addresses[middle];
        if there == address {
            return Some(middle);
        }
        if there < address {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    None
}

/// Folders that may be the root of the build, for where no frame tells it.
fn fallbacks() -> Vec<String> {
    let manifest = env::var("CARGO_MANIFEST_DIR").ok();
    let current =
        env::current_dir().ok().and_then(|folder| folder.into_os_string().into_string().ok());
    manifest.into_iter().chain(current).collect()
}
