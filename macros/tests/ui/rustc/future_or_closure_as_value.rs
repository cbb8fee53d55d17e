use std::future::{ready, Future, IntoFuture, Ready};

use mod_alloc::{assert_allocs, assert_no_alloc, measure, Budget, ScopeHandle};

async fn future() -> Vec<u8> {
    vec![1]
}

fn boxed() -> Box<dyn FnOnce() -> Vec<u8>> {
    Box::new(|| vec![1])
}

/// As builders of requests and queries are: made a future by `.await`.
struct Query;

impl IntoFuture for Query {
    type Output = u8;
    type IntoFuture = Ready<u8>;

    fn into_future(self) -> Ready<u8> {
        ready(1)
    }
}

fn of_some_type<F: Future>(make: fn() -> F) {
    Budget::new().max(0).enforce(make);
}

async fn all() {
    assert_no_alloc!(future()).await;
    assert_no_alloc!({ future() }, "message").await;
    assert_allocs!(max = 1, runs = 2, { Box::pin(future()) }).await;
    assert_no_alloc!(Query).await;
    assert_no_alloc!(boxed())();
    assert_no_alloc!(main);

    Budget::new().max(0).enforce(|| future()).await;
    Budget::new().max(0).enforce(future).await;
    Budget::new().max(0).enforce(|| ready(1)).await;
    Budget::new().max(0).enforce(|| Query).await;
    Budget::new().max(0).enforce(|| boxed())();
    Budget::new().max(0).enforce(|| || vec![1])();
    let _ = Budget::new().max(0).check(future).unwrap().await;
    Budget::new().max(0).runs(2).enforce(future).await;
    let _ = Budget::new().max(0).runs(2).check(future).unwrap().await;
    measure(future).0.await;
    Budget::new().max(0).enforce_future(async { future() }).await.await;
    let _ = Budget::new().max(0).check_future(async { future() }).await.unwrap().await;
    Budget::new().max(0).runs(2).enforce_future(|| async { future() }).await.await;
}

async fn attached(handle: ScopeHandle) {
    handle.run(future).await;
    handle.wrap(future)().await;
}

fn main() {
    drop(all());
}
