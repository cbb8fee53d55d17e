//! Cold: `Growth`, by which order each metric may grow.

use std::fmt;

use super::limits::{limits, Orders};
use super::order::Order;
use crate::budget::Metric;

/// Limits on how what code allocates grows with the size of its input.
///
/// [`assert_growth!`](crate::assert_growth) makes one; as a value it serves where a `Result` is
/// wanted, or orders and sizes are computed.
///
/// ```
/// # #[global_allocator] static GLOBAL: mod_alloc::ModAlloc = mod_alloc::ModAlloc::new();
/// use mod_alloc::{Growth, Order};
///
/// // Each size takes one block, twice as large as the text.
/// let growth = Growth::new().max(Order::Constant).max_bytes(Order::Linear);
/// growth.check(|n| {
///     let text = "a,b;".repeat(n);
///     move || text.repeat(2).len()
/// })
/// .unwrap();
///
/// let outgrown = Growth::new().max(Order::Constant).check(|n| {
///     let text = "a,b;".repeat(n);
///     move || text.split(',').map(str::to_owned).collect::<Vec<String>>()
/// });
/// println!("{}", outgrown.unwrap_err()); // a table by size, and the lines that grow
/// ```
///
/// The outer closure is called with each size, and prepares the input: that is not counted. The
/// inner closure is counted, as a [`Budget`](crate::Budget) counts it: on its thread, and on those
/// that are attached by [`AllocScope::current`](crate::AllocScope::current). What it returns is
/// dropped uncounted.
///
/// # Sizes
/// The given [`sizes`](Self::sizes) are the rows of the report. The check measures others of its
/// own between the first and the last, 27 at the most, and each once. Before, the last size is run
/// once uncounted. So what is set up once in a process (`OnceLock`, `thread_local!`, a pool that
/// keeps what it has) does not count as growth.
///
/// # The rule
/// 1. Sizes are measured in octaves, which are the sizes between one and its double. Eight of an
///    octave are added up, in three octaves: near the first size, in the middle, and up to the last
///    size. At twice the size a `Vec`'s capacity has just doubled, wherever its steps are.
/// 2. If numbers differ by two at the most from an eighth of the last size on, or go up and down
///    more than they grow, they are `O(1)`.
/// 3. Else the increments from octave to octave are compared, so that a constant part cancels. Over
///    `k` octaves they stay the same for `O(log n)`, and multiply by `2^k` for `O(n)`, by `4^k` for
///    `O(n^2)`, and by a little more than `2^k` for `O(n log n)`.
/// 4. The nearest of these is the order; half an order beyond `O(n^2)` none fits.
/// 5. Numbers may vary by one, and by half a percent. Where the verdict hangs on that, the check
///    fails, and says that it cannot tell.
///
/// What grows by less than one for each doubling counts as noise. Of what grows in several ways,
/// the one decides that prevails at these sizes: `n^2 + 1_000 * n` is `O(n^2)` at the default
/// sizes, and `O(n log n)` at sizes up to 512.
///
/// # Panics
/// All checks panic if `ModAlloc` is not the global allocator of this binary, with the lines to
/// add. They also panic if no order is set, if the sizes do not rise, and as the closures do.
#[derive(Clone, Copy, PartialEq, Eq)]
#[must_use = "it does nothing until it is checked or enforced"]
pub struct Growth<'a> {
    pub(super) orders: Orders,
    pub(super) sizes: &'a [usize],
}

const SIZES: &[usize] = &[64, 512, 4_096, 8_192];

impl Default for Growth<'_> {
    fn default() -> Self {
        Self::new()
    }
}

/// As it is written: `Growth::new().max(Order::Constant)`.
impl fmt::Debug for Growth<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Growth::new()")?;
        limits(&self.orders)
            .try_for_each(|(metric, order)| write!(f, ".{}(Order::{order:?})", metric.max_key()))?;
        match self.sizes == SIZES {
            true => Ok(()),
            false => write!(f, ".sizes(&{:?})", self.sizes),
        }
    }
}

impl<'a> Growth<'a> {
    /// No limits; set at least one. The sizes are 64, 512, 4,096 and 8,192.
    pub const fn new() -> Self {
        Self { orders: [None; Metric::ALL.len()], sizes: SIZES }
    }

    pub(super) const fn of(orders: Orders, sizes: &'a [usize]) -> Self {
        Self { orders, sizes }
    }

    /// How allocation events may grow: `alloc`, `alloc_zeroed` and `realloc` each count one.
    pub const fn max(self, order: Order) -> Self {
        self.at_most(Metric::Allocations, order)
    }

    /// How the bytes may grow that are requested by all allocation events together. A reallocation
    /// adds its full new size.
    pub const fn max_bytes(self, order: Order) -> Self {
        self.at_most(Metric::Bytes, order)
    }

    /// How the net bytes at the peak may grow; see
    /// [`Budget::max_peak_bytes`](crate::Budget::max_peak_bytes).
    pub const fn max_peak_bytes(self, order: Order) -> Self {
        self.at_most(Metric::PeakBytes, order)
    }

    /// How the largest block may grow that is requested; see
    /// [`Budget::max_block_bytes`](crate::Budget::max_block_bytes).
    pub const fn max_block_bytes(self, order: Order) -> Self {
        self.at_most(Metric::LargestBlock, order)
    }

    /// How reallocations may grow in number.
    pub const fn max_reallocs(self, order: Order) -> Self {
        self.at_most(Metric::Reallocations, order)
    }

    /// How the blocks may grow in number that are live at the end; what the code returns is live.
    /// See [`Budget::max_retained`](crate::Budget::max_retained).
    pub const fn max_retained(self, order: Order) -> Self {
        self.at_most(Metric::Retained, order)
    }

    /// The sizes of the report, which must rise. The last must be 64 at least, and eight times the
    /// first, or the check fails and says that it cannot tell.
    ///
    /// The wider they are, the better orders can be told apart: the default is 64 to 8,192.
    pub const fn sizes(mut self, sizes: &'a [usize]) -> Self {
        self.sizes = sizes;
        self
    }

    const fn at_most(mut self, metric: Metric, order: Order) -> Self {
        self.orders[metric as usize] = Some(order);
        self
    }

    #[track_caller]
    pub(super) fn require_sense(&self) {
        assert!(
            limits(&self.orders).next().is_some(),
            "is an order missing? A `Growth` without one holds whatever is allocated: add \
             `.max(Order::Constant)`, `.max_bytes(Order::Linear)`, .."
        );
        for pair in self.sizes.windows(2) {
            let [size, next] = [pair[0], pair[1]];
            assert!(
                size < next,
                "do the `sizes` rise? {next} stands after {size}: write them from the smallest to \
                 the largest, each once"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Growth, Order};

    #[test]
    fn it_is_shown_as_it_is_written() {
        let growth = Growth::new().max_bytes(Order::Linear).max(Order::Constant);
        let written = "Growth::new().max(Order::Constant).max_bytes(Order::Linear)";
        assert_eq!(format!("{growth:?}"), written);
        let sizes = format!("{written}.sizes(&[64, 512])");
        assert_eq!(format!("{:?}", growth.sizes(&[64, 512])), sizes);
    }
}
