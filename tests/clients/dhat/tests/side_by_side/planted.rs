//! Tests of the comparison itself. Whatever is changed in a file is noticed, either because the
//! viewer would not take it, or as a difference.

use std::collections::HashSet;
use std::fs;

use serde_json::{json, Value};

use crate::child::{Running, Side};
use crate::difference;
use crate::frame::Detail;
use crate::profile::Profile;

type Change = (&'static str, fn(&mut Value));

const REFUSED: [Change; 21] = [
    ("another version", |file| file["dhatFileVersion"] = json!(1)),
    ("a version in quotes", |file| file["dhatFileVersion"] = json!("2")),
    ("no mode", |file| remove(file, "mode")),
    ("no verb", |file| remove(file, "verb")),
    ("accesses", |file| file["bkacc"] = json!(true)),
    ("no unit of time", |file| remove(file, "tu")),
    ("no larger unit of time", |file| remove(file, "Mtu")),
    ("no threshold", |file| remove(file, "tuth")),
    ("another command", |file| file["cmd"] = json!("true")),
    ("another process", |file| file["pid"] = json!(1)),
    ("a peak after the end", |file| file["tg"] = json!(file["te"].as_u64().unwrap() + 1)),
    ("one unit only", |file| file["bu"] = json!("unit")),
    ("another root", |file| file["ftbl"][0] = json!("[ROOT]")),
    ("a frame without an address", |file| file["ftbl"][1] = json!("main (src/main.rs:1:1)")),
    ("a longer path", |file| file["ftbl"][1] = json!("0x1: main (root/program/src/main.rs:1:1)")),
    ("a frame twice", |file| file["ftbl"][1] = file["ftbl"][2].clone()),
    ("an index past the end", |file| {
        file["pps"][0]["fs"][0] = json!(file["ftbl"].as_array().unwrap().len())
    }),
    ("the root in a point", |file| file["pps"][0]["fs"][0] = json!(0)),
    ("a place twice", |file| file["pps"][0]["fs"] = file["pps"][1]["fs"].clone()),
    ("a frame of no point", |file| {
        file["ftbl"].as_array_mut().unwrap().push(json!("0x1: main (src/main.rs:1:1)"))
    }),
    ("no lifetimes", |file| remove(&mut file["pps"][0], "tl")),
];

/// Changes of the head, and of what can be summed up. They are noticed however little of the
/// backtraces is compared.
const DIFFERENT: [Change; 10] = [
    ("another mode", |file| file["mode"] = json!("heap")),
    ("another verb", |file| file["verb"] = json!("allocated")),
    ("another unit of time", |file| file["tu"] = json!("us")),
    ("another threshold", |file| file["tuth"] = json!(11)),
    ("another field", |file| file["another"] = json!(1)),
    ("a point less", |file| {
        let points = file["pps"].as_array_mut().unwrap();
        let removed = points.remove(0)["fs"].clone();
        // Its frames are not removed, for that would be noticed.
        points[0]["fs"].as_array_mut().unwrap().extend(removed.as_array().unwrap().iter().cloned());
    }),
    ("a byte more", |file| add(&mut file["pps"][0]["tb"], 1)),
    ("a block more", |file| add(&mut file["pps"][0]["tbk"], 1)),
    ("other bytes at the peak", |file| at_peak(file)["gb"] = json!(0)),
    ("other blocks at the peak", |file| {
        let point = at_peak(file);
        point["gb"] = json!(0);
        point["gbk"] = json!(0);
    }),
];

const DIFFERENT_IN_DETAIL: [Change; 8] = [
    ("a byte more at the most", |file| add(&mut reallocated(file)["mb"], 1)),
    ("a block more at the most", |file| add(&mut reallocated(file)["mbk"], 1)),
    ("too long a life", |file| file["pps"][0]["tl"] = json!(file["te"].as_u64().unwrap() * 1000)),
    ("another line", |file| replace_in_frames(file, "heap.rs:", "heap.rs:1")),
    ("another column", |file| replace_in_frames(file, ")", "1)")),
    ("another function", |file| replace_in_frames(file, "heap::run", "heap::walk")),
    ("another path", |file| replace_in_frames(file, "src/programs/heap.rs", "programs/heap.rs")),
    ("an inlined frame with an address of its own", |file| {
        let inlined = inlined(file);
        *inlined = json!(inlined.as_str().unwrap().replacen("0x", "0x1", 1));
    }),
];

fn remove(of: &mut Value, name: &str) {
    of.as_object_mut().unwrap().remove(name).unwrap();
}

fn add(figure: &mut Value, more: u64) {
    *figure = json!(figure.as_u64().unwrap() + more);
}

fn at_peak(file: &mut Value) -> &mut Value {
    let points = file["pps"].as_array_mut().unwrap();
    points.iter_mut().find(|point| point["gb"] != 0).unwrap()
}

/// A point that has allocated more than it ever had.
fn reallocated(file: &mut Value) -> &mut Value {
    let points = file["pps"].as_array_mut().unwrap();
    points.iter_mut().find(|point| point["tbk"] == 2).unwrap()
}

fn replace_in_frames(file: &mut Value, from: &str, to: &str) {
    for frame in file["ftbl"].as_array_mut().unwrap() {
        *frame = json!(frame.as_str().unwrap().replace(from, to));
    }
}

/// A frame with the address of another.
fn inlined(file: &mut Value) -> &mut Value {
    let mut addresses = HashSet::new();
    let mut frames = file["ftbl"].as_array_mut().unwrap().iter_mut().skip(1);
    frames
        .find(|frame| {
            !addresses.insert(frame.as_str().unwrap().split(':').next().unwrap().to_owned())
        })
        .unwrap()
}

#[test]
fn each_planted_difference_is_noticed() {
    let outcome = Running::start(Side::Dhat, "planted", &["heap"], &[]).finish();
    let text = fs::read_to_string(outcome.folder.join("dhat-heap.json")).unwrap();
    let original: Value = serde_json::from_str(&text).unwrap();
    let parse = |file: &Value| {
        let (command, pid) = (original["cmd"].as_str().unwrap(), original["pid"].as_u64().unwrap());
        Profile::parse(&file.to_string(), command, pid as u32)
    };
    let unchanged = parse(&original).unwrap();
    for (change, apply) in REFUSED {
        let mut file = original.clone();
        apply(&mut file);
        assert!(parse(&file).is_err(), "{change}");
    }
    let notice = |(change, apply): Change, details: &[Detail]| {
        let mut file = original.clone();
        apply(&mut file);
        let changed = parse(&file).unwrap_or_else(|error| panic!("{change}: {error}"));
        for detail in details {
            let mut found = Vec::new();
            difference::profiles("file", &unchanged, &changed, *detail, &mut found);
            assert!(!found.is_empty(), "{change}, {detail:?}");
        }
    };
    for change in DIFFERENT {
        notice(change, &[Detail::Frames, Detail::Program, Detail::Nothing]);
    }
    for change in DIFFERENT_IN_DETAIL {
        notice(change, &[Detail::Frames]);
    }
}
