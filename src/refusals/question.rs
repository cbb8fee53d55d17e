//! Hot: the one question at a time that a thread has for the helper thread: which line of the
//! program asked for a block. The cold side starts that thread, and answers.
//!
//! The helper is started when a budget opens that may have such a question, and not when there is
//! one: to start a thread takes memory and locks, which is not to be done where memory was just
//! refused, in a signal handler, or while the loader is at work.
//!
//! Whoever has a question waits for its answer, and for its turn, a few seconds in all. The answer
//! may never come: to find a line takes a lock of std's, or the loader's, which the thread that
//! asks may hold. A child made by `fork` has no helper, and does not wait.
//!
//! ```text
//! IDLE -> TAKEN -> ASKED -> AT_WORK -> ANSWERED -> IDLE
//!           the question      |          the answer
//!                           GIVEN_UP -> IDLE
//! ```
//!
//! Relies on: the states above, which give the question and the answer to one thread at a time.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::panic::Location;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::time::{Duration, Instant};

use super::text::Text;
use crate::stacks::Stack;
use crate::sys::futex;
use crate::walk;

/// Where did this stack ask for a block?
#[derive(Clone, Copy)]
pub(crate) struct Question {
    pub(crate) stack: &'static Stack,
    /// A line of the same program, where its budget was opened.
    pub(crate) location: &'static Location<'static>,
}

const IDLE: u32 = 0;
/// The one who asks writes the question.
const TAKEN: u32 = 1;
const ASKED: u32 = 2;
/// The helper reads the question, and writes the answer.
const AT_WORK: u32 = 3;
/// The one who asks reads the answer.
const ANSWERED: u32 = 4;
/// As `AT_WORK`, but nobody waits for the answer.
const GIVEN_UP: u32 = 5;

static STATE: AtomicU32 = AtomicU32::new(IDLE);
static HAS_HELPER: AtomicBool = AtomicBool::new(false);
static DESK: Desk = Desk {
    question: UnsafeCell::new(None),
    answer: UnsafeCell::new(Answer { bytes: [0; ROOM], len: 0 }),
};

struct Desk {
    question: UnsafeCell<Option<Question>>,
    answer: UnsafeCell<Answer>,
}

// SAFETY: `STATE` says whose they are, and passes them on by acquire and release.
unsafe impl Sync for Desk {}

struct Answer {
    bytes: [u8; ROOM],
    len: usize,
}

const ROOM: usize = 400;

/// How long to wait for an answer. The debug information of a large program takes some seconds.
const MOST: Duration = Duration::from_secs(5);

/// Asks, and appends the answer between `before` and `after`; nothing if there is none in time.
pub(super) fn ask(question: Question, text: &mut Text, before: &str, after: &str) {
    if !HAS_HELPER.load(Acquire) || walk::is_forked() {
        return;
    }
    let begun = Instant::now();
    while let Err(state) = STATE.compare_exchange(IDLE, TAKEN, Acquire, Relaxed) {
        if !wait_since(begun, state) {
            return;
        }
    }
    // SAFETY: the state was `IDLE`, and is `TAKEN`.
    unsafe { *DESK.question.get() = Some(question) };
    change_to(ASKED);
    loop {
        match STATE.load(Acquire) {
            ANSWERED => break,
            state => {
                if !wait_since(begun, state) && give_up() {
                    return;
                }
            }
        }
    }
    // SAFETY: the state is `ANSWERED`.
    let answer = unsafe { &*DESK.answer.get() };
    match answer.bytes.get(..answer.len) {
        Some([]) | None => {}
        Some(answer) => {
            text.push(before).push_bytes(answer).push(after);
        }
    }
    change_to(IDLE);
}

/// Waits for another state than this one. `false` if it is too late for that.
fn wait_since(begun: Instant, state: u32) -> bool {
    match MOST.checked_sub(begun.elapsed()) {
        Some(left) => {
            futex::wait(&STATE, state, left);
            true
        }
        None => false,
    }
}

/// Takes the question back. `false` if it was just answered.
fn give_up() -> bool {
    if STATE.compare_exchange(ASKED, IDLE, AcqRel, Relaxed).is_ok() {
        futex::wake(&STATE);
        return true;
    }
    STATE.compare_exchange(AT_WORK, GIVEN_UP, AcqRel, Relaxed).is_ok()
}

fn change_to(state: u32) {
    STATE.store(state, Release);
    futex::wake(&STATE);
}

/// Whether there is no helper thread so far. The caller starts one: it is asked once in a process,
/// and never where there is nothing to find.
pub(crate) fn has_no_helper_yet() -> bool {
    !HAS_HELPER.load(Relaxed) && !walk::is_forked() && !HAS_HELPER.swap(true, AcqRel)
}

/// Waits for a question. For the helper thread.
pub(crate) fn next_question() -> Question {
    loop {
        if let Err(state) = STATE.compare_exchange(ASKED, AT_WORK, Acquire, Relaxed) {
            futex::wait(&STATE, state, Duration::from_secs(3600));
            continue;
        }
        // SAFETY: the state was `ASKED`, and is `AT_WORK`.
        if let Some(question) = unsafe { *DESK.question.get() } {
            return question;
        }
    }
}

/// Answers the question that it was asked last; with nothing, if it does not know.
pub(crate) fn answer(text: &str) {
    // SAFETY: the state is `AT_WORK` or `GIVEN_UP`, in which the other side keeps away.
    let answer = unsafe { &mut *DESK.answer.get() };
    answer.len = 0;
    for (to, byte) in answer.bytes.iter_mut().zip(text.as_bytes()) {
        *to = *byte;
        answer.len += 1;
    }
    if STATE.compare_exchange(AT_WORK, ANSWERED, AcqRel, Relaxed).is_err() {
        STATE.store(IDLE, Release);
    }
    futex::wake(&STATE);
}
