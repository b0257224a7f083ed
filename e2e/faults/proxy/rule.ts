import { isWrite, type RequestFacts, type Verb } from './request-facts.ts';

/** Which requests a rule is about; what is left out matches all. */
export type Match = {
  readonly verbs?: readonly Verb[];
  readonly resources?: readonly string[];
  readonly exceptResources?: readonly string[];
  readonly namespace?: string;
  readonly subresource?: string;
  /** A part of the caller's User-Agent. */
  readonly userAgent?: string;
  readonly write?: boolean;
  readonly continued?: boolean;
  readonly initialEvents?: boolean;
};

/** Done to a request as a whole. */
export type RequestFault =
  | {
      readonly type: 'status';
      readonly code: number;
      readonly reason?: string;
      readonly retryAfterSeconds?: number;
    }
  | { readonly type: 'delay'; readonly ms: number }
  /** The server does it, but the connection is cut before its answer. */
  | { readonly type: 'applyThenCut' }
  /** The server does it, and its answer never comes. */
  | { readonly type: 'applyThenHold' }
  /** The connection is cut before anything is done. */
  | { readonly type: 'refuse' }
  /** Nothing is done and nothing ever answered. */
  | { readonly type: 'blackhole' }
  /** Answers a list with what was recorded by `recordLists`, as a server that lags behind does. */
  | { readonly type: 'staleList' }
  /** Half of the answer's body, then the connection is cut. */
  | { readonly type: 'truncateBody' };

/** Done to a watch some time after it began. */
export type WatchFault =
  | { readonly type: 'cutWatch'; readonly ms: number }
  /** The socket stays open, and nothing more is ever heard on it. */
  | { readonly type: 'freezeWatch'; readonly ms: number }
  /** An ERROR event 410 instead of the stream. */
  | { readonly type: 'expireWatch' };

/** Done to single events of a watch. */
export type EventFault =
  | { readonly type: 'dropEvents' }
  | { readonly type: 'duplicateEvents' }
  /** Swaps an event with the next one of its stream. */
  | { readonly type: 'reorderEvents' }
  /** A line that is no JSON, ahead of the event. */
  | { readonly type: 'garbageLine' }
  /** Half of the event's JSON, then the stream ends. */
  | { readonly type: 'truncateEvent' }
  /** The event in pieces that break characters of several bytes. */
  | { readonly type: 'splitCharacters' };

export type Fault = RequestFault | WatchFault | EventFault;

export type Rule = {
  readonly name: string;
  readonly match?: Match;
  /** Of each matching request or event; 1 when absent. */
  readonly probability?: number;
  /** So many matching ones pass first. */
  readonly after?: number;
  /** Ends after so many hits. */
  readonly times?: number;
  readonly fault: Fault;
};

export const matches = (match: Match, facts: RequestFacts): boolean =>
  isIn(match.verbs, facts.verb) &&
  isIn(match.resources, facts.resource) &&
  !(match.exceptResources?.includes(facts.resource) ?? false) &&
  equals(match.namespace, facts.namespace) &&
  equals(match.subresource, facts.subresource) &&
  equals(match.continued, facts.continued) &&
  equals(match.initialEvents, facts.initialEvents) &&
  equals(match.write, isWrite(facts)) &&
  facts.userAgent.includes(match.userAgent ?? '');

const isIn = <T>(allowed: readonly T[] | undefined, value: T): boolean =>
  allowed === undefined || allowed.includes(value);

const equals = <T>(wanted: T | undefined, value: T): boolean =>
  wanted === undefined || wanted === value;
