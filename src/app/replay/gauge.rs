//! What documents and faces are held against, in words: titles and the side on which a limit lies.

use crate::verdict::evidence::Measure;

/// On which side of its limit a value is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    /// At least the limit.
    Least,
    /// At most.
    Most,
}

/// A measure that has a limit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gauge {
    /// Name, as outcomes have it.
    pub(super) name: &'static str,
    /// Title in English and Chinese.
    pub(super) title: (&'static str, &'static str),
    /// The good side.
    pub(super) bound: Bound,
}

const fn gauge(name: &'static str, title: (&'static str, &'static str), bound: Bound) -> Gauge {
    Gauge { name, title, bound }
}

/// Of documents, in the order in which they are shown.
pub(super) const OF_DOCUMENTS: [Gauge; 7] = [
    gauge("document_area", ("area", "证件面积"), Bound::Least),
    gauge("document_tilt", ("tilt", "证件倾斜"), Bound::Most),
    gauge("document_motion", ("motion", "证件移动"), Bound::Most),
    gauge(
        "document_luminance",
        ("luminance", "证件亮度"),
        Bound::Least,
    ),
    gauge(
        "document_sharpness",
        ("sharpness", "证件清晰度"),
        Bound::Least,
    ),
    gauge("document_glare", ("glare", "证件反光"), Bound::Most),
    gauge(
        "document_cover",
        ("covered by a finger", "手指遮挡"),
        Bound::Most,
    ),
];

/// Of faces.
pub(super) const OF_FACES: [Gauge; 9] = [
    gauge(
        "InterEyeDistance",
        ("distance of the eyes", "瞳距"),
        Bound::Least,
    ),
    gauge("HeadPose", ("turn of the head", "头部偏转"), Bound::Most),
    gauge(
        "SingleFacePresent",
        ("one face only", "单一人脸"),
        Bound::Least,
    ),
    gauge("LuminanceMean", ("luminance", "人脸亮度"), Bound::Least),
    gauge(
        "IlluminationUniformity",
        ("even light", "光照均匀"),
        Bound::Least,
    ),
    gauge("EyesOpen", ("eyes open", "睁眼"), Bound::Least),
    gauge("Sharpness", ("sharpness", "人脸清晰度"), Bound::Least),
    gauge(
        "pad_score",
        ("attack detection", "呈现攻击检测"),
        Bound::Least,
    ),
    gauge("comparison_score", ("comparison", "人脸比对"), Bound::Least),
];

impl Gauge {
    /// The sign between value and limit where it is held.
    pub(super) const fn sign(&self) -> char {
        match self.bound {
            Bound::Least => '≥',
            Bound::Most => '≤',
        }
    }

    /// Whether a value is on the wrong side.
    pub(super) fn is_missed(&self, measure: &Measure) -> bool {
        match self.bound {
            Bound::Least => measure.value < measure.limit,
            Bound::Most => measure.value > measure.limit,
        }
    }
}

/// The middle one of some values, an upper one of two.
pub(super) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
