/** Writes protobuf messages by hand, for files no exporter would make. */
export const varint = (value: bigint | number): Buffer => {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    const more = rest > 0x7fn;
    bytes.push(Number(rest & 0x7fn) | (more ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Buffer.from(bytes);
};

export const number = (field: number, value: bigint | number): Buffer =>
  Buffer.concat([varint(field * 8), varint(value)]);

export const message = (field: number, ...parts: readonly (Buffer | string)[]): Buffer => {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
  return Buffer.concat([varint(field * 8 + 2), varint(body.length), body]);
};

/** ValueInfoProto as field 11 (input) or 12 (output) of a graph, with the type given. */
export const valueInfo = (field: 11 | 12, name: string, type: Buffer): Buffer =>
  message(field, message(1, name), message(2, type));

/** TypeProto of a tensor; a size may be a number, a symbol, or nothing. */
export const tensorType = (
  elementType: number,
  shape?: readonly (number | bigint | string | null)[],
): Buffer =>
  message(
    1,
    number(1, elementType),
    ...(shape
      ? [message(2, ...shape.map((size) => message(1, ...(size === null ? [] : [dim(size)]))))]
      : []),
  );

const dim = (size: number | bigint | string): Buffer =>
  typeof size === 'string' ? message(2, size) : number(1, size);

/** A ModelProto of IR version 8 and operator set 17 around a graph. */
export const onnxModel = (...graph: readonly Buffer[]): Buffer =>
  Buffer.concat([number(1, 8), message(7, ...graph), message(8, number(2, 17))]);
