//! Face: detection, landmarks, pose, alignment, template, comparison.
