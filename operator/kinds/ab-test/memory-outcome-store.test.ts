import { memoryPredictionStore } from '../../store/memory-predictions.ts';
import { memoryOutcomeStore } from './memory-outcome-store.ts';
import { describeMeasurement } from './testing/measurement-contract.ts';
import { describeOutcomeStore } from './testing/outcome-store-contract.ts';

const make = async () => {
  const predictions = memoryPredictionStore();
  return { predictions, outcomes: memoryOutcomeStore(predictions) };
};

describeOutcomeStore('the store in memory', make);
describeMeasurement('the store in memory', make);
