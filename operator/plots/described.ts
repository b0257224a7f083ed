import { emptyFigure } from './figure.ts';
import {
  MOST_SHOWN,
  type Objective,
  type PlottedSearch,
  type PlottedTrial,
} from './search-sample.ts';

const THOUSANDS = new Intl.NumberFormat('en');

export const counted = (count: number): string => THOUSANDS.format(count);

/** Where only a sample is shown, words that say so. */
export const sampleNotes = (
  shown: number,
  { complete }: Pick<PlottedSearch, 'complete'>,
): readonly string[] =>
  shown < complete && complete > MOST_SHOWN
    ? [
        `Shows ${counted(shown)} of ${counted(complete)} complete trials, evenly chosen, the best and the last among them.`,
      ]
    : [];

/** Trials that lack one of the parameters are left out of a plot; words that say so. */
export const missingNotes = (missing: number, what: string): readonly string[] =>
  missing === 0 ? [] : [`Left out: ${counted(missing)} without ${what}.`];

export const objectiveOf = ({ objectives, objective }: PlottedSearch): Objective =>
  objectives[objective] ?? { name: 'objective', direction: 'minimize' };

/** Of the objective that is looked at. */
export const valueOf = ({ values }: PlottedTrial, { objective }: PlottedSearch): number =>
  values[objective] ?? 0;

export const trialWords = (trial: PlottedTrial, search: PlottedSearch): string =>
  `trial ${trial.number}: ${objectiveOf(search).name} ${valueOf(trial, search)}`;

/** The plot of a search in which nothing has finished well yet. */
export const emptySearch = (title: string, { total }: PlottedSearch): string =>
  emptyFigure(
    title,
    total === 0 ? 'No trial has started yet.' : `None of ${counted(total)} trials is complete yet.`,
  );
