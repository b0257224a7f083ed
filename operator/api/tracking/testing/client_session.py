"""Does with the unmodified MLflow client what a training script does; prints what it saw as JSON.

Started with MLFLOW_TRACKING_URI, MLFLOW_TRACKING_TOKEN, MLFLOW_EXPERIMENT_ID and MLFLOW_RUN_ID, as
the operator sets them in a trial's pod.
"""

import json
import math
import os
import sys
import tempfile
from pathlib import Path

import mlflow
from mlflow.entities import LoggedModelOutput, LoggedModelStatus, Metric, Param, RunTag

seen = {}
client = mlflow.MlflowClient()
folder = Path(tempfile.mkdtemp())


def refused(call):
    """The error a call ends in, as code and message."""
    try:
        call()
    except Exception as error:
        return [getattr(error, "error_code", type(error).__name__), str(error)]
    return None


def preset_run():
    run_id = os.environ["MLFLOW_RUN_ID"]
    seen["experiment"] = mlflow.set_experiment(experiment_id=os.environ["MLFLOW_EXPERIMENT_ID"]).name
    with mlflow.start_run() as run:
        seen["resumed"] = run.info.run_id == run_id
        seen["artifact_uri"] = run.info.artifact_uri
        mlflow.log_param("lr", 0.1)
        mlflow.log_params({"hidden": 64, "kernel": "rbf"})
        seen["param_twice"] = refused(lambda: mlflow.log_param("lr", 0.2))
        mlflow.log_metric("loss", 0.5, step=0)
        mlflow.log_metric("loss", 0.25, step=1)
        mlflow.log_metrics({"accuracy": 0.97, "broken": math.nan, "huge": math.inf})
        mlflow.set_tag("stage", "candidate")
        mlflow.set_tags({"a": "1", "b": "2"})
        mlflow.MlflowClient().delete_tag(run_id, "b")
        client.log_batch(
            run_id,
            metrics=[Metric("batch", 1.0, 1_700_000_000_000, 3)],
            params=[Param("batch", "yes")],
            tags=[RunTag("batch", "yes")],
        )
        artifacts(run_id)
        logged_model(run_id)
    data = client.get_run(run_id)
    seen["status"] = data.info.status
    seen["params"] = data.data.params
    seen["metrics"] = {key: str(value) for key, value in data.data.metrics.items()}
    seen["tags"] = {key: data.data.tags.get(key) for key in ("stage", "a", "b", "batch")}
    seen["hidden_tags"] = [key for key in data.data.tags if key.startswith("mlops.")]
    seen["history"] = [[m.step, m.value] for m in client.get_metric_history(run_id, "loss")]


def artifacts(run_id):
    (folder / "model.onnx").write_bytes(b"onnx bytes")
    (folder / "empty.txt").write_bytes(b"")
    (folder / "plots").mkdir()
    (folder / "plots" / "a b ü.json").write_text("{}")
    mlflow.log_artifact(str(folder / "model.onnx"))
    mlflow.log_artifact(str(folder / "empty.txt"), "docs")
    mlflow.log_artifacts(str(folder / "plots"), "plots")
    mlflow.log_text("hello", "docs/hello.txt")
    mlflow.log_dict({"a": 1}, "docs/a.json")
    seen["root"] = [[f.path, f.is_dir, f.file_size] for f in client.list_artifacts(run_id)]
    seen["docs"] = [[f.path, f.is_dir, f.file_size] for f in client.list_artifacts(run_id, "docs")]
    seen["of_file"] = [f.path for f in client.list_artifacts(run_id, "model.onnx")]
    target = tempfile.mkdtemp()
    path = client.download_artifacts(run_id, "", target)
    seen["downloaded"] = sorted(
        [str(each.relative_to(path)), each.read_text()] for each in Path(path).rglob("*") if each.is_file()
    )
    seen["load_text"] = mlflow.artifacts.load_text(f"runs:/{run_id}/docs/hello.txt")
    big = folder / "big.bin"
    with big.open("wb") as file:
        file.truncate(64 * 1024 * 1024)
    seen["too_large"] = refused(lambda: mlflow.log_artifact(str(big)))
    seen["outside"] = refused(lambda: mlflow.log_artifact(str(folder / "model.onnx"), "../../other"))


def logged_model(run_id):
    """What the flavors' log_model does, without the packages of a flavor."""
    params = client.get_run(run_id).data.params
    made = client.create_logged_model(
        os.environ["MLFLOW_EXPERIMENT_ID"], "classifier", run_id, {"f": "onnx"}, {**params, "extra": "1"}, "onnx"
    )
    client.log_outputs(run_id, [LoggedModelOutput(made.model_id, step=0)])
    (folder / "classifier").mkdir()
    (folder / "classifier" / "model.onnx").write_bytes(b"logged bytes")
    client.log_model_artifacts(made.model_id, str(folder / "classifier"))
    info = client.finalize_logged_model(made.model_id, LoggedModelStatus.READY)
    seen["model_uri"] = info.model_uri
    model = client.get_logged_model(info.model_id)
    seen["model"] = [model.name, model.status.value, model.source_run_id == run_id, model.params["lr"]]
    client.set_logged_model_tags(info.model_id, {"quality": "good"})
    seen["model_tags"] = client.get_logged_model(info.model_id).tags.get("quality")
    seen["model_files"] = sorted(f.path for f in client.list_artifacts(run_id, "classifier"))
    local = mlflow.artifacts.download_artifacts(artifact_uri=f"models:/{info.model_id}")
    seen["model_bytes"] = Path(local, "model.onnx").read_text()
    seen["outputs"] = [each.model_id == info.model_id for each in client.get_run(run_id).outputs.model_outputs]


def own_run():
    mlflow.set_experiment(os.environ["EXPERIMENT_NAME"])
    with mlflow.start_run(run_name="by hand", tags={"kind": "manual"}) as run:
        mlflow.log_metric("accuracy", 0.5)
    seen["own"] = [run.info.run_name, client.get_run(run.info.run_id).info.status]
    seen["found"] = [
        each.info.run_name
        for each in client.search_runs([run.info.experiment_id], "metrics.accuracy < 0.9", order_by=["metrics.accuracy DESC"])
    ]
    client.delete_run(run.info.run_id)
    seen["after_delete"] = len(client.search_runs([run.info.experiment_id], "attributes.run_name = 'by hand'"))
    client.restore_run(run.info.run_id)
    client.update_run(run.info.run_id, name="renamed")
    seen["renamed"] = client.get_run(run.info.run_id).info.run_name
    with mlflow.start_run() as failed:
        pass
    client.set_terminated(failed.info.run_id, "FAILED")
    seen["failed"] = client.get_run(failed.info.run_id).info.status


def others():
    seen["experiments"] = [each.name for each in client.search_experiments()]
    seen["by_name"] = client.get_experiment_by_name(os.environ["EXPERIMENT_NAME"]).experiment_id
    seen["missing"] = client.get_experiment_by_name("missing")
    seen["create"] = refused(lambda: client.create_experiment("missing"))
    seen["no_run"] = refused(lambda: client.get_run("f" * 32))
    seen["registry"] = refused(lambda: client.create_registered_model("digits"))
    os.environ["MLFLOW_WORKSPACE"] = "other"
    seen["elsewhere"] = [each.name for each in client.search_experiments()]
    os.environ.pop("MLFLOW_WORKSPACE")
    os.environ["MLFLOW_TRACKING_TOKEN"] = "stolen"
    seen["stolen"] = refused(lambda: client.search_experiments())


for step in (preset_run, own_run, others):
    step()
json.dump(seen, sys.stdout)
