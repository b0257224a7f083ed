import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { ArtifactTooLarge, DigestMismatch, type ArtifactError } from './artifact-errors.ts';
import type { PutOptions, PutResult } from './artifact-store.ts';

/** Bytes on their way into a store: counted, hashed, and cut off with an error when refused. */
export class CheckedBytes {
  readonly #key: string;
  readonly #body: AsyncIterable<Uint8Array>;
  readonly #options: PutOptions;
  readonly #hash = createHash('sha256');
  #sizeBytes = 0;
  #digest: string | undefined;
  /** Why the stream ended with an error: a refusal of ours, or what the source threw. */
  failure: Error | undefined;

  constructor(key: string, body: AsyncIterable<Uint8Array>, options: PutOptions) {
    this.#key = key;
    this.#body = body;
    this.#options = options;
  }

  /** To be consumed once. Fails at the last byte when the digest is not the one expected. */
  stream(): Readable {
    return Readable.from(this.#checked(), { objectMode: false });
  }

  /** After the stream has ended. */
  result(): PutResult {
    if (this.#digest === undefined) throw new Error(`"${this.#key}" has not been read to its end.`);
    return { digest: this.#digest, sizeBytes: this.#sizeBytes };
  }

  async *#checked(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of this.#body) {
        this.#sizeBytes += chunk.byteLength;
        if (this.#sizeBytes > this.#options.maxBytes) throw this.#tooLarge();
        this.#hash.update(chunk);
        yield chunk;
      }
      this.#digest = `sha256:${this.#hash.digest('hex')}`;
      const expected = this.#options.expectedDigest;
      if (expected !== undefined && expected !== this.#digest)
        throw new DigestMismatch(this.#key, expected, this.#digest);
    } catch (error) {
      this.failure = error instanceof Error ? error : new Error(String(error));
      throw error;
    }
  }

  #tooLarge(): ArtifactError {
    return new ArtifactTooLarge(this.#key, this.#options.maxBytes);
  }
}
