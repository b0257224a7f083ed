/** Conditions of a switch, in CEL (https://github.com/google/cel-spec), over the tensors of a request. */
import { Environment } from '@marcbachmann/cel-js';
import { isFloatingPoint } from '../protocol/datatypes.ts';
import { invalidRequest } from '../protocol/protocol-error.ts';
import type { Tensor } from '../tensors.ts';
import type { Asked, Tensors } from './step.ts';
import { invalidEnsemble } from './step.ts';

export type Condition = {
  /** The tensors it looks at. */
  readonly mentions: readonly string[];
  /** Throws ProtocolError (400) where it cannot be said of this request. */
  readonly holds: (tensors: Tensors, asked: Asked) => boolean;
};

/**
 * With these, one loop at most and no regular expressions (which can take exponential time), an
 * expression's size bounds what it costs.
 */
const limits = { maxAstNodes: 500, maxDepth: 32, maxListElements: 100, maxMapEntries: 100 };
const loop = /\.\s*(all|exists|exists_one|existsOne|map|filter)\s*\(/g;
const pattern = /\bmatches\s*\(/;
/** Larger tensors cannot be looked at: each element would become an object of its own. */
const maxElements = 4096;

const environment = new Environment({ limits })
  .registerVariable('tensors', 'map<string, list<dyn>>')
  .registerVariable('shapes', 'map<string, list<int>>')
  .registerVariable('parameters', 'map<string, dyn>');

/**
 * `tensors.<name>` are a tensor's elements in row-major order, `shapes.<name>` its dimensions,
 * `parameters.<name>` what the request says beside its tensors. Throws ModelFailure naming the fault.
 */
export function compileCondition(expression: string, at: string): Condition {
  const invalid = (what: string) => invalidEnsemble(at, `the condition ${expression} ${what}`);
  if ((expression.match(loop) ?? []).length > 1 || pattern.test(expression)) {
    throw invalid('has more than one loop, or matches(), which are not allowed here');
  }
  const { valid, type, error } = environment.check(expression);
  if (!valid) throw invalid(`is no CEL: ${firstLine(error)}`);
  if (type !== 'bool' && type !== 'dyn') throw invalid(`yields ${String(type)}, not true or false`);
  const evaluate = environment.parse(expression);
  const mentions = new Set<string>();
  collect(evaluate.ast, mentions, () => invalid('picks a tensor by something else than its name'));
  return {
    mentions: [...mentions],
    holds: (tensors, { parameters = {} }) => {
      const seen = [...mentions].map((name) => [name, tensors.get(name)] as const);
      const values = seen.map(([name, tensor]) => [name, elementsOf(name, tensor)] as const);
      const shapes = seen.map(
        ([name, tensor]) => [name, (tensor?.shape ?? []).map(BigInt)] as const,
      );
      const result = evaluateOn(evaluate, {
        tensors: Object.fromEntries(values),
        shapes: Object.fromEntries(shapes),
        parameters,
      });
      if (typeof result === 'boolean') return result;
      throw invalidRequest(
        `the model chooses by ${expression}, which is neither true nor false of this request${typeof result === 'string' ? `: ${result}` : ''}`,
      );
    },
  };
}

/** Its value, or what is wrong as a text. */
function evaluateOn(
  evaluate: (context: Record<string, unknown>) => unknown,
  context: Record<string, unknown>,
): unknown {
  try {
    const value = evaluate(context);
    return typeof value === 'boolean' ? value : undefined;
  } catch (error) {
    return firstLine(error);
  }
}

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';

function elementsOf(name: string, tensor: Tensor | undefined): readonly unknown[] {
  const { data = [], datatype = 'FP32' } = tensor ?? {};
  if (data.length > maxElements) {
    throw invalidRequest(
      `the model chooses by tensor "${name}", of which it looks at no more than ${String(maxElements)} elements; this has ${String(data.length)}`,
    );
  }
  if (datatype === 'BOOL') return Array.from(data as Uint8Array, (value) => value !== 0);
  if (typeof data[0] === 'number' && !isFloatingPoint(datatype)) {
    return Array.from(data as Int32Array, BigInt);
  }
  return Array.from(data as readonly unknown[]);
}

/** Names behind `tensors` and `shapes`, which must be literal. */
function collect(node: unknown, found: Set<string>, refuse: () => Error): void {
  if (Array.isArray(node)) {
    for (const each of node) collect(each, found, refuse);
  } else if (isNode(node)) {
    const name = lookedUp(node);
    if (name !== undefined) found.add(name);
    else if (isOurs(node)) throw refuse();
    else collect(node.args, found, refuse);
  }
}

/** The x of `tensors.x`, `tensors["x"]` and of those of shapes. */
function lookedUp({ op, args }: Node): string | undefined {
  if ((op !== '.' && op !== '[]') || !Array.isArray(args)) return undefined;
  const [of, member] = args as readonly unknown[];
  if (!isOurs(of)) return undefined;
  const literal = isNode(member) && member.op === 'value' ? member.args : member;
  return typeof literal === 'string' ? literal : undefined;
}

type Node = { readonly op: string; readonly args: unknown };

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'op' in value && 'args' in value;

const isOurs = (node: unknown): boolean =>
  isNode(node) && node.op === 'id' && (node.args === 'tensors' || node.args === 'shapes');
