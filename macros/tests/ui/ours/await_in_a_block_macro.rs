use mod_alloc::{assert_allocs, assert_no_alloc};

async fn future() -> u8 {
    1
}

async fn awaits() {
    assert_no_alloc! { future().await; }
    assert_allocs!(max = 1, { vec![future().await] });
    assert_allocs!(max = 1, future().await, "message");
    let _value: u8 = assert_no_alloc!({ if true { future().await } else { 2 } });
}

// What is awaited in these runs elsewhere.
async fn awaits_later() {
    let _block = assert_no_alloc!((async { future().await },));
    let _moved = assert_allocs!(max = 1, { (async move { future().await },) });
    assert_no_alloc! {
        async fn inner() -> u8 {
            future().await
        }
        drop(inner());
    }
}

fn main() {
    drop(awaits());
    drop(awaits_later());
}
