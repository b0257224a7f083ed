import { GROUP, VERSION } from './schema/resource.ts';
import type { KindDefinition } from './schema/resource.ts';
import { structural } from './structural.ts';
import type { StructuralSchema } from './structural.ts';

/** The CustomResourceDefinition of a kind, as plain data ready to be written as YAML. */
export function customResourceDefinition(definition: KindDefinition) {
  const { kind, plural, singular, shortNames, categories } = definition;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      names: { kind, listKind: `${kind}List`, plural, singular, shortNames, categories },
      scope: 'Namespaced',
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          additionalPrinterColumns: definition.printerColumns,
          schema: { openAPIV3Schema: rootSchema(definition) },
          subresources: {
            status: {},
            ...(definition.scale === undefined ? {} : { scale: definition.scale }),
          },
        },
      ],
    },
  };
}

/** Schema of the whole object; metadata is the apiserver's own business. */
export function rootSchema(definition: KindDefinition): StructuralSchema {
  const spec = structural(definition.spec);
  return {
    description: definition.description,
    type: 'object',
    properties: {
      apiVersion: { description: `${GROUP}/${VERSION}.`, type: 'string' },
      kind: { description: `${definition.kind}.`, type: 'string' },
      // The name is said only so that rules can point at it.
      metadata: { type: 'object', properties: { name: { type: 'string' } } },
      spec,
      status: structural(definition.status),
    },
    ...(spec.default === undefined ? { required: ['spec'] } : {}),
    ...(definition.rules === undefined ? {} : { 'x-kubernetes-validations': definition.rules }),
  };
}
