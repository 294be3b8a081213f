import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, Repository } from 'typeorm';
import { ApiKey } from '../../auth/api-key.entity.js';
import { FormerOwner } from '../../auth/former-owner.entity.js';
import { KeyGroup } from '../../auth/key-group.entity.js';

interface Named {
  readonly id: string;
  readonly name: string;
}

/** Names of keys and groups, for reports and lists that have only their ids. */
@Injectable()
export class OwnerNames {
  constructor(
    @InjectRepository(ApiKey) private readonly keys: Repository<ApiKey>,
    @InjectRepository(KeyGroup) private readonly groups: Repository<KeyGroup>,
    @InjectRepository(FormerOwner) private readonly former: Repository<FormerOwner>,
  ) {}

  /**
   * @param dimension of a report; only `key` and `group` have names
   * @returns names by id, also of keys that were purged and of groups that were deleted
   */
  async of(dimension: string | undefined, ids: readonly (string | null)[]): Promise<ReadonlyMap<string, string>> {
    const wanted = [...new Set(ids)].filter((id) => id !== null);
    if (wanted.length === 0 || (dimension !== 'key' && dimension !== 'group')) return new Map();
    const present = await this.namesIn(dimension === 'key' ? this.keys : this.groups, wanted);
    const missing = wanted.filter((id) => !present.has(id));
    return missing.length === 0 ? present : new Map([...present, ...(await this.namesIn(this.former, missing))]);
  }

  private async namesIn(repository: Repository<Named>, ids: readonly string[]): Promise<Map<string, string>> {
    const rows = await repository.find({ select: { id: true, name: true }, where: { id: In([...ids]) } });
    return new Map(rows.map(({ id, name }) => [id, name]));
  }
}
