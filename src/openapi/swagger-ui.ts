import type { INestApplication } from '@nestjs/common';
import { OpenAPIObject, SwaggerModule } from '@nestjs/swagger';

/**
 * Swagger UI at /docs, the document at /docs-json and /docs-yaml.
 *
 * @param build makes the document, when it is first asked for: it takes time and memory that no start should wait for
 */
export function serveSwagger(app: INestApplication, build: () => OpenAPIObject): void {
  SwaggerModule.setup('docs', app, build, {
    customSiteTitle: 'LLM Gateway API',
    swaggerOptions: { persistAuthorization: true, displayRequestDuration: true, tryItOutEnabled: true },
  });
}
