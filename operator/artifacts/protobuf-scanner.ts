/**
 * Walks a protobuf message of any size in constant memory, looking only at the fields a table asks
 * for. Wire format: https://protobuf.dev/programming-guides/encoding/
 */
export type MessageTable<Sink> = Readonly<Record<number, FieldTable<Sink>>>;

export type FieldTable<Sink> =
  /** A nested message to walk; `enter` sees that it begins. */
  | { readonly into: () => MessageTable<Sink>; readonly enter?: (sink: Sink) => void }
  /** Bytes to hand over whole; longer than `limit` is refused. */
  | { readonly bytes: (sink: Sink, value: Buffer) => void; readonly limit: number }
  | { readonly varint: (sink: Sink, value: number) => void };

/** The bytes are not a well-formed message. `truncated`: they end in the middle of one. */
export class MalformedMessage extends Error {
  override readonly name = 'MalformedMessage';
  readonly truncated: boolean;
  constructor(message: string, truncated = false) {
    super(message);
    this.truncated = truncated;
  }
}

/** Nested deeper than this is an attack, not a model (subgraphs nest a handful of levels). */
const MAX_DEPTH = 100;
/** A tag and a length, ten bytes each at most. */
const HEADER_BYTES = 20;

type Frame<Sink> = { readonly table: MessageTable<Sink>; readonly end: number };

/** Reads `chunks` to the end, calling the table's handlers in the order of the bytes. */
export const scanMessage = async <Sink>(
  chunks: AsyncIterator<Uint8Array>,
  table: MessageTable<Sink>,
  sink: Sink,
): Promise<void> => {
  const reader = new ChunkReader(chunks);
  const stack: Frame<Sink>[] = [{ table, end: Infinity }];
  for (;;) {
    const frame = innermost(stack, reader.position);
    // Awaiting only when bytes are missing keeps models of a million small fields fast.
    if (reader.buffered < HEADER_BYTES) await reader.fill(HEADER_BYTES);
    if (reader.buffered === 0) break;
    const { field, length, end } = readHeader(reader, frame, sink);
    if (field && 'into' in field) {
      field.enter?.(sink);
      stack.push({ table: field.into(), end });
      if (stack.length > MAX_DEPTH) throw new MalformedMessage('messages nest too deeply');
    } else if (field && 'bytes' in field) {
      field.bytes(sink, await reader.take(length, field.limit));
    } else if (!reader.skipBuffered(length)) await reader.skip(length);
  }
  if (stack.length > 1) throw new MalformedMessage('the data ends inside a message', true);
};

/** Leaves the messages that end here. */
const innermost = <Sink>(stack: Frame<Sink>[], position: number): Frame<Sink> => {
  for (;;) {
    const frame = stack.at(-1);
    if (!frame) throw new Error('The outermost message never ends.');
    if (frame.end !== position) return frame;
    stack.pop();
  }
};

type Header<Sink> = {
  /** Set when the payload is asked for and still to be read. */
  readonly field?: FieldTable<Sink> | undefined;
  readonly length: number;
  readonly end: number;
};

/** Reads one tag, and the value itself when it is a varint. */
const readHeader = <Sink>(reader: ChunkReader, frame: Frame<Sink>, sink: Sink): Header<Sink> => {
  const tag = reader.varint();
  if (tag < 8) throw new MalformedMessage('field number 0');
  const field = frame.table[Math.floor(tag / 8)];
  const wireType = tag % 8;
  const length = payloadLength(reader, wireType, (value) => {
    if (field && 'varint' in field) field.varint(sink, value);
  });
  const end = reader.position + length;
  if (end > frame.end) throw new MalformedMessage('a field is longer than its message');
  return { field: wireType === 2 ? field : undefined, length, end };
};

/** Bytes that follow the tag (and, for wire type 2, the length); varints are read right away. */
const payloadLength = (
  reader: ChunkReader,
  wireType: number,
  onVarint: (value: number) => void,
): number => {
  switch (wireType) {
    case 0:
      onVarint(reader.varint());
      return 0;
    case 1:
      return 8;
    case 2:
      return reader.varint();
    case 5:
      return 4;
    default:
      throw new MalformedMessage(`wire type ${wireType}`);
  }
};

/** Bytes by position over chunks of any size; holds one chunk, or the few bytes asked for. */
class ChunkReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #buffer: Buffer = Buffer.alloc(0);
  #offset = 0;
  #ended = false;
  /** How many bytes have been consumed. */
  position = 0;

  constructor(chunks: AsyncIterator<Uint8Array>) {
    this.#chunks = chunks;
  }

  get buffered(): number {
    return this.#buffer.length - this.#offset;
  }

  /** Buffers at least `count` bytes, or all that are left. */
  async fill(count: number): Promise<void> {
    const parts = this.buffered > 0 ? [this.#buffer.subarray(this.#offset)] : [];
    let size = this.buffered;
    while (size < count && !this.#ended) {
      const next = await this.#chunks.next();
      if (next.done) this.#ended = true;
      else {
        parts.push(Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength));
        size += next.value.byteLength;
      }
    }
    this.#buffer = parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts, size);
    this.#offset = 0;
  }

  /** An unsigned varint from the buffer; above 2^53 it is rounded, negative int64s come out huge. */
  varint(): number {
    let value = 0;
    for (let index = 0; index < 10; index++) {
      const byte = this.#buffer[this.#offset];
      if (byte === undefined) throw new MalformedMessage('the data ends inside a number', true);
      this.#offset++;
      this.position++;
      value += (byte & 0x7f) * 2 ** (7 * index);
      if (byte < 0x80) return value;
    }
    throw new MalformedMessage('a number is longer than ten bytes');
  }

  async take(count: number, limit: number): Promise<Buffer> {
    if (count > limit) throw new MalformedMessage(`a field has ${count} bytes, more than ${limit}`);
    if (this.buffered < count) await this.fill(count);
    if (this.buffered < count) throw new MalformedMessage('the data ends inside a field', true);
    const taken = Buffer.from(this.#buffer.subarray(this.#offset, this.#offset + count));
    this.#advance(count);
    return taken;
  }

  skipBuffered(count: number): boolean {
    if (count > this.buffered) return false;
    this.#advance(count);
    return true;
  }

  async skip(count: number): Promise<void> {
    let left = count;
    while (left > 0) {
      const step = Math.min(left, this.buffered);
      this.#advance(step);
      left -= step;
      if (left > 0) await this.fill(1);
      if (left > 0 && this.buffered === 0)
        throw new MalformedMessage('the data ends inside a field', true);
    }
  }

  #advance(count: number): void {
    this.#offset += count;
    this.position += count;
  }
}
