//! Cold: the text of a record. It is kept in a repository and read in reviews: what changed in it
//! is what changed in the code.
//!
//! ```text
//! # What a test allocates, recorded by mod-alloc. The test fails where this differs. If it should,
//! # accept the difference: run the test with MOD_ALLOC_UPDATE=1.
//! name: tests::parses_header
//! package: parser
//!
//! [debug]
//! 14 allocations at 3 sites
//!    9  src/parser.rs tokens < src/parser.rs parse < tests/header.rs parses_header
//!    3  src/fmt.rs label < tests/header.rs parses_header
//!    2  tests/header.rs parses_header
//!
//! [debug 2]
//! 1 allocation, call sites unknown
//! ```
//!
//! There is a section for builds with debug assertions and one for those without (`[release]`), and
//! more of both where a test has several budgets. Only the section in question is read or written;
//! the others stay as they are, to the byte.

use std::fmt;

use crate::number::counted;

/// A site as the snapshot text of `CallSites` writes it, and the number of its events.
pub(super) type Row = (String, u64);

/// What one budget has allocated.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) allocations: u64,
    /// Where; `None` if that was not known.
    pub(crate) sites: Option<Vec<Row>>,
}

/// Which section that is. In the order of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SectionName {
    profile: &'static str,
    /// Which budget of the test, from 1.
    number: usize,
}

const PROFILES: [&str; 2] = ["debug", "release"];

impl SectionName {
    /// Of this build.
    pub(super) fn here(number: usize) -> Self {
        Self { profile: PROFILES[usize::from(!cfg!(debug_assertions))], number }
    }

    fn parse(line: &str) -> Option<Self> {
        let inner = line.strip_prefix('[')?.strip_suffix(']')?;
        let (profile, number) = match inner.split_once(' ') {
            None => (inner, 1),
            Some((profile, number)) => (profile, number.parse().ok().filter(|n| *n > 1)?),
        };
        let profile = PROFILES.into_iter().find(|known| *known == profile)?;
        Some(Self { profile, number })
    }
}

impl fmt::Display for SectionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number {
            1 => write!(f, "[{}]", self.profile),
            number => write!(f, "[{} {number}]", self.profile),
        }
    }
}

/// Whose record it is. No two have the same file, but a file may come from anywhere.
pub(super) struct Owner {
    pub(super) name: String,
    /// As far as it is known.
    pub(super) package: Option<String>,
}

/// Why a text cannot be used, and which line says so, from 1.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) line: usize,
    pub(super) what: String,
}

/// What a text has in a section; `None` if it has no such section.
pub(super) fn section(
    text: &str,
    owner: &Owner,
    name: SectionName,
) -> Result<Option<Section>, Fault> {
    let places = places(text, owner)?;
    let Some(place) = places.iter().find(|place| place.name == name) else { return Ok(None) };
    let mut lines = (place.line + 1..).zip(text[place.start..place.end].lines().skip(1));
    let mut next = || lines.by_ref().find(|(_, line)| !line.trim().is_empty());
    let missing = || fault(place.line, format!("{name} is empty"));
    let (at, head) = next().ok_or_else(missing)?;
    let damaged = |at, line: &str| fault(at, format!("a number is expected in `{}`", line.trim()));
    let (allocations, rest) = number(head).ok_or_else(|| damaged(at, head))?;
    if !rest.starts_with("allocation") {
        return Err(damaged(at, head));
    }
    let mut sites = Vec::new();
    while let Some((at, line)) = next() {
        let (count, site) = number(line).ok_or_else(|| damaged(at, line))?;
        sites.push((site.to_owned(), count));
    }
    if rest.ends_with(UNKNOWN) && sites.is_empty() {
        return Ok(Some(Section { allocations, sites: None }));
    }
    let sum: u64 = sites.iter().map(|(_, count)| count).sum();
    if sum != allocations {
        let sum = counted(sum, "allocation");
        return Err(fault(at, format!("the sites below have {sum} together, not {allocations}")));
    }
    Ok(Some(Section { allocations, sites: Some(sites) }))
}

const UNKNOWN: &str = ", call sites unknown";

/// What is written where the sites are not known.
pub(super) fn without_sites(allocations: u64) -> String {
    format!("{}{UNKNOWN}\n", counted(allocations, "allocation"))
}

/// The text with `body` in a section, which is made where there is none. Without a text, a new one.
pub(super) fn with_section(
    text: Option<&str>,
    owner: &Owner,
    name: SectionName,
    body: &str,
) -> Result<String, Fault> {
    let Some(text) = text else { return Ok(format!("{}\n{name}\n{body}", heading(owner))) };
    let places = places(text, owner)?;
    let mut section = format!("{name}\n{body}");
    let (start, end) = match places.iter().find(|place| place.name >= name) {
        Some(place) if place.name == name => {
            // The empty lines before the next section stay.
            (place.start, place.start + text[place.start..place.end].trim_end().len())
        }
        Some(later) => {
            section.push('\n');
            (later.start, later.start)
        }
        None => (text.trim_end().len(), text.len()),
    };
    let (before, after) = (&text[..start], &text[end..]);
    if places.iter().all(|place| place.name < name) {
        section = format!("\n\n{section}");
    }
    if after.starts_with(['\r', '\n']) {
        section.truncate(section.trim_end().len());
    }
    if text.contains("\r\n") {
        section = section.replace('\n', "\r\n");
    }
    Ok(format!("{before}{section}{after}"))
}

fn heading(owner: &Owner) -> String {
    let package = match &owner.package {
        Some(package) => format!("package: {}\n", escaped(package)),
        None => String::new(),
    };
    format!(
        "# What a test allocates, recorded by mod-alloc. The test fails where this differs. If it \
         should,\n\
         # accept the difference: run the test with MOD_ALLOC_UPDATE=1.\n\
         name: {}\n\
         {package}",
        escaped(&owner.name)
    )
}

/// In one line.
fn escaped(name: &str) -> String {
    name.chars()
        .map(|c| if c.is_control() { c.escape_debug().to_string() } else { c.into() })
        .collect()
}

/// Where a section is in a text.
struct Place {
    name: SectionName,
    /// Of its first line, from 1.
    line: usize,
    start: usize,
    end: usize,
}

/// The sections of a text that is the owner's.
fn places(text: &str, owner: &Owner) -> Result<Vec<Place>, Fault> {
    let mut places: Vec<Place> = Vec::new();
    let mut is_named = false;
    let mut start = 0;
    for (number, whole_line) in (1..).zip(text.split_inclusive('\n')) {
        let line = whole_line.trim_end();
        if ["<<<<<<<", "|||||||", "=======", ">>>>>>>"].iter().any(|mark| line.starts_with(mark)) {
            return Err(fault(number, "a merge conflict".to_owned()));
        }
        if line.starts_with('[') {
            let unknown = || {
                let what =
                    "the sections are `[debug]` and `[release]`, and for further budgets of \
                            a test `[debug 2]` and so on";
                fault(number, format!("`{line}` is no section: {what}"))
            };
            let name = SectionName::parse(line).ok_or_else(unknown)?;
            if let Some(other) = places.iter().find(|place| place.name == name) {
                let first = other.line;
                return Err(fault(number, format!("{name} is there twice, first in line {first}")));
            }
            places.push(Place { name, line: number, start, end: text.len() });
        } else if places.is_empty() && !line.is_empty() && !line.starts_with('#') {
            is_named |= check_owner(line, owner).map_err(|what| fault(number, what))?;
        }
        start += whole_line.len();
    }
    if !is_named {
        return Err(fault(1, format!("the line `name: {}` is missing", escaped(&owner.name))));
    }
    for at in 1..places.len() {
        places[at - 1].end = places[at].start;
    }
    Ok(places)
}

/// Checks a line above the sections; says whether it has the name.
fn check_owner(line: &str, owner: &Owner) -> Result<bool, String> {
    let is = |what: &str, is: &str, expected: &str| {
        let is_same = is == escaped(expected);
        is_same.then_some(()).ok_or_else(|| format!("it is of the {what} `{is}`, not `{expected}`"))
    };
    if let Some(name) = line.strip_prefix("name: ") {
        return is("name", name, &owner.name).map(|()| true);
    }
    match (line.strip_prefix("package: "), &owner.package) {
        (Some(package), Some(expected)) => is("package", package, expected).map(|()| false),
        (Some(_), None) => Ok(false),
        (None, _) => Err(format!("`{line}` is neither a name nor a package nor a section")),
    }
}

/// The number at the start of a line, and what follows.
fn number(line: &str) -> Option<(u64, &str)> {
    let (number, rest) = line.trim().split_once(' ')?;
    let is_digit = |b: u8| b.is_ascii_digit() || b == b',';
    let digits = Some(number).filter(|number| number.bytes().all(is_digit))?.replace(',', "");
    Some((digits.parse().ok()?, rest.trim_start()))
}

fn fault(line: usize, what: String) -> Fault {
    Fault { line, what }
}

#[cfg(test)]
mod tests;
