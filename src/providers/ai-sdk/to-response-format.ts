import type { JSONObject, LanguageModelV3CallOptions } from '@ai-sdk/provider';
import type { ChatRequest } from '../../operations/chat/chat-completion.js';
import { invalidRequest } from '../../errors/gateway-error.js';
import { isObject } from '../../runtime/json-value.js';
import type { Dialect } from './dialect.js';
import { asJsonObject } from './json-object.js';

export interface MappedResponseFormat {
  readonly responseFormat: LanguageModelV3CallOptions['responseFormat'];
  /** Said to the model in a system message, where a provider has no parameter for it. */
  readonly instruction: string | undefined;
  /** Whether the response must keep to the schema in every detail; undefined without a schema. */
  readonly strict: boolean | undefined;
  /** The field as it came, for a server that takes it so. */
  readonly untouched: JSONObject | undefined;
  readonly dropped: readonly string[];
}

const JSON_INSTRUCTION = 'Answer with one JSON object and nothing else: no Markdown fence, no word before or after it.';
const TEXT: MappedResponseFormat = {
  responseFormat: undefined,
  instruction: undefined,
  strict: undefined,
  untouched: undefined,
  dropped: [],
};

/** `response_format`: text, json_object or json_schema. @throws GatewayError 400 for a schema that is missing */
export function toResponseFormat({ response_format: format }: ChatRequest, dialect: Dialect): MappedResponseFormat {
  if (format == null || format.type === 'text') return TEXT;
  // Where unknown fields pass through unchanged, this one does too, with any extensions of the server.
  if (dialect.passesUnknown) return { ...TEXT, untouched: asJsonObject(format) };
  switch (format.type) {
    case 'json_object':
      return dialect.jsonObject === 'parameter'
        ? { ...TEXT, responseFormat: { type: 'json' } }
        : { ...TEXT, instruction: JSON_INSTRUCTION };
    case 'json_schema': {
      const { schema, name, description, strict } = format.json_schema ?? {};
      if (!isObject(schema)) {
        throw invalidRequest(
          `'response_format.json_schema.schema' must be a JSON schema.`,
          'response_format.json_schema.schema',
        );
      }
      return {
        ...TEXT,
        responseFormat: {
          type: 'json',
          schema,
          ...(typeof name === 'string' && { name }),
          ...(typeof description === 'string' && { description }),
        },
        strict: strict === true,
      };
    }
    default:
      return { ...TEXT, dropped: ['response_format'] };
  }
}
