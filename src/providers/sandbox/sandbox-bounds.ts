import { GatewayError, invalidRequest } from '../../errors/gateway-error.js';

/** Characters of the text of all messages together. */
export const MAX_PROMPT_CHARACTERS = 4_000_000;
/** Characters of all choices of a response together. */
export const MAX_RESPONSE_CHARACTERS = 4_000_000;
/** Words of all choices of a response together; a stream sends a chunk for each. */
export const MAX_RESPONSE_WORDS = 250_000;
/** Stop sequences that are looked for, and characters of one. */
export const MAX_STOPS = 64;
export const MAX_STOP_CHARACTERS = 1_000;
/** Characters of one string that a schema asks for, and of all its instance. */
export const MAX_STRING_CHARACTERS = 65_536;
export const MAX_INSTANCE_CHARACTERS = 1_000_000;
/** Elements of one array, and members of one object, that a schema asks for. */
export const MAX_ITEMS = 1_000;
/** Schemas, properties and keywords that are looked at for one instance. */
export const MAX_SCHEMA_STEPS = 100_000;

/** 400: the request asks the sandbox for more than it makes. */
export function beyondBound(what: string, param: string): GatewayError {
  return invalidRequest(`The sandbox ${what}.`, param);
}
