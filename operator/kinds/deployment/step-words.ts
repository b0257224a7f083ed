/** What a step of a canary does, in words. Pure. */
import type { CanarySpec } from './canary.ts';

type Step = CanarySpec['steps'][number];

export const wordsOfStep = (step: Step): string => {
  const { setWeight, pause, analysis } = step;
  if (setWeight !== undefined) return `${setWeight} % of the requests`;
  if (pause !== undefined) {
    return `a pause ${pause.duration === undefined ? 'until somebody goes on' : `of ${pause.duration}`}`;
  }
  if (analysis !== undefined) {
    const lasts = analysis.duration === undefined ? '' : `, for ${analysis.duration}`;
    return `until its metrics are good${lasts}`;
  }
  return scaleWords(step) ?? routeWords(step);
};

const scaleWords = ({ setCanaryScale: scale }: Step): string | undefined => {
  if (scale === undefined) return undefined;
  if (scale.replicas !== undefined) return `${scale.replicas} pod(s)`;
  return scale.weight === undefined
    ? 'as many pods as its share of the requests asks for'
    : `${scale.weight} % of the number of stable pods`;
};

const routeWords = ({ setMirrorRoute: mirror, setHeaderRoute: header }: Step): string => {
  if (mirror !== undefined) {
    const { name, percentage = 100 } = mirror;
    return percentage === 0
      ? `no more copies of requests by route ${name}`
      : `copies of ${percentage} % of the requests by route ${name}`;
  }
  const { name = '', match = [] } = header ?? {};
  const headers = match.map(({ headerName }) => headerName).join(' and ');
  return headers === ''
    ? `route ${name} ends`
    : `requests with the header ${headers} by route ${name}`;
};
