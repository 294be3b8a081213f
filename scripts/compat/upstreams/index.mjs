import { anthropic } from './anthropic.mjs';
import { bedrockConverse } from './bedrock-converse.mjs';
import { bedrockClaude } from './bedrock-invoke.mjs';
import { gemini } from './gemini.mjs';
import { openAiChat } from './openai-chat.mjs';
import { openAiResponses } from './openai-responses.mjs';
import { vllm } from './vllm.mjs';

/** Every upstream, with the name of its model and its entry under `providers:` of a gateway. */
export const UPSTREAMS = [
  {
    name: 'openai-chat',
    format: openAiChat,
    model: 'gpt-4.1',
    provider: (url) => ({ type: 'openai', base_url: `${url}/v1`, api_key: 'sk-upstream' }),
  },
  {
    name: 'openai-responses',
    format: openAiResponses,
    model: 'gpt-5',
    provider: (url) => ({ type: 'openai', base_url: `${url}/v1`, api_key: 'sk-upstream', responses: 'all' }),
  },
  {
    name: 'anthropic',
    format: anthropic,
    model: 'claude-sonnet-4-5',
    provider: (url) => ({ type: 'anthropic', base_url: `${url}/v1`, api_key: 'sk-upstream' }),
  },
  {
    name: 'gemini',
    format: gemini,
    model: 'gemini-3-pro-preview',
    provider: (url) => ({ type: 'google', base_url: `${url}/v1beta`, api_key: 'upstream' }),
  },
  {
    name: 'bedrock-converse',
    format: bedrockConverse,
    // The name of a profile says nothing about the model, so that every client gets Converse.
    model: 'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3d4e5f6',
    provider: (url) => ({ type: 'bedrock', base_url: url, region: 'us-east-1', api_key: 'upstream' }),
  },
  {
    name: 'bedrock-claude',
    format: bedrockClaude,
    model: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
    provider: (url) => ({ type: 'bedrock', base_url: url, region: 'us-east-1', api_key: 'upstream' }),
  },
  {
    name: 'vllm',
    format: vllm,
    model: 'qwen3-coder',
    provider: (url) => ({
      type: 'openai',
      base_url: `${url}/v1`,
      api_key: 'sk-upstream',
      quirks: { developer_role: false },
    }),
  },
];
