import { constants, setPriority } from 'node:os';
import type { MessagePort } from 'node:worker_threads';
import { openSession } from '../session.ts';
import type { ComputeRequest, WorkerMessage, WorkerStart } from './worker-messages.ts';

/** The life of an inference worker: loads the model, then computes what it is sent, one at a time. */
export async function serveInferences(port: MessagePort, start: WorkerStart): Promise<void> {
  const tell = (message: WorkerMessage) => {
    port.postMessage(message);
  };
  // On Linux of this thread and those it starts: what answers and asks for health comes first.
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  try {
    const session = await openSession(start.path, { threads: start.threads });
    port.on('message', ({ id, inputs, outputs }: ComputeRequest) => {
      session.run(inputs, outputs).then(
        (results) => {
          tell({ is: 'done', id, results });
        },
        (error: unknown) => {
          tell({ is: 'failed', id, message: messageOf(error) });
        },
      );
    });
    tell({ is: 'ready' });
  } catch (error) {
    tell({ is: 'useless', message: messageOf(error) });
  }
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
