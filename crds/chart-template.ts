/**
 * A CRD as a chart template: installed with `crds.enabled`, upgraded with the chart (files under a
 * chart's own crds/ never are), and left in place on uninstall with `crds.keep`.
 */
export function chartTemplate(notice: string, crd: string): string {
  const escaped = crd.replaceAll(/\{\{|\}\}/g, (braces) => `{{ "${braces}" }}`);
  const keeping = escaped.replace(
    /^(metadata:\n {2}name: [^\n]+\n)/m,
    '$1{{- if .Values.crds.keep }}\n  annotations:\n    helm.sh/resource-policy: keep\n{{- end }}\n',
  );
  return `${notice}{{- if .Values.crds.enabled }}\n${keeping}{{- end }}\n`;
}
