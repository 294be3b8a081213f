import { useEffect, useState } from 'react';
import { CircleCheck, TriangleAlert, X } from 'lucide-react';
import { ApiError } from '../api/client';

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly detail: string | null;
  readonly isError: boolean;
}

const SHOWN_MS = 5_000;
let nextId = 0;
let publish: (toast: Toast) => void = () => undefined;

/** Says for a moment that something was done. */
export function notify(text: string): void {
  publish({ id: (nextId += 1), text, detail: null, isError: false });
}

/** Says that something failed, with the id of its request. It stays until it is closed. */
export function notifyError(error: unknown): void {
  const text = error instanceof Error ? error.message : String(error);
  const requestId = error instanceof ApiError ? error.requestId : null;
  publish({ id: (nextId += 1), text, detail: requestId, isError: true });
}

export function Toasts() {
  const [toasts, setToasts] = useState<readonly Toast[]>([]);
  useEffect(() => {
    publish = (toast) => {
      setToasts((shown) => [...shown.slice(-3), toast]);
      if (!toast.isError) setTimeout(() => setToasts((shown) => shown.filter(({ id }) => id !== toast.id)), SHOWN_MS);
    };
    return () => {
      publish = () => undefined;
    };
  }, []);
  return (
    <div
      aria-live="polite"
      role="status"
      className="fixed right-4 bottom-4 z-50 flex w-[min(24rem,calc(100vw-2rem))] flex-col gap-2"
    >
      {toasts.map(({ id, text, detail, isError }) => {
        const Glyph = isError ? TriangleAlert : CircleCheck;
        return (
          <div key={id} className="card flex animate-[appear_.16s_ease-out] items-start gap-2.5 p-3 shadow-over">
            <Glyph size={16} aria-hidden className={`mt-0.5 shrink-0 ${isError ? 'text-bad' : 'text-good'}`} />
            <div className="min-w-0 flex-1">
              <p className="break-words">{text}</p>
              {detail !== null && <p className="font-mono text-xs break-all text-muted">{detail}</p>}
            </div>
            <button
              type="button"
              aria-label="Close the message"
              className="grid size-6 place-items-center rounded text-muted hover:bg-raised"
              onClick={() => setToasts((shown) => shown.filter((each) => each.id !== id))}
            >
              <X size={14} aria-hidden />
            </button>
          </div>
        );
      })}
    </div>
  );
}
