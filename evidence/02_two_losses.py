"""What lesson 02 says about λ, measured on drawn deliveries instead of computed by its formula."""

import numpy as np

from transfer_lib.taught.lesson_02 import NEW_TOWN, OLD_TOWN, deliveries, minimiser

CLAIMS = {
    "02.interior": (
        "With 3 labels, the best λ has less extra error than the better end, source or target.",
        ">= 15 %",
    ),
    "02.ends": ("The source alone has many times the extra error of the target alone.", ">= 2.5"),
    "02.many": ("With 30 labels, the best λ hardly beats the target alone.", "<= 8 %"),
}
COMPANIES = 3000


def measure(seed):
    """Return the three figures for one seed."""
    rng = np.random.default_rng(seed)
    grid = np.append(np.logspace(-3, 2, 41), 1e9)
    errors = {}
    for m in (3, 30):
        old = [deliveries(OLD_TOWN, 500, rng).mean() for _ in range(COMPANIES)]
        new = [deliveries(NEW_TOWN, m, rng).mean() for _ in range(COMPANIES)]
        promises = minimiser(np.array(old), np.array(new), grid[:, None])
        errors[m] = np.mean((promises - NEW_TOWN) ** 2, axis=1)
    few, many = errors[3], errors[30]
    return {
        "02.interior": 100 * (1 - few.min() / min(few[0], few[-1])),
        "02.ends": few[0] / few[-1],
        "02.many": 100 * (1 - many.min() / many[-1]),
    }
