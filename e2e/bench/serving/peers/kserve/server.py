"""ONNX for KServe's Python server, as its documentation has custom predictors."""

import argparse
import os

import onnxruntime
from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer, model_server


class OnnxModel(Model):
    def load(self) -> bool:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(os.environ["BENCH_MODEL"], options)
        self.names = [output.name for output in self.session.get_outputs()]
        self.ready = True
        return self.ready

    def get_input_types(self):
        return [self.describe(each) for each in self.session.get_inputs()]

    def get_output_types(self):
        return [self.describe(each) for each in self.session.get_outputs()]

    @staticmethod
    def describe(value):
        shape = [size if isinstance(size, int) else -1 for size in value.shape]
        datatype = {"tensor(float)": "FP32", "tensor(int64)": "INT64"}[value.type]
        return {"name": value.name, "datatype": datatype, "shape": shape}

    async def predict(self, payload: InferRequest, headers=None, response_headers=None):
        feeds = {each.name: each.as_numpy() for each in payload.inputs}
        outputs = []
        for name, result in zip(self.names, self.session.run(self.names, feeds)):
            datatype = "INT64" if result.dtype.kind == "i" else "FP32"
            output = InferOutput(name=name, shape=list(result.shape), datatype=datatype)
            output.set_data_from_numpy(result, binary_data=False)
            outputs.append(output)
        return InferResponse(payload.id or "1", self.name, outputs)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(parents=[model_server.parser])
    args, _ = parser.parse_known_args()
    model = OnnxModel("bench")
    model.load()
    ModelServer(enable_latency_logging=False).start([model])
