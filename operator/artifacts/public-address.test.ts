import { describe, expect, test } from '@jest/globals';
import { AddressRefused, assertPublicAddresses, isPublicAddress } from './public-address.ts';

describe('a public address', () => {
  test.each(['8.8.8.8', '1.1.1.1', '172.15.0.1', '172.32.0.1', '2606:4700::1111', '2a00:1450::1'])(
    '%s is one',
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );

  test.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.255.255',
    '168.63.129.16',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.0.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '::ffff:7f00:1',
    '::127.0.0.1',
    '64:ff9b::a00:1',
    '2002:a00:1::',
    '2001:0:a00:1::',
    '2001:db8::1',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fe80::1%eth0',
    '2606:4700::1%eth0',
    'ff02::1',
    '127.1',
    'localhost',
    '',
  ])('%j is none', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
});

describe('a host', () => {
  test('is refused when one of its addresses is not public', () => {
    expect(() => assertPublicAddresses('example.com', ['8.8.8.8', '10.0.0.1'])).toThrow(
      '"example.com" resolves to 10.0.0.1, which is not a public address',
    );
  });

  test('is refused without any address', () => {
    expect(() => assertPublicAddresses('example.com', [])).toThrow(AddressRefused);
  });

  test('passes with public addresses, or in ranges an administrator allows', () => {
    assertPublicAddresses('example.com', ['8.8.8.8', '2606:4700::1111']);
    assertPublicAddresses('store.internal', ['10.0.0.1', 'fd00::7'], ['10.0.0.0/8', 'fd00::/8']);
    expect(() => assertPublicAddresses('x', ['192.168.0.1'], ['10.0.0.0/8'])).toThrow(
      AddressRefused,
    );
  });
});
