import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, Repository } from 'typeorm';
import { ApiKey } from '../../auth/api-key.entity.js';
import { KeyGroup } from '../../auth/key-group.entity.js';

/** Names of keys and groups, for reports and lists that have only their ids. */
@Injectable()
export class OwnerNames {
  constructor(
    @InjectRepository(ApiKey) private readonly keys: Repository<ApiKey>,
    @InjectRepository(KeyGroup) private readonly groups: Repository<KeyGroup>,
  ) {}

  /**
   * @param dimension of a report; only `key` and `group` have names
   * @returns names by id; ids of what was deleted are missing
   */
  async of(dimension: string | undefined, ids: readonly (string | null)[]): Promise<ReadonlyMap<string, string>> {
    const wanted = [...new Set(ids)].filter((id) => id !== null);
    if (wanted.length === 0) return new Map();
    const where = { id: In(wanted) };
    if (dimension === 'key') return byId(await this.keys.find({ select: { id: true, name: true }, where }));
    if (dimension === 'group') return byId(await this.groups.find({ select: { id: true, name: true }, where }));
    return new Map();
  }
}

function byId(rows: readonly { readonly id: string; readonly name: string }[]): ReadonlyMap<string, string> {
  return new Map(rows.map(({ id, name }) => [id, name]));
}
