import { readS3, type S3Config } from './read-s3.js';
import type { BATCH } from './settings/batch.js';
import type { ValueOf } from './settings/setting.js';
import type { ReadVariable } from './settings/variables.js';

type BatchSettings = ValueOf<typeof BATCH>;

/** A bucket to which batches may write their results. */
export interface OutputBucket extends S3Config {
  /** Whether the names of a key's objects begin with the prefix and the id of the key. */
  readonly perKey: boolean;
}

/** The settings of batches, with the credentials of their buckets. */
export function readBatch(
  { outputBuckets, ...settings }: BatchSettings,
  text: ReadVariable,
  fault: (path: string, message: string) => void,
): Omit<BatchSettings, 'outputBuckets'> & { readonly outputBuckets: readonly OutputBucket[] } {
  const buckets = outputBuckets.map(({ perKey, ...bucket }, index) => ({
    ...readS3(bucket, `batch.output_buckets[${index}]`, text, fault),
    perKey,
  }));
  return { ...settings, outputBuckets: buckets };
}
