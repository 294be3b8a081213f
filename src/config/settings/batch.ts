import { section } from './composites.js';
import { choice, duration, integer, size } from './kinds.js';
import { OUTPUT_BUCKETS } from './output-buckets.js';
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
  pricing: setting(choice(['live', 'cheapest']), {
    description:
      "Price tier of batches that name none: `live` is the list price, `cheapest` the provider's batch API while the deadline allows it, then its flex tier, then the list price. `batch_pricing` of a model takes precedence.",
    default: 'live',
  }),
  native: section("Batches at providers' own batch APIs.", {
    gather: setting(duration(), {
      description: 'How long tasks are gathered before they become a batch of the provider.',
      default: '5s',
    }),
    poll_interval: setting(duration({ leastMs: 100 }), {
      description: 'Time between two questions whether a batch of the provider has ended.',
      default: '60s',
    }),
    max_lines: setting(integer({ minimum: 1, maximum: 50_000, of: 'tasks' }), {
      description: 'Largest number of tasks in one batch of the provider.',
      default: 10_000,
    }),
    max_bytes: setting(size(), {
      description: 'Largest batch of the provider.',
      default: '100MB',
    }),
  }),
  output_buckets: OUTPUT_BUCKETS,
  retention: setting(duration(), {
    description: 'How long finished batches and their results are kept.',
    default: '30d',
  }),
});
