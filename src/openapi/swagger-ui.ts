import type { INestApplication } from '@nestjs/common';
import { OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { printOnce } from './printed-pages.js';

const PAGES = ['/docs', '/docs/', '/docs/index.html', '/docs/swagger-ui-init.js', '/docs-json', '/docs-yaml'];

interface UiResponse {
  readonly headers?: Record<string, string>;
}

/** Runs in the browser, from its source text. Swagger UI reads NDJSON as faulty JSON, so the text is shown unchanged. */
function responseInterceptor(response: UiResponse): UiResponse {
  if (response.headers?.['content-type']?.startsWith('application/x-ndjson')) {
    response.headers['content-type'] = 'text/plain; charset=utf-8';
  }
  return response;
}

/**
 * Swagger UI at /docs, the document at /docs-json and /docs-yaml, each printed once and served from memory.
 *
 * @param build makes the document, when it is first asked for: it takes time and memory that no start should wait for
 * @returns the middleware, which only looks at these pages
 */
export function serveSwagger(app: INestApplication, build: () => OpenAPIObject): unknown {
  const pages = printOnce(PAGES);
  app.use(pages);
  SwaggerModule.setup('docs', app, build, {
    customSiteTitle: 'LLM Gateway API',
    swaggerOptions: {
      persistAuthorization: true,
      displayRequestDuration: true,
      tryItOutEnabled: true,
      responseInterceptor,
    },
  });
  return pages;
}
