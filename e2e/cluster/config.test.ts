import { describe, expect, test } from '@jest/globals';

import { readConfig } from './config.ts';

describe('configuration', () => {
  test('keeps the cache where the user keeps caches', () => {
    expect(readConfig({ XDG_CACHE_HOME: '/c' }).cache).toBe('/c/mlops-operator');
  });

  test('names images of this machine localhost, and pushes nothing', () => {
    expect(readConfig({})).toMatchObject({ registry: 'localhost', push: false });
  });

  test('takes a registry without its closing slash', () => {
    expect(readConfig({ IMAGE_REGISTRY: 'registry.example.com/x/' }).registry).toBe(
      'registry.example.com/x',
    );
  });

  test('passes proxies and package indexes to builds, and no other secret', () => {
    const env = {
      HTTPS_PROXY: 'http://p',
      PIP_INDEX_URL: 'https://i',
      AWS_SECRET: 's',
      NO_PROXY: '',
    };
    expect(readConfig(env).buildEnvironment).toEqual({
      HTTPS_PROXY: 'http://p',
      PIP_INDEX_URL: 'https://i',
    });
  });
});
