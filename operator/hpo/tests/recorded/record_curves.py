"""Records validation errors of real trainings: `python record_curves.py`, then prettier.

Small neural networks and linear models learn scikit-learn's handwritten digits (1797 images, a
third held out) for 27 epochs, at learning rates from useless to divergent. The curves are checked
in, because other versions of scikit-learn and NumPy give others.
"""

import json
import warnings
from pathlib import Path

import numpy as np
import sklearn
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

EPOCHS = 27
CONFIGURATIONS = 40
SEED = 20


def configurations():
    source = np.random.default_rng(SEED)
    for number in range(CONFIGURATIONS):
        rate = float(10 ** source.uniform(-4, 0.5))
        if number % 4 == 3:
            yield {"model": "SGDClassifier", "eta0": rate}
        else:
            yield {
                "model": "MLPClassifier",
                "learning_rate_init": rate / 10,
                "hidden_layer_sizes": [int(source.integers(4, 64))],
            }


def make(configuration):
    if configuration["model"] == "SGDClassifier":
        return SGDClassifier(
            learning_rate="constant", eta0=configuration["eta0"], random_state=SEED
        )
    settings = {name: value for name, value in configuration.items() if name != "model"}
    return MLPClassifier(**settings, solver="sgd", random_state=SEED)


def curve(configuration, train, validation):
    model, labels = make(configuration), np.unique(train[1])
    errors = []
    for _ in range(EPOCHS):
        model.partial_fit(*train, classes=labels)
        errors.append(round(1 - float(model.score(*validation)), 6))
    return errors


def main():
    images, labels = load_digits(return_X_y=True)
    parts = train_test_split(
        images / 16, labels, test_size=1 / 3, random_state=SEED, stratify=labels
    )
    train, validation = (parts[0], parts[2]), (parts[1], parts[3])
    with warnings.catch_warnings():
        # Some learning rates are meant to diverge.
        warnings.simplefilter("ignore")
        curves = [{**each, "errors": curve(each, train, validation)} for each in configurations()]
    document = {
        "what": "validation error after each of 27 epochs on scikit-learn's digits",
        "made by": f"record_curves.py, scikit-learn {sklearn.__version__}, NumPy {np.__version__}",
        "curves": curves,
    }
    path = Path(__file__).with_name("curves.json")
    path.write_text(f"{json.dumps(document, indent=2)}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
