//! The other thread. To talk to it allocates nothing.

use std::sync::{Condvar, Mutex, OnceLock};
use std::task::Waker;
use std::thread;

use mod_alloc::ScopeHandle;

use crate::program::{self, Job, Way};

type Errand = (Way, Job, Option<ScopeHandle>);

static DESK: Mutex<Option<Errand>> = Mutex::new(None);
static CHANGED: Condvar = Condvar::new();
static WAKER: OnceLock<Waker> = OnceLock::new();

/// Of nobody, and made before anybody counts.
pub(crate) fn waker() -> Waker {
    WAKER.get_or_init(program::waker).clone()
}

pub(crate) fn start() {
    waker();
    thread::spawn(|| loop {
        let desk = DESK.lock().expect("no panic");
        let mut desk = CHANGED.wait_while(desk, |errand| errand.is_none()).expect("no panic");
        if let Some((way, job, handle)) = desk.as_ref() {
            way.serve(*job, handle.clone());
        }
        *desk = None;
        CHANGED.notify_all();
    });
}

/// Has it do the job, and waits.
pub(crate) fn send(way: Way, job: Job, handle: Option<ScopeHandle>) {
    *DESK.lock().expect("no panic") = Some((way, job, handle));
    CHANGED.notify_all();
    let desk = DESK.lock().expect("no panic");
    drop(CHANGED.wait_while(desk, |errand| errand.is_some()).expect("no panic"));
}
