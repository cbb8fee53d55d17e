use mod_alloc::{assert_allocs, assert_no_alloc};

async fn future() -> u8 {
    1
}

fn main() {
    let _ = assert_no_alloc!(async { 1 });
    let _ = assert_no_alloc! {
        let text = "moved";
        async move { text.len() }
    };
    let _ = assert_allocs!(max = 1, { async { future().await } }, "message");
    let _ = assert_allocs!(max = 1, runs = 2, { async { future().await } });

    assert_no_alloc!(|| vec![1])();
    let add = assert_no_alloc!({ move |a: u8, b: u8| a + b }, "message");
    add(1, 2);
    let text = "moved";
    let _ = assert_allocs!(max = 1, move || text.len());
    let _ = assert_allocs!(max = 1, {{ drop(text); |_: u8| 1 }});
}
