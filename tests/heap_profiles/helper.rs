//! Threads beside the one that runs the program. To talk to them allocates nothing.
use std::sync::{Condvar, Mutex, OnceLock};
use std::task::Waker;
use std::thread;

use mod_alloc::ScopeHandle;

use crate::program::{Job, Way};
use crate::waker;

type Errand = (Way, Job, Option<ScopeHandle>);

static DESK: Mutex<Option<Errand>> = Mutex::new(None);
static CHANGED: Condvar = Condvar::new();
static WAKER: OnceLock<Waker> = OnceLock::new();

/// A waker that wakes nobody. It is made before anybody counts.
pub(crate) fn waker() -> Waker {
    WAKER.get_or_init(waker::idle).clone()
}

pub(crate) fn start() {
    waker();
    thread::spawn(|| serve(|way| way != Way::Orphan));
    #[cfg(unix)]
    thread::spawn(crate::past_the_end::serve_past_the_end);
}

pub(crate) fn serve(is_ours: fn(Way) -> bool) {
    loop {
        let desk = DESK.lock().expect("no panic");
        let is_another =
            |errand: &mut Option<Errand>| !errand.as_ref().is_some_and(|(way, ..)| is_ours(*way));
        let mut desk = CHANGED.wait_while(desk, is_another).expect("no panic");
        if let Some((way, job, handle)) = desk.as_ref() {
            way.serve(*job, handle.clone());
        }
        *desk = None;
        CHANGED.notify_all();
    }
}

/// Has one of these threads do the job, and waits.
pub(crate) fn send(way: Way, job: Job, handle: Option<ScopeHandle>) {
    *DESK.lock().expect("no panic") = Some((way, job, handle));
    CHANGED.notify_all();
    let desk = DESK.lock().expect("no panic");
    drop(CHANGED.wait_while(desk, |errand| errand.is_some()).expect("no panic"));
}
