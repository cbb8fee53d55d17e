//! A dynamic library of Rust.

pub fn spawn(id: u32) -> String {
    format!("entity {id}")
}
