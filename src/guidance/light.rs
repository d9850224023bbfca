//! light (stub while screens build)
