import { TestEnvironment } from 'jest-environment-node';

/**
 * Jest gives each test file globals of its own. ONNX Runtime's native side makes typed arrays of the
 * outer ones and its JavaScript side checks them with `instanceof`, so both must be the same.
 */
export default class OnnxEnvironment extends TestEnvironment {
  override async setup(): Promise<void> {
    await super.setup();
    Object.assign(this.global, {
      Float16Array,
      Float32Array,
      Float64Array,
      Int8Array,
      Int16Array,
      Int32Array,
      Uint8Array,
      Uint16Array,
      Uint32Array,
      BigInt64Array,
      BigUint64Array,
    });
  }
}
