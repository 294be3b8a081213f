import { hostname } from 'node:os';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, Repository, type EntityManager } from 'typeorm';
import { AuditLog } from '../../audit/audit-log.service.js';
import { Pepper } from '../../auth/pepper.js';
import type { Principal } from '../../auth/principal.js';
import { readConfigFile, replaceConfigFile, unwritableReason } from '../../config/config-file.js';
import { checkEdit, shownFile } from '../../config/editing/check-edit.js';
import { GatewayConfig } from '../../config/gateway-config.js';
import { RoutingConfig } from '../../config/routing-config.js';
import { Database } from '../../database/database.js';
import { newestFirst } from '../../database/newest-first.js';
import { runSql } from '../../database/sql.js';
import { conflict, type GatewayError, invalidRequest, notFound, permissionDenied } from '../../errors/gateway-error.js';
import { DEFAULT_PAGE_ENTRIES, type PageQueryDto } from '../../http/page-query.dto.js';
import { toUnixSeconds } from '../../http/unix-seconds.js';
import { timeOrderedId } from '../../runtime/random-id.js';
import { Instances } from '../instances/instances.service.js';
import { ConfigurationChange } from './configuration-change.entity.js';
import type {
  AppliedConfigurationDto,
  CheckConfigurationDto,
  ConfigurationChangeDetailsDto,
  ConfigurationChangeDto,
  ConfigurationChangeListDto,
  ConfigurationCheckDto,
  ConfigurationFileDto,
  EditConfigurationDto,
  RestoreConfigurationDto,
} from './configuration-edits.dto.js';
import { changedLines, diffLines } from './line-diff.js';

/** Changes that the history keeps. */
const KEPT_CHANGES = 50;
/** Longest wait for this process to take an edit over, in milliseconds. A reload takes two seconds, and five where lines are removed at the end. */
const RELOAD_WAIT_MS = 10_000;
const MAX_NAME_CHARACTERS = 200;
/** Faults that the message of a refused edit has; a check has all of them. */
const FAULTS_OF_MESSAGE = 5;

/** Edits gateway.yaml where `config.editable` is set. What is stored and shown of it has no secrets. */
@Injectable()
export class ConfigurationEdits {
  private readonly waiting = new Set<() => void>();
  private readonly nameOf = (secret: string): string => this.pepper.hash(`configuration ${secret}`).hash;

  constructor(
    private readonly config: GatewayConfig,
    routing: RoutingConfig,
    private readonly database: Database,
    private readonly pepper: Pepper,
    private readonly audit: AuditLog,
    private readonly instances: Instances,
    @InjectRepository(ConfigurationChange) private readonly stored: Repository<ConfigurationChange>,
  ) {
    routing.onChange(() => {
      for (const notify of this.waiting) notify();
    });
  }

  /** Why the file cannot be edited by the API; undefined where administrators can edit it. */
  readOnlyReason(): string | undefined {
    if (!this.config.editing.editable) return 'Set config.editable: true in gateway.yaml and restart to edit it here.';
    return unwritableReason();
  }

  /** @throws GatewayError 403 where the file, or the caller, may not edit */
  async file(principal: Principal): Promise<ConfigurationFileDto> {
    const file = this.open(principal);
    const { data } = await this.instances.list();
    const running = data.filter(({ status }) => status === 'running').map(({ host }) => host);
    return {
      object: 'configuration_file',
      text: shownFile(file, this.nameOf),
      version: this.versionOf(file),
      host: ownHost(),
      other_hosts: [...new Set(running)].filter((host) => host !== ownHost()).sort(),
    };
  }

  check({ text }: CheckConfigurationDto, principal: Principal): ConfigurationCheckDto {
    const file = this.open(principal);
    const { faults, waiting } = this.checked(text, file);
    return {
      object: 'configuration_check',
      valid: faults.length === 0,
      faults: faults.map(({ path, line, message }) => ({ path, line: line ?? null, message })),
      waiting_for_restart: [...waiting],
      diff: diffLines(shownFile(file, this.nameOf), text).map((line) => ({ ...line })),
      version: this.versionOf(file),
    };
  }

  /** @throws GatewayError 400 for a text with faults, 409 where the file has changed meanwhile */
  edit(body: EditConfigurationDto, principal: Principal): Promise<AppliedConfigurationDto> {
    return this.apply(body, principal, null);
  }

  async restore(id: string, body: RestoreConfigurationDto, principal: Principal): Promise<AppliedConfigurationDto> {
    this.open(principal);
    const { text } = await this.find(id);
    return this.apply({ ...body, text }, principal, id);
  }

  async changes({ limit, after }: PageQueryDto, principal: Principal): Promise<ConfigurationChangeListDto> {
    this.open(principal);
    const { rows, ...page } = await newestFirst(this.stored.createQueryBuilder('change'), 'createdAt', {
      limit: limit ?? DEFAULT_PAGE_ENTRIES,
      after,
      what: 'change',
      idPrefix: 'cfg_',
    });
    return { object: 'list', data: rows.map(toDto), ...page };
  }

  async change(id: string, principal: Principal): Promise<ConfigurationChangeDetailsDto> {
    const file = this.open(principal);
    const row = await this.find(id);
    const diff = diffLines(shownFile(file, this.nameOf), row.text);
    return { ...toDto(row), text: row.text, diff: diff.map((line) => ({ ...line })) };
  }

  private async apply(
    { text, version, note }: EditConfigurationDto,
    principal: Principal,
    restoredId: string | null,
  ): Promise<AppliedConfigurationDto> {
    const file = this.open(principal);
    if (version !== this.versionOf(file)) throw changedMeanwhile();
    const { faults, text: next, waiting } = this.checked(text, file);
    if (next === undefined) throw invalidRequest(messageOf(faults), restoredId === null ? 'text' : null);
    if (next === file) throw invalidRequest('The file has this text already. Change something.', null);
    const reloaded = this.nextReload();
    try {
      const row = await this.database.transaction(async (manager) => {
        await this.takeTurn(manager);
        if (readConfigFile() !== file) throw changedMeanwhile();
        const before = shownFile(file, this.nameOf);
        const after = shownFile(next, this.nameOf);
        await this.keepFound(manager, before, version);
        const lines = changedLines(diffLines(before, after));
        const change = this.newChange({
          kind: restoredId === null ? 'edited' : 'restored',
          actor: principal.keyId,
          actorName: principal.name.slice(0, MAX_NAME_CHARACTERS),
          note: note ?? null,
          version: this.versionOf(next),
          restoredId,
          addedLines: lines.added,
          removedLines: lines.removed,
          text: after,
        });
        await manager.insert(ConfigurationChange, change);
        await this.forget(manager);
        await this.audit.note(manager, {
          actor: principal.keyId,
          action: restoredId === null ? 'configuration.edited' : 'configuration.restored',
          targetId: change.id,
          changes: {
            host: change.host,
            ...(note !== undefined && { note }),
            ...(restoredId !== null && { restored_id: restoredId }),
            added_lines: lines.added,
            removed_lines: lines.removed,
            waiting_for_restart: waiting,
          },
        });
        replace(next);
        return change;
      });
      return { ...toDto(row), in_force: await reloaded.within(RELOAD_WAIT_MS), waiting_for_restart: [...waiting] };
    } finally {
      reloaded.forget();
    }
  }

  private checked(text: string, file: string): ReturnType<typeof checkEdit> {
    // Half a line at the end would look like a file that is still being written.
    const whole = text.endsWith('\n') ? text : `${text}\n`;
    return checkEdit(whole, { file, running: this.config, nameOf: this.nameOf });
  }

  /** The text of the file, for a caller who may edit it. */
  private open({ role }: Principal): string {
    // Keys have the scope `admin` here; of people, viewers may read most of what administrators read, but not this.
    if (role !== undefined && role !== 'admin') {
      throw permissionDenied(
        "The role 'viewer' reads the configuration in force alone. Ask for the role 'admin'.",
        'insufficient_scope',
      );
    }
    const reason = this.readOnlyReason();
    if (reason !== undefined) throw permissionDenied(reason, 'configuration_read_only');
    const file = readConfigFile();
    if (file === undefined) throw permissionDenied('gateway.yaml cannot be read.', 'configuration_read_only');
    return file;
  }

  private async find(id: string): Promise<ConfigurationChange> {
    const row = await this.stored.findOneBy({ id });
    if (row === null)
      throw notFound(`There is no change '${id.slice(0, 64)}' of the configuration.`, 'not_found', 'id');
    return row;
  }

  /** Keeps what an operator wrote on the machine, so that it can be restored. */
  private async keepFound(manager: EntityManager, text: string, version: string): Promise<void> {
    const [newest] = await manager.find(ConfigurationChange, {
      where: { host: ownHost() },
      order: { createdAt: 'DESC', id: 'DESC' },
      take: 1,
    });
    if (newest?.version === version) return;
    const lines = changedLines(diffLines(newest?.text ?? '', text));
    const found = this.newChange({
      kind: 'found',
      actor: 'operator',
      actorName: null,
      note: null,
      version,
      restoredId: null,
      addedLines: lines.added,
      removedLines: lines.removed,
      text,
    });
    // Before the edit, also where both are of the same millisecond.
    await manager.insert(ConfigurationChange, { ...found, createdAt: found.createdAt - 1 });
  }

  private newChange(change: Omit<ConfigurationChange, 'id' | 'createdAt' | 'host'>): ConfigurationChange {
    return { ...change, id: timeOrderedId('cfg_'), createdAt: Date.now(), host: ownHost() };
  }

  private async forget(manager: EntityManager): Promise<void> {
    const old = await manager.find(ConfigurationChange, {
      select: { id: true },
      order: { createdAt: 'DESC', id: 'DESC' },
      skip: KEPT_CHANGES,
      take: KEPT_CHANGES,
    });
    if (old.length > 0) await manager.delete(ConfigurationChange, { id: In(old.map(({ id }) => id)) });
  }

  /** Edits of all processes take turns until their transactions end. Transactions of SQLite do so by themselves. */
  private async takeTurn(manager: EntityManager): Promise<void> {
    const { dialect } = this.database;
    if (dialect.isSqlite) return;
    await runSql(manager, dialect, 'SELECT pg_advisory_xact_lock(hashtext($1))', ['configuration_file']);
  }

  private versionOf(file: string): string {
    return this.pepper.hash(`configuration file ${file}`).hash;
  }

  private nextReload(): { within(milliseconds: number): Promise<boolean>; forget(): void } {
    let notify = (): void => undefined;
    const reload = new Promise<true>((resolve) => (notify = () => resolve(true)));
    this.waiting.add(notify);
    return {
      within: async (milliseconds) => {
        let timer: NodeJS.Timeout | undefined;
        const end = new Promise<false>((resolve) => (timer = setTimeout(resolve, milliseconds, false)));
        try {
          return await Promise.race([reload, end]);
        } finally {
          clearTimeout(timer);
        }
      },
      forget: () => this.waiting.delete(notify),
    };
  }
}

function replace(text: string): void {
  try {
    replaceConfigFile(text);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    const advice = 'Where the file itself is mounted, mount its folder; a ConfigMap is changed where it is kept.';
    throw conflict(`gateway.yaml cannot be replaced (${code}). ${advice}`, null, error);
  }
}

function changedMeanwhile(): GatewayError {
  return conflict('gateway.yaml has changed since it was read. Read it again, and repeat the edit.', 'version');
}

function messageOf(faults: readonly { path: string; line?: number | undefined; message: string }[]): string {
  const lines = faults
    .slice(0, FAULTS_OF_MESSAGE)
    .map(({ path, line, message }) => `${line === undefined ? '' : `line ${line}, `}${path}: ${message}`);
  const more = faults.length > FAULTS_OF_MESSAGE ? `; and ${faults.length - FAULTS_OF_MESSAGE} more` : '';
  return `The text has ${faults.length} fault${faults.length === 1 ? '' : 's'}: ${lines.join('; ')}${more}`;
}

function ownHost(): string {
  return hostname().slice(0, 255);
}

function toDto(row: ConfigurationChange): ConfigurationChangeDto {
  return {
    id: row.id,
    object: 'configuration_change',
    created_at: toUnixSeconds(row.createdAt),
    kind: row.kind,
    actor: row.actor,
    actor_name: row.actorName,
    host: row.host,
    note: row.note,
    version: row.version,
    restored_id: row.restoredId,
    added_lines: row.addedLines,
    removed_lines: row.removedLines,
  };
}
