import type { z } from 'zod';

import {
  EngineConflict,
  StudyBehind,
  StudyChanged,
  type Assignment,
  type Drawn,
  type ImportanceSource,
  type Importances,
  type SearchEngine,
  type StepValue,
  type Study,
  type Told,
} from '../kinds/experiment/search-engine.ts';
import { SearchEngineError } from './search-engine-error.ts';
import {
  drawnAnswer,
  importanceAnswer,
  problemAnswer,
  refusalReason,
  reportAnswer,
  studiesAnswer,
  type ProblemAnswer,
} from './service-answer.ts';
import { ServiceClient, type ServiceAnswer, type ServiceConnection } from './service-request.ts';

/**
 * The Optuna service (optuna_service/) over HTTP. Throws StudyBehind, StudyChanged and EngineConflict as
 * the port says, and SearchEngineError for everything else that is no answer.
 */
export class HttpSearchEngine implements SearchEngine, ImportanceSource {
  readonly #client: ServiceClient;

  constructor(connection: ServiceConnection) {
    this.#client = new ServiceClient(connection);
  }

  async ask(study: Study, number: number, given?: readonly Assignment[]): Promise<Drawn> {
    const path = trialPath(study, number);
    const body = given === undefined ? study : { ...study, assignments: given };
    const answer = await this.#client.send({ method: 'PUT', path, body });
    if (answer.status === 200) return read(drawnAnswer, answer, path);
    const problem = problemOf(answer, path);
    const refusal = refusalReason.safeParse(problem.reason);
    if (refusal.success) {
      return { state: 'refused', reason: refusal.data, message: problem.detail };
    }
    throw errorOf(problem, study);
  }

  async report(
    study: Study,
    number: number,
    values: readonly StepValue[],
  ): Promise<{ readonly prune: boolean }> {
    const path = `${trialPath(study, number)}/report`;
    const written = values.map(({ step, value }) => ({ step, value: jsonNumber(value) }));
    const answer = await this.#client.send({
      method: 'POST',
      path,
      body: { study, values: written },
    });
    if (answer.status === 200) return read(reportAnswer, answer, path);
    throw errorOf(problemOf(answer, path), study);
  }

  async tell(study: Study, number: number, outcome: Told): Promise<void> {
    const path = `${trialPath(study, number)}/tell`;
    const written =
      outcome.state === 'complete'
        ? { ...outcome, values: outcome.values.map(jsonNumber) }
        : outcome;
    const answer = await this.#client.send({
      method: 'POST',
      path,
      body: { study, outcome: written },
    });
    if (answer.status !== 204) throw errorOf(problemOf(answer, path), study);
  }

  async forget(name: string): Promise<void> {
    const path = studyPath(name);
    const answer = await this.#client.send({ method: 'DELETE', path });
    if (answer.status !== 204) throw errorOf(problemOf(answer, path), { name });
  }

  async importances(name: string, objective: number): Promise<Importances> {
    const path = `${studyPath(name)}/importance/${objective}`;
    const answer = await this.#client.send({ method: 'GET', path });
    if (answer.status === 200) return read(importanceAnswer, answer, path);
    throw errorOf(problemOf(answer, path), { name });
  }

  async studyNames(): Promise<readonly string[]> {
    const path = '/v1/studies';
    const answer = await this.#client.send({ method: 'GET', path });
    if (answer.status === 200) return read(studiesAnswer, answer, path).studies;
    throw errorOf(problemOf(answer, path), { name: '' });
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}

const studyPath = (name: string): string => `/v1/studies/${encodeURIComponent(name)}`;

const trialPath = ({ name }: Study, number: number): string =>
  `${studyPath(name)}/trials/${number}`;

/** JSON has no word for NaN and the infinities; JSON.stringify would make null of them. */
const jsonNumber = (value: number): number | string =>
  Number.isFinite(value) ? value : String(value);

const read = <T>(schema: z.ZodType<T>, { text }: ServiceAnswer, path: string): T => {
  const result = schema.safeParse(parsed(text));
  if (result.success) return result.data;
  throw new SearchEngineError(
    'ProtocolFault',
    `The answer to ${path} is none of the search service: ${result.error.issues[0]?.message ?? ''}. ` +
      'Check that MLOPS_HPO_URL leads to it, and that both are of the same release.',
  );
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    // The schema refuses it with better words.
    return undefined;
  }
};

const problemOf = (answer: ServiceAnswer, path: string): ProblemAnswer => {
  const result = problemAnswer.safeParse(parsed(answer.text));
  if (result.success) return result.data;
  throw new SearchEngineError(
    'ProtocolFault',
    `${path} was answered with status ${answer.status}: ${answer.text.slice(0, 200)}. ` +
      'Check that MLOPS_HPO_URL leads to the search service.',
  );
};

const errorOf = ({ reason, detail, next }: ProblemAnswer, { name }: Pick<Study, 'name'>): Error => {
  if (reason === 'StudyBehind' && next !== undefined) return new StudyBehind(name, next);
  if (reason === 'EngineConflict') return new EngineConflict(detail);
  if (reason === 'StudyChanged') return new StudyChanged(detail);
  return new SearchEngineError('ProtocolFault', `The search service says ${reason}: ${detail}`);
};
