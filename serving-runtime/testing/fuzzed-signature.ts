/** What fuzzed requests are prepared for: a number, a text and a 64-bit integer. */
export const fuzzedSignature = {
  inputs: [
    { name: 'x', datatype: 'FP32', shape: [-1, 2] },
    { name: 's', datatype: 'BYTES', shape: [-1] },
    { name: 'i', datatype: 'INT64', shape: [-1] },
  ],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [-1] }],
} as const;
