//! Cold: made-up programs for the tests beside it.

use std::collections::HashMap;
use std::iter;

use super::of_recording::data;
use super::site::{Site, SiteData};
use crate::reading::{CompactCounts, Recording};
use crate::stacks::{made_up_stack, made_up_walk, SiteCounts};
use crate::symbolize::{Place, Symbol};
use crate::walk::Stop;

#[derive(Clone, Copy)]
pub(crate) struct Program<'a> {
    /// What is at each address, a frame a line: `address function @ file:line:column`, or
    /// `address ?module+offset`, with ` unasked` where nobody was asked. Inlined frames of the same
    /// address are innermost first. `MANIFEST` is the folder of this library.
    pub(crate) places: &'a str,
    pub(crate) location: &'a str,
    /// Outermost first.
    pub(crate) openings: &'a [&'a [usize]],
    pub(crate) stacks: &'a [(&'a [usize], SiteCounts)],
    /// Of all stacks.
    pub(crate) stop: Stop,
    pub(crate) unattributed: SiteCounts,
    pub(crate) first_overrun: Option<(u64, Option<&'a [usize]>)>,
    pub(crate) unavailable: Option<&'static str>,
}

impl Program<'_> {
    pub(crate) const NONE: Self = Self {
        places: "",
        location: "",
        openings: &[],
        stacks: &[],
        stop: Stop::Complete,
        unattributed: counts(0, 0, 0),
        first_overrun: None,
        unavailable: None,
    };
}

pub(crate) const fn counts(allocs: u64, reallocs: u64, bytes: u64) -> SiteCounts {
    SiteCounts { allocs, reallocs, bytes, ..SiteCounts::ZERO }
}

/// The site of an allocation at these frames, one a line and the innermost first, below a function
/// of the user's, as in [`Program::places`].
pub(crate) fn site_below(frames: &str, user: &str) -> Site {
    let frames = frames.lines().chain([user]).map(|frame| format!("2 {frame}\n"));
    let places: String =
        iter::once("1 p::main @ /p/src/main.rs:9\n".to_owned()).chain(frames).collect();
    let stacks = &[(&[1, 2][..], counts(1, 0, 8))];
    let program = Program { places: &places, location: "src/main.rs", stacks, ..Program::NONE };
    program.data().listed()[0].clone()
}

impl Program<'_> {
    pub(crate) fn data(&self) -> SiteData {
        let stack = |addresses: &[usize]| made_up_walk(addresses, self.stop);
        let mut recording = Recording::default();
        let compact = |(at, counts): &(&[usize], _)| (stack(at), CompactCounts::of(counts));
        recording.stacks = self.stacks.iter().map(compact).collect();
        let opening = |addresses: &&[usize]| made_up_stack(addresses);
        recording.openings = self.openings.iter().map(opening).collect();
        recording.unattributed = self.unattributed;
        recording.first_overrun = self.first_overrun.map(|(event, at)| (event, at.map(stack)));
        let places = self.places();
        let unknown = |address| Place::Unknown { module: String::new(), offset: address };
        data(&recording, self.location, self.unavailable, &|addresses| {
            let place = |address| places.get(address).cloned().unwrap_or_else(|| unknown(*address));
            addresses.iter().map(place).collect()
        })
    }

    fn places(&self) -> HashMap<usize, Place> {
        let mut places: HashMap<usize, Place> = HashMap::new();
        for line in self.places.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (address, frame) = line.split_once(' ').expect("an address and a frame");
            let address: usize = address.parse().expect("an address");
            if let Some(module) = frame.strip_prefix('?') {
                let (module, offset) = module.split_once('+').expect("a module and an offset");
                let (module, is_unasked) = (module.to_owned(), offset.ends_with(" unasked"));
                let offset = offset.trim_end_matches(" unasked").parse().expect("an offset");
                let place = match is_unasked {
                    true => Place::Unasked { module, offset, why: "it snows" },
                    false => Place::Unknown { module, offset },
                };
                places.insert(address, place);
                continue;
            }
            let place = places.entry(address).or_insert_with(|| Place::Known(Vec::new()));
            let Place::Known(symbols) = place else { panic!("both known and not: {line}") };
            symbols.push(symbol(frame));
        }
        places
    }
}

fn symbol(frame: &str) -> Symbol {
    let Some((function, place)) = frame.split_once(" @ ") else {
        return Symbol { function: Some(frame.to_owned()), ..Symbol::default() };
    };
    // A drive has a colon, too.
    let end = place.find(".rs:").map_or(place.len(), |at| at + ".rs".len());
    let (file, numbers) = place.split_at(end);
    let mut parts = numbers.split(':').skip(1);
    let file = Some(file.replace("MANIFEST", env!("CARGO_MANIFEST_DIR")).into());
    let mut number = || parts.next().map(|number| number.parse().expect("a number"));
    let line = number();
    Symbol { function: Some(function.to_owned()), file, line, column: number() }
}
