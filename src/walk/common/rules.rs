//! Hot: `caller_at`, the look-up of a rule: in the table of those that are known, or else in the
//! unwind tables of the module that the address is in.

use super::rule_table;
use crate::walk::caller::Caller;
use crate::walk::target::arch::rule::Rule;
use crate::walk::target::tables::{self, Tables};

/// How to get from a return address to the frame of the caller.
pub(crate) fn caller_at(return_address: usize) -> Caller {
    let mut nothing = Tables::NONE;
    caller_by(return_address, &mut nothing)
}

/// Likewise, by one who has read tables before.
pub(super) fn caller_by(return_address: usize, last: &mut Tables) -> Caller {
    match rule_of(return_address, last) {
        Rule::TOO_LARGE => tables::find_caller(return_address, last),
        rule => rule.caller(),
    }
}

/// The rule of a return address, as far as there is room for it.
pub(crate) fn rule_of(return_address: usize, last: &mut Tables) -> Rule {
    if !rule_table::can_hold(return_address) {
        return Rule::UNKNOWN;
    }
    if let Some(rule) = rule_table::find(return_address) {
        return rule;
    }
    let rule = Rule::of(tables::find_caller(return_address, last));
    rule_table::keep(return_address, rule);
    rule
}
