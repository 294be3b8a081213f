/** Batches beside the load: most of their tasks good, some of a model that always fails. */
import { setTimeout as delay } from 'node:timers/promises';

const GOOD = 16;
const FAILING = 4;
/** Milliseconds between two looks at a job, and from the end of the load until the last one must be finished. */
const POLL_MS = 1000;
const DRAIN_TIMEOUT_MS = 60_000;

export class Batches {
  submitted = 0;
  faults = [];
  #running = [];

  constructor(base, headers) {
    this.base = base;
    this.headers = headers;
  }

  async submit() {
    const good = { max_tokens: 50 };
    const tasks = [
      ...Array.from({ length: GOOD }, (_, index) => ({
        ...good,
        messages: [{ role: 'user', content: `Say ${index}.` }],
      })),
      ...Array.from({ length: FAILING }, () => ({
        model: 'soak-batch-failure',
        messages: [{ role: 'user', content: 'Fail.' }],
      })),
    ];
    const { status, body } = await this.#ask('/v1/batch/generate', { model: 'soak-plain', tasks });
    this.submitted += 1;
    if (status === 202) this.#running.push(this.#watch(body.job_id));
    else this.faults.push(`a batch was refused: ${status} ${body.error?.code}`);
  }

  /** @returns when all have ended, or after the timeout */
  async ended() {
    const isLate = delay(DRAIN_TIMEOUT_MS, true, { ref: false });
    if (await Promise.race([Promise.all(this.#running).then(() => false), isLate])) {
      this.faults.push(`batches are not finished ${DRAIN_TIMEOUT_MS / 1000} s after the load`);
    }
  }

  async #ask(path, body) {
    const response = await fetch(`${this.base}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      // No connection is left behind, so that those of the gateway can be counted.
      headers: { ...this.headers, connection: 'close' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    return { status: response.status, body: /** @type {any} */ (await response.json()) };
  }

  async #watch(id) {
    for (;;) {
      const { status, body: job } = await this.#ask(`/v1/batch/${id}?results=false`);
      if (status !== 200) {
        this.faults.push(`a batch was not shown: ${status} ${job.error?.code}`);
        return;
      }
      if (job.status !== 'queued' && job.status !== 'in_progress') {
        if (job.status !== 'completed' || job.completed_count !== GOOD || job.failed_count !== FAILING) {
          this.faults.push(`${id}: ${job.status}, ${job.completed_count} succeeded, ${job.failed_count} failed`);
        }
        return;
      }
      await delay(POLL_MS);
    }
  }
}
