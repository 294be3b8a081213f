import { invalidRequest, type GatewayError } from '../../errors/gateway-error.js';
import type { JsonObject } from '../../runtime/json-value.js';

/** Bounds of a number, both inclusive. */
export interface NumberBounds {
  readonly min: number;
  readonly max: number;
}

/** Longest id of a model. */
const MAX_MODEL_CHARACTERS = 256;

/**
 * Reads the fields of a request that the gateway itself looks at. They come as JSON, where null means absent, or as the texts of
 * a form, where an empty one does.
 */
export class RequestFields {
  private readonly isForm: boolean;

  constructor(private readonly fields: JsonObject | ReadonlyMap<string, string>) {
    this.isForm = fields instanceof Map;
  }

  /**
   * The id of the model.
   *
   * @param findDefault the model for a request that names none. Without one, the field is required
   * @throws GatewayError 400 that names the field, as all others do
   */
  model(findDefault?: () => string | undefined): string {
    const model = (this.text('model') === undefined ? findDefault?.() : undefined) ?? this.required('model');
    if (model.length > MAX_MODEL_CHARACTERS) {
      throw invalidRequest(
        `'model' must be at most ${MAX_MODEL_CHARACTERS} characters long.`,
        'model',
        'string_above_max_length',
      );
    }
    return model;
  }

  required(name: string): string {
    const text = this.text(name);
    if (text === undefined || text === '') {
      throw invalidRequest(`Missing required field '${name}'.`, name, 'missing_required_parameter');
    }
    return text;
  }

  text(name: string): string | undefined {
    const value = this.get(name);
    if (value !== undefined && typeof value !== 'string') throw invalidType(name, 'a string');
    return value;
  }

  oneOf<Value extends string>(name: string, values: readonly Value[]): Value | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = values.find((candidate) => candidate === text);
    if (value === undefined) throw invalidRequest(`'${name}' must be one of ${values.join(', ')}.`, name);
    return value;
  }

  integer(name: string, bounds: NumberBounds): number | undefined {
    const value = this.number(name, bounds);
    if (value !== undefined && !Number.isInteger(value)) throw invalidType(name, 'an integer');
    return value;
  }

  number(name: string, { min, max }: NumberBounds): number | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    const number = this.isForm && typeof value === 'string' && /^[-+]?\d*\.?\d+$/.test(value) ? Number(value) : value;
    if (typeof number !== 'number' || !Number.isFinite(number)) throw invalidType(name, 'a number');
    if (number < min || number > max) throw invalidRequest(`'${name}' must be from ${min} to ${max}.`, name);
    return number;
  }

  boolean(name: string): boolean | undefined {
    const value = this.get(name);
    if (value === undefined || typeof value === 'boolean') return value;
    // The ways in which clients write a boolean into a form.
    if (this.isForm && typeof value === 'string' && /^(?:true|1)$/i.test(value)) return true;
    if (this.isForm && typeof value === 'string' && /^(?:false|0)$/i.test(value)) return false;
    throw invalidType(name, 'a boolean');
  }

  private get(name: string): unknown {
    if (this.fields instanceof Map) {
      const text: unknown = this.fields.get(name);
      return text === '' ? undefined : text;
    }
    const fields = this.fields as JsonObject;
    return Object.hasOwn(fields, name) ? (fields[name] ?? undefined) : undefined;
  }
}

function invalidType(name: string, expected: string): GatewayError {
  return invalidRequest(`'${name}' must be ${expected}.`, name, 'invalid_type');
}
