/** Where local-path-provisioner puts volumes, on every node. */
export function localPathConfig(volumes: string): string {
  const nodePathMap = [{ node: 'DEFAULT_PATH_FOR_NON_LISTED_NODES', paths: [volumes] }];
  return JSON.stringify({ nodePathMap }, null, 2);
}

/** The pod that makes and removes a volume's folder; the provisioner adds volumes and command. */
export function localPathHelper(image: string): string {
  return JSON.stringify(
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'volume' },
      spec: {
        terminationGracePeriodSeconds: 0,
        containers: [{ name: 'volume', image, imagePullPolicy: 'IfNotPresent' }],
      },
    },
    null,
    2,
  );
}
