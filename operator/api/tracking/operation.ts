/** How OpenAPI shows the operations of one part of the MLflow protocol, whose answers MLflow itself defines. */
export const operationsOf =
  (tag: string) =>
  (operationId: string, summary: string): object => ({
    operationId,
    summary,
    tags: [tag],
    response: { 200: { type: 'object' } },
  });
