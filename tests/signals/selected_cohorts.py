"""Binary cohorts of which only some predictions are labelled: drawn, counted, and what is true of all of them."""

import numpy as np

METRICS = {"accuracy", "precision", "recall", "specificity", "f1"}
EDGES = tuple(np.arange(1, 200) / 200)
THRESHOLD = 0.25


def cohort(generator, rows, prior):
    """Draw scores that mean what they say, decisions by them, and true classes."""
    true = generator.random(rows) < prior
    margins = np.where(true, 1.5, -1.5) + 1.3 * generator.normal(size=rows) + np.log(prior / (1 - prior))
    scores = 1 / (1 + np.exp(-margins))
    return scores, scores >= THRESHOLD, true


def counts_of(scores, decided, true, labelled):
    """Return what is counted of predictions as they are served, and of their labels."""
    bins = np.searchsorted(EDGES, scores, side="right")

    def counted(mask):
        return np.bincount(bins[mask & np.isfinite(scores)], minlength=200)

    def special(mask):
        return [int((mask & np.isnan(scores)).sum()), 0, 0]

    everyone = np.ones(len(scores), dtype=bool)
    served = {
        "predictions": len(scores),
        "score": [*counted(everyone), *special(everyone)],
        "positive_score": counted(decided),
        "class": [int((~decided).sum()), int(decided.sum()), 0, 0, 0],
    }
    confusion = np.zeros((3, 3), dtype=np.int64)
    np.add.at(confusion, (decided[labelled].astype(int), true[labelled].astype(int)), 1)
    outcome = {
        "labelled": int(labelled.sum()),
        "confusion": confusion.ravel(),
        "negatives": [*counted(labelled & ~true), *special(labelled & ~true)],
        "positives": [*counted(labelled & true), *special(labelled & true)],
        "acted_negatives": counted(labelled & ~true & decided),
        "acted_positives": counted(labelled & true & decided),
    }
    return served, outcome


def truth_of(decided, true):
    """Return what all labels would say."""
    hits, alarms = (decided & true).sum(), (decided & ~true).sum()
    misses, correct = (~decided & true).sum(), (~decided & ~true).sum()
    parts = {
        "accuracy": (hits + correct, len(true)),
        "precision": (hits, hits + alarms),
        "recall": (hits, hits + misses),
        "specificity": (correct, correct + alarms),
        "f1": (2 * hits, 2 * hits + alarms + misses),
    }
    return {metric: part / whole for metric, (part, whole) in parts.items()}
