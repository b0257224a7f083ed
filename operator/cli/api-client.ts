/** What the API refused, or why it was not reached; the message says what to do. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** Of the answer; undefined where there was none. */
  readonly status: number | undefined;
  constructor(message: string, status?: number, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

export type ApiClient = {
  readonly server: string;
  readonly token: string;
  readonly fetch: typeof fetch;
};

const TIMEOUT_MS = 60_000;

/** The JSON that `path` answers. Throws ApiError; refusals are told in the API's own words (RFC 9457). */
export const getJson = async <T>(
  { server, token, fetch: send }: ApiClient,
  path: string,
  query: readonly (readonly [string, string])[] = [],
): Promise<T> => {
  const url = new URL(`${server.replace(/\/+$/, '')}${path}`);
  for (const [name, value] of query) url.searchParams.append(name, value);
  const answer = await send(url, {
    headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch((error: unknown) => {
    const cause = (error as Error).cause ?? error;
    throw new ApiError(
      `${server} does not answer (${(cause as Error).message}). Is it forwarded? kubectl port-forward -n mlops-system service/mlops-operator 8080`,
      undefined,
      { cause: error },
    );
  });
  const body = await answer.text();
  if (answer.ok) return read<T>(body, server);
  throw new ApiError(refusal(body) ?? `${server} answered ${answer.status}.`, answer.status);
};

const read = <T>(body: string, server: string): T => {
  try {
    return JSON.parse(body) as T;
  } catch (error) {
    throw new ApiError(
      `${server} did not answer with JSON; is it the API of the operator?`,
      undefined,
      { cause: error },
    );
  }
};

const refusal = (body: string): string | undefined => {
  try {
    const { detail, title } = JSON.parse(body) as { detail?: string; title?: string };
    return detail ?? title;
  } catch {
    return undefined;
  }
};
