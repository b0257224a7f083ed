/** Values of Istio's own charts for one small node and an unmodified Envoy. */

type Values = Readonly<Record<string, unknown>>;

/** References of the images of istiod and of the gateway. */
export type IstioImages = { readonly pilot: string; readonly proxy: string };

const small = (cpu: string, memory: string): Values => ({ requests: { cpu, memory } });

export function istiodValues({ pilot, proxy }: IstioImages): Values {
  return {
    image: pilot,
    autoscaleEnabled: false,
    resources: small('20m', '128Mi'),
    // Filters that only Istio's own build of Envoy has; any other refuses configuration with them.
    env: { PILOT_ENABLE_ALPN_FILTER: 'false', PILOT_ENABLE_METADATA_EXCHANGE: 'false' },
    telemetry: { enabled: false },
    global: {
      imagePullPolicy: 'IfNotPresent',
      // With a slash it stands for itself, and hub and tag are left out.
      proxy: { image: proxy },
      // Of one replica it would only hold up draining.
      defaultPodDisruptionBudget: { enabled: false },
    },
  };
}

export function gatewayValues(): Values {
  return {
    // There is no load balancer; the node reaches a cluster IP too.
    service: { type: 'ClusterIP' },
    autoscaling: { enabled: false },
    imagePullPolicy: 'IfNotPresent',
    resources: small('20m', '64Mi'),
  };
}
