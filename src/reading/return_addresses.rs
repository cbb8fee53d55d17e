//! Cold: the return addresses of a stack, which keeps them in parts.

use crate::stacks::Stack;

/// Outermost first.
pub(crate) fn return_addresses(stack: &Stack) -> Vec<usize> {
    let mut addresses = Vec::with_capacity(stack.len());
    stack.visit(&mut |address| addresses.push(address));
    addresses
}
