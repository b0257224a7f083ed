import { readFileSync } from 'node:fs';
import { UsageError } from './arguments.ts';

const DEFAULT_SERVER = 'http://localhost:8080';

/** Address of the API. */
export const serverOf = (env = process.env): string => env['MLOPS_SERVER'] || DEFAULT_SERVER;

/** @throws UsageError that says how a token is got */
export const tokenOf = ({ MLOPS_TOKEN, MLOPS_TOKEN_FILE } = process.env): string => {
  if (MLOPS_TOKEN) return MLOPS_TOKEN.trim();
  if (!MLOPS_TOKEN_FILE) {
    throw new UsageError(
      'There is no token: set MLOPS_TOKEN, for example to $(kubectl create token reader -n demo --audience=mlops.pynomaly.io), or MLOPS_TOKEN_FILE.',
    );
  }
  try {
    return readFileSync(MLOPS_TOKEN_FILE, 'utf8').trim();
  } catch (error) {
    const words = (error as Error).message;
    throw new UsageError(`MLOPS_TOKEN_FILE cannot be read: ${words}`, { cause: error });
  }
};
