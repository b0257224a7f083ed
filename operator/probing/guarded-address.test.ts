import { describe, expect, test } from '@jest/globals';
import { assertAllowed } from './guarded-address.ts';

const url = (text: string): URL => new URL(text);

describe('addresses that metrics are asked of', () => {
  test('are public ones, without leave', () => {
    expect(() => assertAllowed(url('http://kpi.example/'), ['93.184.215.14'], [])).not.toThrow();
  });

  test('are private ones where the host is named, with its port or without', () => {
    const asked = url('http://prometheus.monitoring.svc:9090/');
    for (const allowed of ['prometheus.monitoring.svc', 'Prometheus.monitoring.svc:9090']) {
      expect(() => assertAllowed(asked, ['10.1.2.3'], [allowed])).not.toThrow();
    }
    for (const allowed of ['prometheus.monitoring.svc:9091', 'monitoring.svc']) {
      expect(() => assertAllowed(asked, ['10.1.2.3'], [allowed])).toThrow('not public');
    }
  });

  test('know the ports that URLs leave out', () => {
    expect(() => assertAllowed(url('http://kpi/'), ['10.1.2.3'], ['kpi:80'])).not.toThrow();
    expect(() => assertAllowed(url('https://kpi/'), ['10.1.2.3'], ['kpi:443'])).not.toThrow();
    expect(() => assertAllowed(url('https://kpi/'), ['10.1.2.3'], ['kpi:80'])).toThrow();
  });

  test.each(['127.0.0.1', '169.254.169.254', '::1', '::ffff:127.0.0.1', 'fe80::1', '0.0.0.0'])(
    'are never the machine itself where all are allowed: %s',
    (address) => {
      expect(() => assertAllowed(url('http://kpi/'), [address], true)).toThrow(address);
      expect(() => assertAllowed(url('http://kpi/'), ['10.1.2.3'], true)).not.toThrow();
    },
  );

  test('must be there', () => {
    expect(() => assertAllowed(url('http://kpi/'), [], true)).toThrow('kpi has no address');
  });
});
