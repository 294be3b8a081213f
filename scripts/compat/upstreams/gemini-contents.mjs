/** Which histories Gemini refuses. */
import { isObject, namesOf, require } from './refusal.mjs';
import { checkNames } from './gemini-schema.mjs';

const PART_FIELDS = namesOf(
  'text thought thoughtSignature inlineData fileData functionCall functionResponse executableCode codeExecutionResult videoMetadata mediaResolution partMetadata',
);
const DATA_FIELDS = [
  'text',
  'inlineData',
  'fileData',
  'functionCall',
  'functionResponse',
  'executableCode',
  'codeExecutionResult',
];
/** Stand in for a signature that another provider's turn does not have. */
const NO_SIGNATURES = ['skip_thought_signature_validator', 'context_engineering_is_the_way_to_go'];

function checkPart(part, at, play) {
  checkNames(part, PART_FIELDS, at);
  const kinds = DATA_FIELDS.filter((name) => part[name] !== undefined);
  require(kinds.length <=
    1, `Invalid value at '${at}' (oneof), oneof field 'data' is already set. Cannot set '${kinds[1]}'`);
  require(kinds.length === 1 ||
    part.thoughtSignature !==
      undefined, `* GenerateContentRequest.${at}.data: required oneof field 'data' must have one initialized field`);
  const { functionCall: call, functionResponse: result, thoughtSignature: signature } = part;
  if (call !== undefined) {
    checkNames(call, namesOf('id name args partialArgs willContinue'), `${at}.function_call`);
    require(typeof call.name === 'string' &&
      call.name !== '', `* GenerateContentRequest.${at}.function_call.name: Name cannot be empty.`);
    require(call.args === undefined ||
      isObject(call.args), `Invalid value at '${at}.function_call.args' (type.googleapis.com/google.protobuf.Struct)`);
  }
  if (result !== undefined) {
    checkNames(result, namesOf('id name response willContinue scheduling parts'), `${at}.function_response`);
    require(typeof result.name === 'string' &&
      result.name !== '', `* GenerateContentRequest.${at}.function_response.name: Name cannot be empty.`);
    require(isObject(
      result.response,
    ), `Invalid value at '${at}.function_response.response' (type.googleapis.com/google.protobuf.Struct)`);
  }
  if (signature === undefined || NO_SIGNATURES.includes(signature)) return;
  require(play.knowsSignature(signature), 'Corrupted thought signature.');
}

const callsOf = (content) => (content?.parts ?? []).filter((part) => part.functionCall !== undefined);
const resultsOf = (content) => (content?.parts ?? []).filter((part) => part.functionResponse !== undefined);

function checkTurns(contents) {
  for (const [index, content] of contents.entries()) {
    const calls = callsOf(content);
    const results = resultsOf(content);
    if (calls.length > 0) {
      require(index > 0 &&
        contents[index - 1].role !==
          'model', 'Please ensure that function call turn comes immediately after a user turn or after a function response turn.');
      const next = resultsOf(contents[index + 1]);
      require(next.length ===
        calls.length, 'Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.');
      const names = next.map((part) => part.functionResponse.name);
      for (const { functionCall } of calls)
        require(names.includes(
          functionCall.name,
        ), `Please ensure that function response turn has a response for ${functionCall.name}.`);
      const ids = next.map((part) => part.functionResponse.id);
      const strangers = ids.filter((id) => id !== undefined && !calls.some((part) => part.functionCall.id === id));
      require(strangers.length === 0, `Function response id ${strangers[0]} has no function call.`);
    }
    if (results.length > 0) {
      require(callsOf(contents[index - 1]).length >
        0, 'Please ensure that function response turn comes immediately after a function call turn.');
    }
  }
}

/** Gemini 3 wants its signature back on the first call of each step since the last text of the user. */
function checkSignatures(contents) {
  let start = contents.length - 1;
  while (start > 0 && !(contents[start].role !== 'model' && resultsOf(contents[start]).length === 0)) start -= 1;
  for (const content of contents.slice(start)) {
    const [first] = callsOf(content);
    if (first === undefined) continue;
    require(first.thoughtSignature !==
      undefined, `Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, and missing thought_signature may lead to degraded model performance. Additional data, function call \`default_api:${first.functionCall.name}\` , position 2. Please refer to https://ai.google.dev/gemini-api/docs/thought-signatures for more details.`);
  }
}

/**
 * @param {any} body
 * @param {string} model
 * @param {import('./play.mjs').Play} play
 */
export function checkContents({ contents, systemInstruction }, model, play) {
  require(Array.isArray(contents) &&
    contents.length > 0, '* GenerateContentRequest.contents: contents is not specified');
  for (const [index, content] of contents.entries()) {
    const at = `contents[${index}]`;
    checkNames(content, namesOf('role parts'), at);
    require([undefined, 'user', 'model', 'function'].includes(content.role), 'Please use a valid role: user, model.');
    require(Array.isArray(content.parts) &&
      content.parts.length > 0, `* GenerateContentRequest.${at}.parts: contents.parts must not be empty.`);
    for (const [place, part] of content.parts.entries()) checkPart(part, `${at}.parts[${place}]`, play);
  }
  for (const [place, part] of (systemInstruction?.parts ?? []).entries())
    checkPart(part, `system_instruction.parts[${place}]`, play);
  checkTurns(contents);
  if (/^gemini-3/.test(model)) checkSignatures(contents);
}
