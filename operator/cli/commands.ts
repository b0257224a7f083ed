import { ApiError, getJson, type ApiClient } from './api-client.ts';
import type { CommandArguments } from './arguments.ts';
import { comparisonTable, importanceTable } from './comparison-table.ts';
import type { Comparison, Importance } from './comparison.ts';

/** The lines to print. Throws ApiError. */
export const run = async (
  wanted: CommandArguments,
  client: ApiClient,
): Promise<readonly string[]> => {
  const { namespace, experiment, output } = wanted;
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/experiments/${encodeURIComponent(experiment)}`;
  const found = await COMMANDS[wanted.command](path, wanted, client);
  if (output === 'json') return [JSON.stringify(found.answer, null, 2)];
  return [`Experiment ${namespace}/${experiment}`, ...found.lines];
};

type Found = { readonly answer: object; readonly lines: readonly string[] };
type Command = (path: string, wanted: CommandArguments, client: ApiClient) => Promise<Found>;

const importance: Command = async (path, { query }, client) => {
  const answer = await getJson<Importance>(client, `${path}/importance`, query);
  return { answer, lines: importanceTable(answer) };
};

const compare: Command = async (path, { query }, client) => {
  const found = await getJson<Comparison>(client, `${path}/runs/compare`, query);
  const matters = await importanceIfAny(client, path);
  return matters === undefined
    ? { answer: found, lines: comparisonTable(found) }
    : {
        answer: { ...found, importance: matters },
        lines: [...comparisonTable(found), ...importanceTable(matters)],
      };
};

const COMMANDS = { compare, importance };

/** Undefined where nothing was searched over; a comparison is worth showing without the engine, too. */
const importanceIfAny = async (
  client: ApiClient,
  path: string,
): Promise<Importance | undefined> => {
  try {
    return await getJson<Importance>(client, `${path}/importance`);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status === undefined) throw error;
    if (error.status === NO_SEARCH) return undefined;
    return { objective: '', importances: [], message: error.message };
  }
};

const NO_SEARCH = 400;
