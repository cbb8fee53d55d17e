//! Cold: `Frames`, what is at the addresses of a recording: from symbols to frames, and from stacks
//! to chains of frames.

use std::collections::BTreeSet;
use std::env;
use std::sync::Arc;

use super::code::{Build, Owner};
use super::frame::{Frame, FrameParts};
use super::names;
use super::opening::{Cut, Opening};
use super::source::{moved_root, Sources};
use crate::reading::Recording;
use crate::stacks::Stack;
use crate::symbolize::names::{readable, short_name};
use crate::symbolize::{Place, Symbol};

pub(super) struct Frames {
    /// Sorted, each once.
    addresses: Vec<usize>,
    /// What is at each.
    resolved: Vec<Resolved>,
}

/// What is at one address.
struct Resolved {
    /// Innermost first.
    frames: Vec<Frame>,
    /// For each frame a number, the same for those that read the same: it is sooner compared than
    /// they are.
    readings: Vec<usize>,
    /// How many of the frames, the innermost, are the allocator. 0 for nearly all addresses.
    in_allocator: usize,
}

/// A stack, as far as it is the scope's.
pub(super) struct Chain {
    /// Innermost first.
    pub(super) frames: Vec<Frame>,
    /// Equal if the frames read the same.
    pub(super) readings: Vec<usize>,
    /// After so many frames, some were left out.
    pub(super) gap: Option<usize>,
    /// Why it does not lead to the scope's opening.
    pub(super) cut_off: Option<&'static str>,
}

impl Frames {
    pub(super) fn new(
        recording: &Recording,
        location: &str,
        symbolize: impl Fn(&[usize]) -> Vec<Place>,
    ) -> Self {
        let addresses = distinct_addresses(recording);
        let places = symbolize(&addresses);

        // From the openings first, and from the inside out: so is the root looked for.
        let openings = recording.openings.iter();
        let opening = openings.flat_map(|stack| stack.return_addresses().iter().rev());
        let at_opening = opening.filter_map(|opening| places.get(position(&addresses, *opening)?));
        let symbols = at_opening.chain(&places).flat_map(|place| match place {
            Place::Known(symbols) => symbols.as_slice(),
            Place::Unknown { .. } => &[],
        });
        let files = symbols.filter_map(|symbol| symbol.file.as_deref());
        let fallbacks = fallbacks();
        let build = Build::find(location, files, &fallbacks);
        let written = build.file(location);
        let moved_root = moved_root(location, &written, &fallbacks);

        let mut maker = Maker { build, moved_root, sources: Sources::default() };
        let mut resolved: Vec<Resolved> =
            places.iter().map(|place| maker.resolved(place)).collect();
        mark_what_macros_make(&mut resolved);
        number(&mut resolved);
        Self { addresses, resolved }
    }

    /// What is at an address, innermost first.
    pub(super) fn at(&self, address: usize) -> &[Frame] {
        self.resolved(address).map_or(&[], |resolved| &resolved.frames)
    }

    fn resolved(&self, address: usize) -> Option<&Resolved> {
        self.resolved.get(position(&self.addresses, address)?)
    }

    pub(super) fn chain(&self, stack: &Stack, openings: &[Opening]) -> Chain {
        let (addresses, stop) = (stack.return_addresses(), stack.stop());
        let frames = |address| self.at(address);
        let (_, cut) = openings
            .iter()
            .map(|opening| opening.cut(addresses, stop, frames))
            .max_by_key(|(common, cut)| (*common, cut.frames))
            .unwrap_or((0, Cut::default()));

        // From the outside in, up to the call of the allocator.
        let mut within: Vec<&Resolved> = Vec::new();
        for address in &addresses[cut.addresses..] {
            let Some(resolved) = self.resolved(*address) else { continue };
            within.push(resolved);
            if resolved.in_allocator > 0 {
                break;
            }
        }
        let outside_gap = stop.outer_end().and_then(|end| end.checked_sub(cut.addresses));
        let mut chain =
            Chain { frames: Vec::new(), readings: Vec::new(), gap: None, cut_off: None };
        for (index, resolved) in within.iter().enumerate().rev() {
            if outside_gap == Some(index + 1) {
                chain.gap = Some(chain.frames.len());
            }
            let outside = if index == 0 { cut.frames } else { 0 };
            let end = resolved.frames.len().saturating_sub(outside);
            let start = resolved.in_allocator.min(end);
            chain.frames.extend_from_slice(&resolved.frames[start..end]);
            chain.readings.extend_from_slice(&resolved.readings[start..end]);
        }
        if let Some(gap) = &mut chain.gap {
            *gap -= chain.frames[..*gap].iter().filter(|frame| frame.is_of_library()).count();
        }
        let mut is_of_library = chain.frames.iter().map(Frame::is_of_library);
        chain.readings.retain(|_| !is_of_library.next().unwrap_or(false));
        chain.frames.retain(|frame| !frame.is_of_library());
        let is_cut_off = !stop.is_complete() && !cut.is_under || cut.is_opener_left_out;
        chain.cut_off = is_cut_off.then(|| stop.reason());
        chain
    }
}

/// Sorted.
fn distinct_addresses(recording: &Recording) -> Vec<usize> {
    let first_overrun = recording.first_overrun.and_then(|(_, stack)| stack);
    let stacks = recording.stacks.iter().map(|(stack, _)| stack);
    let mut addresses: Vec<usize> = Vec::new();
    let mut most = 1 << 16;
    let mut previous: &[usize] = &[];
    for stack in stacks.chain(&recording.openings).chain(&first_overrun) {
        let stack = stack.return_addresses();
        // Most of it is what the one before had.
        let mut common = 0;
        while common < stack.len() && common < previous.len() && stack[common] == previous[common] {
            common += 1;
        }
        addresses.extend_from_slice(&stack[common..]);
        previous = stack;
        // A million stacks may have a few thousand addresses.
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

/// Functions of the user's crates whose lines are in a dependency, as macros of dependencies make
/// them (`proptest!`).
fn mark_what_macros_make(resolved: &mut [Resolved]) {
    // The path of a method may begin with the crate of its type.
    let crate_of = |frame: &Frame| {
        let function = frame.function().filter(|function| !function.starts_with('<'))?;
        names::crate_of(function).map(str::to_owned)
    };
    let users: BTreeSet<String> = resolved
        .iter()
        .flat_map(|resolved| &resolved.frames)
        .filter(|frame| frame.is_user())
        .filter_map(crate_of)
        .collect();
    for frame in resolved.iter_mut().flat_map(|resolved| &mut resolved.frames) {
        if frame.parts.owner == Owner::Dependency
            && crate_of(frame).is_some_and(|krate| users.contains(&krate))
        {
            if let Some(parts) = Arc::get_mut(&mut frame.parts) {
                parts.is_made_by_macro = true;
            }
        }
    }
}

/// Numbers the readings of all frames.
fn number(resolved: &mut [Resolved]) {
    let mut frames: Vec<(Frame, usize, usize)> = Vec::new();
    for (at, resolved) in resolved.iter_mut().enumerate() {
        resolved.readings.resize(resolved.frames.len(), 0);
        frames.extend(resolved.frames.iter().enumerate().map(|(n, frame)| (frame.clone(), at, n)));
    }
    frames.sort_unstable_by(|(a, ..), (b, ..)| a.reading().cmp(&b.reading()));
    let mut number = 0;
    for (index, (frame, at, n)) in frames.iter().enumerate() {
        if index > 0 && frames[index - 1].0.reading() != frame.reading() {
            number += 1;
        }
        resolved[*at].readings[*n] = number;
    }
}

/// Where in sorted addresses this one is. By hand, for debug builds: it is asked for each address
/// of each stack.
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

/// Folders that may be the build's root, where no frame says so.
fn fallbacks() -> Vec<String> {
    let manifest = env::var("CARGO_MANIFEST_DIR").ok();
    let current =
        env::current_dir().ok().and_then(|folder| folder.into_os_string().into_string().ok());
    manifest.into_iter().chain(current).collect()
}

/// Makes frames of symbols.
struct Maker {
    build: Build,
    /// Where the user's files are, if not where the compiler says.
    moved_root: Option<String>,
    sources: Sources,
}

impl Maker {
    fn resolved(&mut self, place: &Place) -> Resolved {
        let symbols = match place {
            Place::Known(symbols) => symbols,
            Place::Unknown { module, offset } => {
                let parts = FrameParts {
                    function: None,
                    file: None,
                    line: None,
                    column: None,
                    owner: Owner::Unknown,
                    name: String::new(),
                    is_closure: false,
                    is_name_unread: false,
                    is_made_by_macro: false,
                    path: None,
                    module: Some((module.clone(), *offset)),
                };
                let frames = vec![Frame { parts: Arc::new(parts) }];
                return Resolved { frames, readings: Vec::new(), in_allocator: 0 };
            }
        };
        let frames = Vec::with_capacity(symbols.len());
        let mut resolved = Resolved { frames, readings: Vec::new(), in_allocator: 0 };
        for symbol in symbols {
            let (frame, is_shim) = self.frame(symbol);
            resolved.frames.push(frame);
            if is_shim {
                resolved.in_allocator = resolved.frames.len();
            }
        }
        resolved
    }

    /// The frame, and whether it is where callers of the allocator get to it.
    fn frame(&mut self, symbol: &Symbol) -> (Frame, bool) {
        let function = symbol.function.as_deref().map(readable);
        let short = function.as_deref().map(short_name);
        let krate = short.and_then(|short| short.krate);
        let path = symbol.file.as_deref();
        let owner = self.build.owner(function.as_deref(), krate, path);
        let is_closure = short.is_some_and(|short| short.is_closure);
        let name = short.map_or("", |short| short.name);
        let is_shim = names::is_allocator_shim(name);
        let name = if names::is_initialiser(name) { "thread_local!" } else { name };
        let (file, path) = match (path, owner) {
            (Some(path), Owner::User) => {
                let file = self.build.relative(path);
                let moved = self.moved_root.as_ref().map(|root| format!("{root}/{file}"));
                (Some(file), Some(moved.unwrap_or_else(|| path.to_owned())))
            }
            _ => (path.map(str::to_owned), None),
        };
        // An inlined closure may come without the path to it.
        let is_nameless = name.is_empty() && owner == Owner::User;
        let line = symbol.line.filter(|line| *line > 0);
        let by_source = match (&path, line) {
            (Some(path), Some(line)) if is_nameless => {
                self.sources.item_at(path, line, symbol.column).map(|item| item.name.to_owned())
            }
            _ => None,
        };
        let is_name_unread = match &path {
            Some(path) => is_nameless && by_source.is_none() && !self.sources.can_be_read(path),
            None => false,
        };
        let name = by_source.unwrap_or_else(|| name.to_owned());
        let parts = FrameParts {
            name,
            function,
            file,
            line,
            column: symbol.column.filter(|_| line.is_some()),
            owner,
            is_closure: is_closure || is_nameless,
            is_name_unread,
            is_made_by_macro: false,
            path,
            module: None,
        };
        (Frame { parts: Arc::new(parts) }, is_shim)
    }
}
