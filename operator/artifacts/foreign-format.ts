const EXPORT = 'export the model to ONNX and upload that';

/** Files people upload in place of ONNX, by their first bytes. */
const FORMATS: readonly (readonly [RegExp, string])[] = [
  // eslint-disable-next-line no-control-regex -- zip's signatures
  [/^PK(\x03\x04|\x05\x06)/, `this is a zip archive (PyTorch, Keras or an archive); ${EXPORT}`],
  // eslint-disable-next-line no-control-regex -- pickle opcodes: PROTO, then the protocol number
  [/^\x80[\x02-\x05]/, `this is a Python pickle (joblib, torch); ${EXPORT}`],
  [/^\x89HDF\r\n/, `this is an HDF5 file (Keras); ${EXPORT}`],
  // eslint-disable-next-line no-control-regex -- gzip's magic number
  [/^\x1f\x8b/, 'this is gzip-compressed; upload the file uncompressed'],
  [
    /^version https:\/\/git-lfs/,
    'this is a Git LFS pointer, not the file it points to; run git lfs pull',
  ],
  [/^.{4}TFL3/s, `this is a TensorFlow Lite model; ${EXPORT}`],
  [/^.{8}\{"/s, `this is a safetensors file: weights without a graph; ${EXPORT}`],
  [
    /^\s*(<!doctype|<html|<\?xml)/i,
    'this is a web page or XML, perhaps an error page saved as a file',
  ],
  [/^\s*[{[]\s*["{[\]}]/, `this is JSON; ${EXPORT}`],
];

/** What the file is instead of ONNX and what to do, or undefined when it may be ONNX. */
export const foreignFormat = (head: Uint8Array): string | undefined => {
  if (head.length === 0) return 'the file is empty';
  const start = Buffer.from(head).toString('latin1');
  return FORMATS.find(([pattern]) => pattern.test(start))?.[1];
};
