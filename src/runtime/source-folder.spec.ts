import { existsSync } from 'node:fs';
import { PACKAGE_FOLDER, SOURCE_FOLDER } from './source-folder.js';

it('is the folder of the sources where the program runs from them', () => {
  expect(existsSync(new URL('runtime/source-folder.ts', SOURCE_FOLDER))).toBe(true);
  expect(SOURCE_FOLDER.href).toBe(new URL('src/', PACKAGE_FOLDER).href);
});
