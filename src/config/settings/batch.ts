import { section } from './composites.js';
import { duration, integer, size } from './kinds.js';
import { setting } from './setting.js';

export const BATCH = section('Batches and the workers that run them.', {
  concurrency: setting(integer({ minimum: 1, maximum: 1_000, of: 'tasks' }), {
    description: 'Tasks that one process runs at once. It runs fewer while a provider reports overload.',
    default: 32,
  }),
  max_tasks: setting(integer({ minimum: 1, of: 'tasks' }), {
    description: 'Largest number of tasks in one batch.',
    default: 50_000,
  }),
  max_file_lines: setting(integer({ minimum: 1, of: 'requests' }), {
    description:
      'Largest number of requests in an input file of `POST /v1/batches`. `files.max_size` bounds its bytes.',
    default: 1_000_000,
  }),
  max_body_size: setting(size(), {
    description: 'Largest body of a submission, after decompression.',
    default: '200MB',
  }),
  max_attempts: setting(integer({ minimum: 1, maximum: 100, of: 'attempts' }), {
    description: 'Largest number of attempts at the provider for one task.',
    default: 5,
  }),
  lease: setting(duration({ leastMs: 1_000 }), {
    description:
      'How long a claimed task stays with a process that shows no sign of life; at least 1s. Use the same value in all processes.',
    default: '60s',
  }),
  retention: setting(duration(), {
    description: 'How long finished batches and their results are kept.',
    default: '30d',
  }),
});
