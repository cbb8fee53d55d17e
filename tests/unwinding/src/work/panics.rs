//! Panics: what they allocate, and allocations of destructors and handlers on the way. Without
//! unwinding there is nothing to see but the handler.

pub(crate) fn work() {
    #[cfg(panic = "unwind")]
    unwinding::work();
    #[cfg(not(panic = "unwind"))]
    super::allocate(1);
}

#[cfg(panic = "unwind")]
mod unwinding {
    use std::hint::black_box;
    use std::panic::{catch_unwind, panic_any, resume_unwind, set_hook, take_hook};

    use crate::work::allocate;

    pub(super) fn work() {
        let printing = take_hook();
        set_hook(Box::new(|info| drop(black_box(format!("{info}")))));
        for depth in 0..40 {
            check(move || down(depth, || panic!("at depth {depth}")));
            check(move || down(depth, || panic_any(depth.to_string())));
            check(move || down(depth, || resume_unwind(Box::new(depth))));
            check(move || down(depth, || allocate(black_box([1, 2, 3])[black_box(3 + depth)])));
            check(move || down(depth, || black_box(Err::<(), _>("an error".to_owned())).unwrap()));
        }
        set_hook(printing);
    }

    fn check(work: impl FnOnce() + std::panic::UnwindSafe) {
        assert!(catch_unwind(work).is_err());
    }

    /// Allocates when it is dropped, and panics and catches as well if it is told to.
    struct Dropping(usize);

    impl Drop for Dropping {
        fn drop(&mut self) {
            allocate(self.0 + 1);
            if self.0 % 8 == 7 {
                check(|| panic!("while unwinding"));
            }
            drop(black_box(vec![self.0; 3]));
        }
    }

    fn down(depth: usize, end: impl FnOnce()) {
        let _dropping = Dropping(depth);
        let array = black_box([depth as u8; 300]);
        match depth {
            0 => end(),
            _ if depth % 5 == 0 => {
                // The panic goes on in another frame than the one in which it was caught.
                let caught = catch_unwind(std::panic::AssertUnwindSafe(|| next(depth, end)));
                resume_unwind(caught.expect_err("it panics"));
            }
            _ => next(depth, end),
        }
        black_box(&array);
    }

    #[inline(never)]
    fn next(depth: usize, end: impl FnOnce()) {
        let _kept = black_box(vec![Dropping(depth + 100), Dropping(depth)]);
        let end: Box<dyn FnOnce()> = Box::new(end);
        down_boxed(depth - 1, end);
    }

    fn down_boxed(depth: usize, end: Box<dyn FnOnce() + '_>) {
        down(depth, end);
    }
}
