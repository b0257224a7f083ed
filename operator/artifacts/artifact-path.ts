/** Longest key S3 takes is 1024 bytes; ours put a namespace, a run and words before the path. */
const MAX_PATH_BYTES = 700;

export type PathFault = {
  readonly reason:
    'Empty' | 'Absolute' | 'Traversal' | 'Encoded' | 'Backslash' | 'Control' | 'TooLong';
  readonly message: string;
};

/**
 * What is wrong with a relative path that somebody sent, or undefined.
 *
 * One spelling for each file: no `.`/`..`/empty segments, no percent sequences (a proxy or a later
 * decode would turn `%2e%2e` or `%2f` into something else), no backslashes or drive letters, no
 * control characters. MLflow had a path traversal through each of these.
 */
export const pathFault = (path: string): PathFault | undefined => {
  if (path === '') return { reason: 'Empty', message: 'the path is empty' };
  const bytes = Buffer.byteLength(path);
  if (bytes > MAX_PATH_BYTES)
    return {
      reason: 'TooLong',
      message: `the path has ${bytes} bytes, at most ${MAX_PATH_BYTES} fit`,
    };
  // eslint-disable-next-line no-control-regex -- control characters are what we look for
  if (/[\u0000-\u001f\u007f]/.test(path) || !path.isWellFormed())
    return { reason: 'Control', message: 'the path holds a control character' };
  if (path.includes('\\'))
    return { reason: 'Backslash', message: 'the path holds a backslash; use /' };
  if (/%[0-9a-f]{2}/i.test(path))
    return { reason: 'Encoded', message: 'the path is percent-encoded; send it decoded once' };
  if (path.startsWith('/') || /^[a-z]:/i.test(path))
    return { reason: 'Absolute', message: 'the path is absolute; name it relative to the root' };
  return segmentFault(path);
};

const segmentFault = (path: string): PathFault | undefined => {
  for (const segment of path.split('/')) {
    if (segment === '')
      return { reason: 'Traversal', message: 'the path holds an empty segment (//)' };
    // Parsers of URLs drop spaces at the end, which would make ".. " a way out.
    if (/^ *\.{1,2} *$/.test(segment))
      return { reason: 'Traversal', message: `the path holds a "${segment}" segment` };
  }
  return undefined;
};

/** An artifact path that must not be used, with the reason. */
export class InvalidArtifactPath extends Error {
  override readonly name = 'InvalidArtifactPath';
  readonly code = 'InvalidArtifactPath';
  readonly reason: PathFault['reason'];
  constructor(fault: PathFault) {
    super(`Invalid artifact path: ${fault.message}.`);
    this.reason = fault.reason;
  }
}

/**
 * The path of an artifact inside its run, as keys are built from it. One trailing slash (how
 * clients name folders) is dropped; everything else that `pathFault` names is refused.
 */
export const cleanArtifactPath = (path: string): string => {
  const clean = path.endsWith('/') ? path.slice(0, -1) : path;
  const fault = pathFault(clean);
  if (fault) throw new InvalidArtifactPath(fault);
  return clean;
};
