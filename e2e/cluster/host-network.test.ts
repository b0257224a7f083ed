import { expect, test } from '@jest/globals';

import { withoutClusterRules } from './host-network.ts';

test('takes the rules of the cluster out of a firewall and leaves those of others', () => {
  const dump = `*nat
:PREROUTING ACCEPT [5:300]
:KUBE-SERVICES - [0:0]
:CNI-0a1b2c - [0:0]
:DOCKER - [0:0]
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A KUBE-SERVICES -d 198.18.0.1/32 -j KUBE-SVC-X
-A POSTROUTING -s 100.64.0.2/32 -j CNI-0a1b2c
-A POSTROUTING -s 192.0.2.0/24 -j MASQUERADE
COMMIT`;
  expect(withoutClusterRules(dump)).toBe(`*nat
:PREROUTING ACCEPT [5:300]
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 192.0.2.0/24 -j MASQUERADE
COMMIT`);
});
