"""Sends held-out images to the served model and sets its answers beside scikit-learn's own.

Fits the same model again (same options, same seed), asks the server over the Open Inference
Protocol, prints a table and fails unless every answer agrees.
"""

import json
import sys
import urllib.error
import urllib.request

import numpy as np
from train import fit, settings, split

# Training and server compute in float32 and float64; the digits must agree, the probabilities nearly.
TOLERANCE = 1e-3


def ask(url, body=None):
    """One request; a refusal ends the program with the server's own words."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        sys.exit(f"{url} answered {error.code}: {error.read().decode(errors='replace')}")
    except OSError as error:
        sys.exit(f"{url} cannot be reached: {error}")


def infer(url, pixels):
    """Digits and probabilities the server finds in these images."""
    body = {
        "inputs": [
            {
                "name": "image",
                "datatype": "FP32",
                "shape": list(pixels.shape),
                "data": pixels.ravel().tolist(),
            }
        ]
    }
    outputs = {each["name"]: each for each in ask(f"{url}/infer", body)["outputs"]}
    label, probabilities = outputs["label"], outputs["probabilities"]
    return np.array(label["data"]), np.array(probabilities["data"]).reshape(probabilities["shape"])


def described(tensors):
    """`image FP32 [-1, 64]`"""
    return ", ".join(f"{each['name']} {each['datatype']} {each['shape']}" for each in tensors)


def table(truth, ours, served, probability, agree):
    print("\n row  truth  scikit-learn  server  probability  agree")
    for row, cells in enumerate(zip(truth, ours, served, probability, agree)):
        digit, own, answer, sure, same = cells
        print(f"{row:4}  {digit:5}  {own:12}  {answer:6}  {sure:11.4f}  {'yes' if same else 'NO'}")


def main():
    parser = settings(__doc__)
    parser.add_argument("--url", required=True, help="http://<deployment>/v2/models/<model>")
    parser.add_argument("--rows", type=int, default=10, help="rows to print; all are compared")
    options = parser.parse_args()

    metadata = ask(options.url)
    print(f"{options.url}", flush=True)
    print(f"  version  {', '.join(metadata['versions'])}")
    print(f"  digest   {metadata['parameters']['digest']}")
    print(f"  takes    {described(metadata['inputs'])}")
    print(f"  gives    {described(metadata['outputs'])}", flush=True)
    print("fitting the same model here …", flush=True)
    pixels, held_out, digits, truth = split(options.seed)
    own = fit(pixels, digits, options).predict_proba(held_out)
    served, probabilities = infer(options.url, held_out)

    close = np.abs(own - probabilities).max(axis=1) <= TOLERANCE
    agree = (own.argmax(axis=1) == served) & close
    rows = slice(options.rows)
    table(
        truth[rows],
        own.argmax(axis=1)[rows],
        served[rows],
        probabilities.max(axis=1)[rows],
        agree[rows],
    )
    print(
        f"\n{agree.sum()} of {len(agree)} answers agree with scikit-learn; "
        f"{(served == truth).mean():.1%} of the digits are right",
        flush=True,
    )
    if not agree.all():
        sys.exit(f"rows that differ: {np.flatnonzero(~agree).tolist()}")


if __name__ == "__main__":
    main()
