import { memoryLabelStore } from './memory-labels.ts';
import { memoryPredictionStore } from './memory-predictions.ts';
import { describeLabelStore } from './testing/labels-contract.ts';

describeLabelStore('memory', async () => {
  const predictions = memoryPredictionStore();
  return { predictions, labels: memoryLabelStore(predictions) };
});
