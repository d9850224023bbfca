//! What the fuzz targets do with their bytes: one function a target, taking bytes as libFuzzer gives them and panicking if the
//! service does not keep its word. The service's own tests include this file and replay the corpus through the same functions.

mod bytes;
pub mod console;
pub mod gb11643;
pub mod image;
pub mod jpeg;
pub mod manifest;
pub mod mrz;
pub mod plain;
pub mod print;
pub mod qr;
pub mod text;
pub mod ticket;

/// What takes an input.
pub type Target = fn(&[u8]);

/// Every target with its name, which is also that of its corpus.
pub const TARGETS: [(&str, Target); 11] = [
    ("mrz", mrz::run),
    ("ticket", ticket::run),
    ("manifest", manifest::run),
    ("text", text::run),
    ("print", print::run),
    ("image", image::run),
    ("jpeg", jpeg::run),
    ("qr", qr::run),
    ("gb11643", gb11643::run),
    ("console", console::run),
    ("plain", plain::run),
];
