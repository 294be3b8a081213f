import { errorOf, type Schemas } from '../api/client';

/** Failed lines that are shown. */
const MAX_LINES = 50;
/** Lines of a batch that are looked at for them. */
const MAX_READ = 50_000;

/** The first failed tasks of a batch. The results are read only as far as needed. */
export async function readFailedLines(id: string, signal: AbortSignal): Promise<Schemas['TaskResult'][]> {
  const abort = new AbortController();
  signal.addEventListener('abort', () => abort.abort());
  const response = await fetch(`/v1/admin/batches/${id}/results`, { signal: abort.signal });
  if (!response.ok) throw await errorOf(response);
  const found: Schemas['TaskResult'][] = [];
  let read = 0;
  for await (const line of linesOf(response)) {
    read += 1;
    const result = JSON.parse(line) as Schemas['TaskResult'];
    if (result.status === 'failed') found.push(result);
    if (found.length >= MAX_LINES || read >= MAX_READ) break;
  }
  abort.abort();
  return found;
}

/** The lines of a text, as they arrive, without empty ones. */
export async function* linesOf(response: Response): AsyncGenerator<string> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (reader === undefined) return;
  let rest = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    const lines = (rest + value).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') yield line;
  }
  if (rest.trim() !== '') yield rest;
}
