//! How much of what takes long a test does.

/// So many programs or rounds; with `MOD_ALLOC_TEST_PART=20` in the environment, a twentieth of
/// them. For systems in an emulator, where all of them take hours.
pub(crate) fn part_of(count: u64) -> u64 {
    let parts = std::env::var("MOD_ALLOC_TEST_PART").map_or(1, |parts| {
        parts.parse().expect("`MOD_ALLOC_TEST_PART` is a number: with 20, a twentieth is run")
    });
    count.div_ceil(parts)
}
