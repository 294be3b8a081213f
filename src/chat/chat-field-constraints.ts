import { ValidatorConstraint, ValidatorConstraintInterface } from 'class-validator';
import { isObject } from '../runtime/json-value.js';

/** Most stop sequences of a request. A provider may take fewer: the gateway sends the first ones and names the others. */
export const MAX_STOPS = 256;

/** A string, or an array of at most `MAX_STOPS` strings. */
@ValidatorConstraint({ name: 'isStop' })
export class IsStop implements ValidatorConstraintInterface {
  validate(value: unknown): boolean {
    if (typeof value === 'string') return true;
    return Array.isArray(value) && value.length <= MAX_STOPS && value.every((item) => typeof item === 'string');
  }
  defaultMessage(): string {
    return `$property must be a string or an array of at most ${MAX_STOPS} strings`;
  }
}

/** An array of objects. */
@ValidatorConstraint({ name: 'isTools' })
export class IsTools implements ValidatorConstraintInterface {
  validate(value: unknown): boolean {
    return Array.isArray(value) && value.every(isObject);
  }
  defaultMessage(): string {
    return '$property must be an array of tools such as {"type": "function", "function": {"name": "lookup"}}';
  }
}

/** A string or an object. */
@ValidatorConstraint({ name: 'isToolChoice' })
export class IsToolChoice implements ValidatorConstraintInterface {
  validate(value: unknown): boolean {
    return typeof value === 'string' || isObject(value);
  }
  defaultMessage(): string {
    return '$property must be "none", "auto", "required" or an object such as {"type": "function", "function": {"name": "lookup"}}';
  }
}

/** An object with a `type`. */
@ValidatorConstraint({ name: 'isResponseFormat' })
export class IsResponseFormat implements ValidatorConstraintInterface {
  validate(value: unknown): boolean {
    return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
  }
  defaultMessage(): string {
    return '$property must be an object with a type, such as {"type": "json_object"}';
  }
}
