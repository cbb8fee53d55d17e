//! Cold: the rule, which says by what order numbers grow.
//!
//! 1. The numbers of eight sizes in an octave (from a size to its double) are added up, in three
//!    octaves that lie equally far apart: the first, the middle one and the last. In the sum, the
//!    steps of what doubles are always the same.
//! 2. If the numbers of three octaves at the end differ by two at most, or if those of the last
//!    octave are no higher on average than the others vary within an octave, it is `O(1)`.
//! 3. Else the two increments count, from sum to sum: a constant part cancels. If these are `k`
//!    octaves apart, their quotient is 1 for `O(log n)`, `2^k` for `O(n)`, `4^k` for `O(n^2)`, and
//!    a little more than `2^k` for `O(n log n)`. The nearest of these is the order.
//! 4. An increment may be off by 5: noise of plus or minus one in each of its sixteen numbers moves
//!    it by less, nine times in ten. The quotient may be off by two percent. Where that leaves
//!    several orders, none of them is believed.
//!
//! From 64 to 8,192 the quotients of `O(n)` and `O(n log n)` are a factor of 1.3 apart; all the
//! others are further apart.

use super::order::{Fit, Order};
use super::plan::Plan;

/// The orders that fit: from the least to the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fits {
    pub(super) least: Fit,
    pub(super) most: Fit,
}

/// By so much a constant may vary over the last octaves: noise of plus or minus one.
const CONSTANT: u64 = 2;

/// So often the variation of the numbers of an octave may be in what the sums grow by: for each of
/// the eight once, and a quarter more for chance. What goes up by a step for each doubling grows by
/// 16 of them at the least.
const VARIATION: f64 = 10.0;

/// By so much an increment of the sums may be off.
const INCREMENT: f64 = 5.0;

/// By so much the quotient of the increments may be off.
const QUOTIENT: f64 = 1.02;

/// Those that grow. Each is compared with the next.
const GROWING: [Order; 4] =
    [Order::Logarithmic, Order::Linear, Order::Linearithmic, Order::Quadratic];

/// The orders that fit `number`, which knows the number at each size of the plan.
pub(super) fn fits(plan: &Plan, number: &dyn Fn(usize) -> u64) -> Fits {
    let octaves = [0, 1, 2].map(|which| plan.octave(which).map(number));
    let sums = octaves.map(|octave| octave.iter().map(|number| *number as f64).sum());
    let variation = spread(octaves[0]).min(spread(octaves[1])) as f64 * VARIATION;
    if spread(plan.tail().map(number)) <= CONSTANT || sums[2] - sums[0] <= variation {
        let constant = Fit::Order(Order::Constant);
        return Fits { least: constant, most: constant };
    }
    let [earlier, later] = increments(sums);
    let least = (later - INCREMENT) / (earlier + INCREMENT).max(INCREMENT) / QUOTIENT;
    let most = match earlier > INCREMENT {
        true => (later + INCREMENT) / (earlier - INCREMENT) * QUOTIENT,
        false => f64::INFINITY,
    };
    Fits { least: nearest(plan, least), most: nearest(plan, most) }
}

fn spread(numbers: impl IntoIterator<Item = u64>) -> u64 {
    let (mut least, mut most) = (u64::MAX, 0);
    for number in numbers {
        least = least.min(number);
        most = most.max(number);
    }
    most.saturating_sub(least)
}

fn increments(sums: [f64; 3]) -> [f64; 2] {
    [sums[1] - sums[0], sums[2] - sums[1]]
}

/// The order whose increments have the quotient that is nearest to this one.
fn nearest(plan: &Plan, quotient: f64) -> Fit {
    let quotients = GROWING.map(|order| {
        let sums = [0, 1, 2].map(|which| plan.octave(which).map(|n| order.of(n)).iter().sum());
        let [earlier, later] = increments(sums);
        later / earlier
    });
    for (at, order) in GROWING.into_iter().enumerate() {
        let bound = match quotients.get(at + 1) {
            Some(next) => (quotients[at] * next).sqrt(),
            // As far beyond as half an order of `n`.
            None => quotients[at] * (f64::from(plan.half()) / 2.0).exp2(),
        };
        if quotient <= bound {
            return Fit::Order(order);
        }
    }
    Fit::Faster
}

#[cfg(test)]
mod tests;
