import type { INestApplication } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { DocumentBuilder, OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { ERROR_MODELS } from '../errors/api-errors.decorator.js';
import { VERSION } from '../runtime/version.js';
import { describeValidation } from './describe-validation.js';
import { describedRoutes } from './described-routes.js';
import { openObjectNames } from './open-object.decorator.js';
import { withReadableNames } from './readable-names.js';
import { toOpenApi31 } from './to-openapi-31.js';

const DESCRIPTION = [
  'One authenticated, OpenAI-compatible API in front of every model provider.',
  '',
  'Press **Authorize**, paste your key (the admin key is printed at the first start), and try a route: every example',
  'works against the built-in sandbox once a key is entered.',
  '',
  'Every route is also served without the `/v1` prefix. Every error is `{"error": {message, type, param, code}}` with',
  'an `x-request-id` header.',
].join('\n');

/** The OpenAPI document, made from the decorators of the controllers and DTOs. */
export function buildOpenApiDocument(app: INestApplication): OpenAPIObject {
  const options = new DocumentBuilder()
    .setTitle('LLM Gateway')
    .setDescription(DESCRIPTION)
    .setVersion(VERSION)
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addTag('Chat', 'OpenAI-compatible completions, plain and streamed')
    .addTag('Completions', 'The legacy completions of OpenAI')
    .addTag('Responses', "OpenAI's Responses API, on any model")
    .addTag('Messages', "Anthropic's Messages API, on any model")
    .addTag('Gemini', "Google's Gemini API, on any model")
    .addTag('Embeddings', 'Vectors of texts')
    .addTag('Rerank', 'Documents by how well they fit a query')
    .addTag('Moderations', 'Harmful content in texts and pictures')
    .addTag('Images', 'Images that are made or changed')
    .addTag('Audio', 'Speech, transcriptions and translations')
    .addTag('Batches', 'Durable batches of chat completions on any model')
    .addTag('File Batches', "OpenAI's Batch API, on any model")
    .addTag('Message Batches', "Anthropic's Message Batches API, on any model")
    .addTag('Files', 'Files that are kept for later requests')
    .addTag('Uploads', 'Files that are uploaded in parts')
    .addTag('Models', 'What a key may call')
    .addTag('Key', 'The key that asks, and what is left of its budget')
    .addTag('Health', 'Probes for load balancers, without a key, and metrics, with an admin key')
    .addTag('Admin: keys', 'Keys, with an admin key')
    .addTag('Admin: groups', 'Groups of keys with limits and budgets of their own, with an admin key')
    .addTag('Admin: batches', 'All batches and what waits, with an admin key')
    .addTag('Admin: deployments', 'How each deployment is doing, with an admin key')
    .addTag('Admin: configuration', 'The settings in force, with an admin key')
    .addTag('Admin: instances', 'The processes of the gateway, with an admin key')
    .addTag('Admin: providers', 'The configured providers and their tests, with an admin key')
    .addTag('Admin: usage', 'Tokens, cost and requests, summed and one by one, with an admin key')
    .addTag('Admin: request log', 'Stored requests and responses, with an admin key')
    .addTag('Session', 'Signing in to the console')
    .addTag('Admin: sessions', 'Who is signed in to the console, with an admin key')
    .addTag('Admin: audit', 'Who changed what, with an admin key')
    .addServer('/', 'This gateway')
    .addBearerAuth(
      { type: 'http', scheme: 'bearer', description: 'A gateway key: `gw_...`, or the admin key.' },
      'bearer',
    )
    .addApiKey(
      { type: 'apiKey', in: 'header', name: 'x-api-key', description: 'The same key, as Anthropic clients send it.' },
      'x-api-key',
    )
    .build();
  const document = SwaggerModule.createDocument(app, options, {
    extraModels: ERROR_MODELS,
    operationIdFactory: (_controller, method) => method,
  });
  describeValidation(document, describedRoutes(app.get(ModulesContainer)));
  for (const name of openObjectNames()) {
    const schema = document.components?.schemas?.[name];
    if (schema !== undefined && !('$ref' in schema)) schema.additionalProperties = true;
  }
  return withReadableNames(toOpenApi31(document));
}
