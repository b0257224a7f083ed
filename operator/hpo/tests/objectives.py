"""What the comparisons with Optuna by hand search: two functions with known minima, and a training."""

import functools
import math

import numpy as np
from conftest import double

BRANIN = [double("x", -5, 10), double("y", 0, 15)]
HARTMANN = [double(f"x{i}", 0, 1) for i in range(6)]
SVM = [
    double("C", 0.01, 1000, distribution="logUniform"),
    double("gamma", 1e-6, 1, distribution="logUniform"),
]


def branin(x, y):
    """Minimum 0.397887. https://www.sfu.ca/~ssurjano/branin.html"""
    return (
        (y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6) ** 2
        + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x)
        + 10
    )


ALPHA = np.array([1.0, 1.2, 3.0, 3.2])
A = np.array(
    [
        [10, 3, 17, 3.5, 1.7, 8],
        [0.05, 10, 17, 0.1, 8, 14],
        [3, 3.5, 1.7, 10, 17, 8],
        [17, 8, 0.05, 10, 0.1, 14],
    ]
)
P = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)


def hartmann(**x):
    """Minimum -3.32237. https://www.sfu.ca/~ssurjano/hart6.html"""
    at = np.array([x[f"x{i}"] for i in range(6)])
    return float(-ALPHA @ np.exp(-(A * (at - P) ** 2).sum(axis=1)))


@functools.cache
def svm(C, gamma):  # noqa: N803 - scikit-learn's own name for it
    """Error of an SVM on 300 of scikit-learn's handwritten digits, cross-validated three times."""
    from sklearn.model_selection import cross_val_score
    from sklearn.svm import SVC

    images, labels = digits()
    return 1 - float(cross_val_score(SVC(C=C, gamma=gamma), images, labels, cv=3).mean())


@functools.cache
def digits():
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    return images[:300], labels[:300]


FUNCTIONS = {"branin": (BRANIN, branin), "hartmann6": (HARTMANN, hartmann), "svm": (SVM, svm)}


def suggest(trial, space):
    """The same question as the service's, asked of Optuna by hand."""
    return {
        p["name"]: trial.suggest_float(
            p["name"], float(p["min"]), float(p["max"]), log=p.get("distribution") == "logUniform"
        )
        for p in space
    }
