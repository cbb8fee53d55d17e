//! What DHAT's viewer asks of a file. There must be the fields that its script `dh_view.js` reads,
//! of the types that it computes with, and nothing that it refuses. Nor may there be what it does
//! not notice, as wrong indices of frames.

use std::collections::HashSet;

use serde_json::Value;

type Checked<T> = Result<T, String>;

pub fn check(file: &Value) -> Checked<()> {
    let ensure = |holds: bool, what: &str| if holds { Ok(()) } else { Err(what.to_owned()) };
    ensure(number(file, "dhatFileVersion")? == 2, "the version is not 2")?;
    for name in ["mode", "verb", "tu", "Mtu", "cmd"] {
        ensure(!text(file, name)?.is_empty(), name)?;
    }
    let has_lifetimes = boolean(file, "bklt")?;
    ensure(!boolean(file, "bkacc")?, "accesses are not counted")?;
    ensure(number(file, "pid")? > 0, "pid")?;
    let end = number(file, "te")?;
    if has_lifetimes {
        ensure(number(file, "tg")? <= end, "the peak is after the end")?;
        number(file, "tuth")?;
    }
    if file.get("bu").is_some() || file.get("bksu").is_some() {
        // If there is one unit, the viewer reads the others.
        text(file, "bu")?;
        text(file, "bsu")?;
        text(file, "bksu")?;
    }
    let frames = array(file, "ftbl")?;
    ensure(frames.first().and_then(Value::as_str) == Some("[root]"), "frame 0 is not the root")?;
    let mut used = vec![false; frames.len()];
    let mut places = HashSet::new();
    for point in array(file, "pps")? {
        check_point(point, has_lifetimes).map_err(|error| format!("{error} in {point}"))?;
        let mut place = Vec::new();
        for index in array(point, "fs")? {
            let index = index.as_u64().ok_or("an index is no number")? as usize;
            // The viewer puts the root there itself.
            ensure(index != 0 && index < frames.len(), "an index is not one of a frame")?;
            used[index] = true;
            place.push(index);
        }
        ensure(places.insert(place), "a place is there twice")?;
    }
    let distinct: HashSet<_> = frames.iter().map(Value::as_str).collect();
    ensure(!distinct.contains(&None), "a frame is no text")?;
    ensure(distinct.len() == frames.len(), "a frame is there twice")?;
    ensure(used[1..].iter().all(|used| *used), "a frame is not used")
}

fn check_point(point: &Value, has_lifetimes: bool) -> Checked<()> {
    let heap = ["tl", "mb", "mbk", "gb", "gbk", "eb", "ebk"];
    for name in ["tb", "tbk"].into_iter().chain(heap.into_iter().filter(|_| has_lifetimes)) {
        number(point, name)?;
    }
    Ok(())
}

fn field<'a>(of: &'a Value, name: &str) -> Checked<&'a Value> {
    of.get(name).ok_or_else(|| format!("there is no {name}"))
}

pub fn number(of: &Value, name: &str) -> Checked<u64> {
    field(of, name)?.as_u64().ok_or_else(|| format!("{name} is no number"))
}

pub fn text<'a>(of: &'a Value, name: &str) -> Checked<&'a str> {
    field(of, name)?.as_str().ok_or_else(|| format!("{name} is no text"))
}

fn boolean(of: &Value, name: &str) -> Checked<bool> {
    field(of, name)?.as_bool().ok_or_else(|| format!("{name} is no boolean"))
}

pub fn array<'a>(of: &'a Value, name: &str) -> Checked<&'a [Value]> {
    let array = field(of, name)?.as_array().ok_or_else(|| format!("{name} is no array"))?;
    Ok(array)
}
