import { BlockList, isIP } from 'node:net';

/**
 * Not reachable as a public host: IANA's special-purpose registries for IPv4 (RFC 6890 and later),
 * with multicast, broadcast and the metadata addresses of clouds (169.254.0.0/16, 168.63.129.16).
 */
const PRIVATE_IPV4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '168.63.129.16/32',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
];

/** Global unicast is 2000::/3; these parts of it are not public hosts. */
const PRIVATE_IPV6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

/** Thrown when a host must not be read from. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused';
  readonly code = 'AddressRefused';
  readonly address: string;
  constructor(host: string, address: string) {
    super(
      `"${host}" resolves to ${address}, which is not a public address; ` +
        'an administrator may allow it by range, or store the file in the bundled store.',
    );
    this.address = address;
  }
}

/**
 * Refuses a host unless every address it resolved to is public or inside `allowed` (CIDR ranges).
 * Connect to one of the checked addresses, not to the name: a second look-up may answer otherwise.
 */
export const assertPublicAddresses = (
  host: string,
  addresses: readonly string[],
  allowed: readonly string[] = [],
): void => {
  if (addresses.length === 0) throw new AddressRefused(host, 'no address');
  const allow = rangesOf(allowed);
  for (const address of addresses) {
    if (!isIn(allow, address) && !isPublicAddress(address)) throw new AddressRefused(host, address);
  }
};

export const isPublicAddress = (address: string): boolean => {
  switch (isIP(address)) {
    case 4:
      return !isIn(rangesOf(PRIVATE_IPV4), address);
    case 6:
      return isPublicIpv6(address);
    default:
      return false; // also addresses with a zone (fe80::1%eth0)
  }
};

/** Mapped, compatible, NAT64 and 6to4 addresses lie outside, or in a refused part of, 2000::/3. */
const isPublicIpv6 = (address: string): boolean =>
  !address.includes('%') &&
  isIn(rangesOf(['2000::/3']), address) &&
  !isIn(rangesOf(PRIVATE_IPV6), address);

const rangesOf = (ranges: readonly string[]): BlockList => {
  const list = new BlockList();
  for (const range of ranges) {
    const [network = '', bits = ''] = range.split('/');
    list.addSubnet(network, Number(bits), isIP(network) === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
};

const isIn = (list: BlockList, address: string): boolean =>
  list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
