import type { FakeUpstream } from './fake-upstream-client.js';

interface TaskResult {
  index: number;
  custom_id: string;
  status: string;
  response: { body: { choices: { message: { content: string } }[] } } | null;
}

export interface JobCounts {
  job_id: string;
  status: string;
  task_count: number;
  completed_count: number;
  failed_count: number;
  cancelled_count: number;
  expired_count: number;
  completed_at: number | null;
}

/** What clients were promised, held against what the gateway says in the end and what the upstream was asked. */
export class BatchHistory {
  /** Prompts by job, of submissions that were answered with 202. */
  readonly acknowledged = new Map<string, readonly string[]>();

  constructor(
    private readonly key: string,
    /** Asked each time, because the process that answers may be another by then. */
    private readonly url: () => string,
  ) {}

  /** Submits one task a prompt. @returns the job's id; undefined when no 202 came */
  async submit(model: string, prompts: readonly string[]): Promise<string | undefined> {
    try {
      const response = await fetch(`${this.url()}/v1/batch/generate`, {
        method: 'POST',
        headers: this.headers,
        body: JSON.stringify({ model, tasks: prompts }),
      });
      const { job_id: id } = (await response.json()) as { job_id?: string };
      if (response.status !== 202 || id === undefined) return undefined;
      this.acknowledged.set(id, prompts);
      return id;
    } catch {
      return undefined;
    }
  }

  async counts(jobId: string): Promise<JobCounts> {
    const response = await fetch(`${this.url()}/v1/batch/${jobId}?results=false`, { headers: this.headers });
    if (!response.ok) throw new Error(`GET /v1/batch/${jobId} answered ${response.status}`);
    return (await response.json()) as JobCounts;
  }

  async allDone(): Promise<boolean> {
    for (const id of this.acknowledged.keys()) {
      const job = await this.counts(id).catch(() => undefined);
      if (job?.completed_at == null) return false;
    }
    return true;
  }

  /**
   * Every fault that a client could complain of: a promised job that is missing, a task without its one result or with
   * another's, counters that do not add up, calls to the upstream beyond `most`.
   */
  async faults(upstream: FakeUpstream, mostCalls: number): Promise<string[]> {
    const faults: string[] = [];
    for (const [id, prompts] of this.acknowledged) {
      const job = await this.counts(id);
      const ended = job.completed_count + job.failed_count + job.cancelled_count + job.expired_count;
      if (job.status !== 'completed') faults.push(`${id} is ${job.status}`);
      if (ended !== prompts.length || job.task_count !== prompts.length) faults.push(`${id} counts ${ended} tasks`);
      const response = await fetch(`${this.url()}/v1/batch/${id}/results`, { headers: this.headers });
      const results = (await response.text())
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as TaskResult);
      if (results.length !== prompts.length) faults.push(`${id} has ${results.length} results of ${prompts.length}`);
      results.forEach(({ index, status, response: answer }, position) => {
        if (index !== position) faults.push(`${id} has task ${index} at place ${position}`);
        const text = answer?.body.choices[0]?.message.content;
        if (status !== 'succeeded' || text !== prompts[index]) {
          faults.push(`${id} task ${index} is ${status} with ${String(text)}`);
        }
      });
    }
    const calls = new Map<string, number>();
    const requests = await upstream.requests();
    for (const { body } of requests) {
      const prompt = (body?.['messages'] as { content: string }[] | undefined)?.[0]?.content ?? '';
      calls.set(prompt, (calls.get(prompt) ?? 0) + 1);
    }
    for (const prompts of this.acknowledged.values()) {
      for (const prompt of prompts) if (!calls.has(prompt)) faults.push(`the upstream was never asked '${prompt}'`);
    }
    if (requests.length > mostCalls) faults.push(`the upstream was asked ${requests.length} times, not ${mostCalls}`);
    return faults;
  }

  private get headers(): Record<string, string> {
    return { authorization: `Bearer ${this.key}`, 'content-type': 'application/json' };
  }
}
