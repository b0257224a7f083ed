import { request, Agent, type RequestOptions } from 'node:https';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { KubeConfig } from '@kubernetes/client-node';

/** The real API server behind the proxy, reached with a kubeconfig's credentials or the caller's own. */
export type ApiServer = {
  /** Begins a request; `onAnswer` is told of its answer. */
  request(caller: IncomingMessage, onAnswer: (answer: IncomingMessage) => void): ClientRequest;
  close(): void;
};

/** Headers that are about one connection only (RFC 9110, 7.6.1). */
const HOP_BY_HOP = ['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'host', 'te'];

export const passedOn = <T>(headers: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.includes(name)));

export const apiServerOf = async (
  kubeconfig: string,
  credentials: 'kubeconfig' | 'caller',
): Promise<ApiServer> => {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const server = new URL(config.getCurrentCluster()?.server ?? '');
  const tls: RequestOptions = {};
  await config.applyToHTTPSOptions(tls);
  const { ca, cert, key } = tls;
  const own = credentials === 'kubeconfig' ? { cert, key } : {};
  const agent = new Agent({ keepAlive: true, ca, ...own });
  return {
    request: ({ method, url, headers, rawHeaders }, onAnswer) => {
      const lengthless = !rawHeaders.some((name) => name.toLowerCase() === 'content-length');
      return request(
        new URL(url ?? '/', server),
        {
          method,
          agent,
          headers: {
            ...passedOn(headers),
            ...(lengthless && hasBody(method) && { 'transfer-encoding': 'chunked' }),
          },
        },
        onAnswer,
      );
    },
    close: () => agent.destroy(),
  };
};

const hasBody = (method = 'GET'): boolean => !['GET', 'HEAD'].includes(method);
