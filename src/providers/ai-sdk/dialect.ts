import type { Dialect } from '../definitions/definition.js';
import { nativeFormatOf } from './native-format.js';

export type { Dialect } from '../definitions/definition.js';

/** Clouds run models of several makers, so the model decides as well. */
export function dialectOf(type: string, modelId: string): Dialect {
  const { dialect } = nativeFormatOf(type);
  return typeof dialect === 'function' ? dialect(modelId) : dialect;
}
