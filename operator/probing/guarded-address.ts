/** Which addresses the operator may connect to on behalf of users. */
import { BlockList, isIP } from 'node:net';
import { isPublicAddress } from '../artifacts/public-address.ts';

/** Private hosts that may be asked: `host` or `host:port`; `true`: all but the machine's own. */
export type PrivateHosts = true | readonly string[];

/** The operator's own pod, and what only a machine itself should ask, such as a cloud's metadata. */
const OWN_MACHINE = new BlockList();
OWN_MACHINE.addSubnet('127.0.0.0', 8, 'ipv4');
OWN_MACHINE.addSubnet('0.0.0.0', 8, 'ipv4');
OWN_MACHINE.addSubnet('169.254.0.0', 16, 'ipv4');
OWN_MACHINE.addAddress('168.63.129.16', 'ipv4');
OWN_MACHINE.addAddress('::', 'ipv6');
OWN_MACHINE.addAddress('::1', 'ipv6');
OWN_MACHINE.addSubnet('fe80::', 10, 'ipv6');
OWN_MACHINE.addAddress('fd00:ec2::254', 'ipv6');

/** The host of a URL as DNS and sockets take it: an IPv6 address without its brackets. */
export const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[(.*)\]$/, '$1');

/** Throws an Error that says what to do when one of the addresses of the URL's host must not be asked. */
export const assertAllowed = (
  url: URL,
  addresses: readonly string[],
  allowed: PrivateHosts,
  advice = 'ask a Service of this namespace by its name, or have the administrator allow the host (operator.metricHosts)',
): void => {
  if (addresses.length === 0) throw new Error(`${hostOf(url)} has no address`);
  if (isNamed(url, allowed)) return;
  for (const address of addresses) {
    if (isPublicAddress(address)) continue;
    if (allowed === true && !isOwnMachine(address)) continue;
    throw new Error(`${hostOf(url)} has the address ${address}, which is not public; ${advice}`);
  }
};

const isNamed = (url: URL, allowed: PrivateHosts): boolean =>
  allowed !== true &&
  [url.hostname, `${url.hostname}:${url.port === '' ? defaultPort(url) : url.port}`].some((name) =>
    allowed.some((each) => each.toLowerCase() === name),
  );

const defaultPort = ({ protocol }: URL): string => (protocol === 'https:' ? '443' : '80');

const isOwnMachine = (address: string): boolean => {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
  return OWN_MACHINE.check(mapped, isIP(mapped) === 6 ? 'ipv6' : 'ipv4');
};
