import { existsSync } from 'node:fs';

/** Where package.json is. */
export const PACKAGE_FOLDER: URL = packageFolder();

/**
 * Where the files of this program are that it finds by name: `src/` in the source tree, `dist/src/` in a build, also for the
 * code that the build bundles into `dist/main.js`.
 */
export const SOURCE_FOLDER: URL = new URL(
  import.meta.url.startsWith(new URL('dist/', PACKAGE_FOLDER).href) ? 'dist/src/' : 'src/',
  PACKAGE_FOLDER,
);

/** @throws Error where no folder above this file has a package.json */
function packageFolder(): URL {
  for (let folder = new URL('.', import.meta.url); ; folder = new URL('..', folder)) {
    if (existsSync(new URL('package.json', folder))) return folder;
    if (folder.pathname === '/' || folder.href === new URL('..', folder).href) {
      throw new Error('The gateway does not find its package.json.');
    }
  }
}
