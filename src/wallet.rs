//! wallet (being built).
