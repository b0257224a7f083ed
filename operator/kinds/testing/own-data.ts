import { memoryLabelStore } from '../../store/memory-labels.ts';
import { memoryPredictionStore } from '../../store/memory-predictions.ts';
import { ownDataReader, type OwnDataReader } from '../deployment/own-data.ts';

/** Of stores in memory, empty ones unless given. */
export const memoryOwnData = (predictions = memoryPredictionStore()): OwnDataReader =>
  ownDataReader({ predictions, labels: memoryLabelStore(predictions) });
