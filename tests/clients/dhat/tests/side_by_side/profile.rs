//! A file that a profiler has saved.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::frame::{Chain, Detail, Frame};
use crate::viewer;

pub struct Profile {
    /// The rest of the file, which is not in the other fields.
    pub head: BTreeMap<String, Value>,
    pub points: Vec<Point>,
    /// In microseconds.
    pub end: u64,
}

/// A program point: a backtrace at which blocks were allocated.
#[derive(Clone)]
pub struct Point {
    pub frames: Vec<Frame>,
    /// All figures but the lifetimes.
    pub figures: BTreeMap<String, u64>,
    pub lifetimes: Option<u64>,
}

impl Profile {
    /// Reads a file. It must be one that the viewer can show, and of the process `pid`, which was
    /// started by `command`.
    pub fn parse(file: &str, command: &str, pid: u32) -> Result<Self, String> {
        let file: Value = serde_json::from_str(file).map_err(|error| error.to_string())?;
        viewer::check(&file)?;
        if viewer::text(&file, "cmd")? != command || viewer::number(&file, "pid")? != u64::from(pid)
        {
            return Err("not of this process".to_owned());
        }
        let end = viewer::number(&file, "te")?;
        let table = viewer::array(&file, "ftbl")?;
        let mut points = Vec::new();
        for point in viewer::array(&file, "pps")? {
            points.push(Point::of(point, table)?);
        }
        let mut head: BTreeMap<String, Value> =
            serde_json::from_value(file).map_err(|error| error.to_string())?;
        head.retain(|name, _| !["cmd", "pid", "pps", "ftbl"].contains(&name.as_str()));
        // Two runs do not take the same time.
        for time in ["te", "tg"] {
            head.entry(time.to_owned()).and_modify(|time| *time = Value::from("a time"));
        }
        Ok(Self { head, points, end })
    }
}

impl Point {
    fn of(point: &Value, table: &[Value]) -> Result<Self, String> {
        let mut frames = Vec::new();
        for index in viewer::array(point, "fs")? {
            let text =
                index.as_u64().and_then(|index| table[index as usize].as_str()).ok_or("a frame")?;
            frames.push(
                Frame::parse(text)
                    .ok_or_else(|| format!("{text} is not how a frame is written"))?,
            );
        }
        let mut figures = BTreeMap::new();
        for (name, value) in point.as_object().ok_or("a point")? {
            if name != "fs" {
                figures.insert(name.clone(), value.as_u64().ok_or("a figure")?);
            }
        }
        let lifetimes = figures.remove("tl");
        Ok(Self { frames, figures, lifetimes })
    }

    /// Whether a program can have these figures, if no other thread was allocating at the end.
    pub fn is_possible(&self, end: u64) -> bool {
        let figure = |name: &str| self.figures.get(name).copied().unwrap_or(0);
        let (bytes, blocks) = (figure("tb"), figure("tbk"));
        let most = self.figures.get("mb").copied().unwrap_or(bytes);
        let moments = [["mb", "mbk"], ["gb", "gbk"], ["eb", "ebk"]].map(|names| names.map(figure));
        let are_some = |[some_bytes, some_blocks]: [u64; 2]| {
            some_bytes <= bytes && some_blocks <= blocks && (some_bytes == 0 || some_blocks > 0)
        };
        moments.into_iter().all(are_some)
            && moments.iter().all(|moment| moment[0] <= most)
            && self.lifetimes.unwrap_or(0) <= end * blocks
    }

    pub fn chain(&self, detail: Detail) -> Chain {
        Chain::new(&self.frames, detail)
    }
}
