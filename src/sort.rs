//! Cold: sorts lists. An instance of std's sort is 3,000 lines to compile; here is the only one for
//! lists of any type.

use std::cmp::Ordering;

/// Sorts a list. What is equal stays in its order.
pub(crate) fn sort_by<T>(list: &mut [T], compare: impl Fn(&T, &T) -> Ordering) {
    let mut order = order(list.len(), &|a, b| compare(&list[a], &list[b]));
    // Each place gets what belongs there from another, which then lacks its own, and so on in a
    // circle.
    for start in 0..list.len() {
        let mut at = start;
        loop {
            let from = std::mem::replace(&mut order[at], at);
            if from == start {
                break;
            }
            list.swap(at, from);
            at = from;
        }
    }
}

/// The places of a list, in the order of what is there.
fn order(length: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..length).collect();
    order.sort_by(|a, b| compare(*a, *b));
    order
}

#[cfg(test)]
mod tests {
    use super::sort_by;

    #[test]
    fn a_list_is_sorted_and_equal_items_stay_in_their_order() {
        for length in [0, 1, 2, 3, 10, 100, 1_000] {
            let numbers = (0..length).map(|n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 57);
            let mut sorted: Vec<(u64, usize)> = numbers.zip(0..).collect();
            let mut expected = sorted.clone();
            expected.sort();
            sort_by(&mut sorted, |(a, _), (b, _)| a.cmp(b));
            assert_eq!(sorted, expected);
        }
    }
}
