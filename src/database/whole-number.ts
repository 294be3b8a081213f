import type { ValueTransformer } from 'typeorm';

/** PostgreSQL's driver returns int8 as a string, SQLite's as a number: times and amounts are numbers here on both. */
export const wholeNumber: ValueTransformer = {
  to: (value: number | null | undefined) => value,
  from: (value: string | number | null) => (value === null ? null : Number(value)),
};
