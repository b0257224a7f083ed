import type { ModelMetadata } from '../protocol/messages.ts';
import { formatShape } from '../protocol/signature.ts';
import type { TensorSignature } from '../protocol/signature.ts';
import { exampleOf } from './describe-api.ts';

/**
 * A page to try the model in a browser. It is whole in itself: serving pods may have no way to the
 * internet, and the policy below lets it talk to its own server only.
 */
export function docsPage(
  metadata: ModelMetadata,
  others: readonly string[],
): {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
} {
  const { name, versions, inputs, outputs, parameters } = metadata;
  const title = escape(`${name} ${versions[0] ?? ''}`);
  const example = escape(JSON.stringify(exampleOf(inputs), null, 2));
  const address = escape(`v2/models/${encodeURIComponent(name)}/infer`);
  return {
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy':
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    },
    body: `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>${style}</style>
<main>
<h1>${title}</h1>
<p class="digest">${escape(parameters.digest)} · ${String(parameters.size_bytes)} bytes</p>
<table><thead><tr><th>tensor<th>name<th>datatype<th>shape</thead>
<tbody>${rows('input', inputs)}${rows('output', outputs)}</tbody></table>
<label for="request">POST /${address}</label>
<textarea id="request" rows="14" spellcheck="false">${example}</textarea>
<p><button id="send">Predict</button> <span id="took" role="status"></span></p>
<pre id="answer" aria-live="polite"></pre>
<p><a href="openapi.json">OpenAPI description</a> · <a href="metrics">metrics</a></p>
${others.length === 0 ? '' : `<p>Other models: ${others.map(linkTo).join(' · ')}</p>`}
</main>
<script>${script(address)}</script></html>
`,
  };
}

const linkTo = (name: string): string =>
  `<a href="docs?model=${escape(encodeURIComponent(name))}">${escape(name)}</a>`;

const rows = (role: string, tensors: readonly TensorSignature[]): string =>
  tensors
    .map(
      ({ name, datatype, shape }) =>
        `<tr><td>${role}<td><code>${escape(name)}</code><td>${datatype}<td>${formatShape(shape)}`,
    )
    .join('');

const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 48rem; margin: 2rem auto; padding: 0 1rem; }
h1 { margin-bottom: 0; } .digest { color: GrayText; overflow-wrap: anywhere; margin-top: 0; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; }
th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
textarea { box-sizing: border-box; width: 100%; font: 14px/1.4 ui-monospace, monospace; margin-top: .25rem; }
button { font: inherit; padding: .25rem 1rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; }
pre.error { color: #c02020; }`;

const script = (address: string): string => `
const at = (id) => document.getElementById(id);
at('send').addEventListener('click', async () => {
  at('send').disabled = true;
  const began = performance.now();
  try {
    const response = await fetch(${JSON.stringify(address)}, { method: 'POST', body: at('request').value });
    const text = await response.text();
    at('took').textContent = response.status + ' in ' + (performance.now() - began).toFixed(1) + ' ms';
    at('answer').className = response.ok ? '' : 'error';
    // Only where reading and writing it again loses no digit.
    at('answer').textContent = /\\d{16}/.test(text) ? text : JSON.stringify(JSON.parse(text), null, 2);
  } catch (error) {
    at('answer').className = 'error';
    at('answer').textContent = String(error);
  }
  at('send').disabled = false;
});`;

const entities: Readonly<Record<string, string>> = {
  ...{ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' },
};

/** Names come from the model's file: they are text, whatever they look like. */
const escape = (text: string): string => text.replace(/[&<>"']/g, (each) => entities[each] ?? each);
