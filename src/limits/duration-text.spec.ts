import { durationText } from './duration-text.js';

it.each([
  [-5, '0ms'],
  [12.2, '13ms'],
  [999, '999ms'],
  [1_000, '1s'],
  [59_001, '1m0s'],
  [360_000, '6m0s'],
])('%d ms is written as %s', (milliseconds, text) => {
  expect(durationText(milliseconds)).toBe(text);
});
