//! The same code compiled for the vectors of the x86 machines of the last ten years: the baseline of x86-64 is of 2003, while the
//! nets that the booth samples for use whatever is there. On ARM 64 the baseline is enough.

use super::{Affine, FrameView, Target, TensorMut, sample_here};

/// As [`super::sample`].
#[inline]
pub(super) fn sample(
    frame: &FrameView<'_>,
    map: &Affine,
    target: Target<'_>,
    tensor: &mut TensorMut<'_>,
) {
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("bmi2") {
        #[expect(unsafe_code, reason = "nothing else calls what needs a feature")]
        // SAFETY: the machine was asked for both features in the line above.
        unsafe {
            with_vectors(frame, map, target, tensor);
        }
    } else {
        sample_here(frame, map, target, tensor);
    }
}

/// No fused multiplication is asked for, so that both give the same values to the last bit.
#[target_feature(enable = "avx2,bmi2")]
fn with_vectors(
    frame: &FrameView<'_>,
    map: &Affine,
    target: Target<'_>,
    tensor: &mut TensorMut<'_>,
) {
    sample_here(frame, map, target, tensor);
}
