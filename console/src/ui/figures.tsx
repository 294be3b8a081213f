import { Dot, Skeleton, type Tone } from './basics';

export interface Figure {
  readonly name: string;
  readonly value: string;
  readonly note: string;
  readonly tone?: Tone;
}

/** Numbers of a page, each with its name and a note. They take up the same space before they are there. */
export function Figures({ figures, isPending }: { readonly figures: readonly Figure[]; readonly isPending: boolean }) {
  return (
    <dl className="card mb-4 grid grid-cols-2 overflow-hidden sm:grid-cols-3 xl:grid-cols-5">
      {figures.map(({ name, value, note, tone = 'neutral' }) => (
        <div key={name} className="-mr-px -mb-px border-r border-b border-line px-4 py-3.5">
          <dt className="flex items-center gap-2 text-sm text-muted">
            {name}
            {!isPending && tone !== 'neutral' && <Dot tone={tone} />}
          </dt>
          <dd className="num mt-1 h-[2.125rem] truncate text-2xl font-semibold tracking-tight">
            {isPending ? <Skeleton className="h-7 w-24" /> : value}
          </dd>
          <dd className="num h-[1.125rem] truncate text-xs text-muted" title={isPending ? undefined : note}>
            {isPending ? '' : note}
          </dd>
        </div>
      ))}
    </dl>
  );
}
