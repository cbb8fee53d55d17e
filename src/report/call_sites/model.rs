//! Cold: from the stacks of a recording to [`CallSites`].
//!
//! 1. All addresses are symbolised at once: each to its frames, several where functions were inlined.
//! 2. Whose code a frame is depends on the root of the build, which the frame of a known line of the user's gives away.
//! 3. Of each stack, what lies above the scope is cut off, and so are the allocator's own frames below the allocation.
//! 4. Stacks that read the same are one site.
//!
//! Everything after symbolisation works on plain data.

use std::collections::{btree_map, hash_map, BTreeMap, HashMap};
use std::env;
use std::panic::Location;
use std::sync::Arc;

use super::code::{Build, Owner};
use super::cut::{Cut, Opening};
use super::names;
use super::sites::{CallSites, Data, Frame, Numbers, Site};
use super::source::Sources;
use super::Order;
use crate::count;
use crate::record::{Growth, Stack, Tally};
use crate::scope::Recording;
use crate::symbolize::names::{readable, short_name};
use crate::symbolize::{symbolize, Place, Symbol};
use crate::walk::{self, Stop};

/// `location` is where the scope was opened, a line of the user's. The openings of `recording` must have been walked from a function of
/// this library that is never inlined. What this takes counts nowhere.
pub(crate) fn call_sites(recording: &Recording, location: &'static Location<'static>) -> CallSites {
    count::ignored(|| {
        let recorded = Recorded {
            tallies: recording.tallies.iter().map(|(stack, tally)| (of(stack), *tally)).collect(),
            openings: recording.openings.iter().map(|stack| of(stack)).collect(),
            lost: recording.lost,
            first_past: recording.first_past.map(|(event, stack)| (event, stack.map(of))),
            location: location.file(),
            unavailable: walk::UNAVAILABLE,
            has_peak: recording.has_peak,
        };
        CallSites::new(data(&recorded, symbolize))
    })
}

/// Return addresses, outermost first, and why there are not more.
pub(super) type Trace<'a> = (&'a [usize], Stop);

fn of(stack: &Stack) -> Trace<'_> {
    (stack.return_addresses(), stack.stop())
}

/// A recording as plain data.
pub(super) struct Recorded<'a> {
    pub(super) tallies: Vec<(Trace<'a>, Tally)>,
    pub(super) openings: Vec<Trace<'a>>,
    pub(super) lost: Tally,
    pub(super) first_past: Option<(u64, Option<Trace<'a>>)>,
    pub(super) location: &'a str,
    pub(super) unavailable: Option<&'static str>,
    pub(super) has_peak: bool,
}

pub(super) fn data(recorded: &Recorded<'_>, symbolize: impl Fn(&[usize]) -> Vec<Place>) -> Data {
    let frames = Frames::new(recorded, symbolize);
    let openings: Vec<Opening<'_>> = recorded
        .openings
        .iter()
        .map(|(addresses, stop)| {
            Opening::new(addresses, stop.is_complete(), |address| frames.at(address))
        })
        .collect();

    let mut lost = numbers(&recorded.lost);
    let mut unwalked = None;
    let mut sites: BTreeMap<Vec<Reading>, Site> = BTreeMap::new();
    for (trace, tally) in &recorded.tallies {
        let (chain, cut_off) = frames.chain(*trace, &openings);
        if chain.is_empty() {
            lost.add(numbers(tally));
            unwalked = unwalked.or((!trace.1.is_complete()).then(|| trace.1.reason()));
            continue;
        }
        let (numbers, growth, has_peak) = (numbers(tally), tally.growth, recorded.has_peak);
        let site = Site { numbers, growth, frames: chain, cut_off, has_peak };
        merge(&mut sites, site);
    }
    let mut sites: Vec<Site> = sites.into_values().collect();
    Order::Allocations.sort(&mut sites, |site| site.numbers, |site| site.frames.clone());
    let opener = |opening: &Opening<'_>| {
        opening.opener(|address| frames.at(address)).is_some_and(|frame| frame.file.is_some())
    };
    let has_user = sites.iter().any(|site| site.user_frames().next().is_some());
    Data {
        has_debug_info: has_user || sites.is_empty() || openings.iter().any(opener),
        lost,
        unwalked,
        unavailable: recorded.unavailable,
        has_peak: recorded.has_peak,
        order: Order::Allocations,
        first_past: recorded.first_past.map(|(event, trace)| {
            let chain = trace.map(|trace| frames.chain(trace, &openings).0);
            (event, chain.and_then(|chain| leading(&chain).cloned()))
        }),
        sites,
    }
}

fn numbers(tally: &Tally) -> Numbers {
    let events = tally.allocs.wrapping_add(tally.reallocs);
    let (peak_blocks, peak_bytes) = tally.at_peak;
    Numbers { events, reallocs: tally.reallocs, bytes: tally.bytes, peak_blocks, peak_bytes }
}

/// The frame that stands for a chain, innermost first: the user's innermost; else, as std's own say nothing, a dependency's, one of
/// unknown code that has a name, any.
pub(super) fn leading(chain: &[Frame]) -> Option<&Frame> {
    let named =
        |owner| chain.iter().find(move |frame| frame.owner == owner && frame.function.is_some());
    chain
        .iter()
        .find(|frame| frame.is_user())
        .or_else(|| named(Owner::Dependency))
        .or_else(|| named(Owner::Unknown))
        .or_else(|| named(Owner::Std))
        .or_else(|| chain.first())
}

/// The longer of two examples of a block that grew.
pub(super) fn longer(a: Growth, b: Growth) -> Growth {
    let rank = |growth: &Growth| (growth.steps, growth.last, growth.sizes);
    if rank(&a) >= rank(&b) {
        a
    } else {
        b
    }
}

type Reading = (Option<String>, Option<String>, Option<u32>, Option<usize>);

fn merge(sites: &mut BTreeMap<Vec<Reading>, Site>, site: Site) {
    let reading = |frame: &Frame| {
        let (function, file, line, offset) = frame.reading();
        (function.map(str::to_owned), file.map(str::to_owned), line, offset)
    };
    match sites.entry(site.frames.iter().map(reading).collect()) {
        btree_map::Entry::Vacant(place) => {
            place.insert(site);
        }
        btree_map::Entry::Occupied(mut place) => {
            let known = place.get_mut();
            known.numbers.add(site.numbers);
            known.growth = longer(known.growth, site.growth);
            known.cut_off = known.cut_off.or(site.cut_off);
            // They differ in columns; which one stays must not hang on their order.
            if site.frames < known.frames {
                known.frames = site.frames;
            }
        }
    }
}

/// The frames of all addresses, innermost first.
struct Frames {
    by_address: HashMap<usize, Vec<Frame>>,
}

impl Frames {
    fn new(recorded: &Recorded<'_>, symbolize: impl Fn(&[usize]) -> Vec<Place>) -> Self {
        let first_past = recorded.first_past.and_then(|(_, trace)| trace);
        // From the openings first, and from the inside out: so is the root looked for.
        let traces = || {
            let recorded_stacks = recorded.tallies.iter().map(|(trace, _)| trace);
            recorded.openings.iter().chain(recorded_stacks).chain(&first_past)
        };
        let mut addresses: Vec<usize> = Vec::new();
        let mut index: HashMap<usize, usize> = HashMap::new();
        for &address in traces().flat_map(|(addresses, _)| addresses.iter().rev()) {
            if let hash_map::Entry::Vacant(place) = index.entry(address) {
                place.insert(addresses.len());
                addresses.push(address);
            }
        }
        let places = symbolize(&addresses);
        let symbols = places.iter().flat_map(|place| match place {
            Place::Known(symbols) => symbols.as_slice(),
            Place::Unknown { .. } => &[],
        });
        let files = symbols.filter_map(|symbol| symbol.file.as_deref());
        let build = Build::find(recorded.location, files, &fallbacks());
        let mut maker = Maker { build, sources: Sources::default() };
        let frames = places.iter().map(|place| maker.frames(place));
        Self { by_address: addresses.iter().copied().zip(frames).collect() }
    }

    fn at(&self, address: usize) -> &[Frame] {
        self.by_address.get(&address).map_or(&[], Vec::as_slice)
    }

    /// What of a stack is the scope's, innermost first, and why it does not lead to the scope's opening.
    fn chain(
        &self,
        (addresses, stop): Trace<'_>,
        openings: &[Opening<'_>],
    ) -> (Vec<Frame>, Option<&'static str>) {
        let frames = |address| self.at(address);
        let (_, cut) = openings
            .iter()
            .map(|opening| opening.cut(addresses, stop.is_complete(), frames))
            .max_by_key(|(common, cut)| (*common, cut.frames))
            .unwrap_or((0, Cut::default()));
        let mut chain: Vec<Frame> = Vec::new();
        for (index, &address) in addresses.iter().enumerate().skip(cut.addresses).rev() {
            let frames = self.at(address);
            let outside = if index == cut.addresses { cut.frames } else { 0 };
            chain.extend_from_slice(&frames[..frames.len().saturating_sub(outside)]);
        }
        let is_shim = |frame: &Frame| frame.function().is_some_and(names::is_allocator_shim);
        let inside = chain.iter().rposition(is_shim).map_or(0, |shim| shim + 1);
        let own = chain[inside..].iter().take_while(|frame| frame.is_of_library()).count();
        chain.drain(..inside + own);
        let is_cut_off = !stop.is_complete() && !cut.is_under;
        (chain, is_cut_off.then(|| stop.reason()))
    }
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
    sources: Sources,
}

impl Maker {
    fn frames(&mut self, place: &Place) -> Vec<Frame> {
        match place {
            Place::Known(symbols) => symbols.iter().map(|symbol| self.frame(symbol)).collect(),
            Place::Unknown { module, offset } => vec![Frame {
                function: None,
                file: None,
                line: None,
                column: None,
                owner: Owner::Unknown,
                name: "".into(),
                is_closure: false,
                path: None,
                module: Some((module.as_str().into(), *offset)),
            }],
        }
    }

    fn frame(&mut self, symbol: &Symbol) -> Frame {
        let function = symbol.function.as_deref().map(readable);
        let path = symbol.file.as_deref();
        let owner = self.build.owner(function.as_deref(), path);
        let short = function.as_deref().map(short_name);
        let is_closure = short.as_ref().is_some_and(|short| short.is_closure);
        let name = short.map_or("", |short| short.name);
        let name = if names::is_initialiser(name) { "thread_local!" } else { name };
        // An inlined closure may come without the path to it.
        let is_nameless = name.is_empty() && owner == Owner::User;
        let line = symbol.line.filter(|line| *line > 0);
        let by_source = match (path, line) {
            (Some(path), Some(line)) if is_nameless => {
                self.sources.function_at(path, line, symbol.column)
            }
            _ => None,
        };
        let file = path.map(|path| match owner {
            Owner::User => self.build.relative(path),
            _ => path.to_owned(),
        });
        Frame {
            name: by_source.unwrap_or(name).into(),
            function: function.as_deref().map(Arc::from),
            file: file.map(Arc::from),
            line,
            column: symbol.column.filter(|_| line.is_some()),
            owner,
            is_closure: is_closure || is_nameless,
            path: path.map(Arc::from),
            module: None,
        }
    }
}

#[cfg(test)]
#[path = "model_tests.rs"]
mod tests;
