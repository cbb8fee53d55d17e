//! Cold: `RecordedStacks`, a recording as plain data.

use crate::stacks::SiteCounts;
use crate::walk::Stop;

/// Return addresses, outermost first, and why there are not more.
pub(crate) type Trace<'a> = (&'a [usize], Stop);

pub(crate) struct RecordedStacks<'a> {
    pub(crate) tallies: Vec<(Trace<'a>, SiteCounts)>,
    pub(crate) openings: Vec<Trace<'a>>,
    pub(crate) lost: SiteCounts,
    pub(crate) first_overrun: Option<(u64, Option<Trace<'a>>)>,
    pub(crate) location: &'a str,
    pub(crate) unavailable: Option<&'static str>,
    pub(crate) has_peak: bool,
}
