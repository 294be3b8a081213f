import { FAULTS } from '../upstreams/chaos/faults.js';
import type { CallHistory, ClientResponse, Violation } from './call-history.js';
import { grouped } from './grouped.js';

/** A summary for people: what providers did, what clients got, and what was recorded. */
export function chaosTable(history: CallHistory, violations: readonly Violation[]): string {
  const { responses, attempts, records } = history;
  const lines: string[] = [
    `${responses.length} requests, ${attempts.length} requests to providers, ${records.length} usage records, ${violations.length} violations`,
    '',
  ];
  const endings = ['whole', 'error', 'left', 'cut', 'malformed'] as const;
  lines.push(row('clients', [...endings, 'recovered']));
  const formats = grouped(responses, ({ format, isStream }) => `${format}${isStream ? ', streamed' : ''}`);
  for (const [format, all] of [['all', [...responses]] as const, ...[...formats].sort()]) {
    lines.push(row(format, [...endings.map((ending) => countOf(all, ending)), recovered(all)]));
  }
  const byId = new Map(responses.map((response) => [response.id, response]));
  lines.push('', row('faults met by a request', ['attempts', ...endings]));
  const byFault = grouped(attempts, ({ fault }) => fault);
  for (const fault of FAULTS) {
    const met = byFault.get(fault) ?? [];
    const clients = [...new Set(met.map(({ id }) => id))].flatMap((id) => byId.get(id) ?? []);
    lines.push(row(fault, [met.length, ...endings.map((ending) => countOf(clients, ending))]));
  }
  const bases = grouped(records, ({ status, basis }) => `${status}, ${basis}`);
  lines.push('', row('usage records', ['records', 'tokens']));
  for (const [basis, all] of [...bases].sort()) {
    const tokens = all.reduce((sum, { promptTokens, completionTokens }) => sum + promptTokens + completionTokens, 0);
    lines.push(row(basis, [all.length, tokens]));
  }
  for (const [rule, all] of grouped(violations, (violation) => violation.rule)) {
    lines.push('', `VIOLATED ${all.length} times: ${rule}`);
    for (const { id, detail } of all.slice(0, 6)) lines.push(`  ${id ?? 'all'}: ${detail} ${storyOf(history, id)}`);
  }
  return lines.join('\n');
}

function row(title: string, cells: readonly (string | number)[]): string {
  return `${title.padEnd(28)}${cells.map((cell) => String(cell).padStart(11)).join('')}`;
}

function countOf(responses: readonly ClientResponse[], ending: ClientResponse['ending']): number {
  return responses.filter((response) => response.ending === ending).length;
}

function recovered(responses: readonly ClientResponse[]): number {
  return responses.filter((response) => response.recovered > 0).length;
}

/** What is known of a request in one line. */
function storyOf({ attempts, responses, records }: CallHistory, id: number | undefined): string {
  if (id === undefined) return '';
  const response = responses.find((each) => each.id === id);
  const met = attempts.filter((attempt) => attempt.id === id).map(({ provider, fault }) => `${provider} ${fault}`);
  const kept = records
    .filter((each) => each.id === id)
    .map(({ provider, status, basis, attempts: count }) => `${provider} ${status} ${basis} ${count}`);
  const { format, isStream, kind, choices, ending, status, detail } = response ?? {};
  return `| ${format ?? ''}${isStream === true ? ', streamed' : ''} ${kind ?? ''} n=${choices ?? 0} ${ending ?? ''} ${status ?? ''} ${detail ?? ''} | ${met.join(', ')} | ${kept.join(', ')}`;
}
