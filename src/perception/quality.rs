//! Face image quality: the components of ISO/IEC 29794-5, with OFIQ's names, formulas and 0..100 scale.

pub mod assess;

use serde::Serialize;

/// A quality component (names of OFIQ 1.0.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[repr(u8)]
pub enum QualityComponent {
    /// Angle of the head left and right.
    HeadPoseYaw,
    /// Angle of the head up and down.
    HeadPosePitch,
    /// Tilt of the head.
    HeadPoseRoll,
    /// Distance of the eyes.
    InterEyeDistance,
    /// Size of the head in the frame.
    HeadSize,
    /// Room at the left.
    LeftwardCropOfTheFaceImage,
    /// Room at the right.
    RightwardCropOfTheFaceImage,
    /// Room above.
    MarginAboveOfTheFaceImage,
    /// Room below.
    MarginBelowOfTheFaceImage,
    /// One face only.
    SingleFacePresent,
    /// Eyes open.
    EyesOpen,
    /// Mouth closed.
    MouthClosed,
    /// Mean luminance of the face.
    LuminanceMean,
    /// Variance of the luminance.
    LuminanceVariance,
    /// No underexposed face.
    UnderExposurePrevention,
    /// No overexposed face.
    OverExposurePrevention,
    /// Entropy of the luminance.
    DynamicRange,
    /// Both cheeks lit alike.
    IlluminationUniformity,
    /// Skin colour in the natural range.
    NaturalColour,
    /// Focus.
    Sharpness,
}

impl QualityComponent {
    /// All components that the booth knows, in the order of their discriminants.
    pub const ALL: [Self; 20] = [
        Self::HeadPoseYaw,
        Self::HeadPosePitch,
        Self::HeadPoseRoll,
        Self::InterEyeDistance,
        Self::HeadSize,
        Self::LeftwardCropOfTheFaceImage,
        Self::RightwardCropOfTheFaceImage,
        Self::MarginAboveOfTheFaceImage,
        Self::MarginBelowOfTheFaceImage,
        Self::SingleFacePresent,
        Self::EyesOpen,
        Self::MouthClosed,
        Self::LuminanceMean,
        Self::LuminanceVariance,
        Self::UnderExposurePrevention,
        Self::OverExposurePrevention,
        Self::DynamicRange,
        Self::IlluminationUniformity,
        Self::NaturalColour,
        Self::Sharpness,
    ];
}

/// One component's value, or that it could not be computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub enum Assessment {
    /// Could not be computed: not a low value, no value.
    #[default]
    FailureToAssess,
    /// Was computed.
    Value {
        /// In the component's own unit (degrees, pixels, share).
        raw: f64,
        /// 0..=100, higher is better.
        scalar: u8,
    },
}

impl Assessment {
    /// The 0..=100 value, if there is one.
    pub fn scalar(self) -> Option<u8> {
        match self {
            Self::FailureToAssess => None,
            Self::Value { scalar, .. } => Some(scalar),
        }
    }

    /// The native measure, if there is one.
    pub fn raw(self) -> Option<f64> {
        match self {
            Self::FailureToAssess => None,
            Self::Value { raw, .. } => Some(raw),
        }
    }
}

/// All components of one face in one frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct QualityReport {
    values: [Assessment; QualityComponent::ALL.len()],
}

impl QualityReport {
    /// The value of one component.
    pub fn get(&self, component: QualityComponent) -> Assessment {
        self.values[component as usize]
    }

    /// Sets the value of one component.
    pub fn set(&mut self, component: QualityComponent, value: Assessment) {
        self.values[component as usize] = value;
    }

    /// All components with their values.
    pub fn iter(&self) -> impl Iterator<Item = (QualityComponent, Assessment)> + '_ {
        QualityComponent::ALL.into_iter().zip(self.values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_stand_at_their_own_place() {
        for (i, component) in QualityComponent::ALL.into_iter().enumerate() {
            assert_eq!(component as usize, i);
        }
    }
}
