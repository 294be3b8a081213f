/** The provider of the soak: the tests' own fake, and its book of who asked. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export async function startUpstream() {
  const program = new URL('../../test/upstreams/fake-upstream.mjs', import.meta.url).pathname;
  const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  const { url, control } = JSON.parse(line);
  /** @returns {Promise<any>} */
  const ask = async (path) => (await fetch(`${control}${path}`, { method: 'POST', body: 'null' })).json();
  /** Requests of the gateway by id; one that was tried twice has two calls. */
  const seen = new Map();
  return {
    origin: url,
    seen,
    longestCall: 0,
    /** Takes over what has ended since the last time, so that the other process does not grow. */
    async collect() {
      for (const { headers, startedAt, closedAt } of await ask('/__take-ended')) {
        const id = headers['x-request-id'];
        seen.set(id, (seen.get(id) ?? 0) + 1);
        this.longestCall = Math.max(this.longestCall, closedAt - startedAt);
      }
    },
    openSockets: async () => (await ask('/__sockets')).open,
    async stop() {
      child.stdin.end();
      await once(child, 'exit');
    },
  };
}
