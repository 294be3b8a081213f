import {
  type ButtonHTMLAttributes,
  type ComponentType,
  type InputHTMLAttributes,
  type ReactNode,
  type SelectHTMLAttributes,
  useId,
  useState,
} from 'react';
import { Check, ChevronDown, Copy, type LucideProps, TriangleAlert } from 'lucide-react';
import { ApiError } from '../api/client';
import { useCanChange } from '../api/session';
import { ago, fullTime, time } from '../format';

export type Icon = ComponentType<LucideProps>;

const VARIANTS = {
  primary: 'bg-accent text-on-accent hover:bg-accent-strong border-transparent',
  plain: 'bg-surface hover:bg-raised border-line-strong',
  ghost: 'border-transparent hover:bg-raised text-muted hover:text-text',
  danger: 'bg-surface border-line-strong text-bad hover:bg-bad-soft',
} as const;

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly variant?: keyof typeof VARIANTS;
  readonly icon?: Icon;
  readonly busy?: boolean;
  /** Whether it changes something, so that viewers cannot press it. */
  readonly changes?: boolean;
}

export function Button({
  variant = 'plain',
  icon: Glyph,
  busy = false,
  changes = false,
  children,
  className = '',
  ...rest
}: ButtonProps) {
  const isIconOnly = children === undefined;
  const isAllowed = useCanChange() || !changes;
  return (
    <button
      type="button"
      {...rest}
      {...(!isAllowed && { title: 'Your role reads and changes nothing.' })}
      disabled={rest.disabled === true || busy || !isAllowed}
      aria-busy={busy || undefined}
      className={`inline-flex h-8 shrink-0 items-center justify-center gap-1.5 rounded-md border text-sm font-medium whitespace-nowrap transition-colors disabled:opacity-55 ${isIconOnly ? 'w-8' : 'px-3'} ${VARIANTS[variant]} ${className}`}
    >
      {Glyph !== undefined && <Glyph size={15} strokeWidth={1.9} aria-hidden />}
      {children}
    </button>
  );
}

const TONES = {
  neutral: 'bg-raised text-muted',
  good: 'bg-good-soft text-good',
  warn: 'bg-warn-soft text-warn',
  bad: 'bg-bad-soft text-bad',
  accent: 'bg-accent-soft text-accent-strong',
} as const;
export type Tone = keyof typeof TONES;

export function Badge({ tone = 'neutral', children }: { readonly tone?: Tone; readonly children: ReactNode }) {
  return (
    <span className={`inline-flex items-center rounded px-1.5 text-xs font-medium whitespace-nowrap ${TONES[tone]}`}>
      {children}
    </span>
  );
}

export function Dot({ tone }: { readonly tone: Tone }) {
  const colour = { neutral: 'bg-muted', good: 'bg-good', warn: 'bg-warn', bad: 'bg-bad', accent: 'bg-accent' }[tone];
  return <span aria-hidden className={`inline-block size-2 shrink-0 rounded-full ${colour}`} />;
}

interface PageHeaderProps {
  readonly title: string;
  readonly about?: string;
  readonly children?: ReactNode;
}
export function PageHeader({ title, about, children }: PageHeaderProps) {
  return (
    <header className="mb-5 flex flex-wrap items-end justify-between gap-x-6 gap-y-3">
      <div className="min-w-0">
        <h1 className="text-xl">{title}</h1>
        {about !== undefined && <p className="mt-0.5 max-w-prose text-muted">{about}</p>}
      </div>
      {children !== undefined && <div className="flex flex-wrap items-center gap-2">{children}</div>}
    </header>
  );
}

interface CardProps {
  readonly title?: ReactNode;
  readonly aside?: ReactNode;
  readonly children: ReactNode;
  readonly className?: string;
  readonly flush?: boolean;
}
export function Card({ title, aside, children, className = '', flush = false }: CardProps) {
  return (
    <section className={`card min-w-0 ${flush ? 'overflow-clip' : ''} ${className}`}>
      {title !== undefined && (
        <div
          className={`flex flex-wrap items-center justify-between gap-x-3 gap-y-2 px-4 pt-3.5 ${flush ? 'pb-3' : ''}`}
        >
          <h2 className="text-base">{title}</h2>
          {aside}
        </div>
      )}
      <div className={flush ? '' : 'p-4'}>{children}</div>
    </section>
  );
}

export function Skeleton({ className = 'h-4 w-full' }: { readonly className?: string }) {
  return <div aria-hidden className={`animate-[shimmer_1.4s_ease-in-out_infinite] rounded bg-raised ${className}`} />;
}

/** The place of rows that are still to come. */
export function SkeletonRows({ rows = 8 }: { readonly rows?: number }) {
  return (
    <div role="status" aria-label="Loading" className="divide-y divide-line">
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} className="flex items-center gap-6 px-4 py-3">
          <Skeleton className="h-3.5 w-1/4" />
          <Skeleton className="h-3.5 w-1/6" />
          <Skeleton className="ml-auto h-3.5 w-1/5" />
        </div>
      ))}
    </div>
  );
}

interface EmptyProps {
  readonly icon: Icon;
  readonly title: string;
  readonly children?: ReactNode;
  readonly action?: ReactNode;
}
export function Empty({ icon: Glyph, title, children, action }: EmptyProps) {
  return (
    <div className="flex flex-col items-center px-6 py-14 text-center">
      <span className="mb-3 grid size-10 place-items-center rounded-lg border border-line bg-raised text-muted">
        <Glyph size={19} strokeWidth={1.7} aria-hidden />
      </span>
      <p className="font-medium">{title}</p>
      {children !== undefined && <p className="mt-1 max-w-sm text-muted">{children}</p>}
      {action !== undefined && <div className="mt-4 flex flex-wrap justify-center gap-2">{action}</div>}
    </div>
  );
}

export function ErrorNote({ error, onRetry }: { readonly error: unknown; readonly onRetry?: () => void }) {
  const message = error instanceof Error ? error.message : String(error);
  const requestId = error instanceof ApiError ? error.requestId : null;
  return (
    <div role="alert" className="flex gap-3 rounded-lg border border-line bg-bad-soft px-4 py-3 text-bad">
      <TriangleAlert size={17} className="mt-0.5 shrink-0" aria-hidden />
      <div className="min-w-0 flex-1">
        <p className="break-words">{message}</p>
        {requestId !== null && (
          <p className="mt-0.5 font-mono text-xs">
            Request {requestId} <CopyButton text={requestId} label="Copy the request id" />
          </p>
        )}
      </div>
      {onRetry !== undefined && <Button onClick={onRetry}>Try again</Button>}
    </div>
  );
}

interface FieldProps {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly error?: string | undefined;
  readonly children: (id: string, describedBy: string | undefined) => ReactNode;
}
export function Field({ label, hint, error, children }: FieldProps) {
  const id = useId();
  const hasNote = hint !== undefined || error !== undefined;
  return (
    <div className="min-w-0">
      <label htmlFor={id} className="mb-1 block text-sm font-medium">
        {label}
      </label>
      {children(id, hasNote ? `${id}-note` : undefined)}
      {hasNote && (
        <p id={`${id}-note`} className={`mt-1 text-xs ${error === undefined ? 'text-muted' : 'text-bad'}`}>
          {error ?? hint}
        </p>
      )}
    </div>
  );
}

const CONTROL =
  'h-8 w-full min-w-0 rounded-md border border-line-strong bg-surface px-2.5 text-sm placeholder:text-muted focus-visible:outline-offset-0';

export function Input({ className = '', ...rest }: InputHTMLAttributes<HTMLInputElement>) {
  return <input {...rest} className={`${CONTROL} ${className}`} />;
}

export function Select({ className = '', children, ...rest }: SelectHTMLAttributes<HTMLSelectElement>) {
  return (
    <span className={`relative inline-block min-w-0 ${className}`}>
      <select {...rest} className={`${CONTROL} appearance-none pr-7`}>
        {children}
      </select>
      <ChevronDown size={14} aria-hidden className="pointer-events-none absolute top-2.5 right-2 text-muted" />
    </span>
  );
}

interface SegmentedProps<Value extends string> {
  readonly label: string;
  readonly value: Value;
  readonly options: readonly (readonly [Value, string])[];
  readonly onChange: (value: Value) => void;
}
export function Segmented<Value extends string>({ label, value, options, onChange }: SegmentedProps<Value>) {
  return (
    <div role="group" aria-label={label} className="inline-flex rounded-md border border-line-strong bg-surface p-0.5">
      {options.map(([each, text]) => (
        <button
          key={each}
          type="button"
          aria-pressed={each === value}
          onClick={() => onChange(each)}
          className={`h-6.5 rounded px-2.5 text-sm font-medium whitespace-nowrap transition-colors ${each === value ? 'bg-raised text-text' : 'text-muted hover:text-text'}`}
        >
          {text}
        </button>
      ))}
    </div>
  );
}

export function CopyButton({ text, label = 'Copy' }: { readonly text: string; readonly label?: string }) {
  const [isDone, setDone] = useState(false);
  const Glyph = isDone ? Check : Copy;
  return (
    <button
      type="button"
      aria-label={isDone ? 'Copied' : label}
      title={label}
      className="inline-grid size-6 place-items-center rounded align-middle text-muted hover:bg-raised hover:text-text"
      onClick={() => {
        void navigator.clipboard.writeText(text).then(() => {
          setDone(true);
          setTimeout(() => setDone(false), 1_500);
        });
      }}
    >
      <Glyph size={13} aria-hidden />
    </button>
  );
}

/** A time in the viewer's zone; the exact one on hover. */
export function Time({ at, relative = false }: { readonly at: number; readonly relative?: boolean }) {
  return (
    <time dateTime={new Date(at * 1_000).toISOString()} title={fullTime(at)} className="whitespace-nowrap">
      {relative ? ago(at) : time(at)}
    </time>
  );
}

interface MeterProps {
  readonly value: number;
  readonly max: number;
  readonly label: string;
  readonly tone?: Tone;
}
/** A share of a whole; from 80 % on it warns unless a tone is given. */
export function Meter({ value, max, label, tone }: MeterProps) {
  const part = max > 0 ? Math.min(1, Math.max(0, value / max)) : 1;
  const shown = tone ?? (part >= 1 ? 'bad' : part >= 0.8 ? 'warn' : 'accent');
  const colour = {
    neutral: 'text-muted',
    good: 'text-good',
    warn: 'text-warn',
    bad: 'text-bad',
    accent: 'text-accent',
  };
  return (
    <svg
      role="img"
      aria-label={label}
      viewBox="0 0 100 4"
      preserveAspectRatio="none"
      className={`block h-1.5 w-full overflow-hidden rounded-full ${colour[shown]}`}
    >
      <rect width="100" height="4" fill="var(--raised)" />
      <rect width={part * 100} height="4" fill="currentColor" />
    </svg>
  );
}

/** A text to copy. @param copied what is copied where that is not the text that is shown */
export function Code({
  text,
  label,
  copied = text,
}: {
  readonly text: string;
  readonly label: string;
  readonly copied?: string;
}) {
  return (
    <div className="group relative">
      <pre
        tabIndex={0}
        aria-label={label}
        className="max-h-96 overflow-auto rounded-lg border border-line bg-bg p-3 pr-10 font-mono text-xs leading-5"
      >
        {text}
      </pre>
      <span className="absolute top-2 right-2 rounded-md bg-bg">
        <CopyButton text={copied} label={`Copy: ${label}`} />
      </span>
    </div>
  );
}

/** Names and values, one below the other. */
export function Facts({ rows }: { readonly rows: readonly (readonly [string, ReactNode])[] }) {
  return (
    <dl className="grid grid-cols-[auto_1fr] gap-x-6 gap-y-1.5">
      {rows.map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="text-muted">{name}</dt>
          <dd className="num min-w-0 text-right break-words">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
