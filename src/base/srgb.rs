//! The coding of sRGB (IEC 61966-2-1): coded values, as pictures have them, to linear light, 0..=1 both.

/// Linear light of a coded value.
pub fn linear(coded: f32) -> f32 {
    if coded <= 0.040_45 {
        coded / 12.92
    } else {
        ((coded + 0.055) / 1.055).powf(2.4)
    }
}

/// Linear light of all 256 values of a byte.
pub fn linear_table() -> [f32; 256] {
    std::array::from_fn(|i| linear(i as f32 / 255.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coded_values_are_those_of_the_standard() {
        let table = linear_table();
        for (byte, light) in [(0, 0.0), (10, 0.003_035), (128, 0.215_861), (255, 1.0)] {
            assert!(
                (table[byte] - light).abs() < 1e-5,
                "{byte}: {}",
                table[byte]
            );
        }
    }
}
