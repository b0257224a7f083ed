"""Trains a classifier of handwritten digits and logs it with MLflow.

Nothing here knows about the platform: where to log, how to authenticate and which run this is come
from the environment that an Experiment gives its pods (MLFLOW_TRACKING_URI, MLFLOW_TRACKING_AUTH,
MLFLOW_RUN_ID). The same file runs on a laptop against any MLflow server.
"""

import argparse
import tempfile
import time
from pathlib import Path

import mlflow
import numpy as np
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

DIGITS = np.arange(10)


def settings(description):
    """The command line that training and checking share."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--hidden", type=int, default=64, help="neurons of the hidden layer")
    parser.add_argument("--lr", type=float, default=0.003, help="learning rate")
    parser.add_argument("--epochs", type=int, default=30, help="passes over the training rows")
    parser.add_argument("--seed", type=int, default=7, help="of the split and of the weights")
    return parser


def split(seed):
    """1797 images of 8x8 pixels with values 0 to 16; a quarter is held out."""
    pixels, digits = load_digits(return_X_y=True)
    return train_test_split(
        pixels.astype(np.float32), digits, test_size=0.25, random_state=seed, stratify=digits
    )


def fit(pixels, digits, options, after_epoch=lambda epoch, model: None):
    """Returns a fitted pipeline of pixels -> probabilities; the same options give the same one."""
    scaler = StandardScaler().fit(pixels)
    network = MLPClassifier(
        hidden_layer_sizes=(options.hidden,),
        learning_rate_init=options.lr,
        alpha=1e-3,
        batch_size=32,
        random_state=options.seed,
    )
    model = make_pipeline(scaler, network)
    scaled = scaler.transform(pixels)
    for epoch in range(1, options.epochs + 1):
        network.partial_fit(scaled, digits, classes=DIGITS)
        after_epoch(epoch, model)
    return model


def convert(model: Pipeline) -> bytes:
    """The ONNX file: `image` float32 [n, 64] in, `label` int64 [n] and `probabilities` [n, 10] out."""
    graph = to_onnx(
        model,
        initial_types=[("image", FloatTensorType([None, 64]))],
        # Without this, probabilities would be a list of maps, which no tensor protocol carries.
        options={id(model): {"zipmap": False}},
        target_opset={"": 18, "ai.onnx.ml": 3},
    )
    graph.graph.doc_string = "Handwritten digits, 8x8 pixels with values 0 to 16"
    return graph.SerializeToString()


def main():
    options = settings(__doc__).parse_args()
    pixels, held_out, digits, truth = split(options.seed)
    print(f"{len(pixels)} images to learn from, {len(held_out)} held out", flush=True)

    def report(epoch, model):
        probabilities = model.predict_proba(held_out)
        accuracy = accuracy_score(truth, probabilities.argmax(axis=1))
        loss = log_loss(truth, probabilities, labels=DIGITS)
        mlflow.log_metrics({"accuracy": accuracy, "loss": loss}, step=epoch)
        print(f"epoch {epoch:3}  accuracy {accuracy:.4f}  loss {loss:.4f}", flush=True)

    with mlflow.start_run() as run:
        print(f"run {run.info.run_id}", flush=True)
        mlflow.log_params(vars(options))
        began = time.monotonic()
        model = fit(pixels, digits, options, report)
        mlflow.log_metric("training_seconds", time.monotonic() - began)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "model.onnx"
            file.write_bytes(convert(model))
            print(f"logging {file.name}, {file.stat().st_size} bytes", flush=True)
            mlflow.log_artifact(str(file))
    print("done", flush=True)


if __name__ == "__main__":
    main()
