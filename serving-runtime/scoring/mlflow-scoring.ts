import { parseModelJson, prepareRequest } from '../infer.ts';
import type { Dialect } from '../inference-handler.ts';
import { encodeJsonData } from '../tensors.ts';
import { formatPredictions, parseScoringRequest } from './scoring-request.ts';

const nothing = Buffer.alloc(0);

/** What MLflow's own server speaks at /invocations. */
export const mlflowScoring: Dialect = {
  decode: (body, _request, signature) =>
    prepareRequest(
      parseScoringRequest(parseModelJson(body, signature), signature),
      nothing,
      signature,
    ),
  encode: (prepared, results, { entry }) => ({
    body: formatPredictions(
      prepared.outputs.flatMap(({ name }, i) => {
        const tensor = results[i];
        if (tensor === undefined) return [];
        return [{ name, shape: tensor.shape, json: encodeJsonData(tensor, name) }];
      }),
    ),
    headers: { 'content-type': 'application/json' },
    exchange: {
      ...{ of: entry, inputs: prepared.inputs },
      ...{ outputNames: prepared.outputs, outputs: results },
    },
  }),
};
