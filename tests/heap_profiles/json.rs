//! What the text of a DHAT profile says of each program point.

use std::collections::BTreeMap;

use crate::model::{Numbers, Point, ORPHANS};
use crate::program::{Act, Way};

const KEYS: [&str; 8] = ["tbk", "tb", "mbk", "mb", "gbk", "gb", "ebk", "eb"];

const ACTS: [(&str, Act); 4] = [
    ("alloc_a", Act::AllocA),
    ("alloc_b", Act::AllocB),
    ("realloc_a", Act::ReallocA),
    ("realloc_b", Act::ReallocB),
];

const WAYS: [(&str, Way); 7] = [
    ("here", Way::Here),
    ("in_uncounted", Way::InUncounted),
    ("attached_in_uncounted", Way::AttachedInUncounted),
    ("twice", Way::Twice),
    ("elsewhere", Way::Elsewhere),
    ("attached", Way::Attached),
    ("polled", Way::Polled),
];

/// # Panics
/// If a point is not of the program, or is there twice.
pub(crate) fn points(json: &str) -> BTreeMap<Point, Numbers> {
    let frames: Vec<&str> = json
        .lines()
        .skip_while(|line| *line != ",\"ftbl\":")
        .filter_map(|line| line.trim_start_matches([' ', ',', '[']).strip_prefix('"'))
        .skip(1)
        .collect();
    let mut points = BTreeMap::new();
    for line in json.lines().filter(|line| line.contains("\"fs\":[")) {
        let (numbers, indices) = line.split_once("\"fs\":[").expect("frames");
        let indices = indices.split_once(']').expect("their end").0.split(',');
        let indices = indices.map(|index| index.parse::<usize>().expect("a number"));
        let shown: Vec<&str> = indices.map(|index| frames[index]).collect();
        let point = match shown[..] {
            ["[not attributed]\""] => ORPHANS,
            _ => (found(&shown, &ACTS), found(&shown, &WAYS)),
        };
        let old = points.insert(point, KEYS.map(|key| number(numbers, key)));
        assert!(old.is_none(), "{point:?} is there twice");
    }
    points
}

fn found<T: Copy>(frames: &[&str], names: &[(&str, T)]) -> T {
    let function = |frame: &&str| {
        let text = frame.split_once(": ").map_or("", |(_, text)| text);
        let path = text.split_once(" (").map_or(text, |(path, _)| path);
        path.rsplit("::").next().unwrap_or("").to_owned()
    };
    let functions: Vec<String> = frames.iter().map(function).collect();
    let found = names.iter().find(|(name, _)| functions.iter().any(|function| function == name));
    found.unwrap_or_else(|| panic!("a block of somebody else: {frames:#?}")).1
}

fn number(line: &str, key: &str) -> u64 {
    let (_, rest) = line.split_once(&format!("\"{key}\":")).expect("the key");
    let end = rest.find(|c: char| !c.is_ascii_digit()).expect("more");
    rest[..end].parse().expect("a number")
}
