"""Users of an A/B test: each shows one image to the model and says whether the answer was right."""

import argparse
import collections
import json
import sys
import urllib.error
import urllib.request
from pathlib import Path

from train import split

TOKEN = Path("/var/run/secrets/mlops.pynomaly.io/token")
BATCH = 100


def post(url, body, headers):
    """Headers and body of the answer; a refusal ends the program with the server's own words."""
    headers = {"content-type": "application/json", **headers}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.headers, json.load(answer)
    except urllib.error.HTTPError as error:
        sys.exit(f"{url} answered {error.code}: {error.read().decode(errors='replace')}")
    except OSError as error:
        sys.exit(f"{url} cannot be reached: {error}")


def visit(options, user, pixels):
    """The variant that answered, and the digit it saw."""
    image = {"name": "image", "datatype": "FP32", "shape": [1, 64], "data": pixels.tolist()}
    headers = {"host": options.host, "x-user-id": user}
    answered, body = post(options.url, {"inputs": [image]}, headers)
    outputs = {each["name"]: each["data"] for each in body["outputs"]}
    return answered["x-mlops-variant"], outputs["label"][0]


def send(options, outcomes):
    """Outcomes have ids, so that sending them again after a lost answer would count nothing twice."""
    bearer = {"authorization": f"Bearer {TOKEN.read_text().strip()}"}
    _, said = post(options.outcomes, {"outcomes": outcomes}, bearer)
    if said["refused"]:
        sys.exit(f"outcomes were refused: {said['refused'][:3]}")
    return said["taken"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True, help="http://…/v2/models/<model>/infer")
    parser.add_argument("--host", required=True, help="host the model has at the gateway")
    parser.add_argument("--outcomes", required=True, help="…/abtests/<name>/outcomes of the API")
    parser.add_argument("--visitors", type=int, default=1200)
    options = parser.parse_args()

    _, images, _, truth = split(seed=7)
    seen, right, outcomes, taken = collections.Counter(), collections.Counter(), [], 0
    for number in range(options.visitors):
        user, row = f"user-{number}", number % len(images)
        variant, digit = visit(options, user, images[row])
        seen[variant] += 1
        if digit == truth[row]:
            right[variant] += 1
            outcomes.append({"id": f"answer-{user}", "unit": user, "metric": "correct", "value": 1})
        if len(outcomes) == BATCH or number == options.visitors - 1:
            taken += send(options, outcomes) if outcomes else 0
            outcomes = []
    for variant, count in sorted(seen.items()):
        print(f"{variant:8} {count} users, {right[variant] / count:.0%} of the answers were right")
    print(f"{taken} outcomes were taken")


if __name__ == "__main__":
    main()
