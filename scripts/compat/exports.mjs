/** What the tests use, with the types of exports.d.mts. */
export { AGENTS } from './agents.mjs';
