import { section } from './composites.js';
import { size } from './kinds.js';
import { setting } from './setting.js';

export const FILES = section('Files that clients upload with `POST /v1/files`.', {
  quota: setting(size(), {
    description: 'Bytes of all files that one key may keep. `server.max_upload_size` bounds each of them.',
    default: '10GB',
  }),
});
