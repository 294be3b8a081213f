import { group, list } from './composites.js';
import { flag } from './kinds.js';
import { S3_MEMBERS } from './s3.js';
import { setting } from './setting.js';

/** Buckets to which clients may have the results of their batches written. */
export const OUTPUT_BUCKETS = setting(
  list(
    group({
      ...S3_MEMBERS,
      per_key: setting(flag(), {
        description:
          'Whether each key may only write to objects whose names begin with the prefix and its own id: `results/key_.../`.',
        default: false,
      }),
    }),
  ),
  {
    description:
      'Buckets of S3, or of servers with its API, to which batches may write their results with `output`. Every key may write to, and replace, any object whose name begins with the prefix of its bucket, unless `per_key` is set.',
    default: [],
    example: [{ bucket: 'batch-results', region: 'eu-west-1', prefix: 'results/' }],
  },
);
