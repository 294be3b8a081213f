import { getSchemaPath } from '@nestjs/swagger';
import { MessageDto, MessagesErrorDto } from '../../messages/messages.dto.js';

const requestOf = (name: string, fields: object = {}): object => ({
  custom_id: name.toLowerCase(),
  params: {
    model: 'sandbox/echo',
    max_tokens: 50,
    messages: [{ role: 'user', content: `Say hello to ${name}.` }],
    ...fields,
  },
});

/** Bodies that Swagger UI offers; each works as it stands with the sandbox. */
export const MESSAGE_BATCH_EXAMPLES = {
  two: { summary: 'Two messages', value: { requests: [requestOf('Ada'), requestOf('Grace')] } },
  models: {
    summary: 'Messages of two models',
    value: { requests: [requestOf('Ada', { system: 'Be brief.' }), requestOf('Grace', { model: 'sandbox/lorem' })] },
  },
};

/** A line of the results. */
export const MESSAGE_RESULT_SCHEMA = {
  type: 'object' as const,
  required: ['custom_id', 'result'],
  properties: {
    custom_id: { type: 'string' as const, description: 'The `custom_id` of the request.' },
    result: {
      type: 'object' as const,
      required: ['type'],
      properties: {
        type: { type: 'string' as const, enum: ['succeeded', 'errored', 'canceled', 'expired'] },
        message: {
          description: 'The message of a request that succeeded.',
          allOf: [{ $ref: getSchemaPath(MessageDto) }],
        },
        error: {
          description: 'The error of a request that failed.',
          allOf: [{ $ref: getSchemaPath(MessagesErrorDto) }],
        },
      },
    },
  },
};

export const MESSAGE_RESULT_EXAMPLE = {
  custom_id: 'ada',
  result: {
    type: 'succeeded',
    message: {
      id: 'msg_01HPj',
      type: 'message',
      role: 'assistant',
      model: 'echo',
      content: [{ type: 'text', text: 'Say hello to Ada.' }],
      stop_reason: 'end_turn',
      stop_sequence: null,
      usage: { input_tokens: 5, output_tokens: 5 },
    },
  },
};
