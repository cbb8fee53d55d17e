//! The JSON document that is parsed: the orders of a shop, about 100 KB, the same in every run.

use std::sync::OnceLock;

const ORDERS: u32 = 180;

/// The document. The first call makes it, during the warm-up.
pub(crate) fn text() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        let mut random = Random(1);
        let orders: Vec<String> = (0..ORDERS).map(|id| order(id, &mut random)).collect();
        format!(r#"{{"page":1,"next":null,"orders":[{}]}}"#, orders.join(","))
    })
}

fn order(id: u32, random: &mut Random) -> String {
    let lines: Vec<String> = (0..1 + random.below(6)).map(|_| line(random)).collect();
    format!(
        r#"{{"id":{id},"placed_at":"{}","paid":{},"customer":{},"lines":[{}]}}"#,
        moment(random),
        random.below(4) != 0,
        customer(random),
        lines.join(","),
    )
}

fn moment(random: &mut Random) -> String {
    format!(
        "2024-{:02}-{:02}T{:02}:{:02}:00Z",
        1 + random.below(12),
        1 + random.below(28),
        random.below(24),
        random.below(60),
    )
}

fn customer(random: &mut Random) -> String {
    let first = random.pick(&["Ada", "Barbara", "Edsger", "Grace", "Jürgen", "Katherine"]);
    let last = random.pick(&["Dijkstra", "Hopper", "Johnson", "Liskov", "Lovelace", "Müller"]);
    format!(
        r#"{{"name":"{first} {last}","email":"{}.{}@example.org","phone":null,"address":{}}}"#,
        first.to_lowercase(),
        last.to_lowercase(),
        address(random),
    )
}

fn address(random: &mut Random) -> String {
    format!(
        r#"{{"street":"{} Main Street\nFlat {}","city":"{}","location":[{}.{:04},-{}.{:04}]}}"#,
        1 + random.below(200),
        1 + random.below(30),
        random.pick(&["Amsterdam", "Lausanne", "New York", "São Paulo", "Zürich"]),
        random.below(90),
        random.below(10_000),
        random.below(180),
        random.below(10_000),
    )
}

fn line(random: &mut Random) -> String {
    format!(
        r#"{{"sku":"{:08x}","title":"{} {}","quantity":{},"price":{}.{:02},"tags":["{}","{}"]}}"#,
        random.below(u32::MAX),
        random.pick(&["Blue", "Folding", "Heavy", "Second-hand", "Small", r#"\"Classic\""#]),
        random.pick(&["bicycle", "book", "kettle", "lamp", "piano", "umbrella"]),
        1 + random.below(9),
        random.below(500),
        random.below(100),
        random.pick(&["gift", "new", "sale"]),
        random.pick(&["fragile", "heavy", "returnable"]),
    )
}

/// Numbers without a pattern that matters here. The algorithm is a linear congruential generator,
/// with the constants of Knuth's MMIX.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u32) -> u32 {
        const FACTOR: u64 = 6_364_136_223_846_793_005;
        const STEP: u64 = 1_442_695_040_888_963_407;
        self.0 = self.0.wrapping_mul(FACTOR).wrapping_add(STEP);
        ((self.0 >> 32) % u64::from(bound)) as u32
    }

    fn pick(&mut self, words: &[&'static str]) -> &'static str {
        words[self.below(words.len() as u32) as usize]
    }
}
