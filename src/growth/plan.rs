//! Cold: `Plan`, the sizes that the rule looks at.
//!
//! What a `Vec` has requested goes up by a factor of two wherever it doubles, and stays until the
//! next time. But at twice the size it is twice as much, whatever the size. So the rule compares
//! sizes whose quotient is a power of two, and eight of them in one octave, of which some lie
//! before the step and some behind it.

/// So many sizes of an octave are measured.
pub(super) const PER_OCTAVE: usize = 8;

/// The size below which there are but fewer steps than sizes: a `Vec` begins with a capacity of 4
/// or 8.
const SMALL: usize = 16;

/// The least that the last size may be, and how many times the first it must be.
pub(super) const LEAST_LAST: usize = 64;
pub(super) const LEAST_FACTOR: usize = 8;

#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// The sizes of the first octave, the largest first.
    first: [usize; PER_OCTAVE],
    /// So many octaves it is from the first octave to the middle one, and from there to the last.
    half: u32,
}

impl Plan {
    /// `None` if the sizes, which rise, are too few, too small or too close together.
    pub(super) fn new(sizes: &[usize]) -> Option<Self> {
        let (least, last) = (*sizes.first()?, *sizes.last()?);
        let least = least.max(SMALL.min(last / LEAST_FACTOR));
        if last < LEAST_LAST || last / least < LEAST_FACTOR {
            return None;
        }
        let octaves = (last / least).ilog2();
        let half = (octaves - 1) / 2;
        let top = (last >> (2 * half)) as f64;
        let first = std::array::from_fn(|at| {
            (top * (-(at as f64) / PER_OCTAVE as f64).exp2()) as usize // Towards zero.
        });
        Some(Self { first, half })
    }

    /// The sizes of the first octave, of the middle one or of the last.
    pub(super) fn octave(&self, which: u32) -> [usize; PER_OCTAVE] {
        self.first.map(|size| size << (which * self.half))
    }

    /// How many octaves there are between two of these.
    pub(super) const fn half(&self) -> u32 {
        self.half
    }

    /// Three octaves at the end, by some of their sizes.
    pub(super) fn tail(&self) -> impl Iterator<Item = usize> {
        let last = self.octave(2);
        [last[0] >> 3, last[0] >> 2, last[0] >> 1].into_iter().chain(last)
    }

    /// All sizes of the rule.
    pub(super) fn sizes(&self) -> impl Iterator<Item = usize> + '_ {
        (0..3).flat_map(|which| self.octave(which)).chain(self.tail())
    }
}

#[cfg(test)]
mod tests {
    use super::Plan;

    #[test]
    fn the_sizes_lie_between_the_first_and_the_last() {
        let lists: [&[usize]; 7] = [
            &[64, 512],
            &[0, 64],
            &[1, 10, 100, 1_000],
            &[100, 700, 5_000, 30_000],
            &[64, 512, 4_096, 8_192],
            &[1_000_000, 8_000_000],
            &[1, usize::MAX / 2],
        ];
        for list in lists {
            let plan = Plan::new(list).expect("wide enough");
            let (first, last) = (list[0].max(8), list[list.len() - 1]);
            let sizes: Vec<usize> = plan.sizes().collect();
            assert!(sizes.iter().all(|size| (first..=last).contains(size)), "{list:?}: {sizes:?}");
            let mut octave = plan.octave(0);
            assert!(octave.windows(2).all(|pair| pair[0] > pair[1]), "{octave:?}");
            octave.reverse();
            assert!(octave[7] <= 2 * octave[0], "{octave:?}");
            assert_eq!(plan.octave(2)[3], plan.octave(0)[3] << (2 * plan.half()));
            assert!(plan.octave(2)[0] > last / 2);
        }
    }

    #[test]
    fn sizes_that_are_too_close_or_too_small_have_no_plan() {
        let lists: [&[usize]; 5] = [&[], &[4_096], &[64, 511], &[1, 63], &[100, 700]];
        for list in lists {
            assert!(Plan::new(list).is_none(), "{list:?}");
        }
    }
}
