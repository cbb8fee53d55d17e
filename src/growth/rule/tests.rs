//! Cold: what the rule makes of numbers, with and without noise.

use super::{fits, Fits};
use crate::growth::order::{Fit, Order};
use crate::growth::plan::Plan;

const ORDERS: [Order; 5] =
    [Order::Constant, Order::Logarithmic, Order::Linear, Order::Linearithmic, Order::Quadratic];

/// All of them are wide enough to tell any two orders apart.
const LISTS: [&[usize]; 8] = [
    &[64, 4_096],
    &[64, 512, 4_096, 8_192],
    &[64, 512, 4_096, 32_768],
    &[1, 10, 100, 1_000],
    &[1_000, 100_000],
    &[100, 700, 5_000, 30_000],
    &[0, 4_000],
    &[3, 1_000_000],
];

fn plan(sizes: &[usize]) -> Plan {
    Plan::new(sizes).expect("wide enough")
}

fn only(fit: Fit) -> Fits {
    Fits { least: fit, most: fit }
}

/// Xorshift: numbers from 0 to below `end`.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % end
    }

    fn of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len() as u64) as usize]
    }
}

/// Numbers of one order fit that one, with whatever factor and constant part, and noise that the
/// documentation allows.
#[test]
fn an_order_is_found_beneath_noise() {
    let mut random = Random(7);
    for _ in 0..20_000 {
        let (order, list) = (random.of(&ORDERS), random.of(&LISTS));
        let factor = random.of(&[3.0, 4.0, 7.0, 10.0, 24.0, 100.0, 1_000.0, 4_321.0]);
        let constant = random.of(&[0.0, 1.0, 10.0, 1_000.0, 10_000.0, 1e6]);
        let is_relative = random.below(2) == 0;
        let mut known = std::collections::BTreeMap::new();
        let plan = plan(list);
        for size in plan.sizes() {
            let part = random.below(2_001) as f64 / 1_000.0 - 1.0; // -1 to 1
            let grown = if order == Order::Constant { 0.0 } else { factor * order.of(size) };
            let noise = if is_relative { grown * part / 200.0 } else { part.round() };
            known.entry(size).or_insert((constant + 1.0 + grown + noise).round() as u64);
        }
        let found = fits(&plan, &|size| known[&size]);
        let what = format!("{factor} {order} + {constant} at {list:?}, {is_relative}: {known:?}");
        assert_eq!(found, only(Fit::Order(order)), "{what}");
    }
}

#[test]
fn noise_of_any_size_without_a_trend_is_constant() {
    let mut random = Random(7);
    let plan = plan(&[64, 8_192]);
    for _ in 0..1_000 {
        let noise = 1 + random.below(1_000);
        let numbers: Vec<u64> = plan.sizes().map(|_| 10_000 + random.below(noise)).collect();
        let sizes: Vec<usize> = plan.sizes().collect();
        let number = |size| numbers[sizes.iter().position(|known| *known == size).expect("one")];
        assert_eq!(fits(&plan, &number), only(Fit::Order(Order::Constant)), "{numbers:?}");
    }
}

fn check(expected: Fit, number: fn(u64) -> u64) {
    for list in LISTS {
        let plan = plan(list);
        let values: Vec<(usize, u64)> =
            plan.sizes().map(|size| (size, number(size as u64))).collect();
        let found = fits(&plan, &|size| number(size as u64));
        assert_eq!(found, only(expected), "{list:?}: {values:?}");
    }
}

#[test]
fn a_step_among_the_first_sizes_hides_no_growth() {
    let number = |n: usize| if n < 100 { 0 } else { 1_000 + 10 * u64::from(n.ilog2()) };
    let found = fits(&plan(&[64, 8_192]), &number);
    assert_eq!(found, only(Fit::Order(Order::Logarithmic)));
}

#[test]
fn numbers_that_fall_are_constant() {
    check(Fit::Order(Order::Constant), |n| 10_000_000 / n);
    check(Fit::Order(Order::Constant), |n| 1_000_000_000 - n * n / 10_000);
}

#[test]
fn what_grows_faster_than_squared_fits_none() {
    check(Fit::Faster, |n| n.pow(3));
    check(Fit::Faster, |n| 1_000_000 + n.pow(3) / 8);
}

#[test]
fn steps_of_a_factor_of_two_are_linear_wherever_they_are() {
    check(Fit::Order(Order::Linear), u64::next_power_of_two);
    check(Fit::Order(Order::Linear), |n| (n * 8 / 7 + 1).next_power_of_two());
    check(Fit::Order(Order::Linear), |n| (3 * n + 5).next_power_of_two() + 10_000);
    check(Fit::Order(Order::Linear), |n| n.next_power_of_two() + 3 * n);
}

#[test]
fn a_part_of_a_lower_order_does_not_hide_the_higher_one() {
    check(Fit::Order(Order::Quadratic), |n| n * n + 20 * n);
    check(Fit::Order(Order::Linearithmic), |n| (n as f64 * (n as f64).log2()) as u64 + 3 * n);
    check(Fit::Order(Order::Linear), |n| 10 * n + 100 * u64::from(n.ilog2()));
}

#[test]
fn of_two_parts_the_one_decides_that_prevails() {
    let check = |list: &[usize], order| {
        let number = |n: usize| (n * n + 1_000 * n) as u64;
        assert_eq!(fits(&plan(list), &number), only(Fit::Order(order)), "{list:?}");
    };
    check(&[64, 8_192], Order::Quadratic);
    check(&[64, 512], Order::Linearithmic);
}

#[test]
fn where_noise_decides_several_orders_fit() {
    let check = |list: &[usize], number: fn(u64) -> u64, least, most| {
        let expected = Fits { least: Fit::Order(least), most: Fit::Order(most) };
        assert_eq!(fits(&plan(list), &|size| number(size as u64)), expected);
    };
    let log = |n: u64| u64::from(n.ilog2());
    check(&[64, 512], log, Order::Logarithmic, Order::Quadratic);
    check(&[64, 512], |n| n / 16, Order::Linear, Order::Linearithmic);
    check(&[64, 8_192], |n| n / 200, Order::Linear, Order::Linearithmic);
}
