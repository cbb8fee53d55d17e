//! Cold: the annotation command of GitHub Actions, which shows a broken budget on the line that
//! allocates, in the pull request. The format is that of GitHub's "workflow commands":
//!
//! ```text
//! ::error file=src/lib.rs,line=7,title=allocation budget exceeded%3A f::allocations 8 (budget 1)
//! ```

#[cfg(feature = "backtraces")]
use std::env;
#[cfg(feature = "backtraces")]
use std::path::Path;

#[cfg(feature = "backtraces")]
use super::call_sites::order;
use super::table::allowed_and_verdict;
use super::text::verdict;
use crate::budget::{Exceeded, ExceededData};
#[cfg(feature = "backtraces")]
use crate::call_sites::rows::rows;
use crate::files::{built, with_slashes, Built};
use crate::ignored::Ignored;
use crate::number::grouped;
use crate::room::with_room;

impl Exceeded {
    /// The command, without a line break. It is for the line that allocates most; where none is
    /// known, for the budget.
    pub(crate) fn annotation(&self) -> Ignored<String> {
        Ignored::new(|_| with_room(|| annotation(&self.data)))
    }
}

fn annotation(data: &ExceededData) -> String {
    let (file, line, column) = leading_place(data).unwrap_or_else(|| {
        let location = data.origin.location;
        (with_slashes(location.file()).into_owned(), location.line(), Some(location.column()))
    });
    let position = position(&built(), line, column);
    let title = format!("allocation budget {}: {}", verdict(data), data.name);
    format!(
        "::error file={}{position},title={}::{}",
        property(&file),
        property(&title),
        text(&numbers(data)),
    )
}

/// Where in its file. rustdoc counts the lines of a doc test from a start of its own, so there the
/// file alone is right.
fn position(built: &Built, line: u32, column: Option<u32>) -> String {
    match column {
        _ if *built == Built::DocTest => String::new(),
        Some(column) => format!(",line={line},col={column}"),
        None => format!(",line={line}"),
    }
}

/// What was measured of each limit that is broken.
fn numbers(data: &ExceededData) -> String {
    let broken = data.budget.limits().filter_map(|(metric, limit)| {
        let measured = data.measured(metric, limit);
        let label = metric.label(data.origin.returns_nothing);
        let allowed = || allowed_and_verdict(data, metric, limit).0;
        let number = || format!("{label} {} (budget {})", grouped(measured), allowed());
        (!limit.holds(measured)).then(number)
    });
    broken.collect::<Vec<_>>().join(", ")
}

type Place = (String, u32, Option<u32>);

#[cfg(not(feature = "backtraces"))]
fn leading_place(_: &ExceededData) -> Option<Place> {
    None
}

#[cfg(feature = "backtraces")]
fn leading_place(data: &ExceededData) -> Option<Place> {
    let sites = data.call_sites()?;
    let rows = rows(sites.data(), order(&data.broken().collect::<Vec<_>>()), None);
    let frame = rows.first()?.leading;
    let below = frame.parts.path.as_deref().and_then(below_workspace);
    let file = below.or_else(|| frame.file().map(str::to_owned))?;
    frame.is_user().then_some((file, frame.line()?, frame.column()))
}

/// The path of a file from the root of the repository on, as GitHub wants it, where that is not the
/// root of the build.
#[cfg(feature = "backtraces")]
fn below_workspace(path: &str) -> Option<String> {
    let workspace = env::var_os("GITHUB_WORKSPACE").filter(|workspace| !workspace.is_empty())?;
    Some(Path::new(path).strip_prefix(workspace).ok()?.display().to_string())
}

/// The text of a command.
fn text(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property.
fn property(value: &str) -> String {
    text(value).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::{position, property, text, Built};

    #[test]
    fn a_doc_test_has_no_line() {
        assert_eq!(position(&Built::Unknown, 7, Some(74)), ",line=7,col=74");
        assert_eq!(position(&Built::Unknown, 7, None), ",line=7");
        assert_eq!(position(&Built::DocTest, 7, Some(74)), "");
    }

    #[test]
    fn what_would_end_a_value_is_escaped() {
        assert_eq!(text("50 %: a, b\r\nc"), "50 %25: a, b%0D%0Ac");
        assert_eq!(property("50 %: a, b\n"), "50 %25%3A a%2C b%0A");
    }
}
