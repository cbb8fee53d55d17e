//! Hot: tests of rules for the code of this program, and for what is no code.

use crate::walk::caller::Caller;
use crate::walk::target::arch::registers::UNIT_BITS;
use crate::walk::target::arch::rule::Rule;
use crate::walk::target::common::rule_table::{crowded, flush, generation};
use crate::walk::target::common::rules;
use crate::walk::target::tables::{own_functions, Tables};
use crate::walk::Registers;

fn rule_of(return_address: usize) -> Rule {
    let mut nothing = Tables::NONE;
    rules::rule_of(return_address, &mut nothing)
}

#[test]
fn what_is_no_code_has_no_rule() {
    for address in [0, 1, 4095, 1 << 46, 1 << 47, usize::MAX, &0_u8 as *const u8 as usize] {
        assert_eq!(rule_of(address).caller(), Caller::Unknown, "{address:x}");
    }
}

#[test]
fn a_rule_is_found_again_and_after_a_flush() {
    let here = Registers::here().pc;
    let rule = rule_of(here);
    assert!(matches!(rule.caller(), Caller::Frame { .. }), "{rule:?}");
    assert_eq!(rule_of(here), rule);
    let before = generation();
    flush();
    assert!(generation() > before);
    assert_eq!(rule_of(here), rule);
}

#[test]
fn the_places_of_addresses_are_well_spread() {
    let functions = own_functions();
    let calls = functions.iter().step_by(functions.len() / 1_000);
    // Some call of each function, wherever it may be. Where the program is loaded differs from run
    // to run, and so do these; but where places are well spread, one set in 50 runs is crowded.
    let crowded = crowded(calls.map(|start| start + ((start / 16 % 61) << UNIT_BITS)));
    assert!(crowded <= 4, "{crowded} sets are crowded");
}
