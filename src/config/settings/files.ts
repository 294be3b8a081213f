import { group, section } from './composites.js';
import { size } from './kinds.js';
import { S3_MEMBERS } from './s3.js';
import { setting } from './setting.js';

const S3 = group(S3_MEMBERS);

export const FILES = section('Files that clients upload with `POST /v1/files`.', {
  max_size: setting(size(), {
    description: 'Largest file that a key may upload.',
    default: '2GB',
  }),
  quota: setting(size(), {
    description: 'Bytes of all files that one key may keep, without the results of its batches.',
    default: '10GB',
  }),
  s3: setting(S3, {
    description: 'Keeps files in a bucket of S3, or of a server with its API.',
    without: 'files are kept in the data directory',
    example: { bucket: 'llm-gateway-files', region: 'eu-west-1' },
  }),
});
