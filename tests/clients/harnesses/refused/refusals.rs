//! None of these compiles, for each budget would count what its harness does. `tests/refused.rs`
//! has the errors.

use mod_alloc::alloc_budget;
use quickcheck_macros::quickcheck;
use serial_test::{parallel, serial};

#[tokio::test]
#[alloc_budget(max = 1)]
async fn of_tokio() {}

#[serial]
#[alloc_budget(max = 1)]
#[test]
fn of_serial() {}

#[parallel(group)]
#[alloc_budget(max = 1)]
#[test]
fn of_parallel() -> Result<(), String> {
    Ok(())
}

#[test_log::test]
#[alloc_budget(max = 1)]
fn of_test_log() {}

#[quickcheck]
#[alloc_budget(max = 1)]
fn of_quickcheck(number: u8) -> bool {
    u16::from(number) < 256
}

proptest::proptest! {
    #[test]
    #[alloc_budget(max = 1)]
    fn within_proptest(number in 0..9_u8) {
        assert!(number < 9);
    }

    #[test]
    #[alloc_budget(max = 1)]
    fn within_proptest_by_type(number: u8) {
        assert!(u16::from(number) < 256);
    }
}

quickcheck::quickcheck! {
    #[alloc_budget(max = 1)]
    fn within_quickcheck(number: u8) -> bool {
        u16::from(number) < 256
    }
}
