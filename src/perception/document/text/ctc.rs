//! Greedy decoding of a line reader's probabilities (connectionist temporal classification), maybe within an alphabet.

/// One character of a reading, before it gets its name: class, probability, step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Step {
    /// The class, from 1 on.
    pub class: usize,
    /// Its probability, among the classes that were allowed.
    pub probability: f32,
    /// Where it was most likely, in steps.
    pub at: usize,
}

/// The most likely characters of `[steps, n_classes]` probabilities; class 0 is the blank. `allowed` are the classes that can
/// be, ascending and without the blank; `None` stands for all. Appends to `found`.
///
/// A character that goes on over several steps has the probability of its best one.
pub(super) fn decode(
    probabilities: &[f32],
    n_classes: usize,
    allowed: Option<&[u32]>,
    found: &mut Vec<Step>,
) {
    let mut before = 0;
    for (at, step) in probabilities.chunks_exact(n_classes).enumerate() {
        let (class, probability) = match allowed {
            None => best(step),
            Some(allowed) => best_of(step, allowed),
        };
        if class != 0 {
            match found.last_mut().filter(|_| class == before) {
                Some(last) if probability > last.probability => {
                    last.probability = probability;
                    last.at = at;
                }
                Some(_) => {}
                None => found.push(Step {
                    class,
                    probability,
                    at,
                }),
            }
        }
        before = class;
    }
}

fn best(step: &[f32]) -> (usize, f32) {
    // The greatest value first, then its place: this form is fast over ten thousand classes.
    let greatest = step.iter().copied().fold(f32::MIN, f32::max);
    let class = step.iter().position(|p| *p >= greatest).unwrap_or(0);
    (class, greatest)
}

fn best_of(step: &[f32], allowed: &[u32]) -> (usize, f32) {
    let value = |class: u32| step.get(class as usize).copied().unwrap_or(0.0);
    let (mut class, mut greatest, mut sum) = (0, value(0), value(0));
    for c in allowed {
        let p = value(*c);
        sum += p;
        if p > greatest {
            (class, greatest) = (*c as usize, p);
        }
    }
    // Where nearly everything lies outside the alphabet, something else is printed: the share within it says little, so it is
    // weighed with what lies inside.
    let inside = sum.min(1.0);
    (class, greatest / sum.max(1e-9) * inside.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps over the classes blank, a, b, c, d.
    fn check(steps: &[[f32; 5]], allowed: Option<&[u32]>, expected: &[(usize, f32, usize)]) {
        let flat: Vec<f32> = steps.iter().flatten().copied().collect();
        let mut found = Vec::new();
        decode(&flat, 5, allowed, &mut found);
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (f, (class, probability, at)) in found.iter().zip(expected) {
            assert_eq!((f.class, f.at), (*class, *at), "{found:?}");
            assert!((f.probability - probability).abs() < 1e-4, "{found:?}");
        }
    }

    const BLANK: [f32; 5] = [0.9, 0.1, 0.0, 0.0, 0.0];

    #[test]
    fn repetitions_join_blanks_separate_and_the_best_step_counts() {
        let a = |p| [1.0 - p, p, 0.0, 0.0, 0.0];
        check(&[], None, &[]);
        check(&[BLANK, BLANK], None, &[]);
        check(&[a(0.6), a(0.9), a(0.7)], None, &[(1, 0.9, 1)]);
        check(&[a(0.6), BLANK, a(0.7)], None, &[(1, 0.6, 0), (1, 0.7, 2)]);
        let b = [0.0, 0.2, 0.8, 0.0, 0.0];
        check(&[a(0.6), b, b], None, &[(1, 0.6, 0), (2, 0.8, 1)]);
    }

    #[test]
    fn an_alphabet_takes_the_likeliest_that_it_has() {
        // c is the likeliest, but only a and b can be.
        let c = [0.1, 0.3, 0.2, 0.4, 0.0];
        check(&[c], None, &[(3, 0.4, 0)]);
        check(&[c], Some(&[1, 2]), &[(1, 0.5 * 0.6f32.sqrt(), 0)]);
        // Nothing of it can be: blank.
        check(&[[0.1, 0.0, 0.0, 0.9, 0.0]], Some(&[1, 2]), &[]);
        // A class beyond the net is never found.
        check(&[c], Some(&[9]), &[]);
    }
}
