"""Error rates after ISO/IEC 19795-1 with 95 % intervals by Clopper and Pearson."""

import bisect
import math
import random


def _beta_fraction(a, b, x):
    """The continued fraction of the incomplete beta function (Lentz)."""
    tiny = 1e-300
    c, d = 1.0, 1.0 - (a + b) * x / (a + 1)
    d = 1.0 / (d if abs(d) > tiny else tiny)
    value = d
    for m in range(1, 400):
        for numerator in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1.0 + numerator * d
            d = 1.0 / (d if abs(d) > tiny else tiny)
            c = 1.0 + numerator / c
            c = c if abs(c) > tiny else tiny
            value *= d * c
        if abs(d * c - 1.0) < 1e-12:
            break
    return value


def beta_cdf(a, b, x):
    """The regularised incomplete beta function."""
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _beta_fraction(a, b, x) / a
    return 1.0 - front * _beta_fraction(b, a, 1.0 - x) / b


def _beta_quantile(a, b, p):
    low, high = 0.0, 1.0
    for _ in range(80):
        middle = (low + high) / 2
        if beta_cdf(a, b, middle) < p:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def interval95(k, n):
    """Of a rate of k in n."""
    if n == 0:
        return (0.0, 1.0)
    low = 0.0 if k == 0 else _beta_quantile(k, n - k + 1, 0.025)
    high = 1.0 if k == n else _beta_quantile(k + 1, n - k, 0.975)
    return (low, high)


def in_words(k, n, digits=1):
    """`98.3 % (97.1 to 99.1; 590 of 600)`."""
    if n == 0:
        return "none of 0"
    low, high = interval95(k, n)
    return f"{100 * k / n:.{digits}f} % ({100 * low:.{digits}f} to {100 * high:.{digits}f}; {k} of {n})"


def threshold_at(impostor, fmr):
    """The least threshold (score >= threshold is a match) at which at most this share of impostor comparisons match."""
    highest_first = sorted(impostor, reverse=True)
    allowed = math.floor(fmr * len(highest_first) + 1e-9)
    if allowed >= len(highest_first):
        return highest_first[-1]
    return math.nextafter(highest_first[allowed], math.inf)


def matches(scores, threshold):
    """How many scores reach the threshold. `None`, no comparison possible, does not."""
    return sum(1 for s in scores if s is not None and s >= threshold)


def true_matches(genuine, impostor, fmr):
    """Threshold, true matches, and genuine comparisons, those that were not possible among them."""
    threshold = threshold_at([s for s in impostor if s is not None], fmr)
    return threshold, matches(genuine, threshold), len(genuine)


def curve(genuine, impostor, n_points=160):
    """Points (FMR, FNMR) from strict to lenient, for a DET curve."""
    strict = sorted((s for s in impostor if s is not None), reverse=True)
    own = sorted(s if s is not None else -2.0 for s in genuine)
    n = len(strict)
    places = sorted({min(n - 1, round(math.exp(math.log(n) * i / n_points)) - 1) for i in range(n_points + 1)})
    return [((k + 1) / n, bisect.bisect_left(own, strict[k]) / len(own)) for k in places]


def loss_interval(pairs, threshold_a, threshold_b, seed=1, rounds=2000):
    """True match rate of a less that of b on the same genuine comparisons [(a, b)], with a bootstrap interval; points of percent."""
    hits = [(a is not None and a >= threshold_a) - (b is not None and b >= threshold_b) for a, b in pairs]
    n = len(hits)
    chance = random.Random(seed)
    plus, minus = sum(h > 0 for h in hits), sum(h < 0 for h in hits)
    draws = []
    for _ in range(rounds):
        # Only how often a differing pair is drawn matters: a pair that both decide alike adds nothing.
        up = sum(1 for _ in range(n) if chance.random() < plus / n) if plus else 0
        down = sum(1 for _ in range(n) if chance.random() < minus / n) if minus else 0
        draws.append(100 * (up - down) / n)
    draws.sort()
    return 100 * (plus - minus) / n, draws[int(0.025 * rounds)], draws[int(0.975 * rounds) - 1]


def median(values):
    """The middle value."""
    ordered = sorted(values)
    n = len(ordered)
    return float("nan") if n == 0 else (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
