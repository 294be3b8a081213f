import { toUnixSeconds } from '../http/unix-seconds.js';
import type { FileDto } from './files.dto.js';
import type { StoredFile } from './stored-file.entity.js';

/** Whether it has the results of a batch that has not ended: then its size is not known. */
export function isGrowing({ batchId, bytes }: StoredFile): boolean {
  return batchId !== null && bytes === 0;
}

/** A file in the form of OpenAI's Files API. */
export function fileOf(file: StoredFile): FileDto {
  const { id, bytes, createdAt, expiresAt, filename, purpose } = file;
  return {
    id,
    object: 'file',
    bytes,
    created_at: toUnixSeconds(createdAt),
    expires_at: toUnixSeconds(expiresAt),
    filename,
    purpose,
    status: isGrowing(file) ? 'uploaded' : 'processed',
  };
}
