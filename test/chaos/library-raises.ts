import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import type { ChaosQuestion } from './chaos-question.js';

/**
 * Whether the official library of a format raises an error for a stream that a client received. The library reads the same bytes
 * from a connection that has them ready.
 *
 * @returns undefined for formats whose library takes no other connection
 */
export async function libraryRaises({ client, body }: ChaosQuestion, text: string): Promise<boolean | undefined> {
  const options = {
    apiKey: 'x',
    baseURL: 'http://127.0.0.1:9/v1',
    maxRetries: 0,
    fetch: () => Promise.resolve(new Response(text, { status: 200, headers: { 'content-type': 'text/event-stream' } })),
  };
  try {
    switch (client.name) {
      case 'chat': {
        const stream = new OpenAI(options).chat.completions.stream(body as never);
        await stream.finalChatCompletion();
        return false;
      }
      case 'completions':
        await drained(await new OpenAI(options).completions.create({ ...(body as object), stream: true } as never));
        return false;
      case 'responses': {
        const stream = new OpenAI(options).responses.stream(body as never);
        const { status } = await stream.finalResponse();
        return status === 'failed';
      }
      case 'messages':
        await new Anthropic({ ...options, baseURL: 'http://127.0.0.1:9' }).messages
          .stream(body as never)
          .finalMessage();
        return false;
      case 'gemini':
        return undefined;
    }
  } catch {
    return true;
  }
}

async function drained(events: unknown): Promise<void> {
  for await (const event of events as AsyncIterable<unknown>)
    if (event === null) throw new Error('an event without data');
}
