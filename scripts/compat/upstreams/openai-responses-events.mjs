/** The events of the stream of a response. */

function* eventsOfItem(item, at) {
  const place = { output_index: at, item_id: item.id };
  if (item.type === 'reasoning') {
    yield { type: 'response.output_item.added', output_index: at, item: { ...item, summary: [] } };
    for (const [index, part] of item.summary.entries()) {
      const inPart = { ...place, summary_index: index };
      yield { type: 'response.reasoning_summary_part.added', ...inPart, part: { ...part, text: '' } };
      yield { type: 'response.reasoning_summary_text.delta', ...inPart, delta: part.text };
      yield { type: 'response.reasoning_summary_text.done', ...inPart, text: part.text };
      yield { type: 'response.reasoning_summary_part.done', ...inPart, part };
    }
  } else if (item.type === 'message') {
    const [part] = item.content;
    const inPart = { ...place, content_index: 0 };
    yield {
      type: 'response.output_item.added',
      output_index: at,
      item: { ...item, status: 'in_progress', content: [] },
    };
    yield { type: 'response.content_part.added', ...inPart, part: { ...part, text: '' } };
    for (const delta of part.text.match(/.{1,6}/gs))
      yield { type: 'response.output_text.delta', ...inPart, delta, logprobs: [] };
    yield { type: 'response.output_text.done', ...inPart, text: part.text, logprobs: [] };
    yield { type: 'response.content_part.done', ...inPart, part };
  } else {
    const isCustom = item.type === 'custom_tool_call';
    const key = isCustom ? 'input' : 'arguments';
    const name = isCustom ? 'response.custom_tool_call_input' : 'response.function_call_arguments';
    yield { type: 'response.output_item.added', output_index: at, item: { ...item, status: 'in_progress', [key]: '' } };
    for (const delta of item[key].match(/.{1,24}/gs)) yield { type: `${name}.delta`, ...place, delta };
    yield { type: `${name}.done`, ...place, [key]: item[key] };
  }
  yield { type: 'response.output_item.done', output_index: at, item };
}

/** Gives events their names and their numbers. */
function* numbered(events) {
  let sequence = 0;
  for (const event of events) {
    const { type, ...rest } = event;
    yield `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequence, ...rest })}\n\n`;
    sequence += 1;
  }
}

/** @param {any} response */
export function responseEvents(response) {
  const started = { ...response, status: 'in_progress', output: [], usage: null };
  function* events() {
    yield { type: 'response.created', response: started };
    yield { type: 'response.in_progress', response: started };
    for (const [at, item] of response.output.entries()) yield* eventsOfItem(item, at);
    yield { type: 'response.completed', response };
  }
  return numbered(events());
}

/**
 * A failure that is known only when the stream has begun, as of an input that is too long.
 * @param {any} response
 * @param {{ code: string | null, message: string }} error
 */
export function failedEvents(response, error) {
  return numbered([
    { type: 'response.created', response },
    { type: 'response.in_progress', response },
    { type: 'response.failed', response: { ...response, status: 'failed', error } },
  ]);
}
