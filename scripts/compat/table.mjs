/**
 * @param {{ agent: import('./agents.mjs').Agent, wire: string, upstream: { name: string }, result: import('./cell.mjs').CellResult }[]} results
 * @returns {string} a table in Markdown: agents and their wire formats down, upstreams across
 */
export function markdownTable(results) {
  const columns = [...new Set(results.map(({ upstream }) => upstream.name))];
  const rows = new Map();
  const notes = [];
  for (const { agent, wire, upstream, result } of results) {
    const name = `${agent.name} ${agent.version}, ${wire}`;
    if (!rows.has(name)) rows.set(name, new Map());
    const [problem] = result.problems;
    if (problem !== undefined)
      notes.push(`${notes.length + 1}. ${name} on ${upstream.name}: ${result.problems.join('; ')}`);
    rows.get(name).set(upstream.name, problem === undefined ? 'yes' : `no (${notes.length})`);
  }
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const body = [...rows].map(([name, cells]) => line([name, ...columns.map((column) => cells.get(column) ?? '')]));
  const table = [line(['agent', ...columns]), line(['---', ...columns.map(() => '---')]), ...body].join('\n');
  return notes.length === 0 ? `${table}\n` : `${table}\n\n${notes.join('\n')}\n`;
}
