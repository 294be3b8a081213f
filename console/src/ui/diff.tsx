import type { Schemas } from '../api/client';

type Line = Schemas['ConfigurationDiffLine'];

const SIGNS = { same: ' ', added: '+', removed: '−' } as const;
const COLOURS = { same: '', added: 'bg-good-soft text-good', removed: 'bg-bad-soft text-bad' } as const;
const WORDS = { same: undefined, added: 'added: ', removed: 'removed: ' } as const;

/** The lines that differ between two texts, with their numbers. Signs as well as colours say what changes. */
export function Diff({ lines, label }: { readonly lines: readonly Line[]; readonly label: string }) {
  if (lines.length === 0) return <p className="text-muted">Nothing differs.</p>;
  return (
    <pre
      tabIndex={0}
      aria-label={label}
      className="max-h-[min(30rem,60vh)] overflow-auto rounded-md border border-line bg-bg py-2 font-mono text-xs leading-5"
    >
      {lines.map((line, index) => (
        <span key={index} className="contents">
          {isGap(lines[index - 1], line) && (
            <span aria-hidden className="block w-max min-w-full px-3 text-muted">
              ⋯
            </span>
          )}
          <span className={`block w-max min-w-full px-3 ${COLOURS[line.kind]}`}>
            <span aria-hidden className="mr-3 inline-block w-7 text-right select-none">
              {line.after ?? line.before}
            </span>
            <span aria-hidden>{SIGNS[line.kind]} </span>
            {WORDS[line.kind] !== undefined && <span className="sr-only">{WORDS[line.kind]}</span>}
            {line.text}
            {'\n'}
          </span>
        </span>
      ))}
    </pre>
  );
}

/** Whether lines that are the same were left out between two. */
function isGap(before: Line | undefined, line: Line): boolean {
  if (line.kind !== 'same' || before === undefined) return false;
  return before.kind === 'same' && before.before !== null && line.before !== before.before + 1;
}
