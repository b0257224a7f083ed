"""ONNX for Triton's Python backend: its wheel carries no ONNX backend."""

import os
import sys

# The backend's own interpreter does not look where the virtual environment has its packages.
sys.path.append(os.environ["BENCH_SITE_PACKAGES"])

import onnxruntime  # noqa: E402
import triton_python_backend_utils as pb  # noqa: E402


class TritonPythonModel:
    def initialize(self, args):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(os.environ["BENCH_MODEL"], options)
        self.inputs = [each.name for each in self.session.get_inputs()]
        self.outputs = [each.name for each in self.session.get_outputs()]

    def execute(self, requests):
        responses = []
        for request in requests:
            feeds = {n: pb.get_input_tensor_by_name(request, n).as_numpy() for n in self.inputs}
            results = self.session.run(self.outputs, feeds)
            tensors = [pb.Tensor(n, r) for n, r in zip(self.outputs, results)]
            responses.append(pb.InferenceResponse(output_tensors=tensors))
        return responses
