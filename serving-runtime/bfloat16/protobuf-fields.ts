/**
 * The fields of a protobuf message that lies in a file, found without reading what is in them. Pure.
 * Wire format: https://protobuf.dev/programming-guides/encoding/
 */
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

/** So many bytes from a position on, fewer at the end. */
export type ReadAt = (position: number, length: number) => Uint8Array;

/** Positions in the file. */
export type Field = {
  readonly number: number;
  /** Of its tag. */
  readonly start: number;
  /** Of what is in it: behind the length, where it has one. */
  readonly content: number;
  readonly end: number;
};

/** A message's place; a field that holds one is its place, too. */
export type Place = Pick<Field, 'content' | 'end'>;

/** A tag and a length or number, ten bytes each at most. */
const headerBytes = 20;

/** In the order of the bytes. Throws where they are no message. */
export function* fieldsIn(read: ReadAt, { content: from, end: to }: Place): Generator<Field> {
  let start = from;
  while (start < to) {
    const reader = new BinaryReader(read(start, Math.min(headerBytes, to - start)));
    const [number, wireType] = reader.tag();
    const tagEnd = reader.pos;
    const isLong = wireType === WireType.LengthDelimited;
    const length = isLong ? reader.uint32() : sizeOf(reader, wireType);
    const content = start + (isLong ? reader.pos : tagEnd);
    const end = content + length;
    if (end > to) throw new RangeError('a field is longer than its message');
    yield { number, start, content, end };
    start = end;
  }
}

function sizeOf(reader: BinaryReader, wireType: WireType): number {
  if (wireType === WireType.Bit64) return 8;
  if (wireType === WireType.Bit32) return 4;
  if (wireType !== WireType.Varint) throw new RangeError('groups are not read');
  const before = reader.pos;
  reader.skip(wireType);
  return reader.pos - before;
}

/** The last of a number, which is the one that counts; `undefined` without any. */
export function fieldIn(read: ReadAt, place: Place, number: number): Field | undefined {
  let last: Field | undefined;
  for (const field of fieldsIn(read, place)) if (field.number === number) last = field;
  return last;
}

export const bytesAt = (read: ReadAt, { content, end }: Place): Uint8Array =>
  read(content, end - content);
