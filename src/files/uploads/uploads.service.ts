import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Request } from 'express';
import { Repository } from 'typeorm';
import type { Principal } from '../../auth/principal.js';
import { GatewayConfig } from '../../config/gateway-config.js';
import { Database } from '../../database/database.js';
import { GatewayError, invalidRequest, notFound } from '../../errors/gateway-error.js';
import { PART_LIMIT } from '../../http/json-body.interceptor.js';
import { toUnixSeconds } from '../../http/unix-seconds.js';
import { readUpload } from '../../operations/upload/upload.js';
import { randomId, timeOrderedId } from '../../runtime/random-id.js';
import { fileOf } from '../file-form.js';
import { FileQuota } from '../quota.js';
import { FileStorage } from '../storage/file-storage.js';
import { StoredFile } from '../stored-file.entity.js';
import { FileUpload, FileUploadPart } from './file-upload.entity.js';
import type { CompleteUploadDto, CreateUploadDto, UploadDto, UploadPartDto } from './uploads.dto.js';

/** How long parts may be added: an hour, as OpenAI's API has it. */
const UPLOAD_MS = 3_600_000;
const NO_FIELDS: ReadonlySet<string> = new Set();

/** Files that are uploaded in parts. Every query filters by key, so another key's upload does not exist for the caller. */
@Injectable()
export class UploadsService {
  constructor(
    @InjectRepository(FileUpload) private readonly uploads: Repository<FileUpload>,
    @InjectRepository(FileUploadPart) private readonly parts: Repository<FileUploadPart>,
    @InjectRepository(StoredFile) private readonly files: Repository<StoredFile>,
    private readonly database: Database,
    private readonly storage: FileStorage,
    private readonly quota: FileQuota,
    private readonly config: GatewayConfig,
  ) {}

  async create(body: CreateUploadDto, { keyId }: Principal): Promise<UploadDto> {
    const { bytes, filename, purpose } = body;
    const { maxSize } = this.config.files;
    if (bytes > maxSize) {
      throw invalidRequest(
        `'bytes' must be at most ${maxSize}. Send a smaller file, or ask the operator to raise files.max_size.`,
        'bytes',
      );
    }
    const now = Date.now();
    const upload: FileUpload = {
      id: randomId('upload_'),
      keyId,
      purpose,
      filename,
      bytes,
      status: 'pending',
      createdAt: now,
      expiresAt: now + UPLOAD_MS,
      fileExpirySeconds: body.expires_after?.seconds ?? null,
      fileId: null,
    };
    await this.database.transaction(async (manager) => {
      await this.quota.assertRoom(manager, { keyId, bytes, param: 'bytes' });
      await manager.insert(FileUpload, upload);
    });
    return uploadOf(upload, null);
  }

  /** Stores a part. When this resolves, its content is in the storage and its row in the database. */
  async addPart(id: string, request: Request, principal: Principal): Promise<UploadPartDto> {
    await this.pending(id, principal);
    const form = await readUpload(request, {
      keep: NO_FIELDS,
      files: ['data'],
      maxFiles: 1,
      limit: PART_LIMIT,
      directory: this.config.dataDirectory,
    });
    try {
      const unknown = Object.keys(form.named).find((name) => name !== 'data');
      if (unknown !== undefined) {
        throw invalidRequest(`Unknown field '${unknown}'. A part has data alone.`, unknown, 'unknown_parameter');
      }
      const [data] = form.files;
      if (data === undefined)
        throw invalidRequest("Missing required file 'data'.", 'data', 'missing_required_parameter');
      const part: FileUploadPart = {
        id: randomId('part_'),
        uploadId: id,
        bytes: data.end - data.start,
        createdAt: Date.now(),
      };
      await this.assertFits(id, principal, part.bytes);
      await this.storage.write(part.id, form.content(data));
      try {
        await this.database.transaction((manager) => manager.insert(FileUploadPart, part));
        // Cancelled, completed or filled by another part meanwhile.
        await this.assertFits(id, principal, 0);
      } catch (error) {
        await this.parts.delete({ id: part.id }).catch(() => undefined);
        await this.storage.delete(part.id).catch(() => undefined);
        throw error;
      }
      return {
        id: part.id,
        object: 'upload.part',
        created_at: toUnixSeconds(part.createdAt),
        upload_id: id,
      };
    } finally {
      await form.dispose();
    }
  }

  /** Makes the file of the parts. Of several requests at once, one makes it. */
  async complete(id: string, { part_ids: partIds, md5 }: CompleteUploadDto, principal: Principal): Promise<UploadDto> {
    const upload = await this.pending(id, principal);
    const parts = await this.partsInOrder(upload, partIds);
    const fileId = timeOrderedId('file-');
    const hash = createHash('md5');
    const { storage } = this;
    async function* content(): AsyncGenerator<Buffer> {
      for (const part of parts) {
        for await (const chunk of storage.read(part.id)) {
          hash.update(chunk);
          yield chunk;
        }
      }
      if (md5 != null && hash.digest('hex') !== md5.toLowerCase()) {
        throw invalidRequest("'md5' is not that of the parts. Upload the parts again.", 'md5');
      }
    }
    await storage.write(fileId, content());
    const now = Date.now();
    const { keyId, purpose, filename, bytes, fileExpirySeconds } = upload;
    const expiresAt = fileExpirySeconds === null ? null : now + fileExpirySeconds * 1_000;
    const file: StoredFile = { id: fileId, keyId, purpose, filename, bytes, createdAt: now, expiresAt, batchId: null };
    try {
      await this.database.transaction(async (manager) => {
        const { affected } = await manager.update(
          FileUpload,
          { id, status: 'pending' },
          { status: 'completed', fileId },
        );
        if (affected !== 1) throw notPending(id);
        await this.quota.assertRoom(manager, { keyId, bytes, param: 'upload_id', except: id });
        await manager.insert(StoredFile, file);
      });
    } catch (error) {
      await storage.delete(fileId).catch(() => undefined);
      throw error;
    }
    await this.deleteParts(id);
    return uploadOf({ ...upload, status: 'completed', fileId }, file);
  }

  async cancel(id: string, principal: Principal): Promise<UploadDto> {
    const upload = await this.own(id, principal);
    const { affected } = await this.database.transaction((manager) =>
      manager.update(FileUpload, { id, status: 'pending' }, { status: 'cancelled' }),
    );
    if (affected === 1) await this.deleteParts(id);
    else if (upload.status !== 'cancelled') throw notPending(id);
    return uploadOf({ ...upload, status: 'cancelled' }, null);
  }

  /** Ends the uploads whose hour is over, and deletes their parts. @param now epoch milliseconds */
  async sweep(now: number): Promise<void> {
    const expired = await this.uploads
      .createQueryBuilder('upload')
      .where('upload.expiresAt <= :now', { now })
      .limit(1_000)
      .getMany();
    for (const { id } of expired) {
      await this.deleteParts(id);
      await this.uploads.delete({ id });
    }
  }

  /** Whether a part has this id. */
  hasPart(id: string): Promise<boolean> {
    return this.parts.existsBy({ id });
  }

  private async partsInOrder(upload: FileUpload, ids: readonly string[]): Promise<FileUploadPart[]> {
    const known = new Map((await this.parts.findBy({ uploadId: upload.id })).map((part) => [part.id, part]));
    const seen = new Set<string>();
    let bytes = 0;
    const parts = ids.map((id, index) => {
      const part = known.get(id);
      const param = `part_ids[${index}]`;
      if (part === undefined) throw invalidRequest(`'${param}' is no part of this upload.`, param);
      if (seen.has(id)) throw invalidRequest(`'${param}' is given twice.`, param);
      seen.add(id);
      bytes += part.bytes;
      return part;
    });
    if (bytes !== upload.bytes) {
      throw invalidRequest(
        `The parts have ${bytes} bytes together, but the upload was created with ${upload.bytes}. Name every part once.`,
        'part_ids',
      );
    }
    return parts;
  }

  /** @throws GatewayError 400 where the parts would have more bytes than were announced */
  private async assertFits(id: string, principal: Principal, bytes: number): Promise<void> {
    const upload = await this.pending(id, principal);
    const kept = (await this.parts.sum('bytes', { uploadId: id })) ?? 0;
    if (kept + bytes > upload.bytes) {
      throw invalidRequest(
        `With this part the upload has more than the ${upload.bytes} bytes that it was created with.`,
        'data',
      );
    }
  }

  private async deleteParts(uploadId: string): Promise<void> {
    for (const { id } of await this.parts.findBy({ uploadId })) {
      await this.parts.delete({ id });
      // What fails here is content without a row, which is swept.
      await this.storage.delete(id).catch(() => undefined);
    }
  }

  private async pending(id: string, principal: Principal): Promise<FileUpload> {
    const upload = await this.own(id, principal);
    if (upload.status === 'pending') return upload;
    throw notPending(id);
  }

  private async own(id: string, { keyId }: Principal): Promise<FileUpload> {
    const upload = await this.uploads.findOneBy({ id, keyId });
    if (upload !== null && upload.expiresAt > Date.now()) return upload;
    throw notFound(`There is no upload '${id.slice(0, 64)}'.`, 'not_found', 'upload_id');
  }
}

function notPending(id: string): GatewayError {
  return invalidRequest(
    `The upload '${id}' is completed or cancelled. Create another one.`,
    'upload_id',
    'invalid_value',
  );
}

function uploadOf(upload: FileUpload, file: StoredFile | null): UploadDto {
  const { id, bytes, createdAt, expiresAt, filename, purpose, status } = upload;
  return {
    id,
    object: 'upload',
    bytes,
    created_at: toUnixSeconds(createdAt),
    expires_at: toUnixSeconds(expiresAt),
    filename,
    purpose,
    status,
    file: file === null ? null : fileOf(file),
  };
}
