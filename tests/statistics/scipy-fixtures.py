"""Writes scipy-fixtures.json: what scipy says about the functions of statistics/.

    pip install scipy==1.17.1 && python tests/statistics/scipy-fixtures.py
"""

import json
import math
from pathlib import Path

from scipy import optimize, stats
from scipy.special import gammaln

TAILS = [1e-290, 1e-100, 1e-20, 1e-8, 1e-3, 0.01, 0.074, 0.0751, 0.2, 0.4, 0.6, 0.9, 0.999, 1 - 1e-9]


def wilson(count, tries):
    interval = stats.binomtest(count, tries).proportion_ci(method="wilson")
    return [interval.low, interval.high]


def dirichlet_multinomial(counts, kinds):
    """ln of the probability of one sequence with these counts, under Jeffreys' prior."""
    log_count = gammaln(sum(counts) + 1) - sum(gammaln(count + 1) for count in counts)
    return stats.dirichlet_multinomial.logpmf(counts, [0.5] * kinds, sum(counts)) - log_count


def rate_change(series, start, weight):
    kinds = max(max(series) + 1, 2)
    counts = lambda part: [part.count(kind) for kind in range(kinds)]
    whole = dirichlet_multinomial(counts(series), kinds)
    factors = [
        (dirichlet_multinomial(counts(series[:k]), kinds) + dirichlet_multinomial(counts(series[k:]), kinds) - whole)
        / weight
        for k in range(start, len(series))
    ]
    top = max(factors)
    return {
        "series": series,
        "from": start,
        "weight": weight,
        "evidence": top + math.log(sum(math.exp(f - top) for f in factors)),
        "onset": start + factors.index(top),
    }


def fitted(excesses):
    """Probability-weighted moments of a generalised Pareto distribution, solved instead of written out."""
    n = len(excesses)
    b0 = sum(excesses) / n
    b1 = sum(x * (1 - (i + 0.65) / n) for i, x in enumerate(excesses)) / n
    # E[X (1 - F)^r] = scale / ((r + 1) (r + 1 - shape)) for r = 0, 1.
    shape = optimize.brentq(lambda c: (1 - c) / (2 * (2 - c)) - b1 / b0, -50, 0.999999, xtol=1e-15, rtol=1e-15)
    return {"excesses": excesses, "shape": shape, "scale": b0 * (1 - shape)}


fixtures = {
    "normalQuantile": [[tail, stats.norm.isf(tail)] for tail in TAILS],
    "wilson": [[c, n, *wilson(c, n)] for c, n in [(0, 50), (50, 50), (1, 3), (17, 40), (3, 16000), (399, 400)]],
    "paretoQuantile": [
        [shape, scale, tail, stats.genpareto.isf(tail, shape, scale=scale)]
        for shape in [0.0, 0.05, 0.5, 1.0, -0.3]
        for scale, tail in [(1.0, 0.5), (0.3, 1e-4), (2.0, 1e-9)]
    ],
    "paretoOf": [fitted(e) for e in [[1, 2, 3, 4, 5], [0.1, 0.2, 0.4, 1.1, 3.7, 12.5], [0.5, 0.9, 1.4, 2.2, 3.1, 4.9, 7.7]]],
    "rateChange": [
        rate_change([0] * 8 + [1] * 4, 5, 1),
        rate_change([0, 1] * 20 + [0] * 12, 5, 1),
        rate_change([0, 1, 2, 2, 1, 0, 0, 2] * 6 + [2, 2, 1, 2, 2, 2, 2], 10, 1),
        rate_change([1] * 150 + [0, 1, 0, 0, 1, 0], 1, 2.5),
    ],
}
Path(__file__).with_suffix(".json").write_text(json.dumps(fixtures, indent=2) + "\n")
