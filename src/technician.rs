//! The technician's console, self-tests and fault memory. Not built: `boothd console` says so; this is their room.
