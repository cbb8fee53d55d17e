//! Cold: `lock`, for locks that a forked child must not wait for without end. A child has only the
//! thread that forked: what another thread had locked at that moment stays locked in the child.

use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

use crate::counters::AtWork;
use crate::walk;

/// Thousands of times as long as any of the locks is held.
const LIMIT_IN_FORKED_CHILD: Duration = Duration::from_secs(1);

/// `None` in a forked child, if the lock was held by another thread at the fork.
pub(crate) fn lock<'a, T>(_: AtWork<'_>, mutex: &'a Mutex<T>) -> Option<MutexGuard<'a, T>> {
    if walk::is_forked() {
        return lock_within(mutex, LIMIT_IN_FORKED_CHILD);
    }
    Some(mutex.lock().unwrap_or_else(PoisonError::into_inner))
}

fn lock_within<T>(mutex: &Mutex<T>, limit: Duration) -> Option<MutexGuard<'_, T>> {
    let start = Instant::now();
    loop {
        match mutex.try_lock() {
            Ok(guard) => return Some(guard),
            Err(TryLockError::Poisoned(error)) => return Some(error.into_inner()),
            Err(TryLockError::WouldBlock) if start.elapsed() >= limit => return None,
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::thread;
    use std::time::Duration;

    use super::lock_within;

    #[test]
    fn what_is_held_for_a_while_is_waited_for_and_what_is_held_for_ever_is_not() {
        let number = Mutex::new(1);
        thread::scope(|scope| {
            let mut held = number.lock().expect("free");
            let waiting = scope.spawn(|| lock_within(&number, Duration::from_secs(60)).map(|n| *n));
            *held = 2;
            drop(held);
            assert_eq!(waiting.join().expect("ends well"), Some(2));
        });
        let _held = lock_within(&number, Duration::ZERO).expect("free");
        assert!(lock_within(&number, Duration::from_millis(3)).is_none());
    }
}
