//! Threads beside the one that runs the program. To talk to them allocates nothing.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};
use std::ptr::NonNull;
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
    thread::spawn(serve_past_the_end);
}

fn serve(is_ours: fn(Way) -> bool) {
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

extern "C" {
    fn pthread_key_create(key: *mut u32, destructor: extern "C" fn(*mut c_void)) -> c_int;
    fn pthread_setspecific(key: u32, value: *const c_void) -> c_int;
}

/// Has the calling thread serve for ever in a destructor that is the last. As far as the library is
/// concerned, the thread has ended by then.
fn serve_past_the_end() {
    extern "C" fn destructor(_: *mut c_void) {
        serve(|way| way == Way::Orphan);
    }
    let mut key = 0;
    // SAFETY: `key` is writable, and `destructor` takes any value.
    assert_eq!(unsafe { pthread_key_create(&mut key, destructor) }, 0);
    // SAFETY: the key was made above; the value is not null, and nobody reads it.
    assert_eq!(unsafe { pthread_setspecific(key, NonNull::dangling().as_ptr()) }, 0);
}

/// Has one of these threads do the job, and waits.
pub(crate) fn send(way: Way, job: Job, handle: Option<ScopeHandle>) {
    *DESK.lock().expect("no panic") = Some((way, job, handle));
    CHANGED.notify_all();
    let desk = DESK.lock().expect("no panic");
    drop(CHANGED.wait_while(desk, |errand| errand.is_some()).expect("no panic"));
}
