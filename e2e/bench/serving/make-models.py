"""Writes the models that are measured; the same bytes each time.

mlp10m: 64 -> 1600 -> 1600 -> 1600 -> 10, 10.5 MFLOP and 21 MB; cnn10m: four convolutions over
[3, 32, 32], about 10 MFLOP. Run: python make-models.py FOLDER (onnx, numpy).
"""

import os
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

random = np.random.default_rng(7)


def weight(name, *shape):
    values = random.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))
    return numpy_helper.from_array(values.astype(np.float32), name)


def save(name, nodes, weights, size, outputs):
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", *size])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", outputs])
    graph = helper.make_graph(nodes, name, [x], [y], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save_model(model, os.path.join(sys.argv[1], name + ".onnx"))


def mlp():
    sizes = [64, 1600, 1600, 1600, 10]
    nodes, weights, last = [], [], "x"
    for i, (fan_in, fan_out) in enumerate(zip(sizes, sizes[1:])):
        weights.append(weight(f"w{i}", fan_out, fan_in))
        out = "y" if i == 3 else f"h{i}"
        nodes.append(helper.make_node("Gemm", [last, f"w{i}"], [out], transB=1))
        if i < 3:
            nodes.append(helper.make_node("Relu", [out], [f"r{i}"]))
        last = f"r{i}"
    save("mlp10m", nodes, weights, [64], 10)


def cnn():
    channels = [3, 16, 32, 32, 64]
    nodes, weights, last = [], [], "x"
    for i, (fan_in, fan_out) in enumerate(zip(channels, channels[1:])):
        weights.append(weight(f"k{i}", fan_out, fan_in, 3, 3))
        nodes.append(
            helper.make_node(
                "Conv", [last, f"k{i}"], [f"c{i}"], pads=[1] * 4, strides=[2, 2] if i != 1 else [1, 1]
            )
        )
        nodes.append(helper.make_node("Relu", [f"c{i}"], [f"r{i}"]))
        last = f"r{i}"
    weights.append(weight("w", 10, 64))
    nodes.append(helper.make_node("GlobalAveragePool", [last], ["p"]))
    nodes.append(helper.make_node("Flatten", ["p"], ["f"]))
    nodes.append(helper.make_node("Gemm", ["f", "w"], ["y"], transB=1))
    save("cnn10m", nodes, weights, [3, 32, 32], 10)


mlp()
cnn()
