"""What people do with the unmodified MLflow client, against the server of MLFLOW_TRACKING_URI.

It needs a caller who may do everything in the workspace. Nothing here knows whose server it is:
the same file passes against `mlflow server`, where KNOWN_SERVER is set to "mlflow".
"""

import os
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mlflow
import pytest
from mlflow.exceptions import MlflowException

client = mlflow.MlflowClient()
#: A file in two parts unless told otherwise; S3 takes no parts below 5 MiB but the last.
LARGE_CHUNK = 5 * 1024 * 1024
LARGE_BYTES = int(os.environ.get("LARGE_BYTES", 7_000_000))
THREE = int(mlflow.__version__.split(".")[0]) >= 3


@pytest.fixture
def name():
    return f"t-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def experiment(name):
    return client.create_experiment(name)


def refusal(call):
    with pytest.raises(MlflowException) as caught:
        call()
    return caught.value.error_code


def logged_file(experiment, path="model/model.onnx", data=b"graph"):
    with mlflow.start_run(experiment_id=experiment) as run:
        mlflow.log_metric("accuracy", 0.9)
        mlflow.log_text(data.decode(), path)
    return run.info.run_id


def test_experiments_live_from_creation_to_restoration(name):
    exp = client.create_experiment(f"/Team Ü/{name}", tags={"a": "1"})
    assert client.get_experiment(exp).name == f"/Team Ü/{name}"
    assert client.get_experiment_by_name(f"/Team Ü/{name}").experiment_id == exp
    assert refusal(lambda: client.create_experiment(f"/Team Ü/{name}")) == "RESOURCE_ALREADY_EXISTS"
    client.set_experiment_tag(exp, "b", "2")
    assert client.get_experiment(exp).tags["b"] == "2"
    client.rename_experiment(exp, f"{name} renamed")
    assert [e.experiment_id for e in client.search_experiments(filter_string=f"name = '{name} renamed'")] == [exp]
    client.delete_experiment(exp)
    assert client.get_experiment(exp).lifecycle_stage == "deleted"
    client.restore_experiment(exp)
    assert client.get_experiment(exp).lifecycle_stage == "active"


def test_set_experiment_makes_what_is_missing_and_nested_runs_know_their_parent(name):
    mlflow.set_experiment(name)
    with mlflow.start_run(run_name="parent") as parent:
        with mlflow.start_run(run_name="child", nested=True) as child:
            mlflow.log_param("depth", 2)
    found = mlflow.search_runs(
        experiment_names=[name],
        filter_string=f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'",
        output_format="list",
    )
    assert [run.info.run_id for run in found] == [child.info.run_id]


def test_a_run_without_an_experiment_lands_in_default():
    run = client.create_run("0")
    client.set_terminated(run.info.run_id)
    assert client.get_experiment(client.get_run(run.info.run_id).info.experiment_id).name == "Default"


def test_a_metric_keeps_its_history_over_pages(experiment):
    with mlflow.start_run(experiment_id=experiment) as run:
        for start in range(0, 2500, 500):
            client.log_batch(
                run.info.run_id,
                metrics=[mlflow.entities.Metric("loss", step / 7, 1000 + step, step) for step in range(start, start + 500)],
            )
    history = client.get_metric_history(run.info.run_id, "loss")
    assert [m.step for m in history] == list(range(2500))


def test_long_params_are_cut_and_a_param_does_not_change(experiment):
    with mlflow.start_run(experiment_id=experiment) as run:
        mlflow.log_param("long", "x" * 7000)
        mlflow.log_param("lr", 1)
        assert refusal(lambda: mlflow.log_param("lr", 2)) == "INVALID_PARAMETER_VALUE"
    assert len(client.get_run(run.info.run_id).data.params["long"]) == 6000


def test_artifacts_come_back_as_they_went(experiment, tmp_path):
    data = os.urandom(3_000_000)
    (tmp_path / "big ü.bin").write_bytes(data)
    with mlflow.start_run(experiment_id=experiment) as run:
        mlflow.log_artifact(str(tmp_path / "big ü.bin"), "deep/er")
    assert [f.path for f in client.list_artifacts(run.info.run_id, "deep/er")] == ["deep/er/big ü.bin"]
    path = client.download_artifacts(run.info.run_id, "deep/er/big ü.bin", str(tmp_path / ".."))
    assert Path(path).read_bytes() == data


@pytest.mark.skipif(not THREE, reason="2.x has no links to download by")
def test_a_large_file_goes_and_comes_in_parts(experiment, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD", "true")
    monkeypatch.setenv("MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD", "true")
    monkeypatch.setenv("MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE", "1")
    monkeypatch.setenv("MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE", str(LARGE_CHUNK))
    monkeypatch.setenv("MLFLOW_MULTIPART_DOWNLOAD_CHUNK_SIZE", str(LARGE_CHUNK // 2))
    data = os.urandom(LARGE_BYTES)
    (tmp_path / "w ü.bin").write_bytes(data)
    with mlflow.start_run(experiment_id=experiment) as run:
        mlflow.log_artifact(str(tmp_path / "w ü.bin"), "deep/er")
    path = client.download_artifacts(run.info.run_id, "deep/er/w ü.bin", str(tmp_path / ".."))
    assert Path(path).read_bytes() == data


def test_a_large_upload_that_breaks_off_leaves_nothing_and_can_be_repeated(
    experiment, tmp_path, monkeypatch
):
    import requests

    monkeypatch.setenv("MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD", "true")
    monkeypatch.setenv("MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE", "1")
    monkeypatch.setenv("MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE", str(LARGE_CHUNK))
    data = os.urandom(LARGE_CHUNK + 1_000_000)
    (tmp_path / "w.bin").write_bytes(data)
    put = requests.put

    def broken(url, **rest):
        if "part_number=2" in url:
            raise requests.exceptions.ConnectionError("the network is gone")
        return put(url, **rest)

    with mlflow.start_run(experiment_id=experiment) as run:
        monkeypatch.setattr(requests, "put", broken)
        with pytest.raises(MlflowException):
            mlflow.log_artifact(str(tmp_path / "w.bin"))
        assert client.list_artifacts(run.info.run_id) == []
        monkeypatch.setattr(requests, "put", put)
        mlflow.log_artifact(str(tmp_path / "w.bin"))
    path = client.download_artifacts(run.info.run_id, "w.bin", str(tmp_path / ".."))
    assert Path(path).read_bytes() == data


@pytest.mark.skipif(not THREE, reason="2.x knows no webhooks")
def test_webhooks_are_kept_and_do_not_reach_inside():
    url = "https://93.184.216.34/hook"
    hook = client.create_webhook("ci", url, ["model_version.created"], "told", secret="s3cret")
    hook = client.update_webhook(hook.webhook_id, status="DISABLED", events=["registered_model.created"])
    kept = client.get_webhook(hook.webhook_id)
    assert (kept.name, kept.url, kept.description, kept.status) == ("ci", url, "told", "DISABLED")
    assert [str(event) for event in kept.events] == ["registered_model.created"]
    assert hook.webhook_id in [each.webhook_id for each in client.list_webhooks()]
    for inside in ["https://127.0.0.1/", "https://169.254.169.254/", "http://93.184.216.34/"]:
        with pytest.raises(MlflowException, match="(?i)webhook"):
            client.create_webhook("ci", inside, ["model_version.created"])
    client.delete_webhook(hook.webhook_id)
    with pytest.raises(MlflowException, match="not found"):
        client.get_webhook(hook.webhook_id)


def test_a_model_is_registered_aliased_staged_found_and_loaded(name, experiment):
    run_id = logged_file(experiment)
    client.create_registered_model(name, tags={"team": "a"}, description="d")
    first = client.create_model_version(name, f"runs:/{run_id}/model", run_id, tags={"x": "1"})
    second = client.create_model_version(name, f"runs:/{run_id}/model", run_id)
    assert (first.version, second.version) in [("1", "2"), (1, 2)]
    client.set_registered_model_alias(name, "Champ_1", "1")
    assert str(client.get_model_version_by_alias(name, "Champ_1").version) == "1"
    client.set_registered_model_alias(name, "Champ_1", "2")
    assert str(client.get_registered_model(name).aliases["Champ_1"]) == "2"
    local = mlflow.artifacts.download_artifacts(artifact_uri=f"models:/{name}@Champ_1")
    assert Path(local, "model.onnx").read_bytes() == b"graph"
    client.transition_model_version_stage(name, "1", "Production")
    client.transition_model_version_stage(name, "2", "Production", archive_existing_versions=True)
    assert client.get_model_version(name, "1").current_stage == "Archived"
    assert [str(v.version) for v in client.get_latest_versions(name, ["Production"])] == ["2"]
    client.set_model_version_tag(name, "1", "quality", "good")
    client.update_model_version(name, "1", description="the first")
    found = client.search_model_versions(f"name = '{name}' and tags.quality = 'good'")
    assert [(str(v.version), v.description, v.run_id) for v in found] == [("1", "the first", run_id)]
    assert [m.name for m in client.search_registered_models(f"name ILIKE '{name.upper()}'")] == [name]
    client.delete_registered_model_alias(name, "Champ_1")
    client.delete_model_version(name, "2")
    assert refusal(lambda: client.get_model_version(name, "2")) == "RESOURCE_DOES_NOT_EXIST"
    third = client.create_model_version(name, f"runs:/{run_id}/model", run_id)
    assert str(third.version) == "3"
    client.rename_registered_model(name, f"{name} new")
    assert client.get_registered_model(f"{name} new").tags["team"] == "a"
    client.delete_registered_model(f"{name} new")
    assert refusal(lambda: client.get_registered_model(f"{name} new")) == "RESOURCE_DOES_NOT_EXIST"


def test_versions_registered_at_once_get_numbers_of_their_own(name, experiment):
    run_id = logged_file(experiment)
    client.create_registered_model(name)
    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(lambda _: client.create_model_version(name, f"runs:/{run_id}/model", run_id), range(6)))
    assert sorted(int(v.version) for v in made) == [1, 2, 3, 4, 5, 6]


def test_a_version_is_copied_to_another_model(name, experiment):
    run_id = logged_file(experiment)
    client.create_registered_model(name)
    client.create_model_version(name, f"runs:/{run_id}/model", run_id)
    copied = client.copy_model_version(f"models:/{name}/1", f"{name}-copy")
    assert str(copied.version) == "1"
    local = mlflow.artifacts.download_artifacts(artifact_uri=f"models:/{name}-copy/1")
    assert Path(local, "model.onnx").read_bytes() == b"graph"


@pytest.mark.parametrize(
    "filter_string",
    ["(" * 4000, "a = 'x' AND " * 300 + "a = 'x'", "params.x = '\x00'", "metrics.a > 1e999", "name = ';drop table runs'", "params.`a`b` = 1"],
    ids=["nesting", "many", "nul", "huge", "sql", "quotes"],
)
def test_a_strange_filter_is_answered_not_obeyed(experiment, filter_string):
    try:
        assert client.search_runs([experiment], filter_string) == []
    except MlflowException as error:
        assert error.error_code == "INVALID_PARAMETER_VALUE"


@pytest.mark.parametrize("path", ["../../x", "/etc/passwd", "a/../../b", "%2e%2e/x"])
def test_a_path_out_of_the_run_is_refused(experiment, path):
    run_id = logged_file(experiment)
    with pytest.raises(Exception):
        list(client.list_artifacts(run_id, path)) or client.download_artifacts(run_id, path)
        raise MlflowException("nothing was there")


def data():
    sklearn = pytest.importorskip("sklearn.datasets")
    return sklearn.load_iris(return_X_y=True)


def autologged(name, fit):
    mlflow.set_experiment(name)
    with mlflow.start_run() as run:
        fit()
    done = client.get_run(run.info.run_id)
    assert done.info.status == "FINISHED"
    assert done.data.params and done.data.metrics
    return done


def registered_and_loaded(name, run, predict):
    uri = f"models:/{run.outputs.model_outputs[0].model_id}" if THREE and run.outputs and run.outputs.model_outputs else f"runs:/{run.info.run_id}/model"
    version = mlflow.register_model(uri, f"{name}-model")
    client.set_registered_model_alias(f"{name}-model", "champion", version.version)
    assert len(predict(f"models:/{name}-model@champion")) == 150


def test_autolog_of_scikit_learn_to_a_model_that_predicts(name):
    x, y = data()
    from sklearn.linear_model import LogisticRegression

    mlflow.sklearn.autolog()
    run = autologged(name, lambda: LogisticRegression(max_iter=200).fit(x, y))
    mlflow.sklearn.autolog(disable=True)
    registered_and_loaded(name, run, lambda uri: mlflow.pyfunc.load_model(uri).predict(x))


def test_autolog_of_a_search_over_parameters_nests_its_runs(name):
    x, y = data()
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV

    mlflow.sklearn.autolog(max_tuning_runs=2)
    run = autologged(name, lambda: GridSearchCV(LogisticRegression(max_iter=200), {"C": [0.1, 1.0]}, cv=2).fit(x, y))
    mlflow.sklearn.autolog(disable=True)
    children = client.search_runs([run.info.experiment_id], f"tags.`mlflow.parentRunId` = '{run.info.run_id}'")
    assert len(children) == 2


def test_autolog_of_xgboost(name):
    xgboost = pytest.importorskip("xgboost")
    x, y = data()
    mlflow.xgboost.autolog()
    run = autologged(name, lambda: xgboost.train({"objective": "multi:softmax", "num_class": 3}, xgboost.DMatrix(x, y), 5, evals=[(xgboost.DMatrix(x, y), "train")], verbose_eval=False))
    mlflow.xgboost.autolog(disable=True)
    assert len(client.get_metric_history(run.info.run_id, "train-mlogloss")) == 5
    registered_and_loaded(name, run, lambda uri: mlflow.xgboost.load_model(uri).predict(xgboost.DMatrix(x)))


def test_autolog_of_lightgbm(name):
    lightgbm = pytest.importorskip("lightgbm")
    x, y = data()
    mlflow.lightgbm.autolog()
    train = lightgbm.Dataset(x, y)
    run = autologged(name, lambda: lightgbm.train({"objective": "multiclass", "num_class": 3, "verbose": -1}, train, 5, valid_sets=[train]))
    mlflow.lightgbm.autolog(disable=True)
    registered_and_loaded(name, run, lambda uri: mlflow.lightgbm.load_model(uri).predict(x))


def test_autolog_of_pytorch(name):
    lightning = pytest.importorskip("lightning", reason="torch is too large for every run: by hand")
    import torch

    x, y = data()
    rows = torch.utils.data.TensorDataset(torch.tensor(x, dtype=torch.float32), torch.tensor(y))

    class Classifier(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(4, 3)

        def training_step(self, batch, _):
            loss = torch.nn.functional.cross_entropy(self.layer(batch[0]), batch[1])
            self.log("loss", loss, on_epoch=True, on_step=False)
            return loss

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)

    mlflow.pytorch.autolog(checkpoint=False)

    def fit():
        trainer = lightning.Trainer(
            max_epochs=2, accelerator="cpu", logger=False, enable_progress_bar=False, enable_checkpointing=False
        )
        trainer.fit(Classifier(), torch.utils.data.DataLoader(rows, batch_size=50))

    run = autologged(name, fit)
    mlflow.pytorch.autolog(disable=True)
    assert len(client.get_metric_history(run.info.run_id, "loss")) == 2
    assert run.data.params["optimizer_name"] == "SGD"


def test_autolog_of_keras(name):
    os.environ.setdefault("KERAS_BACKEND", "jax")
    keras = pytest.importorskip("keras")
    x, y = data()
    mlflow.keras.autolog()

    def fit():
        model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(3, activation="softmax")])
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        model.fit(x, y, epochs=2, verbose=0)

    run = autologged(name, fit)
    mlflow.keras.autolog(disable=True)
    assert len(client.get_metric_history(run.info.run_id, "loss")) == 2
