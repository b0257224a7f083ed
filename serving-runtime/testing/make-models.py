"""Writes the small ONNX files the tests load, and prints what scikit-learn and numpy expect of them.

Run: python make-models.py   (pip install skl2onnx==1.20.0 onnx==1.23.2 scikit-learn==1.9.1 ml_dtypes onnxruntime)
The printed numbers stand as literals in the tests, so a change here needs a change there.
"""

import os

import ml_dtypes
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import to_onnx
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "models")
OPSET = 17


def save(name, graph, **options):
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="make-models"
    )
    model.ir_version = 8
    onnx.save_model(model, os.path.join(HERE, name), **options)


def value(name, datatype, shape):
    return helper.make_tensor_value_info(name, datatype, shape)


def iris():
    """Real scikit-learn model: label INT64 [-1], probabilities FP32 [-1, 3]."""
    rows, target = load_iris(return_X_y=True)
    model = LogisticRegression(max_iter=1000).fit(rows, target)
    sample = rows[[0, 60, 120]].astype(np.float32)
    print("iris rows", sample.tolist())
    print("iris predict", model.predict(sample).tolist())
    print("iris predict_proba", model.predict_proba(sample).tolist())
    for name, zipmap in (("iris.onnx", False), ("iris-zipmap.onnx", True)):
        converted = to_onnx(
            model, sample, options={"zipmap": zipmap}, target_opset={"": OPSET, "ai.onnx.ml": 3}
        )
        with open(os.path.join(HERE, name), "wb") as file:
            file.write(converted.SerializeToString())


def identity_of_every_datatype():
    """One input and one output for each datatype, passed through untouched: `in_fp32` -> `out_fp32`."""
    types = {
        "bool": TensorProto.BOOL,
        "uint8": TensorProto.UINT8,
        "uint16": TensorProto.UINT16,
        "uint32": TensorProto.UINT32,
        "uint64": TensorProto.UINT64,
        "int8": TensorProto.INT8,
        "int16": TensorProto.INT16,
        "int32": TensorProto.INT32,
        "int64": TensorProto.INT64,
        "fp16": TensorProto.FLOAT16,
        "fp32": TensorProto.FLOAT,
        "fp64": TensorProto.DOUBLE,
        "bytes": TensorProto.STRING,
    }
    save(
        "identity.onnx",
        helper.make_graph(
            [helper.make_node("Identity", [f"in_{t}"], [f"out_{t}"]) for t in types],
            "identity",
            [value(f"in_{t}", number, ["n"]) for t, number in types.items()],
            [value(f"out_{t}", number, ["n"]) for t, number in types.items()],
        ),
    )


def two_inputs():
    """sum = a + b [-1, 2], product = a * b, ratio = a / b (not finite where b is 0)."""
    names = ("sum", "Add"), ("product", "Mul"), ("ratio", "Div")
    save(
        "two-inputs.onnx",
        helper.make_graph(
            [helper.make_node(op, ["a", "b"], [name]) for name, op in names],
            "two-inputs",
            [value(n, TensorProto.FLOAT, ["batch", 2]) for n in ("a", "b")],
            [value(name, TensorProto.FLOAT, ["batch", 2]) for name, _ in names],
        ),
    )


def external_data():
    """A weight kept in another file: beside the model, and (refused) outside its folder."""
    for name, location in (
        ("external.onnx", "weight.bin"),
        ("external-escape.onnx", "../../../../../../etc/passwd"),
        ("external-absolute.onnx", "/etc/passwd"),
        ("external-bfloat16.onnx", "weight.bin"),
        ("external-bfloat16-escape.onnx", "../../../../../../etc/passwd"),
    ):
        is_half = "bfloat16" in name
        weight = numpy_helper.from_array(np.ones(4, np.float32), "w")
        weight.ClearField("raw_data")
        weight.data_location = TensorProto.EXTERNAL
        weight.external_data.add(key="location", value=location)
        weight.external_data.add(key="offset", value="0")
        weight.external_data.add(key="length", value="16")
        cast = helper.make_node("Cast", ["half"], ["x"], to=TensorProto.FLOAT)
        save(
            name,
            helper.make_graph(
                [cast] * is_half + [helper.make_node("Add", ["x", "w"], ["y"])],
                "external",
                [
                    value("half", TensorProto.BFLOAT16, [4])
                    if is_half
                    else value("x", TensorProto.FLOAT, [4])
                ],
                [value("y", TensorProto.FLOAT, [4])],
                [weight],
            ),
        )


def unsupported():
    """An operator no runtime knows, and a datatype the protocol has no name for."""
    save(
        "unknown-operator.onnx",
        helper.make_graph(
            [helper.make_node("Frobnicate", ["x"], ["y"])],
            "unknown-operator",
            [value("x", TensorProto.FLOAT, [1])],
            [value("y", TensorProto.FLOAT, [1])],
        ),
    )
    save(
        "complex-output.onnx",
        helper.make_graph(
            [helper.make_node("Identity", ["x"], ["y"])],
            "complex-output",
            [value("x", TensorProto.COMPLEX64, [1])],
            [value("y", TensorProto.COMPLEX64, [1])],
        ),
    )


def bfloat16():
    """X BF16 [-1, 4] as it is, as FP32, and times a BF16 weight; `X FP32 in` is a name to stay clear of."""
    weight = np.array([[1, 0.1], [-2, 0.2], [0.5, 0.3], [3, 0.4]], ml_dtypes.bfloat16)
    rows = np.array([[1.5, 0.25, -2, 0.1], [3, 100, 0.007, -0.5]], ml_dtypes.bfloat16)
    scores = (rows.astype(np.float32) @ weight.astype(np.float32)).astype(ml_dtypes.bfloat16)
    print("bfloat16 scores", scores.astype(np.float64).tolist())
    initializer = helper.make_tensor(
        "W", TensorProto.BFLOAT16, [4, 2], weight.tobytes(), raw=True
    )
    save(
        "bfloat16.onnx",
        helper.make_graph(
            [
                helper.make_node("Identity", ["X"], ["same"]),
                helper.make_node("Cast", ["X"], ["single"], to=TensorProto.FLOAT),
                helper.make_node("Cast", ["W"], ["X FP32 in"], to=TensorProto.FLOAT),
                helper.make_node("MatMul", ["single", "X FP32 in"], ["product"]),
                helper.make_node("Cast", ["product"], ["scores"], to=TensorProto.BFLOAT16),
            ],
            "bfloat16",
            [value("X", TensorProto.BFLOAT16, ["rows", 4])],
            [
                value("same", TensorProto.BFLOAT16, ["rows", 4]),
                value("single", TensorProto.FLOAT, ["rows", 4]),
                value("scores", TensorProto.BFLOAT16, ["rows", 2]),
            ],
            [initializer],
        ),
    )


def matrix_product():
    """Body of a loop whose state is a matrix: some microseconds of work."""
    return helper.make_graph(
        [
            helper.make_node("MatMul", ["state", "state"], ["squared"]),
            helper.make_node("Sign", ["squared"], ["state_out"]),
            helper.make_node("Identity", ["condition"], ["condition_out"]),
        ],
        "body",
        [
            value("i", TensorProto.INT64, []),
            value("condition", TensorProto.BOOL, []),
            value("state", TensorProto.FLOAT, [64, 64]),
        ],
        [
            value("condition_out", TensorProto.BOOL, []),
            value("state_out", TensorProto.FLOAT, [64, 64]),
        ],
    )


def slow():
    """A loop of matrix products, `steps` times: takes a time of its own, for timeouts and draining."""
    save(
        "slow.onnx",
        helper.make_graph(
            [
                helper.make_node(
                    "ConstantOfShape",
                    ["size"],
                    ["start"],
                    value=helper.make_tensor("one", TensorProto.FLOAT, [1], [1.0]),
                ),
                helper.make_node("Loop", ["steps", "yes", "start"], ["end"], body=matrix_product()),
                helper.make_node("ReduceMax", ["end"], ["result"], keepdims=0),
            ],
            "slow",
            [value("steps", TensorProto.INT64, [])],
            [value("result", TensorProto.FLOAT, [])],
            [
                helper.make_tensor("size", TensorProto.INT64, [2], [64, 64]),
                helper.make_tensor("yes", TensorProto.BOOL, [], [True]),
            ],
        ),
    )


def wide():
    """Four layers of 1024 made of constants, so that the file is small: 8 MFLOP a row, whose sum is the answer."""

    def constant(name, shape, number):
        size = helper.make_tensor(f"{name}_size", TensorProto.INT64, [2], shape)
        node = helper.make_node(
            "ConstantOfShape",
            [f"{name}_size"],
            [name],
            value=helper.make_tensor("of", TensorProto.FLOAT, [1], [number]),
        )
        return size, node

    parts = [constant("first", [4, 1024], 1.0), constant("middle", [1024, 1024], 1 / 1024)]
    layers = [helper.make_node("MatMul", ["X", "first"], ["h0"])] + [
        helper.make_node("MatMul", [f"h{i}", "middle"], [f"h{i + 1}"]) for i in range(4)
    ]
    save(
        "wide.onnx",
        helper.make_graph(
            [node for _, node in parts]
            + layers
            + [helper.make_node("ReduceMean", ["h4"], ["sum"], axes=[1], keepdims=0)],
            "wide",
            [value("X", TensorProto.FLOAT, ["rows", 4])],
            [value("sum", TensorProto.FLOAT, ["rows"])],
            [size for size, _ in parts],
        ),
    )


def normalised():
    """Takes the mean of the whole batch away: a row's answer depends on the rows beside it."""
    save(
        "normalised.onnx",
        helper.make_graph(
            [
                helper.make_node("ReduceMean", ["X"], ["mean"], axes=[0], keepdims=1),
                helper.make_node("Sub", ["X", "mean"], ["Y"]),
            ],
            "normalised",
            [value("X", TensorProto.FLOAT, ["rows", 2])],
            [value("Y", TensorProto.FLOAT, ["rows", 2])],
        ),
    )


def times():
    """Y = 2 X and Y = 3 X [-1, 4]: versions of one model whose answers tell which of them gave it."""
    for factor in (2, 3):
        weight = numpy_helper.from_array(np.array(factor, np.float32), "factor")
        save(
            f"times-{factor}.onnx",
            helper.make_graph(
                [helper.make_node("Mul", ["X", "factor"], ["Y"])],
                f"times-{factor}",
                [value("X", TensorProto.FLOAT, ["rows", 4])],
                [value("Y", TensorProto.FLOAT, ["rows", 4])],
                [weight],
            ),
        )


def times_gone_bad():
    """Y = 2 X, as times-2, but bad as soon as an element is 4 or more: fails, is slow, takes all memory."""
    two = numpy_helper.from_array(np.array(2, np.float32), "factor")
    double = helper.make_node("Mul", ["X", "factor"], ["twice"])
    most = [
        helper.make_node("ReduceMax", ["X"], ["most"], keepdims=0),
        helper.make_node("Cast", ["most"], ["count"], to=TensorProto.INT64),
    ]
    add = helper.make_node("Add", ["twice", "nothing"], ["Y"])

    def nothing(of):
        return helper.make_node("Mul", [of, "zero"], ["nothing"])

    zero = numpy_helper.from_array(np.array(0, np.float32), "zero")

    def write(name, nodes, weights):
        graph = helper.make_graph(
            [double, *most, *nodes, add],
            name,
            [value("X", TensorProto.FLOAT, ["rows", 4])],
            [value("Y", TensorProto.FLOAT, ["rows", 4])],
            [two, zero, *weights],
        )
        save(f"{name}.onnx", graph)

    # There is no fifth element.
    table = numpy_helper.from_array(np.zeros(4, np.float32), "table")
    pick = helper.make_node("Gather", ["table", "count"], ["picked"])
    write("times-2-failing", [pick, nothing("picked")], [table])

    # 4 bytes for each of a billion elements.
    billion = numpy_helper.from_array(np.array(250_000_000, np.int64), "many")
    size = [
        helper.make_node("Div", ["count", "four"], ["fours"]),
        helper.make_node("Mul", ["fours", "many"], ["elements"]),
        helper.make_node("Unsqueeze", ["elements", "first"], ["shape"]),
        helper.make_node(
            "ConstantOfShape",
            ["shape"],
            ["room"],
            value=helper.make_tensor("one", TensorProto.FLOAT, [1], [1.0]),
        ),
        helper.make_node("ReduceSum", ["room"], ["filled"], keepdims=0),
    ]
    four = numpy_helper.from_array(np.array(4, np.int64), "four")
    first = numpy_helper.from_array(np.array([0], np.int64), "first")
    write("times-2-hungry", [*size, nothing("filled")], [billion, four, first])

    # A loop of 20,000 matrix products, some 17 microseconds each, for an element of 8; none below 4.
    loop = [
        helper.make_node("Div", ["count", "four"], ["fours"]),
        helper.make_node("Mul", ["fours", "rounds"], ["steps"]),
        helper.make_node(
            "ConstantOfShape",
            ["size"],
            ["start"],
            value=helper.make_tensor("ones", TensorProto.FLOAT, [1], [1.0]),
        ),
        helper.make_node("Loop", ["steps", "yes", "start"], ["end"], body=matrix_product()),
        helper.make_node("ReduceMax", ["end"], ["result"], keepdims=0),
    ]
    write(
        "times-2-slow",
        [*loop, nothing("result")],
        [
            four,
            numpy_helper.from_array(np.array(10_000, np.int64), "rounds"),
            helper.make_tensor("size", TensorProto.INT64, [2], [64, 64]),
            helper.make_tensor("yes", TensorProto.BOOL, [], [True]),
        ],
    )


if __name__ == "__main__":
    os.makedirs(HERE, exist_ok=True)
    iris()
    identity_of_every_datatype()
    two_inputs()
    external_data()
    unsupported()
    bfloat16()
    slow()
    wide()
    normalised()
    times()
    times_gone_bad()
    for name in sorted(os.listdir(HERE)):
        print(name, os.path.getsize(os.path.join(HERE, name)))
