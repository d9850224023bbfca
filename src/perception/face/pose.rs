//! Angles of the head from the landmarks' depth.

use super::landmarks::{Landmark, N_POINTS};
use crate::perception::observation::HeadPose;

/// Yaw from the line between both sides of the face (234 to 454), pitch from forehead to chin (10 to 152), roll from the
/// outer corners of the eyes (33 to 263). A head turned to the right of the frame has its right half (454) farther away.
pub fn head_pose(points: &[Landmark; N_POINTS]) -> HeadPose {
    let span = |from: usize, to: usize| {
        let (a, b) = (points[from], points[to]);
        (b.x - a.x, b.y - a.y, b.z - a.z)
    };
    let degrees = |y: f32, x: f32| y.atan2(x).to_degrees();
    let (sx, _, sz) = span(234, 454);
    let (_, vy, vz) = span(10, 152);
    let (ex, ey, _) = span(33, 263);
    HeadPose {
        yaw: degrees(sz, sx),
        pitch: degrees(vz, vy),
        roll: degrees(ey, ex),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn angles_have_the_signs_of_the_doc() {
        let mut points = [Landmark::default(); N_POINTS];
        points[234] = Landmark {
            x: -1.0,
            y: 0.0,
            z: 0.0,
        };
        points[454] = Landmark {
            x: 1.0,
            y: 0.0,
            z: 0.0,
        };
        points[10] = Landmark {
            x: 0.0,
            y: -1.0,
            z: 0.0,
        };
        points[152] = Landmark {
            x: 0.0,
            y: 1.0,
            z: 0.0,
        };
        points[33] = Landmark {
            x: -1.0,
            y: 0.0,
            z: 0.0,
        };
        points[263] = Landmark {
            x: 1.0,
            y: 0.2,
            z: 0.0,
        };
        assert_eq!(
            (head_pose(&points).yaw, head_pose(&points).pitch),
            (0.0, 0.0)
        );
        points[454].z = 2.0;
        points[152].z = 2.0;
        let pose = head_pose(&points);
        assert!(
            (pose.yaw - 45.0).abs() < 1e-4 && (pose.pitch - 45.0).abs() < 1e-4 && pose.roll > 5.0,
            "{pose:?}"
        );
    }
}
