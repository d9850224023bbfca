//! What was typed -> one verb.
fn main() {}
