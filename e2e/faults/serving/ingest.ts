/** Takes what serving pods send, as the operator's endpoint does: each batch once. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import {
  batchIdHeader,
  type PredictionRecord,
} from '../../../serving-runtime/protocol/prediction-record.ts';
import type { SketchRecord } from '../../../serving-runtime/protocol/sketch-record.ts';

export class Ingest {
  readonly #batches = new Set<string>();
  /** How often each request id was received. */
  readonly predictions = new Map<string, number>();
  records = 0;
  repeatedBatches = 0;

  readonly answer = (request: IncomingMessage, response: ServerResponse): void => {
    void this.#take(request).then(
      () => response.writeHead(202).end(),
      // The sender broke off; it comes again.
      () => response.destroy(),
    );
  };

  async #take(request: IncomingMessage): Promise<void> {
    const body = await buffer(request);
    const id = String(request.headers[batchIdHeader]);
    if (this.#batches.has(id)) {
      this.repeatedBatches += 1;
      return;
    }
    this.#batches.add(id);
    for (const line of gunzipSync(body).toString().trimEnd().split('\n')) {
      const record = JSON.parse(line) as PredictionRecord | SketchRecord;
      this.records += 1;
      if (record.type === 'prediction') {
        this.predictions.set(record.id, (this.predictions.get(record.id) ?? 0) + 1);
      }
    }
  }
}
