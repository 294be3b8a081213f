import { Validate, ValidatorConstraint, ValidatorConstraintInterface } from 'class-validator';

const MAX_SMALL_BYTES = 16 * 1024;

@ValidatorConstraint({ name: 'isSmallObject' })
class SmallObjectConstraint implements ValidatorConstraintInterface {
  validate(value: unknown): boolean {
    return Buffer.byteLength(JSON.stringify(value)) <= MAX_SMALL_BYTES;
  }
  defaultMessage(): string {
    return '$property must be at most 16 KB of JSON';
  }
}

/** Metadata of a client: at most 16 KB of JSON. */
export const IsSmallObject = (): PropertyDecorator => Validate(SmallObjectConstraint);
