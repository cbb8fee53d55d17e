//! Cold: tests of `symbolize` with addresses of which unwind tables in ELF say something, or
//! nothing: any of this program, and those of functions that are made up.

use crate::symbolize::target::arch::test_functions::{
    mod_alloc_test_by_another_register, mod_alloc_test_deadly, mod_alloc_test_outermost,
    mod_alloc_test_realigned, mod_alloc_test_without_a_table, INSTRUCTION,
};
use crate::symbolize::target::files::caller;
use crate::symbolize::target::tests::{functions, print, some_addresses, symbolize};
use crate::symbolize::Place;
use crate::walk::{Caller, ReturnAddress};

/// Whether a call could return to the address: on aarch64, not where the return address is in its
/// register still, nor to the middle of an instruction.
fn could_be_returned_to(address: usize) -> bool {
    !matches!(
        caller(address),
        None | Some(Caller::Frame { return_address: ReturnAddress::InRegister, .. })
    )
}

#[test]
fn every_address_of_a_function_is_in_it() {
    // Not return addresses, most of them not even instructions.
    let start = print as fn() as usize;
    let addresses: Vec<usize> =
        (start + 1..start + 80).filter(|&address| could_be_returned_to(address)).collect();
    assert!(addresses.len() > 10);
    for place in symbolize(&addresses) {
        assert!(functions(&place).last().is_some_and(|name| name.contains("print")), "{place:?}");
    }
}

/// The first thousands of addresses of the code of this program, whatever is there.
#[test]
fn any_address_of_the_code_can_be_asked_for() {
    let start = print as fn() as usize;
    let mut addresses: Vec<usize> = (start..start + 200_000).step_by(67).collect();
    addresses.extend(some_addresses());
    let places = symbolize(&addresses);
    let known = places.iter().filter(|place| matches!(place, Place::Known(_))).count();
    let could_be = addresses.iter().filter(|&&address| could_be_returned_to(address)).count();
    assert!(known > could_be / 2 && could_be > 100, "{known} of {could_be}");
}

#[test]
fn unusual_unwind_tables_are_laid_out_or_left_alone() {
    let function = |function: unsafe extern "C" fn()| function as usize;
    let own = some_addresses();
    let fine = [
        (function(mod_alloc_test_realigned), "mod_alloc_test_realigned"),
        (function(mod_alloc_test_outermost), "mod_alloc_test_outermost"),
        (function(mod_alloc_test_without_a_table), "mod_alloc_test_without_a_table"),
    ];
    let unknown = [function(mod_alloc_test_by_another_register), function(mod_alloc_test_deadly)];
    let at = |function: usize| (1..20).map(move |offset| function + INSTRUCTION * offset);
    let mut addresses = own.clone();
    addresses.extend(fine.iter().flat_map(|&(function, _)| at(function)));
    addresses.extend(unknown.iter().flat_map(|&function| at(function)));
    let places = symbolize(&addresses);
    let (own_places, places) = places.split_at(own.len());
    assert_eq!(own_places, symbolize(&own));
    let (fine_places, unknown_places) = places.split_at(3 * 19);
    for (place, (_, name)) in fine_places.chunks(19).zip(fine) {
        for place in place {
            assert_eq!(functions(place), [name]);
        }
    }
    for place in unknown_places {
        assert!(matches!(place, Place::Unknown { module, .. } if module.starts_with("mod_alloc-")));
    }
}
