import { memoryPredictionStore } from './memory-predictions.ts';
import { describePredictionStore } from './testing/predictions-contract.ts';

describePredictionStore('memory', async () => memoryPredictionStore());
