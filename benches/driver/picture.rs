//! Draws lines in panels side by side, as an SVG file. Both axes are logarithmic.

use std::fs;
use std::path::PathBuf;

use crate::cargo;

pub(crate) struct Panel {
    /// The marks of the horizontal axis, from left to right.
    pub(crate) numbers: Vec<u64>,
    /// The name of each line, and its value at each mark.
    pub(crate) lines: Vec<(&'static str, Vec<f64>)>,
}

/// The size of what is drawn into a panel, and the place that it has.
const WIDTH: f64 = 210.0;
const HEIGHT: f64 = 240.0;
const PITCH: f64 = 285.0;
const LEFT: f64 = 55.0;
const TOP: f64 = 40.0;

/// The vertical axis, in nanoseconds. All panels have the same.
const LEAST: f64 = 1.0;
const MOST: f64 = 10_000.0;

const COLOURS: [&str; 4] = ["#1f6fb4", "#d1600f", "#2f8f4e", "#777777"];

/// Writes `growth.svg` into the folder for builds, and returns its path.
pub(crate) fn draw(titles: &[&str], panels: &[Panel]) -> PathBuf {
    let width = PITCH * panels.len() as f64;
    let height = TOP + HEIGHT + 100.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"white\"/>\n"
    );
    for (at, (title, panel)) in titles.iter().zip(panels).enumerate() {
        let left = LEFT + PITCH * at as f64;
        svg += &format!("<g transform=\"translate({left} {TOP})\">\n");
        draw_panel(&mut svg, title, panel);
        svg += "</g>\n";
    }
    svg += "</svg>\n";
    let path = cargo::scratch("growth.svg");
    fs::write(&path, svg).expect("writable");
    path
}

fn draw_panel(svg: &mut String, title: &str, panel: &Panel) {
    text(svg, (0.0, -18.0), "start", "#000", &format!("ns, by number of {title}"));
    for nanos in [1.0, 10.0, 100.0, 1_000.0, 10_000.0] {
        let y = height(nanos);
        *svg += &format!("<path d=\"M0 {y:.0}H{WIDTH}\" stroke=\"#ddd\"/>\n");
        text(svg, (-6.0, y + 4.0), "end", "#000", &nanos.to_string());
    }
    let across = |at: usize| WIDTH * at as f64 / (panel.numbers.len() - 1) as f64;
    for (at, number) in panel.numbers.iter().enumerate() {
        text(svg, (across(at), HEIGHT + 18.0), "middle", "#000", &number.to_string());
    }
    for (at, ((name, values), colour)) in panel.lines.iter().zip(COLOURS).enumerate() {
        let points: Vec<_> = values
            .iter()
            .enumerate()
            .map(|(at, nanos)| format!("{:.1},{:.1}", across(at), height(*nanos)))
            .collect();
        let points = points.join(" ");
        *svg += &format!(
            "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>\n"
        );
        text(svg, (0.0, HEIGHT + 40.0 + 15.0 * at as f64), "start", colour, name);
    }
}

fn height(nanos: f64) -> f64 {
    HEIGHT * (MOST / nanos.clamp(LEAST, MOST)).ln() / (MOST / LEAST).ln()
}

fn text(svg: &mut String, (x, y): (f64, f64), anchor: &str, colour: &str, text: &str) {
    *svg += &format!(
        "<text x=\"{x:.0}\" y=\"{y:.0}\" text-anchor=\"{anchor}\" fill=\"{colour}\">{text}</text>\n"
    );
}
