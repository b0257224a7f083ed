import { MalformedMessage } from './protobuf-scanner.ts';

export type ProtobufField =
  | { readonly number: number; readonly kind: 'varint'; readonly value: bigint }
  | { readonly number: number; readonly kind: 'bytes'; readonly value: Buffer };

/** All fields of one small message that is in memory whole; fixed-width ones are passed over. */
export const protobufFields = (message: Buffer): readonly ProtobufField[] => {
  const fields: ProtobufField[] = [];
  const cursor = { message, offset: 0 };
  while (cursor.offset < message.length) {
    const tag = Number(varint(cursor));
    const number = Math.floor(tag / 8);
    switch (tag % 8) {
      case 0:
        fields.push({ number, kind: 'varint', value: varint(cursor) });
        break;
      case 1:
        take(cursor, 8);
        break;
      case 2:
        fields.push({ number, kind: 'bytes', value: take(cursor, Number(varint(cursor))) });
        break;
      case 5:
        take(cursor, 4);
        break;
      default:
        throw new MalformedMessage(`wire type ${tag % 8}`);
    }
  }
  return fields;
};

/** The last value of a field, as protobuf has it for fields that are not repeated. */
export const bytesField = (message: Buffer, number: number): Buffer | undefined =>
  protobufFields(message).findLast(
    (field): field is Extract<ProtobufField, { kind: 'bytes' }> =>
      field.number === number && field.kind === 'bytes',
  )?.value;

export const varintField = (message: Buffer, number: number): bigint | undefined =>
  protobufFields(message).findLast(
    (field): field is Extract<ProtobufField, { kind: 'varint' }> =>
      field.number === number && field.kind === 'varint',
  )?.value;

type Cursor = { readonly message: Buffer; offset: number };

/** Signed 64-bit, as int64 fields are written. */
const varint = (cursor: Cursor): bigint => {
  let value = 0n;
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = cursor.message[cursor.offset++];
    if (byte === undefined) throw new MalformedMessage('a number ends early', true);
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return BigInt.asIntN(64, value);
  }
  throw new MalformedMessage('a number is longer than ten bytes');
};

const take = (cursor: Cursor, count: number): Buffer => {
  const end = cursor.offset + count;
  if (count < 0 || end > cursor.message.length)
    throw new MalformedMessage('a field is longer than its message');
  const taken = cursor.message.subarray(cursor.offset, end);
  cursor.offset = end;
  return taken;
};
