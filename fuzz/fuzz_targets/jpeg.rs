//! libFuzzer's entry to [`boothd_fuzz::jpeg`].
#![no_main]

libfuzzer_sys::fuzz_target!(
    // libFuzzer's hook ends the program at a panic before anyone can catch it. The service catches those of its decoders, and this
    // target is about the service: what it does not catch still ends the program, in libFuzzer's own `catch_unwind`.
    init: std::panic::set_hook(Box::new(|_| ())),
    |data: &[u8]| boothd_fuzz::jpeg::run(data)
);
