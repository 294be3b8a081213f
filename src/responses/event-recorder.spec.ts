import { jest } from '@jest/globals';
import fc from 'fast-check';
import { EventRecorder } from './event-recorder.js';

describe('the recorder of events', () => {
  it('stores what was added in order, in pieces without gaps', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.string({ maxLength: 40_000 }), fc.boolean())), async (added) => {
        const stored: string[] = [];
        const recorder = new EventRecorder(async (piece, frames) => {
          await Promise.resolve();
          expect(piece).toBe(stored.length);
          stored.push(frames);
        });
        for (const [frames, flushes] of added) {
          recorder.add(frames);
          if (flushes) await recorder.flush();
        }
        await recorder.flush();
        expect(stored.join('')).toBe(added.map(([frames]) => frames).join(''));
        expect(stored).not.toContain('');
      }),
      { numRuns: 50 },
    );
  });

  it('tries a piece again, and stops at one that cannot be stored', async () => {
    jest.useFakeTimers();
    try {
      const stored: string[] = [];
      let failures = 2;
      const recorder = new EventRecorder((piece, frames) => {
        if (frames === 'never' || (failures -= 1) >= 0) return Promise.reject(new Error('away'));
        stored.push(`${piece} ${frames}`);
        return Promise.resolve();
      });
      const flushed = async (): Promise<void> => {
        const done = recorder.flush();
        await jest.advanceTimersByTimeAsync(60_000);
        await done;
      };
      recorder.add('first');
      await flushed();
      recorder.add('never');
      recorder.add('');
      await flushed();
      recorder.add('after');
      await flushed();
      expect(stored).toEqual(['0 first']);
    } finally {
      jest.useRealTimers();
    }
  });
});
