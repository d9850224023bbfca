//! The control socket with a booth that is none.
