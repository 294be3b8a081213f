import { ModelResponse, JsonBody, object, objects, sse, text, WireFormat } from './wire-format.js';

/** Gemini's generateContent, as the Gemini API and Vertex AI speak it. https://ai.google.dev/api/generate-content */
export const googleFormat: WireFormat = {
  streamType: 'text/event-stream',

  read(path, body, headers) {
    const match = /\/models\/([^/:]+):(generateContent|streamGenerateContent\?alt=sse)$/.exec(path);
    if (match === null) return `no such path ${path}`;
    if (headers['x-goog-api-key'] !== 'native-key') return 'API key not valid. Please pass a valid API key.';
    const contents = objects(body['contents']);
    const parts = objects(contents.at(-1)?.['parts']);
    const fault = faultOf(contents);
    if (fault !== undefined) return fault;
    const config = object(body['generationConfig']);
    const mode = object(object(body['toolConfig'])['functionCallingConfig'])['mode'];
    const declared = objects(body['tools']).flatMap((tool) => objects(tool['functionDeclarations']));
    return {
      model: match[1] ?? '',
      stream: match[2] !== 'generateContent',
      lastUserText: parts.map((part) => text(part['text'])).join(''),
      tools: mode === 'NONE' ? [] : declared.map(({ name }) => text(name)),
      toolResults: parts.flatMap((part) => {
        const { id, response } = object(part['functionResponse']);
        return response === undefined
          ? []
          : [{ id: text(id), content: text(object(response)['output'] ?? object(response)['content']) }];
      }),
      schema: config['responseMimeType'] === 'application/json' ? (config['responseSchema'] ?? {}) : undefined,
      images: parts.flatMap((part) => {
        const { mimeType, data } = object(part['inlineData']);
        const { fileUri } = object(part['fileData']);
        if (typeof fileUri === 'string') return [`file ${fileUri}`];
        return typeof data === 'string' ? [`${text(mimeType)} ${data.length}`] : [];
      }),
    };
  },

  whole(response, asked) {
    return {
      candidates: [{ content: { role: 'model', parts: partsOf(response) }, finishReason: 'STOP', index: 0 }],
      usageMetadata: usageOf(response),
      modelVersion: asked.model,
      responseId: 'gemini-fake',
    };
  },

  frames(response, asked) {
    const parts = partsOf(response, true);
    // A response without content has its end and its usage all the same.
    const events = parts.length === 0 ? [[]] : parts.map((part) => [part]);
    return events.map((content, index) =>
      sse({
        candidates: [
          {
            content: { role: 'model', parts: content },
            ...(index === events.length - 1 && { finishReason: 'STOP' }),
            index: 0,
          },
        ],
        usageMetadata: usageOf(response),
        modelVersion: asked.model,
        responseId: 'gemini-fake',
      }),
    );
  },

  error: (status, message) => ({ error: { code: status, message, status: statusName(status) } }),
  errorFrame: (message) => sse({ error: { code: 503, message, status: 'UNAVAILABLE' } }),
  models: () => ({
    models: [
      { name: 'models/gemini-fake', supportedGenerationMethods: ['generateContent'] },
      { name: 'models/embedding-fake', supportedGenerationMethods: ['embedContent'] },
    ],
  }),
};

/** The results of a turn's calls must come together, and in the turn right after it. */
function faultOf(contents: readonly JsonBody[]): string | undefined {
  for (const [index, content] of contents.entries()) {
    const parts = objects(content['parts']);
    if (parts.length === 0) return `contents[${index}].parts must not be empty`;
    const calls = parts.filter((part) => 'functionCall' in part).length;
    if (calls === 0) continue;
    const results = objects(contents[index + 1]?.['parts']).filter((part) => 'functionResponse' in part).length;
    if (results !== calls) return 'the number of function response parts must equal that of the function call parts';
  }
  return undefined;
}

function partsOf(response: ModelResponse, split = false): JsonBody[] {
  const { reasoning, words } = response;
  const join = (texts: readonly string[]): readonly string[] =>
    split ? texts : texts.length > 0 ? [texts.join('')] : [];
  return [
    ...join(reasoning).map((thought) => ({ text: thought, thought: true })),
    ...join(words).map((word) => ({ text: word })),
    ...response.toolCalls.map(({ id, name, input }, index) => ({
      functionCall: { id, name, args: input },
      ...(index === 0 && { thoughtSignature: 'signed-by-the-fake' }),
    })),
  ];
}

function usageOf({ usage }: ModelResponse): JsonBody {
  return {
    promptTokenCount: usage.prompt,
    candidatesTokenCount: usage.completion - usage.reasoning,
    thoughtsTokenCount: usage.reasoning,
    cachedContentTokenCount: usage.cached,
    totalTokenCount: usage.prompt + usage.completion,
  };
}

function statusName(status: number): string {
  const names: Readonly<Record<number, string>> = {
    400: 'INVALID_ARGUMENT',
    401: 'UNAUTHENTICATED',
    403: 'PERMISSION_DENIED',
    404: 'NOT_FOUND',
    429: 'RESOURCE_EXHAUSTED',
    503: 'UNAVAILABLE',
  };
  return names[status] ?? 'INTERNAL';
}
