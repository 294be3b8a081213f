/** Requests for each second of processor time as bars. */
const WIDTH = 640;
const BAR = 34;
const LABEL = 110;

/** @param result one line of bench/results/results.jsonl with the figure `plain` @returns an SVG */
export function drawChart({ figures, node, commit, at }) {
  const bars = Object.entries(figures.plain).map(([name, { perCpuSecond }]) => ({ name, value: perCpuSecond }));
  const most = Math.max(...bars.map(({ value }) => value));
  const height = bars.length * (BAR + 12) + 84;
  const rows = bars.map(({ name, value }, index) => {
    const y = 52 + index * (BAR + 12);
    const width = Math.round(((WIDTH - LABEL - 110) * value) / most);
    const fill = name === 'gateway' ? '#2563eb' : '#94a3b8';
    return [
      `<text x="${LABEL - 10}" y="${y + 22}" text-anchor="end">${name}</text>`,
      `<rect x="${LABEL}" y="${y}" width="${width}" height="${BAR}" rx="3" fill="${fill}"/>`,
      `<text x="${LABEL + width + 8}" y="${y + 22}">${Math.round(value).toLocaleString('en')}</text>`,
    ].join('\n');
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="14">
<rect width="100%" height="100%" fill="#ffffff"/>
<text x="16" y="28" font-weight="bold">Plain chat, 32 connections: requests per second of processor time</text>
${rows.join('\n')}
<text x="16" y="${height - 14}" font-size="12" fill="#475569">Node.js ${node}, commit ${commit}, ${at.slice(0, 10)}; floor: a bare proxy of 30 lines</text>
</svg>
`;
}
