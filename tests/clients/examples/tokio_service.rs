//! A service of tokio, with a budget for each request that it handles, on whichever worker:
//! `cargo run --manifest-path tests/clients/Cargo.toml --example tokio_service`.
//!
//! It stands here and not beside the other examples since the crate itself does not depend on
//! tokio, not even for its examples.

use std::collections::HashMap;
use std::sync::Arc;

use mod_alloc::{alloc_budget, Budget, Exceeded, ModAlloc};
use tokio::sync::{mpsc, oneshot, RwLock};

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

enum Request {
    Get(&'static str),
    /// The keys that begin with a text, in order.
    List(&'static str),
}

/// A request, and where its answer goes.
type Call = (Request, oneshot::Sender<String>);

#[derive(Default)]
struct Store {
    values: RwLock<HashMap<String, String>>,
}

impl Store {
    /// Copies the value, and nothing else. The budget counts each poll of the future.
    #[alloc_budget(max = 1)]
    async fn get(&self, key: &str) -> String {
        let values = self.values.read().await;
        values.get(key).cloned().unwrap_or_default()
    }

    /// Takes a list, which grows, and the answer.
    async fn list(&self, prefix: &str) -> String {
        let values = self.values.read().await;
        let mut keys: Vec<String> =
            values.keys().filter(|key| key.starts_with(prefix)).cloned().collect();
        keys.sort();
        keys.join(",")
    }
}

/// Answers one request. A budget as a value returns what was exceeded, in place of a panic.
async fn handle(store: &Store, request: Request) -> Result<String, Exceeded> {
    match request {
        Request::Get(key) => Ok(store.get(key).await),
        Request::List(prefix) => Budget::new().max(4).check_future(store.list(prefix)).await,
    }
}

/// Each request is a task of its own, as in a server.
async fn serve(store: Arc<Store>, mut calls: mpsc::Receiver<Call>) {
    while let Some((request, answer)) = calls.recv().await {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let text = match handle(&store, request).await {
                Ok(text) => text,
                Err(exceeded) => format!("too expensive\n{exceeded}"),
            };
            // A client that is gone needs no answer.
            let _ = answer.send(text);
        });
    }
}

async fn ask(calls: &mpsc::Sender<Call>, request: Request) -> String {
    let (answer, receiver) = oneshot::channel();
    calls.send((request, answer)).await.expect("the service runs");
    receiver.await.expect("the service answers")
}

#[tokio::main]
async fn main() {
    let store = Arc::new(Store::default());
    for n in 0..9 {
        let mut values = store.values.write().await;
        values.insert(format!("user/{n}"), format!("name of {n}"));
    }
    let (calls, receiver) = mpsc::channel(8);
    tokio::spawn(serve(store, receiver));

    println!("get user/7: {}", ask(&calls, Request::Get("user/7")).await);
    println!("list user/: {}", ask(&calls, Request::List("user/")).await);
}
