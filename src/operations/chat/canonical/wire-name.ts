export { WIRE_NAMES, type WireName } from '../../../runtime/wire-name.js';
