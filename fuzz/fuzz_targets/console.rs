//! libFuzzer's entry to [`boothd_fuzz::console`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| boothd_fuzz::console::run(data));
