/** What the tests use, with the types of exports.d.mts. */
export { UPSTREAMS } from './index.mjs';
export { Play } from './play.mjs';
export { startUpstream } from './server.mjs';
