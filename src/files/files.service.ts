import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Request } from 'express';
import { Repository } from 'typeorm';
import type { Principal } from '../auth/principal.js';
import { GatewayConfig } from '../config/gateway-config.js';
import { Database } from '../database/database.js';
import { invalidRequest, notFound } from '../errors/gateway-error.js';
import { readUpload } from '../operations/upload/upload.js';
import { fileLimit } from '../http/json-body.interceptor.js';
import { timeOfId, timeOrderedId } from '../runtime/random-id.js';
import { fileOf } from './file-form.js';
import { FileQuota } from './quota.js';
import { fileFieldsOf, FORM_FIELDS } from './file-fields.js';
import type { DeletedFileDto, FileDto, FileListDto, FilePageDto } from './files.dto.js';
import { DerivedContent } from './derived-content.js';
import { FileStorage } from './storage/file-storage.js';
import { StoredFile } from './stored-file.entity.js';

const DEFAULT_LIMIT = 10_000;
const DEFAULT_NAME = 'file';

/** Takes, shows and deletes files. Every query filters by key, so another key's file does not exist for the caller. */
@Injectable()
export class FilesService {
  constructor(
    @InjectRepository(StoredFile) private readonly files: Repository<StoredFile>,
    private readonly database: Database,
    private readonly storage: FileStorage,
    private readonly derived: DerivedContent,
    private readonly quota: FileQuota,
    private readonly config: GatewayConfig,
  ) {}

  /** Stores an upload. When this resolves, the content is on the disk and its row in the database. */
  async upload(request: Request, principal: Principal): Promise<FileDto> {
    const { config } = this;
    const upload = await readUpload(request, {
      keep: FORM_FIELDS,
      files: ['file'],
      maxFiles: 1,
      limit: fileLimit(config.files.maxSize),
      directory: config.dataDirectory,
    });
    try {
      const { purpose, expiresInMs } = fileFieldsOf(upload.fields, Object.keys(upload.named));
      const [part] = upload.files;
      if (part === undefined)
        throw invalidRequest("Missing required file 'file'.", 'file', 'missing_required_parameter');
      const now = Date.now();
      const file: StoredFile = {
        // Clients page by ids, whose places must be known after a deletion as well.
        id: timeOrderedId('file-', now),
        keyId: principal.keyId,
        purpose,
        filename: part.filename ?? DEFAULT_NAME,
        bytes: part.end - part.start,
        createdAt: now,
        expiresAt: expiresInMs === undefined ? null : now + expiresInMs,
        batchId: null,
      };
      await this.storage.write(file.id, upload.content(part));
      try {
        await this.database.transaction(async (manager) => {
          await this.quota.assertRoom(manager, { keyId: file.keyId, bytes: file.bytes, param: 'file' });
          await manager.insert(StoredFile, file);
        });
      } catch (error) {
        await this.storage.delete(file.id).catch(() => undefined);
        throw error;
      }
      return fileOf(file);
    } finally {
      await upload.dispose();
    }
  }

  async list(
    { limit = DEFAULT_LIMIT, after, order = 'desc', purpose }: FilePageDto,
    { keyId }: Principal,
  ): Promise<FileListDto> {
    const [compare, direction] = order === 'desc' ? ['<', 'DESC' as const] : ['>', 'ASC' as const];
    const query = this.files
      .createQueryBuilder('file')
      .where('file.keyId = :keyId AND (file.expiresAt IS NULL OR file.expiresAt > :now)', { keyId, now: Date.now() });
    // The results of a batch are listed when it has ended.
    query.andWhere('(file.batchId IS NULL OR file.bytes > 0)');
    if (purpose !== undefined) query.andWhere('file.purpose = :purpose', { purpose });
    if (after !== undefined) {
      const cursor = await this.files.findOneBy({ id: after, keyId });
      // A file that has been deleted keeps its place in the list.
      const time = cursor?.createdAt ?? timeOfId(after);
      if (time === undefined)
        throw invalidRequest("'after' is no file's id. Send the `last_id` of the page before.", 'after');
      query.andWhere(`(file.createdAt ${compare} :time OR (file.createdAt = :time AND file.id ${compare} :after))`, {
        time,
        after,
      });
    }
    const found = await query
      .orderBy('file.createdAt', direction)
      .addOrderBy('file.id', direction)
      .limit(limit + 1)
      .getMany();
    const page = found.slice(0, limit);
    return {
      object: 'list',
      data: page.map(fileOf),
      has_more: found.length > limit,
      first_id: page[0]?.id ?? null,
      last_id: page.at(-1)?.id ?? null,
    };
  }

  async retrieve(id: string, principal: Principal): Promise<FileDto> {
    return fileOf(await this.own(id, principal));
  }

  /** A file of the key. @throws GatewayError 404 as for an unknown id when it is another key's or has expired */
  async own(id: string, { keyId }: Pick<Principal, 'keyId'>): Promise<StoredFile> {
    const file = await this.files.findOneBy({ id, keyId });
    if (file !== null && (file.expiresAt === null || file.expiresAt > Date.now())) return file;
    throw notFound(`There is no file '${id.slice(0, 64)}'.`, 'not_found', 'file_id');
  }

  /** The content of a file in chunks. */
  content(file: StoredFile): AsyncIterable<Buffer> {
    return file.batchId === null ? this.storage.read(file.id) : this.derived.read(file);
  }

  async delete(id: string, principal: Principal): Promise<DeletedFileDto> {
    const file = await this.own(id, principal);
    // The row first: a crash between leaves content that no one sees, which is swept.
    await this.files.delete({ id: file.id, keyId: file.keyId });
    if (file.batchId === null) await this.storage.delete(file.id);
    return { id, object: 'file', deleted: true };
  }
}
