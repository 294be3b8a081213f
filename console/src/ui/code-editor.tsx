import { type KeyboardEvent, type Ref, useImperativeHandle, useRef } from 'react';

/** Height of a line in pixels, as `leading-5` sets it. */
const LINE_PX = 20;
const PADDING_PX = 12;

/** What a page may do with an editor. */
export interface CodeEditorHandle {
  /** Puts the cursor at the start of a line, from 1, and shows it. */
  goTo(line: number): void;
}

interface CodeEditorProps {
  readonly ref?: Ref<CodeEditorHandle>;
  readonly value: string;
  readonly onChange: (text: string) => void;
  readonly label: string;
  /** Lines that are marked as wrong, from 1. */
  readonly wrongLines: ReadonlySet<number>;
  readonly describedBy?: string;
}

/**
 * A field for text of many lines with their numbers. Enter keeps the indentation. Tab goes to the next element, as everywhere, so
 * that nobody is caught in it.
 */
export function CodeEditor({ ref, value, onChange, label, wrongLines, describedBy }: CodeEditorProps) {
  const area = useRef<HTMLTextAreaElement>(null);
  const numbers = useRef<HTMLDivElement>(null);
  useImperativeHandle(ref, () => ({
    goTo: (line) => {
      const element = area.current;
      if (element === null) return;
      const start = value
        .split('\n')
        .slice(0, line - 1)
        .reduce((sum, each) => sum + each.length + 1, 0);
      element.focus();
      element.setSelectionRange(start, start);
      element.scrollTop = Math.max(0, (line - 4) * LINE_PX);
      element.scrollLeft = 0;
    },
  }));
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>): void => {
    if (event.key !== 'Enter' || event.ctrlKey || event.metaKey || event.altKey) return;
    const { selectionStart } = event.currentTarget;
    const line = value.slice(value.lastIndexOf('\n', selectionStart - 1) + 1, selectionStart);
    const indent = /^ */.exec(line)?.[0] ?? '';
    if (indent === '') return;
    event.preventDefault();
    // Unlike a new value, it can be undone in the browser, and nothing else can.
    // eslint-disable-next-line @typescript-eslint/no-deprecated
    document.execCommand('insertText', false, `\n${indent}`);
  };
  const count = value.split('\n').length;
  return (
    <div className="relative flex h-[min(38rem,65vh)] border-t border-line bg-bg font-mono text-xs leading-5">
      <div
        ref={numbers}
        aria-hidden
        style={{ paddingBlock: PADDING_PX }}
        className="w-11 shrink-0 overflow-hidden pr-3 text-right text-muted select-none"
      >
        {Array.from({ length: count }, (_, index) => (
          <div key={index} className={wrongLines.has(index + 1) ? 'bg-bad-soft font-semibold text-bad' : ''}>
            {index + 1}
          </div>
        ))}
        {/* The text may have a scroll bar below it. */}
        <div className="h-5" />
      </div>
      <textarea
        ref={area}
        aria-label={label}
        aria-invalid={wrongLines.size > 0}
        aria-describedby={describedBy}
        value={value}
        wrap="off"
        spellCheck={false}
        autoCapitalize="off"
        autoComplete="off"
        style={{ paddingBlock: PADDING_PX }}
        className="min-w-0 flex-1 resize-none overflow-auto bg-transparent pr-4 pl-2 outline-offset-[-2px]"
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={onKeyDown}
        onScroll={(event) => {
          if (numbers.current !== null) numbers.current.scrollTop = event.currentTarget.scrollTop;
        }}
      />
    </div>
  );
}
