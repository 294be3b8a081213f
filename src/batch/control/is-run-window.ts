import {
  Validate,
  ValidatorConstraint,
  type ValidationArguments,
  type ValidationOptions,
  type ValidatorConstraintInterface,
} from 'class-validator';
import { parseRunWindow } from './run-windows.js';

@ValidatorConstraint({ name: 'isRunWindow' })
class RunWindowConstraint implements ValidatorConstraintInterface {
  validate(value: unknown): boolean {
    return typeof value === 'string' && typeof parseRunWindow(value) !== 'string';
  }
  defaultMessage({ value }: ValidationArguments): string {
    const values: readonly unknown[] = Array.isArray(value) ? (value as unknown[]) : [value];
    for (const each of values) {
      const fault = typeof each === 'string' ? parseRunWindow(each) : 'must be a text';
      if (typeof fault === 'string') return `$property ${fault}`;
    }
    return '$property must be windows of time';
  }
}

/** A time of day as `parseRunWindow` reads it. */
export const IsRunWindow = (options: ValidationOptions): PropertyDecorator => Validate(RunWindowConstraint, options);
