//! The head of a report as a snapshot has it: what happened, two spaces, and the location. Whether
//! both stand on one line depends on how many digits the number of the line has.
#![allow(clippy::redundant_pub_crate)] // Some of these tests turn on every lint, for expansions.

pub(crate) fn with_head_on_one_line(report: &str) -> String {
    let is_location =
        |text: &str| text.rsplit_once(':').is_some_and(|(_, line)| line.parse::<u32>().is_ok());
    let (head, rest) = report.split_once('\n').expect("several lines");
    if let Some((what, location)) = head.rsplit_once(' ').filter(|(_, end)| is_location(end)) {
        return format!("{}  {location}\n{rest}", what.trim_end());
    }
    let (location, rest) = rest.split_once('\n').expect("several lines");
    assert!(is_location(location), "{report}");
    format!("{head}{location}\n{rest}")
}
