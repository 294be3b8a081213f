import { section } from './composites.js';
import { size } from './kinds.js';
import { setting } from './setting.js';

export const FILES = section('Files that clients upload with `POST /v1/files`.', {
  max_size: setting(size(), {
    description: 'Largest file that a key may upload.',
    default: '2GB',
  }),
  quota: setting(size(), {
    description: 'Bytes of all files that one key may keep, without the results of its batches.',
    default: '10GB',
  }),
});
