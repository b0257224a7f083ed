import { memoryPredictionStore } from '../../store/memory-predictions.ts';
import { memoryShadowStore } from './memory-shadow-store.ts';
import { describeShadowStore } from './testing/shadow-store-contract.ts';

describeShadowStore('memory', async () => {
  const predictions = memoryPredictionStore();
  return { predictions, shadow: memoryShadowStore(predictions) };
});
