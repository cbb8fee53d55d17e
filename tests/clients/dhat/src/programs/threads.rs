//! Threads that allocate in turn, grow and free each other's blocks, and are started and end within
//! a profile.

use std::hint::black_box;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::thread;

use super::print_stats;
use crate::dhat;

const THREADS: usize = 4;

pub(super) fn run() {
    in_turn("all.json", None, 0);
    in_turn("most.json", Some(usize::MAX), 0);
    in_turn("few_10.json", Some(10), 0);
    // All frames are kept. dhat takes what all stacks have in common from the first one, which here
    // has nothing of the main thread's.
    in_turn("another_first.json", None, 1);
    started_within();
}

/// The main thread is number 0 and has the last turn. Nothing but turns is within the profile: the
/// other threads are there before it, and wait for the mutex until after its end.
fn in_turn(file: &str, max_frames: Option<usize>, first: usize) {
    let rounds = Rounds {
        state: Mutex::new(State { waiting: 0, turn: None, blocks: Vec::with_capacity(LAST_TURN) }),
        changed: Condvar::new(),
    };
    thread::scope(|scope| {
        for thread in 1..THREADS {
            let rounds = &rounds;
            scope.spawn(move || drop(rounds.take_part(thread)));
        }
        rounds.wait_for_the_others();
        let profiler =
            dhat::Profiler::builder().file_name(file).trim_backtraces(max_frames).build();
        rounds.start_with(first);
        let state = rounds.take_part(0);
        print_stats("after all turns");
        drop(profiler);
        drop(state);
    });
}

struct Rounds {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    waiting: usize,
    /// The turn is that of the thread with this number, modulo the number of threads.
    turn: Option<usize>,
    blocks: Vec<Vec<u8>>,
}

/// A turn of the main thread.
const LAST_TURN: usize = 10 * THREADS;

impl Rounds {
    fn wait_for_the_others(&self) {
        let state = self.state.lock().unwrap();
        let all_wait = self.changed.wait_while(state, |state| state.waiting < THREADS - 1);
        drop(all_wait.unwrap());
    }

    fn start_with(&self, turn: usize) {
        self.state.lock().unwrap().turn = Some(turn);
        self.changed.notify_all();
    }

    fn take_part(&self, thread: usize) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap();
        state.waiting += 1;
        self.changed.notify_all();
        while !matches!(state.turn, Some(turn) if turn > LAST_TURN) {
            match state.turn {
                Some(turn) if turn % THREADS == thread => {
                    state.work(turn);
                    state.turn = Some(turn + 1);
                    self.changed.notify_all();
                }
                _ => state = self.changed.wait(state).unwrap(),
            }
        }
        state
    }
}

impl State {
    fn work(&mut self, turn: usize) {
        match turn % 7 {
            0 | 1 => self.blocks.push(black_box(vec![1; 10])),
            2 => self.blocks.push(black_box(vec![2; 100 + turn])),
            // Mostly, another thread has allocated the block.
            3 | 4 => self.blocks[0].reserve_exact(100 + turn),
            5 => drop(self.blocks.pop()),
            _ => self.blocks[0].shrink_to(turn),
        }
    }
}

/// There is one thread after the other. All that two of them do at the same time is what std does
/// when it starts one.
fn started_within() {
    let profiler = dhat::Profiler::builder().file_name("started_within.json").build();
    let mut kept = Vec::new();
    for length in 1..=3 {
        let starting = thread::Builder::new().name(format!("number {length}"));
        let thread = starting.spawn(move || black_box(vec![3_u16; length])).unwrap();
        kept.extend(thread.join().unwrap());
    }
    // The peak is here.
    drop(black_box(Vec::<u8>::with_capacity(1 << 20)));
    drop(kept);
    print_stats("after all threads");
    drop(profiler);
}
