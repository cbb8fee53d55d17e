//! What is not the same on both sides, in words.
//!
//! Lifetimes are not compared, for they are times. And in dhat, the lifetime of a block that was
//! reallocated begins with the last reallocation.

use std::collections::BTreeMap;

use crate::child::Outcome;
use crate::frame::{Chain, Detail};
use crate::profile::Profile;

/// An optimised program calls and inlines other functions with one allocator than with the other.
/// Then, only the program's own functions in backtraces are compared. In files with a limited
/// number of frames, backtraces are not compared at all.
pub fn detail(file: &str) -> Detail {
    if cfg!(debug_assertions) {
        Detail::Frames
    } else if file.starts_with("few") {
        Detail::Nothing
    } else {
        Detail::Program
    }
}

pub fn outcomes(dhat: &Outcome, mod_alloc: &Outcome) -> Vec<String> {
    let mut found = Vec::new();
    lines("output", &dhat.output, &mod_alloc.output, &mut found);
    lines("errors", &dhat.errors, &mod_alloc.errors, &mut found);
    for (file, profile) in &dhat.profiles {
        match mod_alloc.profiles.get(file) {
            Some(other) => profiles(file, profile, other, detail(file), &mut found),
            None => found.push(format!("{file} is only there with dhat")),
        }
    }
    for file in mod_alloc.profiles.keys() {
        if !dhat.profiles.contains_key(file) {
            found.push(format!("{file} is not there with dhat"));
        }
    }
    found
}

fn lines(what: &str, dhat: &str, mod_alloc: &str, found: &mut Vec<String>) {
    let (mut dhat, mut mod_alloc) = (dhat.lines(), mod_alloc.lines());
    loop {
        match (dhat.next(), mod_alloc.next()) {
            (None, None) => break,
            (expected, actual) if expected != actual => {
                found.push(format!("{what}: {expected:?}\n     not {actual:?}"));
            }
            _ => (),
        }
    }
}

pub fn profiles(
    file: &str,
    dhat: &Profile,
    mod_alloc: &Profile,
    detail: Detail,
    found: &mut Vec<String>,
) {
    if dhat.head != mod_alloc.head {
        found.push(format!("{file}: {:?}\n    not {:?}", dhat.head, mod_alloc.head));
    }
    for profile in [dhat, mod_alloc] {
        for point in profile.points.iter().filter(|point| !point.is_possible(profile.end)) {
            found.push(format!("{file}: {:?} is not possible", point.figures));
        }
    }
    let mut sides: BTreeMap<Chain, [Vec<Figures<'_>>; 2]> = BTreeMap::new();
    for (side, points) in [&dhat.points, &mod_alloc.points].into_iter().enumerate() {
        for point in points {
            sides.entry(point.chain(detail)).or_default()[side].push(&point.figures);
        }
    }
    for (chain, [mut dhat, mut mod_alloc]) in sides {
        dhat.sort_unstable();
        mod_alloc.sort_unstable();
        if dhat != mod_alloc
            && !(chain.may_be_of_several_points() && are_the_same_in_sum(&dhat, &mod_alloc))
        {
            found.push(format!("{file}: {dhat:?}\n    not {mod_alloc:?}{chain}"));
        }
    }
}

type Figures<'a> = &'a BTreeMap<String, u64>;

/// Compares the sums of points that are told apart by what is not compared. One side may have more
/// of them.
fn are_the_same_in_sum(dhat: &[Figures<'_>], mod_alloc: &[Figures<'_>]) -> bool {
    let sum = |points: &[Figures<'_>], name: &str| {
        points.iter().filter_map(|figures| figures.get(name)).sum::<u64>()
    };
    let largest = |points: &[Figures<'_>], name: &str| {
        points.iter().filter_map(|figures| figures.get(name)).max().copied()
    };
    let additive = ["tb", "tbk", "gb", "gbk", "eb", "ebk"];
    // The maximum of all together is between the largest of their maxima and the sum of these.
    let is_possible = |some, others| largest(some, "mb") <= Some(sum(others, "mb"));
    additive.iter().all(|name| sum(dhat, name) == sum(mod_alloc, name))
        && is_possible(dhat, mod_alloc)
        && is_possible(mod_alloc, dhat)
}
