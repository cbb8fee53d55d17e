//! Cold: `CallSites`, `Site` and `Frame`, the public data of call sites.

use std::fmt;
use std::sync::Arc;

use super::code::Owner;
use super::order::Order;
use super::{detailed, folded, snapshot};
use crate::counters;
#[cfg(feature = "dhat-compat")]
use crate::dhat;
use crate::ignored::Ignored;
use crate::stacks::Growth;

/// Which places in the code made the allocations of a scope.
///
/// It is data of its own: cheap to clone, and without effect on the counts of any scope while it is made, cloned, printed or
/// dropped.
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
/// `{}` is a text to compare with an earlier one, with `insta` for example: a line for each distinct chain of the user's functions, with
/// the number of its allocation events.
///
/// ```text
/// 14 allocations at 3 sites
///    9  src/parser.rs tokens < src/parser.rs parse < tests/header.rs parses_header
///    3  src/fmt.rs label < tests/header.rs parses_header
///    2  tests/header.rs parses_header
/// ```
///
/// As long as the counts are the same, so is the text: on every machine, in every run, at every opt-level and with every toolchain.
/// It has no lines, bytes, generics, types of methods (optimised builds lose them), or functions of other packages; closures count as the function that they are written in; recursion
/// shows once, also that of functions that call one another; chains end at the function that opened the scope. Two things of an optimised build may still show: a
/// function that ends with a call of another may be missing from a chain (a tail call), and functions
/// that are compiled to the same code may be one.
///
/// What the test harness allocates to keep printed text is not in it: whether it does is up to the runner.
///
/// # Panics
/// `{}` panics where there is nothing to compare: where the user's code has no debug information, or on a target where stacks
/// cannot be walked. It also does where it would have to leave out a name: an optimised build with `debug = "line-tables-only"` has no names of
/// closures that were inlined, and they are looked up in the source, which must be there (full debug information, `debug = true`, has
/// them). `{:#}` shows what there is, and never panics.
#[derive(Clone)]
pub struct CallSites {
    data: Shared,
}

/// What a [`CallSites`] shares with its clones.
#[derive(Clone)]
pub(crate) struct Data {
    /// In this order.
    pub(crate) order: Order,
    pub(crate) sites: Vec<Site>,
    /// Events that belong to no site.
    pub(crate) lost: Numbers,
    /// Why some of `lost` have no stack, if it is not for want of room.
    pub(crate) unwalked: Option<&'static str>,
    /// Why this target has no call sites at all.
    pub(crate) unavailable: Option<&'static str>,
    /// Whether the user's code has files and lines.
    pub(crate) has_debug_info: bool,
    /// Which allocation event was the first past the budget, and where.
    pub(crate) first_overrun: Option<(u64, Option<Frame>)>,
    /// Whether it is known what was live at the peak.
    pub(crate) has_peak: bool,
    /// The same as a profile for DHAT; `None` only in tests.
    #[cfg(feature = "dhat-compat")]
    pub(crate) dhat: Option<Arc<dhat::Profile>>,
}

/// What is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Numbers {
    /// Reallocations too.
    pub(crate) events: u64,
    pub(crate) reallocs: u64,
    pub(crate) bytes: u64,
    /// Live at the peak, if that is known; the next likewise.
    pub(crate) peak_blocks: u64,
    pub(crate) peak_bytes: u64,
}

impl Numbers {
    pub(crate) fn add(&mut self, other: Self) {
        self.events = self.events.wrapping_add(other.events);
        self.reallocs = self.reallocs.wrapping_add(other.reallocs);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.peak_blocks = self.peak_blocks.wrapping_add(other.peak_blocks);
        self.peak_bytes = self.peak_bytes.wrapping_add(other.peak_bytes);
    }
}

struct Shared(Ignored<Arc<Data>>);

impl Clone for Shared {
    fn clone(&self) -> Self {
        Self(Ignored::new(|| Arc::clone(&self.0)))
    }
}

impl CallSites {
    /// To be called inside `counters::ignored`.
    pub(crate) fn new(data: Data) -> Self {
        Self { data: Shared(Ignored::new(|| Arc::new(data))) }
    }

    pub(crate) fn data(&self) -> &Data {
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
    /// assert_eq!(sites.sites()[0].peak_bytes(), Some(100_000));
    /// println!("{sites:#}");
    /// # drop((small, large));
    /// ```
    ///
    /// # Panics
    /// With [`SortBy::PeakBytes`], if that is not known. A [`Profiler`](crate::Profiler) knows it (of those that overlap, the first
    /// four), and so does a budget that limits the peak.
    #[track_caller]
    #[must_use]
    pub fn sorted_by(&self, by: SortBy) -> Self {
        assert!(
            by != SortBy::PeakBytes || self.data().has_peak,
            "what was live at the peak is not known: are these the call sites of a `Profiler`, and were fewer than four others \
             recording when it started?"
        );
        counters::ignored(|| {
            let mut data = self.data().clone();
            data.order = by.order();
            data.order.sort(&mut data.sites, |site| site.numbers, |a, b| a.frames.cmp(&b.frames));
            Self::new(data)
        })
    }

    /// The sites, most allocation events first unless [sorted](Self::sorted_by) in another way, then most bytes, then by what their frames say: always in the same order.
    ///
    /// A site is a stack, as it reads: two of its allocations may come from one line, but not from two.
    #[must_use]
    pub fn sites(&self) -> &[Site] {
        &self.data().sites
    }

    /// Allocation events (`alloc`, `alloc_zeroed` and `realloc` each count one), those without a site too.
    #[must_use]
    pub fn alloc_count(&self) -> u64 {
        self.total().events
    }

    /// How many of the allocation events were reallocations.
    #[must_use]
    pub fn realloc_count(&self) -> u64 {
        self.total().reallocs
    }

    /// Bytes requested; a reallocation adds its full new size.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        self.total().bytes
    }

    /// Allocation events that belong to no site: there were too many distinct stacks, no memory to keep one, or a stack that
    /// could not be walked. 0 in all but unusual programs.
    #[must_use]
    pub fn unattributed_count(&self) -> u64 {
        self.data().lost.events
    }

    /// Folded stacks, the input of flame graph tools such as `flamegraph.pl` and `inferno`: a line for each site, frames outermost
    /// first and separated by `;`, then a space and the number of allocation events.
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
        let text = Ignored::new(|| folded::text(self.data()));
        String::clone(&text) // The user's own, counted like any other.
    }

    /// The file that DHAT's viewer opens: see [`dhat`](crate::dhat), which says what is in it. Needs the feature `dhat-compat`.
    ///
    /// It is complete for a [`Profiler`](crate::Profiler) (of those that overlap, for four), for an [`AllocScope`](crate::AllocScope) with call sites, and for a budget that was
    /// broken while `MOD_ALLOC_DHAT` was set. Of other budgets the allocations alone are known, without lifetimes and
    /// without what was live when.
    ///
    /// Lifetimes and live blocks go by the identity of each block, wherever it is freed or grows: where that happens in
    /// [`uncounted`](crate::uncounted), or on a thread that is not attached, a point may have more bytes at a time than in total.
    ///
    /// Names and lines are looked up anew, which takes some milliseconds.
    ///
    /// ```
    /// # #[global_allocator] static GLOBAL: mod_alloc::ModAlloc = mod_alloc::ModAlloc::new();
    /// use mod_alloc::AllocScope;
    ///
    /// let scope = AllocScope::with_call_sites();
    /// let text = String::from("abc");
    /// let json = scope.call_sites().to_dhat_json();
    /// assert!(json.contains(r#""tb":3,"tbk":1,"#));
    /// # drop(text);
    /// ```
    #[cfg(feature = "dhat-compat")]
    #[must_use]
    pub fn to_dhat_json(&self) -> String {
        let profile = self.data().dhat.as_deref();
        let json = Ignored::new(|| profile.map_or_else(String::new, dhat::document));
        String::clone(&json) // The user's own, counted like any other.
    }

    /// Without what the test harness has allocated, and how much that is. To be called inside `counters::ignored`.
    pub(crate) fn without_harness(self) -> (Self, Numbers) {
        let (mut of_harness, mut least) = (Numbers::default(), u64::MAX);
        for site in self.sites().iter().filter(|site| site.is_capture) {
            of_harness.add(site.numbers);
            least = least.min(site.growth.least);
        }
        if of_harness.events == of_harness.reallocs {
            // A block from before, which had so many bytes already.
            of_harness.peak_bytes = of_harness.peak_bytes.saturating_sub(least);
        }
        if of_harness == Numbers::default() {
            return (self, of_harness);
        }
        let mut data = self.data().clone();
        data.sites.retain(|site| !site.is_capture);
        data.first_overrun = None; // It was found by counting all.
        (Self::new(data), of_harness)
    }

    /// The blocks that were live at the peak, each with the bytes that it had then. `None` if that is not known.
    pub(crate) fn at_peak(&self) -> Option<Self> {
        let data = self.data();
        let at_peak = |numbers: Numbers| Numbers {
            events: numbers.peak_blocks,
            bytes: numbers.peak_bytes,
            ..Numbers::default()
        };
        let of_site =
            |site: &Site| Site { numbers: at_peak(site.numbers), has_peak: false, ..site.clone() };
        let mut sites: Vec<Site> = data.sites.iter().map(of_site).collect();
        sites.retain(|site| site.numbers.events > 0);
        (data.has_peak && !sites.is_empty()).then(|| {
            let lost = at_peak(data.lost);
            Self::new(Data { sites, lost, has_peak: false, ..data.clone() })
        })
    }

    fn total(&self) -> Numbers {
        let mut total = self.data().lost;
        for site in self.sites() {
            total.add(site.numbers);
        }
        total
    }
}

/// `{}` is the snapshot text, `{:#}` the detailed one: see [`CallSites`].
impl fmt::Display for CallSites {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            return f.write_str(&Ignored::new(|| detailed::text(self.data())));
        }
        match &*Ignored::new(|| snapshot::text(self.data())) {
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

/// What comes first: see [`CallSites::sorted_by`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SortBy {
    /// Most allocation events.
    Allocations,
    /// Most bytes requested.
    Bytes,
    /// Most bytes that were live when the process had the most, since the profiler started.
    PeakBytes,
}

impl SortBy {
    fn order(self) -> Order {
        match self {
            Self::Allocations => Order::Allocations,
            Self::Bytes => Order::Bytes,
            Self::PeakBytes => Order::PeakBytes,
        }
    }
}

/// A place that allocated, with the calls that led there: one of [`CallSites::sites`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Site {
    pub(crate) numbers: Numbers,
    pub(crate) growth: Growth,
    pub(crate) frames: Vec<Frame>,
    /// After so many frames, some were left out.
    pub(crate) gap: Option<usize>,
    /// Why there are no frames as far as the scope's opening.
    pub(crate) cut_off: Option<&'static str>,
    /// Whether it is the test harness that allocates here, to keep what is printed.
    pub(crate) is_capture: bool,
    /// Whether it is known what was live at the peak.
    pub(crate) has_peak: bool,
}

impl Site {
    /// Allocation events: `alloc`, `alloc_zeroed` and `realloc` each count one.
    #[must_use]
    pub fn alloc_count(&self) -> u64 {
        self.numbers.events
    }

    /// How many of the allocation events were reallocations.
    #[must_use]
    pub fn realloc_count(&self) -> u64 {
        self.numbers.reallocs
    }

    /// Bytes requested; a reallocation adds its full new size.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        self.numbers.bytes
    }

    /// Bytes of the blocks from here that were live when the process had the most live bytes, of all those allocated since
    /// the profiler started. Exact while one thread at a time allocates. `None` where it is not known: see
    /// [`CallSites::sorted_by`].
    #[must_use]
    pub fn peak_bytes(&self) -> Option<u64> {
        self.has_peak.then_some(self.numbers.peak_bytes)
    }

    /// How many blocks [`peak_bytes`](Self::peak_bytes) counts.
    #[must_use]
    pub fn peak_blocks(&self) -> Option<u64> {
        self.has_peak.then_some(self.numbers.peak_blocks)
    }

    /// The calls that led to the allocation, innermost first; never empty. They begin with the function that called the allocator,
    /// and end with the one that opened the scope: nothing above that is in it. Inlined functions are; this library's own are not.
    #[must_use]
    pub fn frames(&self) -> &[Frame] {
        &self.frames
    }

    /// The user's own of [`frames`](Self::frames), innermost first. May be empty: on a thread of a library's, for example.
    pub fn user_frames(&self) -> impl Iterator<Item = &Frame> + '_ {
        self.frames.iter().filter(|frame| frame.is_user())
    }
}

/// A function, and the place in it that the next one was called from. What is not known is `None`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Frame {
    pub(crate) parts: Arc<Parts>,
}

/// What a frame says. A process may have millions of frames, and a few thousand of these.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Parts {
    pub(crate) function: Option<String>,
    pub(crate) file: Option<String>,
    pub(crate) line: Option<u32>,
    pub(crate) column: Option<u32>,
    pub(crate) owner: Owner,
    /// The last segment of the function's path; of a closure's, that of the function that it is written in. Empty if unknown.
    pub(crate) name: String,
    pub(crate) is_closure: bool,
    /// Whether `name` is empty because the source, which alone has it, can't be read.
    pub(crate) is_name_unread: bool,
    /// Whether a macro of a dependency made it, in a crate of the user's: its file is the dependency's.
    pub(crate) is_made_by_macro: bool,
    /// Where the file can be read. Only of the user's.
    pub(crate) path: Option<String>,
    /// The file of code without symbols, and the offset in it.
    pub(crate) module: Option<(String, usize)>,
}

impl Frame {
    /// The function's path, with generic arguments if the toolchain wrote them down, without hashes.
    ///
    /// For people: toolchains differ in how they write it. Functions that were inlined come without their path where the debug
    /// information is only that of lines.
    #[must_use]
    pub fn function(&self) -> Option<&str> {
        self.parts.function.as_deref()
    }

    /// The source file. Of the user's frames, relative to the folder that the build ran in (the workspace), as in `file!()`, or
    /// `../core/src/lib.rs` of a package that lies beside it; else as the compiler wrote it down.
    #[must_use]
    pub fn file(&self) -> Option<&str> {
        self.parts.file.as_deref()
    }

    /// The line, the first of a file being 1.
    #[must_use]
    pub fn line(&self) -> Option<u32> {
        self.parts.line
    }

    /// The column, the first of a line being 1.
    #[must_use]
    pub fn column(&self) -> Option<u32> {
        self.parts.column
    }

    /// Whether this is the user's own code: a file below the folder that the build ran in, or in a package that lies beside it (up to three
    /// folders up), but not of a package below a `vendor` folder, in Cargo's registry or checkouts, or written by a build script.
    #[must_use]
    pub fn is_user(&self) -> bool {
        self.parts.owner == Owner::User
    }

    pub(crate) fn is_of_library(&self) -> bool {
        self.parts.owner == Owner::Library
    }

    /// What two frames must have in common to be the same place.
    pub(crate) fn reading(&self) -> (Option<&str>, Option<&str>, Option<u32>, Option<usize>) {
        let offset = self.parts.module.as_ref().map(|(_, offset)| *offset);
        (self.function(), self.file(), self.line(), offset)
    }
}

/// `parser::tokens at src/parser.rs:14:5`
impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.function(), &self.parts.module) {
            (Some(function), _) => f.write_str(function)?,
            (None, Some((module, offset))) if module.is_empty() => write!(f, "{offset:#x}")?,
            (None, Some((module, offset))) => write!(f, "{module}+{offset:#x}")?,
            (None, None) => f.write_str("unknown")?,
        }
        if let Some(file) = self.file() {
            write!(f, " at {file}")?;
            for number in [self.line(), self.column()].into_iter().map_while(|number| number) {
                write!(f, ":{number}")?;
            }
        }
        Ok(())
    }
}

/// As it is displayed.
impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
