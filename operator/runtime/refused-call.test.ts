import { describe, expect, test } from '@jest/globals';
import { apiError } from './refused-call.ts';

const answer = (statusCode: number, body: object | string) =>
  ({
    statusCode,
    headers: {},
    body: { text: async () => (typeof body === 'string' ? body : JSON.stringify(body)) },
  }) as unknown as Parameters<typeof apiError>[0];
const CREATE = { verb: 'create', path: '/api/v1/namespaces/team/configmaps' };

describe('a refusal', () => {
  // As kube-apiserver 1.34 writes it.
  test('to create something in a namespace that is being deleted is told apart from a lack of rights', async () => {
    const terminating = {
      kind: 'Status',
      status: 'Failure',
      message: 'configmaps "a" is forbidden: unable to create new content in namespace team',
      reason: 'Forbidden',
      details: {
        causes: [
          {
            reason: 'NamespaceTerminating',
            message: 'namespace team is being terminated',
            field: 'metadata.namespace',
          },
        ],
      },
      code: 403,
    };
    expect(await apiError(answer(403, terminating), CREATE)).toMatchObject({
      code: 403,
      reason: 'NamespaceTerminating',
    });
    const forbidden = { ...terminating, details: {} };
    expect(await apiError(answer(403, forbidden), CREATE)).toMatchObject({ reason: 'Forbidden' });
  });

  test('that is no Status shows the beginning of what came instead', async () => {
    const error = await apiError(answer(502, '<html>bad gateway</html>'), CREATE);
    expect(error).toMatchObject({ code: 502, reason: 'Unknown' });
    expect(error.message).toContain('answered 502: <html>bad gateway');
  });
});
