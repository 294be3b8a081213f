import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DataSource, In } from 'typeorm';
import { Database } from '../database/database.js';
import { runSql } from '../database/sql.js';
import type { PreferredPlace } from '../operations/operation.js';
import { ReasoningOrigin } from './stored-response.entity.js';

const MAX_MODEL_CHARACTERS = 256;
const IDS_PER_QUERY = 500;

/** Which deployment encrypted a piece of reasoning, which no other can decrypt. */
@Injectable()
export class ReasoningOrigins {
  constructor(
    private readonly database: Database,
    private readonly dataSource: DataSource,
  ) {}

  /** Remembers the deployment that encrypted reasoning. */
  async keep(contents: readonly string[], { provider, upstreamModel }: PreferredPlace): Promise<void> {
    const now = Date.now();
    const ids = [...new Set(contents.map(originId))];
    if (ids.length === 0) return;
    await this.database.transaction(async (manager) => {
      for (const id of ids) {
        await runSql(
          manager,
          this.database.dialect,
          'INSERT INTO reasoning_origin (id, provider, upstream_model, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING',
          [id, provider, upstreamModel?.slice(0, MAX_MODEL_CHARACTERS) ?? null, now],
        );
      }
    });
  }

  /** The deployments that encrypted reasoning, by its content; what has no known origin is absent. */
  async of(contents: readonly string[]): Promise<ReadonlyMap<string, PreferredPlace>> {
    const byId = new Map(contents.map((content) => [originId(content), content]));
    const ids = [...byId.keys()];
    const origins = new Map<string, PreferredPlace>();
    for (let start = 0; start < ids.length; start += IDS_PER_QUERY) {
      const found = await this.dataSource.manager.findBy(ReasoningOrigin, {
        id: In(ids.slice(start, start + IDS_PER_QUERY)),
      });
      for (const { id, provider, upstreamModel } of found) origins.set(byId.get(id) ?? '', { provider, upstreamModel });
    }
    return origins;
  }
}

function originId(content: string): string {
  return createHash('sha256').update(content).digest('hex');
}
