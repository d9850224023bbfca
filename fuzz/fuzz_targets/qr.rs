//! libFuzzer's entry to [`boothd_fuzz::qr`].
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: {
        // The service expects panics of the QR library and catches them. libFuzzer's hook would abort before that; what leaves the
        // target's function aborts all the same.
        std::panic::set_hook(Box::new(|_| {}));
    },
    |data: &[u8]| boothd_fuzz::qr::run(data)
);
