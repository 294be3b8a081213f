import 'reflect-metadata';
import { writeFileSync } from 'node:fs';
import { pino } from 'pino';
import { createApplication } from './application.js';
import { loadConfig } from './config/load-config.js';
import { buildOpenApiDocument } from './openapi/document.js';

/** `npm run openapi [file]`: writes the document of this build, without a server or a file database. */
const target = process.argv[2] ?? 'openapi.json';
const config = loadConfig({
  env: {
    DATABASE_URL: 'sqlite::memory:',
    GATEWAY_ADMIN_KEY: 'openapi-document-only-key',
    GATEWAY_KEY_PEPPER: 'p'.repeat(8) + '-only-for-writing-the-document',
  },
  cwd: new URL('.', import.meta.url).pathname,
});
const app = await createApplication(config, pino({ level: 'silent' }));
writeFileSync(target, `${JSON.stringify(buildOpenApiDocument(app), null, 2)}\n`);
await app.close();
