import { describe, expect, test } from '@jest/globals';
import { factsOf } from './request-facts.ts';

const facts = (method: string, url: string, contentType = 'application/json') =>
  factsOf({ method, url, headers: { 'content-type': contentType, 'user-agent': 'test' } });

describe('a request to an API server', () => {
  test('is known by its verb, resource and place', () => {
    expect(facts('GET', '/api/v1/namespaces/a/pods/x/log')).toMatchObject({
      verb: 'get',
      group: '',
      resource: 'pods',
      namespace: 'a',
      name: 'x',
      subresource: 'log',
    });
    expect(facts('GET', '/apis/apps/v1/deployments?limit=5&continue=abc')).toMatchObject({
      verb: 'list',
      group: 'apps',
      resource: 'deployments',
      namespace: '',
      continued: true,
    });
    expect(facts('PATCH', '/api/v1/namespaces/a/pods/x', 'application/apply-patch+yaml').verb).toBe(
      'apply',
    );
    expect(facts('PATCH', '/api/v1/namespaces/a/pods/x').verb).toBe('patch');
    expect(facts('DELETE', '/api/v1/namespaces/a/pods').verb).toBe('deletecollection');
  });

  test('is a watch when it says so, with or without initial events', () => {
    expect(facts('GET', '/api/v1/pods?watch=true')).toMatchObject({
      verb: 'watch',
      initialEvents: false,
    });
    expect(facts('GET', '/api/v1/pods?watch=1&sendInitialEvents=true').initialEvents).toBe(true);
  });

  test('may be about a namespace itself', () => {
    expect(facts('DELETE', '/api/v1/namespaces/a')).toMatchObject({
      verb: 'delete',
      resource: 'namespaces',
      name: 'a',
    });
    expect(facts('PUT', '/api/v1/namespaces/a/finalize')).toMatchObject({
      resource: 'namespaces',
      name: 'a',
      subresource: 'finalize',
    });
  });

  test('may be about no resource at all', () => {
    expect(facts('GET', '/readyz')).toMatchObject({ resource: '/readyz', name: '' });
  });
});
