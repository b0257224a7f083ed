import type { Clock } from '../runtime/clock.ts';
import type { GuardedRequest, HttpAnswer, HttpRequest } from './guarded-request.ts';
import { errorOf, type Measurement, type Reading } from './measurement.ts';
import { Turns } from './turns.ts';

/** One question that is asked again and again. */
export type Probe = {
  /** Another question has another id. */
  readonly id: string;
  readonly request: HttpRequest;
  /** Pure; never throws. */
  readonly read: (answer: HttpAnswer) => Reading;
};

/** Who asks, such as the candidate of a Deployment, and for whom. */
type ProbeGroup = { readonly id: string; readonly namespace: string };

type ProbeSignals = {
  /** Ends the waiting; what was asked is still heard. */
  readonly wait: AbortSignal;
  /** Ends the asking. */
  readonly stop: AbortSignal;
};

/**
 * What other systems say about the members of a group, asked over HTTP. All of it is in memory, as
 * with the traffic meter: after a restart there is nothing before the first measurement.
 */
export type MetricProbe = {
  /**
   * Asks all questions once, and ends when all are answered or out of time; one that is being asked
   * already is waited for, not asked again. No answer is a measurement too. Throws only when a
   * signal aborts.
   */
  measure(group: ProbeGroup, probes: readonly Probe[], signals: ProbeSignals): Promise<void>;
  /** What was asked since then, the oldest first; of very many, the latest 1,000. */
  measurements(group: string, probe: string, since: Date): readonly Measurement[];
  forget(group: string): void;
};

type Group = {
  readonly asking: Map<string, Promise<void>>;
  /** By question, with times that do not jump. */
  readonly measured: Map<string, Measurement[]>;
};

/** Questions asked at once of one host, and for one namespace: who hangs holds up its own alone. */
const AT_ONCE = 4;
const MOST_KEPT = 1000;

export const createMetricProbe = (clock: Clock, http: GuardedRequest): MetricProbe => {
  const groups = new Map<string, Group>();
  const turns = new Turns(AT_ONCE);

  const ask = async (
    { id, namespace }: ProbeGroup,
    group: Group,
    { id: name, request, read }: Probe,
    stop: AbortSignal,
  ): Promise<void> => {
    const keys = [`namespace ${namespace}`, `host ${hostOf(request.url)}`];
    await turns.take(keys, stop, async () => {
      const at = clock.monotonic();
      const reading = await http(request, stop).then(read).catch(asReading);
      stop.throwIfAborted();
      if (groups.get(id) !== group) return;
      const measured = group.measured.get(name) ?? [];
      group.measured.set(name, [...measured.slice(1 - MOST_KEPT), { at, reading }]);
    });
  };

  return {
    measure: async (who, probes, { wait, stop }) => {
      const group: Group = groups.get(who.id) ?? { asking: new Map(), measured: new Map() };
      groups.set(who.id, group);
      forgetOthers(group, probes);
      const asked = probes.map((probe) => {
        const known = group.asking.get(probe.id);
        if (known !== undefined) return known;
        const asking = ask(who, group, probe, stop).finally(() => group.asking.delete(probe.id));
        group.asking.set(probe.id, asking);
        return asking;
      });
      await unlessAborted(Promise.all(asked), wait);
    },
    measurements: (id, probe, since) => {
      const offset = clock.now() - clock.monotonic();
      const measured = groups.get(id)?.measured.get(probe) ?? [];
      return measured
        .map(({ at, reading }) => ({ at: at + offset, reading }))
        .filter(({ at }) => at >= since.getTime());
    },
    forget: (id) => {
      groups.delete(id);
    },
  };
};

const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).host : url);

const forgetOthers = ({ measured }: Group, probes: readonly Probe[]): void => {
  for (const id of measured.keys()) {
    if (!probes.some((probe) => probe.id === id)) measured.delete(id);
  }
};

const asReading = (reason: unknown): Reading =>
  errorOf(reason instanceof Error ? wordsOf(reason) : String(reason));

/** Of several failed connections, such as over IPv6 and IPv4, the words are in the first. */
const wordsOf = (error: Error): string => {
  const [first] = error instanceof AggregateError ? (error.errors as readonly unknown[]) : [];
  return first instanceof Error ? first.message : error.message;
};

const unlessAborted = async (work: Promise<unknown>, signal: AbortSignal): Promise<void> => {
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const leave = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', leave, { once: true });
    work.then(() => resolve(), reject).finally(() => signal.removeEventListener('abort', leave));
  });
};
