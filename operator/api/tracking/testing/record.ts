import { conversation } from './conversation.ts';
import { play } from './play.ts';

/**
 * Holds the conversation with a server and prints the answers: `node record.ts http://127.0.0.1:5000`,
 * where `mlflow server --backend-store-uri sqlite:///new.db --artifacts-destination new` listens.
 */
const base = process.argv[2];
if (base === undefined) throw new Error('Say which server: node record.ts http://127.0.0.1:5000');

const answers = await play(conversation, async (method, path, body) => {
  const response = await fetch(base + path, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  const text = await response.text();
  return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : text };
});
process.stdout.write(`${JSON.stringify(answers, null, 1)}\n`);
