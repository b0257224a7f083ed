/** Sketches of all features of the requests between two moments. */
import { isFloatingPoint } from '../protocol/datatypes.ts';
import type { SketchRecord } from '../protocol/sketch-record.ts';
import { elementCount } from '../protocol/signature.ts';
import type { ModelIdentity } from '../model-identity.ts';
import type { Exchange } from '../requests/encode-record.ts';
import type { Tensor } from '../tensors.ts';
import { FeatureSketch } from './feature-sketch.ts';

export type WindowOptions = {
  /** Inputs that are not looked at. */
  readonly redact: ReadonlySet<string>;
  /** From 0 up to 1, as Math.random. */
  readonly random: () => number;
};

type Role = SketchRecord['role'];

/** A tensor with more columns is one feature, of which a few places of each row are looked at. */
const maxColumns = 64;
const placesOfWideRow = 16;
/** Of a request with more rows so many are looked at, evenly spread: it must cost no more than its answer. */
const maxRows = 32;

export class SketchWindow {
  readonly #of: ModelIdentity;
  readonly #options: WindowOptions;
  readonly #features: Readonly<Record<Role, Map<string, FeatureSketch[]>>> = {
    input: new Map(),
    output: new Map(),
  };

  constructor(of: ModelIdentity, options: WindowOptions) {
    this.#of = of;
    this.#options = options;
  }

  add({ inputs, outputNames, outputs }: Exchange): void {
    for (const [name, tensor] of inputs) {
      if (!this.#options.redact.has(name)) this.#addTensor('input', name, tensor);
    }
    for (const [i, tensor] of outputs.entries()) {
      this.#addTensor('output', outputNames[i]?.name ?? '', tensor);
    }
  }

  /** One record for each feature that had a value. Times are milliseconds since 1970. */
  records(start: number, end: number): readonly SketchRecord[] {
    const { model, version } = this.#of;
    const window = {
      windowStart: new Date(start).toISOString(),
      windowMs: Math.max(1, end - start),
    };
    return (['input', 'output'] as const).flatMap((role) =>
      [...this.#features[role]].flatMap(([name, columns]) =>
        columns.map((sketch, i) => ({
          ...{ type: 'sketch' as const, model, version, role, ...window },
          feature: (columns.length === 1 ? name : `${name}[${String(i)}]`).slice(-512),
          ...sketch.summary(),
        })),
      ),
    );
  }

  #addTensor(role: Role, name: string, tensor: Tensor): void {
    const [rows = 1, ...rest] = tensor.shape;
    const width = elementCount(rest);
    if (rows * width === 0) return;
    const isWide = width > maxColumns;
    const columns = this.#columnsOf(role, name, isWide ? 1 : width);
    const step = Math.max(1, rows / maxRows);
    const first = step > 1 ? this.#options.random() * step : 0;
    for (let row = first; row < rows; row += step) {
      const offset = Math.floor(row) * width;
      if (isWide) this.#addPlaces(columns, tensor, { offset, width });
      else for (let i = 0; i < width; i++) addValue(columns[i], tensor, offset + i);
    }
  }

  #addPlaces(
    [sketch]: readonly FeatureSketch[],
    tensor: Tensor,
    { offset, width }: { readonly offset: number; readonly width: number },
  ): void {
    const step = width / placesOfWideRow;
    for (let place = this.#options.random() * step; place < width; place += step) {
      addValue(sketch, tensor, offset + Math.floor(place));
    }
  }

  /** A tensor whose number of columns varies has as many as its widest. */
  #columnsOf(role: Role, name: string, count: number): readonly FeatureSketch[] {
    let columns = this.#features[role].get(name);
    if (columns === undefined) {
      columns = [];
      this.#features[role].set(name, columns);
    }
    while (columns.length < count) columns.push(new FeatureSketch());
    return columns;
  }
}

function addValue(sketch: FeatureSketch | undefined, { datatype, data }: Tensor, at: number): void {
  const value = data[at];
  if (sketch === undefined || value === undefined) return;
  if (typeof value === 'string') sketch.addText(value);
  else if (typeof value === 'bigint' || !isFloatingPoint(datatype)) sketch.addInteger(value);
  else sketch.addNumber(value);
}
