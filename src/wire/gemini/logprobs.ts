import { isObject, type JsonObject } from '../../runtime/json-value.js';

interface Token {
  readonly token: string;
  readonly logprob: number;
}

/** `logprobsResult` in OpenAI's form; undefined where it holds no token. */
export function readLogprobs(result: unknown): JsonObject | undefined {
  if (!isObject(result)) return undefined;
  const chosen = listOf(result['chosenCandidates']).flatMap((each) => tokenOf(each) ?? []);
  if (chosen.length === 0) return undefined;
  const top = listOf(result['topCandidates']);
  return {
    content: chosen.map(({ token, logprob }, index) => {
      const others = top[index];
      const candidates = isObject(others) ? listOf(others['candidates']).flatMap((each) => tokenOf(each) ?? []) : [];
      return {
        token,
        logprob,
        bytes: bytesOf(token),
        top_logprobs: candidates.map((each) => ({ ...each, bytes: bytesOf(each.token) })),
      };
    }),
    refusal: null,
  };
}

/** The way back; undefined for what is no list of tokens. */
export function writeLogprobs(logprobs: unknown): JsonObject | undefined {
  if (!isObject(logprobs)) return undefined;
  const content = listOf(logprobs['content']).filter(isObject);
  const chosen = content.flatMap((each) => openAiToken(each) ?? []);
  if (chosen.length === 0) return undefined;
  return {
    chosenCandidates: chosen.map(candidateOf),
    topCandidates: content.map((each) => ({
      candidates: listOf(each['top_logprobs'])
        .flatMap((token) => openAiToken(token) ?? [])
        .map(candidateOf),
    })),
  };
}

function candidateOf({ token, logprob }: Token): JsonObject {
  return { token, logProbability: logprob };
}

function tokenOf(candidate: unknown): Token | undefined {
  if (!isObject(candidate)) return undefined;
  const { token, logProbability } = candidate;
  return typeof token === 'string' && typeof logProbability === 'number'
    ? { token, logprob: logProbability }
    : undefined;
}

function openAiToken(value: unknown): Token | undefined {
  if (!isObject(value)) return undefined;
  const { token, logprob } = value;
  return typeof token === 'string' && typeof logprob === 'number' ? { token, logprob } : undefined;
}

function bytesOf(token: string): number[] {
  return [...Buffer.from(token, 'utf8')];
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
