//! technician (being built).
