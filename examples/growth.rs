//! Checks how the bytes grow that a small parser allocates, for inputs of two kinds. One of them
//! finds a line that copies all that was before: `cargo run --example growth`.

use mod_alloc::{Growth, ModAlloc, Order};

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

/// Reads lines of the form `Name: value`. A value goes on in lines that begin with a space.
fn parse(text: &str) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        if let Some(more) = line.strip_prefix(' ') {
            if let Some((_, value)) = headers.last_mut() {
                *value = format!("{value}\n{more}");
            }
        } else if let Some((name, value)) = line.split_once(": ") {
            headers.push((name.to_lowercase(), value.to_owned()));
        }
    }
    headers
}

fn main() {
    let growth = Growth::new().max(Order::Linear).max_bytes(Order::Linear);

    let many_headers = growth.check(|n| {
        let text = "Accept: text/html\n".repeat(n);
        move || parse(&text)
    });
    match many_headers {
        Ok(()) => println!("many headers: linear\n"),
        Err(outgrown) => println!("{outgrown}\n"),
    }
    let long_header = growth.check(|n| {
        let text = format!("Received: by\n{}", " mail.example.org\n".repeat(n));
        move || parse(&text)
    });
    match long_header {
        Ok(()) => println!("one long header: linear"),
        Err(outgrown) => println!("{outgrown}"),
    }
}
