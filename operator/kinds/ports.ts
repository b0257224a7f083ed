import type { MetricProbe } from '../probing/metric-probe.ts';
import type { TrafficMeter } from '../scraping/traffic-meter.ts';
import type { OutcomeStore } from './ab-test/outcome-store.ts';
import type { OwnDataReader } from './deployment/own-data.ts';
import type { ArtifactStore } from '../artifacts/artifact-store.ts';
import type { PodLogs } from '../runtime/pod-logs.ts';
import type { ShadowReports } from './deployment/shadow-reports.ts';
import type { RunStore } from './experiment/run-store.ts';
import type { SearchEngine } from './experiment/search-engine.ts';
import type { TrialStore } from './experiment/trial-store.ts';
import type { Resources } from './kubernetes-objects.ts';

/** What every pod we create gets, from the chart's values. */
export type ChildDefaults = {
  readonly servingImage: string;
  readonly inspectImage: string;
  readonly imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never';
  readonly imagePullSecrets: readonly string[];
  /** Put before images that name no registry, such as `registry.example.com/mirror`. */
  readonly globalRegistry?: string;
  /** For containers that state neither requests nor limits. */
  readonly defaultResources: Resources;
  /** Where pods reach our API, without a trailing slash. */
  readonly apiUrl: string;
  readonly maxModelBytes: number;
  /** Where serving pods send their traces; none do without it. */
  readonly otlpEndpoint?: string | undefined;
  /** The bundled store's bucket. */
  readonly bucket: string;
  /** Hosts with private addresses that https:// storage URIs may name; `true`: any. */
  readonly allowPrivateHosts: true | readonly string[];
};

/** What reconcilers need beyond the cluster. */
export type Ports = {
  readonly artifacts: ArtifactStore;
  readonly runs: RunStore;
  readonly trials: TrialStore;
  /** Draws parameters of trials. */
  readonly search: SearchEngine;
  readonly logs: PodLogs;
  readonly children: ChildDefaults;
  /** What pods answered. */
  readonly traffic: TrafficMeter;
  /** What is known of these answers: labels, and sketches. */
  readonly ownData: OwnDataReader;
  /** What mirrors found out; without it no status says so. */
  readonly shadow?: ShadowReports | undefined;
  /** What other systems say about pods. */
  readonly probe: MetricProbe;
  /** Outcomes of ABTests. */
  readonly outcomes: OutcomeStore;
};

/** What is needed to read and delete the bytes of versions. */
export type StoragePorts = Pick<Ports, 'artifacts' | 'children'>;

/** What is needed to train, and to keep what comes of it. */
export type RunPorts = Pick<
  Ports,
  'artifacts' | 'runs' | 'trials' | 'search' | 'logs' | 'children'
>;
