//! Holds an `async fn` and the tasks that it spawns to one budget: `cargo run --example
//! async_budget`. Each task is polled on a thread of its own here. With tokio or another runtime,
//! it is `spawn(scope.instrument(task))` just the same.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, JoinHandle, Thread};

use mod_alloc::{AllocScope, Budget, ModAlloc};

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future on this thread.
fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// The smallest executor that there can be. What it allocates for itself counts for nobody.
fn spawn<F: Future + Send + 'static>(task: F) -> JoinHandle<F::Output>
where
    F::Output: Send,
{
    mod_alloc::uncounted(|| thread::spawn(|| block_on(task)))
}

/// One allocation for each answer, if `buffer` is large enough for all of them.
async fn answer(requests: u32, mut buffer: String) -> usize {
    for request in 0..requests {
        let answer = format!("{request:03};");
        buffer.push_str(&answer);
    }
    buffer.len()
}

async fn serve(size: usize) -> usize {
    let scope = AllocScope::current().expect("a budget, or another scope");
    let tasks = [10, 20].map(|n| spawn(scope.instrument(answer(n, String::with_capacity(size)))));
    // This blocks, for there is no runtime here to wait for the tasks.
    let lengths = tasks.map(|task| task.join().expect("no panic"));
    lengths.iter().sum()
}

fn main() {
    // A buffer for each of two tasks, and 30 answers.
    let budget = Budget::new().exact(32);

    for size in [80, 16] {
        println!("with buffers of {size} bytes:");
        match block_on(budget.check_future(serve(size))) {
            Ok(bytes) => println!("{bytes} bytes, within the budget\n"),
            Err(exceeded) => println!("{exceeded}"),
        }
    }
}
