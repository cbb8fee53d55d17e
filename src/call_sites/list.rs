//! Cold: `CallSites`, what users see of the call sites of a scope.

use std::fmt;
use std::sync::Arc;

use super::diff::CallSitesDiff;
use super::site::{total, NumberedSite, Site, SiteData, SortBy};
use super::snapshot::{self, Snapshot};
use super::{detailed, folded, through};
use crate::counters::{self, AtWork, Blocks};
use crate::ignored::Ignored;
use crate::stacks::SiteCounts;

/// Which places in the code made the allocations of a scope.
///
/// It is a copy that later allocations do not change. It is cheap to clone, and no scope counts
/// anything while it is made, cloned, printed or dropped.
///
/// ```
/// # #[global_allocator] static GLOBAL: mod_alloc::ModAlloc = mod_alloc::ModAlloc::new();
/// use mod_alloc::AllocScope;
///
/// let scope = AllocScope::with_call_sites();
/// let words: Vec<String> = "a b c".split(' ').map(String::from).collect();
/// let sites = scope.call_sites();
///
/// assert_eq!(sites.alloc_count(), 4);
/// for site in sites.sites() {
///     let first = site.user_frames().next();
///     println!("{} allocations, {} bytes: {first:?}", site.alloc_count(), site.total_bytes());
/// }
/// println!("{sites:#}"); // the same as a text, with lines, bytes and all frames
/// # drop(words);
/// ```
///
/// # As a snapshot
/// `{}` is a text to compare with an earlier one, with `insta` for example: a line for each
/// distinct chain of the user's functions, with the number of its allocation events.
///
/// ```text
/// 14 allocations at 3 sites
///    9  src/parser.rs tokens < src/parser.rs parse < tests/header.rs parses_header
///    3  src/fmt.rs label < tests/header.rs parses_header
///    2  tests/header.rs parses_header
/// ```
///
/// As long as the counts are the same, so is the text: on every machine, in every run, at every
/// opt-level and with every toolchain. It has no lines, columns, bytes, generics, types of methods
/// (optimised builds lose them), or functions of other packages. Closures count as the function
/// that they are written in. Recursion shows once, also that of functions that call one another.
/// Chains end at the function that opened the scope. Two things of an optimised build may still
/// show: a function that ends with a call of another may be missing from a chain (a tail call), and
/// functions that are compiled to the same code may be one.
///
/// What the test harness allocates to keep printed text is not in it, since not every runner keeps
/// it.
///
/// # Panics
/// `{}` panics where there is nothing to compare: where the user's code has no debug information,
/// or on a target where stacks cannot be walked. It also panics where it would have to leave out a
/// name. An optimised build with `debug = "line-tables-only"` has no names of closures that were
/// inlined: they are looked up in the source, which must be there. Full debug information, `debug =
/// true`, has the names. `{:#}` shows what there is, and never panics.
#[derive(Clone)]
pub struct CallSites {
    data: Shared,
}

struct Shared(Ignored<Arc<SiteData>>);

impl Clone for Shared {
    fn clone(&self) -> Self {
        Self(Ignored::new(|_| Arc::clone(&self.0)))
    }
}

impl CallSites {
    pub(crate) fn new(at_work: AtWork<'_>, data: SiteData) -> Self {
        Self { data: Shared(Ignored::of(at_work, Arc::new(data))) }
    }

    pub(crate) fn data(&self) -> &SiteData {
        &self.data.0
    }

    /// The same sites in another order, for [`sites`](Self::sites) and the detailed text (`{:#}`).
    ///
    /// ```
    /// # #[global_allocator] static GLOBAL: mod_alloc::ModAlloc = mod_alloc::ModAlloc::new();
    /// use mod_alloc::{Profiler, SortBy};
    ///
    /// let profiler = Profiler::with_call_sites();
    /// let small: Vec<_> = (0..9).map(|n| Box::new(n)).collect();
    /// let large = std::hint::black_box(vec![0_u8; 100_000]);
    /// let sites = profiler.call_sites().sorted_by(SortBy::PeakBytes);
    /// # if format!("{sites:#}").contains("call sites are not available") { return }
    /// assert_eq!(sites.sites()[0].peak_bytes(), Some(100_000));
    /// println!("{sites:#}");
    /// # drop((small, large));
    /// ```
    ///
    /// # Panics
    /// With [`SortBy::PeakBytes`], if what was live at the peak is not known. These know it: a
    /// scope by [`AllocScope::with_heap_profile`](crate::AllocScope::with_heap_profile), a
    /// [`Profiler`](crate::Profiler) (of those that overlap, the first four), and a budget that
    /// limits the peak.
    #[track_caller]
    #[must_use]
    pub fn sorted_by(&self, by: SortBy) -> Self {
        assert!(
            by != SortBy::PeakBytes || self.data().has_peak,
            "what was live at the peak is not known here. Open the scope by \
             `AllocScope::with_heap_profile()`, start the profiler by \
             `Profiler::with_heap_profile()`, or set the budget's `max_peak_bytes`"
        );
        counters::ignored(|at_work| {
            let mut data = self.data().clone();
            data.sort(by);
            Self::new(at_work, data)
        })
    }

    /// The sites, most allocation events first unless [sorted](Self::sorted_by) in another way,
    /// then most bytes, then by what their frames say: always in the same order.
    ///
    /// A site is a stack as it reads. Two allocations of one line are two sites, as far as their
    /// columns are known. Two calls of one line that lead to the same place are one site, with the
    /// column of one of them.
    #[must_use]
    pub fn sites(&self) -> &[Site] {
        self.data().listed()
    }

    /// All allocation events (`alloc`, `alloc_zeroed` and `realloc` each count one), also those
    /// that belong to no site.
    #[must_use]
    pub fn alloc_count(&self) -> u64 {
        self.data().total().events()
    }

    /// How many of the allocation events were reallocations.
    #[must_use]
    pub fn realloc_count(&self) -> u64 {
        self.data().total().reallocs
    }

    /// Bytes requested; a reallocation adds its full new size.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        self.data().total().bytes
    }

    /// Allocation events that belong to no site: there were too many distinct stacks, no memory to
    /// keep one, or a stack that could not be walked. 0 in all but unusual programs.
    #[must_use]
    pub fn unattributed_count(&self) -> u64 {
        self.data().unattributed.events()
    }

    /// Folded stacks, the input of flame graph tools such as `flamegraph.pl` and `inferno`: a line
    /// for each site, frames outermost first and separated by `;`, then a space and the number of
    /// allocation events.
    ///
    /// ```
    /// # #[global_allocator] static GLOBAL: mod_alloc::ModAlloc = mod_alloc::ModAlloc::new();
    /// use mod_alloc::AllocScope;
    ///
    /// let scope = AllocScope::with_call_sites();
    /// let text = String::from("abc");
    /// assert!(scope.call_sites().to_folded().ends_with(" 1\n"));
    /// # drop(text);
    /// ```
    #[must_use]
    pub fn to_folded(&self) -> String {
        let text = Ignored::new(|_| folded::text(self.data()));
        String::clone(&text) // The user's own, counted like any other.
    }

    /// What changed from `before` to `self`, by site. The sites of the two are told by their lines
    /// in the [snapshot text](Self#as-a-snapshot): their lines of code, bytes and stacks within
    /// other packages do not matter. So the two may come from different builds.
    ///
    /// ```no_run
    /// # #[global_allocator] static GLOBAL: mod_alloc::ModAlloc = mod_alloc::ModAlloc::new();
    /// # fn parse(text: &str) {}
    /// use mod_alloc::{AllocScope, CallSites};
    ///
    /// fn sites_of(text: &str) -> CallSites {
    ///     let scope = AllocScope::with_call_sites();
    ///     parse(text);
    ///     scope.call_sites()
    /// }
    ///
    /// let diff = sites_of("a longer text").diff(&sites_of("a text"));
    /// println!("{diff}"); // `+1 at src/parser.rs tokens: 2 -> 3`, and who calls it
    /// ```
    ///
    /// Where sites are gone and others are new with the same innermost function of the user's, they
    /// have moved if they have the same sum of allocation events: the function has other callers
    /// now. So have those with the same name of that function, in another file. What belongs to no
    /// site is compared like a site.
    ///
    /// # Panics
    /// Where the snapshot text of either would.
    #[track_caller]
    #[must_use]
    pub fn diff(&self, before: &Self) -> CallSitesDiff {
        let diff = counters::ignored(|at_work| {
            let compared = |sites: &Self| Snapshot::of(sites.data());
            match (compared(before), compared(self)) {
                (Ok(before), Ok(after)) => {
                    Ok(CallSitesDiff::new(at_work, &before.rows, &after.rows))
                }
                (Err(refusal), _) | (_, Err(refusal)) => Err(Ignored::of(at_work, refusal)),
            }
        });
        diff.unwrap_or_else(|refusal| panic!("{}", refusal.as_str()))
    }

    /// The snapshot.
    ///
    /// # Errors
    /// Why there is nothing to compare.
    pub(crate) fn snapshot(&self, _: AtWork<'_>) -> Result<Snapshot, String> {
        Snapshot::of(self.data())
    }

    /// Without what the test harness has allocated, and how much that is.
    pub(crate) fn without_harness(self, at_work: AtWork<'_>) -> (Self, SiteCounts) {
        let captures = self.data().sites.iter().filter(|site| site.is_capture);
        let mut of_harness = total(captures.map(NumberedSite::counts));
        if of_harness.allocs == 0 {
            // The block is older than the scope, and had so many bytes before.
            let before = of_harness.growth.least;
            of_harness.at_peak.bytes = of_harness.at_peak.bytes.saturating_sub(before);
        }
        if of_harness.events() == 0 {
            return (self, of_harness);
        }
        let mut data = self.data().clone();
        data.sites.retain(|site| !site.is_capture);
        data.first_overrun = None; // It was found by counting all.
        (Self::new(at_work, data), of_harness)
    }

    /// The call sites without those that pass through the crates and modules of `allowed`. Also
    /// what was counted at the latter: in all, and the allocation events of each path, for the
    /// first of them that fits. Nothing passes through the outermost frame: that function opened
    /// the scope, or polls it.
    pub(crate) fn without(
        self,
        at_work: AtWork<'_>,
        allowed: &'static [&'static str],
    ) -> (Self, SiteCounts, Vec<(&'static str, u64)>) {
        let data = self.data();
        let mut left: Vec<&NumberedSite> = data.sites.iter().collect();
        let mut counts = SiteCounts::ZERO;
        let mut events = Vec::new();
        let mut largest_blocks = data.largest_blocks.clone();
        for path in allowed {
            let is_of = data.chains.list.map(&mut |frame| through::is_of(frame, path));
            let (through, others): (Vec<_>, _) =
                left.into_iter().partition(|site| data.has_any_within(site, &is_of));
            left = others;
            largest_blocks.retain(|(_, chain)| !chain.iter().any(|frame| is_of[*frame as usize]));
            let of_path = total(through.into_iter().map(NumberedSite::counts));
            if of_path.events() > 0 {
                counts.add(&of_path);
                events.push((*path, of_path.events()));
            }
        }
        if events.is_empty() {
            return (self, counts, events);
        }
        let sites = left.into_iter().cloned().collect();
        // The first past the budget was found by counting all.
        let data = SiteData { sites, first_overrun: None, largest_blocks, ..data.clone() };
        (Self::new(at_work, data), counts, events)
    }

    /// The blocks that were live at the peak, each with the bytes that it had then. `None` if that
    /// is not known.
    pub(crate) fn at_peak(&self, at_work: AtWork<'_>) -> Option<Self> {
        let data = self.data();
        let at_peak = |SiteCounts { at_peak: Blocks { blocks, bytes }, growth, .. }| SiteCounts {
            allocs: blocks,
            bytes,
            growth,
            ..SiteCounts::ZERO
        };
        let of_site = |site: &NumberedSite| site.with_counts(&at_peak(site.counts()));
        let mut sites: Vec<NumberedSite> = data.sites.iter().map(of_site).collect();
        sites.retain(|site| site.events() > 0);
        (data.has_peak && !sites.is_empty()).then(|| {
            let unattributed = at_peak(data.unattributed);
            let data = SiteData { sites, unattributed, has_peak: false, ..data.clone() };
            Self::new(at_work, data)
        })
    }
}

/// `{}` is the snapshot text, `{:#}` the detailed one: see [`CallSites`].
impl fmt::Display for CallSites {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            return f.write_str(&Ignored::new(|_| detailed::text(self.data())));
        }
        match &*Ignored::new(|_| snapshot::text(self.data())) {
            Ok(text) => f.write_str(text),
            Err(refusal) => panic!("{refusal}"),
        }
    }
}

/// The detailed text.
impl fmt::Debug for CallSites {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:#}")
    }
}
