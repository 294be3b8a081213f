import { CancelSource } from './cancel-signal.js';

describe('Cancel', () => {
  it('calls its listeners once, with the first reason, and none that was taken away', () => {
    const cancel = new CancelSource();
    const calls: string[] = [];
    const removed = (): void => void calls.push('removed');
    cancel.addEventListener('abort', () => calls.push('first'));
    cancel.addEventListener('abort', removed);
    cancel.addEventListener('abort', () => calls.push('second'));
    cancel.removeEventListener('abort', removed);
    cancel.throwIfAborted();
    const reason = new Error('gone');
    cancel.abort(reason);
    cancel.abort(new Error('again'));
    expect(calls).toEqual(['first', 'second']);
    expect(cancel.aborted).toBe(true);
    expect(() => cancel.throwIfAborted()).toThrow(reason);
  });

  it('lets a listener take others away while it runs', () => {
    const cancel = new CancelSource();
    const calls: string[] = [];
    const second = (): void => void calls.push('second');
    cancel.addEventListener('abort', () => cancel.removeEventListener('abort', second));
    cancel.addEventListener('abort', second);
    cancel.abort(null);
    expect(calls).toEqual([]);
  });
});
