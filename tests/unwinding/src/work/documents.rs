//! serde_json: parses and prints a document that was made here.

use serde_json::{json, Value};

use crate::random::Random;

pub(crate) fn work() {
    let mut random = Random::new(1);
    for depth in 2..6 {
        let document =
            json!({ "title": "document", "depth": depth, "body": value(&mut random, depth) });
        let text = serde_json::to_string_pretty(&document).expect("a document");
        let parsed: Value = serde_json::from_str(&text).expect("its own text");
        assert_eq!(parsed, document);
        let text = parsed.to_string();
        for length in (0..text.len()).step_by(text.len() / 8 + 1) {
            assert!(serde_json::from_str::<Value>(&text[..length]).is_err());
        }
    }
    let nested = "[".repeat(100) + &"]".repeat(100);
    assert_eq!(serde_json::from_str::<Value>(&nested).expect("a document").to_string(), nested);
}

fn value(random: &mut Random, depth: u32) -> Value {
    match (random.below(6), depth) {
        (0, _) => json!(random.below(1_000)),
        (1, _) => json!(random.below(1_000) as f64 / 8.0),
        (2, _) => json!(format!("a \"text\"\n{}", random.below(1_000))),
        (_, 0) => json!([null, true, "leaf"]),
        (3, _) => (0..random.below(9)).map(|_| value(random, depth - 1)).collect(),
        (_, _) => {
            let member = |n| (format!("member {n}"), value(random, depth - 1));
            Value::Object((0..7).map(member).collect())
        }
    }
}
