//! libFuzzer's entry to [`boothd_fuzz::image`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| boothd_fuzz::image::run(data));
