import { list, section } from './composites.js';
import { duration, flag, integer, size, text } from './kinds.js';
import { setting } from './setting.js';

export const PORT = integer({ minimum: 0, maximum: 65_535 });

export const SERVER = section('The HTTP listener.', {
  host: setting(text({ minLength: 1 }), {
    description: 'Address to listen on.',
    default: '127.0.0.1',
    example: '0.0.0.0',
    variable: 'HOST',
  }),
  port: setting(PORT, {
    description: 'Port to listen on. 0 picks a free port.',
    default: 3000,
    variable: 'PORT',
  }),
  cors_origins: setting(list(text({ minLength: 1 })), {
    description: 'Origins whose pages may call the API from a browser, or "*" for all. An empty list turns CORS off.',
    default: [],
    example: ['https://app.example.com'],
  }),
  swagger: setting(flag(), {
    description: 'Whether `/docs` and `/docs-json` are served.',
    default: true,
  }),
  drain_timeout: setting(duration({ zero: true }), {
    description: 'How long a shutdown waits for requests in flight after SIGTERM.',
    default: '25s',
  }),
  max_body_size: setting(size(), {
    description: 'Largest request body of the model endpoints.',
    default: '50MB',
  }),
  max_upload_size: setting(size(), {
    description:
      'Largest form with files: recordings and images. Beyond 256 KB it is kept on the disk of the data directory while it is served.',
    default: '512MB',
  }),
});

export const STREAMING = section('Server-sent events to clients.', {
  keep_alive: setting(duration({ zero: true }), {
    description:
      'Silence in a stream after which a comment is sent, so that proxies keep the connection. 0 sends none.',
    default: '15s',
  }),
});
