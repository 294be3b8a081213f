import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuthModule } from '../auth/auth.module.js';
import { GatewayConfig } from '../config/gateway-config.js';
import { LifecycleModule } from '../lifecycle/lifecycle.module.js';
import { DerivedContent } from './derived-content.js';
import { FileSweeper } from './file-sweeper.js';
import { FilesController } from './files.controller.js';
import { FilesService } from './files.service.js';
import { DiskStorage } from './storage/disk-storage.js';
import { FileStorage } from './storage/file-storage.js';
import { FileQuota } from './quota.js';
import { FileUpload, FileUploadPart } from './uploads/file-upload.entity.js';
import { UploadsController } from './uploads/uploads.controller.js';
import { UploadsService } from './uploads/uploads.service.js';
import { StoredFile } from './stored-file.entity.js';

/** Loaded only where it is used, so that a start without a bucket pays nothing. */
async function storageOf({ dataDirectory, files: { s3 } }: GatewayConfig): Promise<FileStorage> {
  if (s3 === undefined) return new DiskStorage(join(dataDirectory, 'files'));
  const { makeS3Storage } = await import('./storage/s3-storage.js');
  return makeS3Storage(s3);
}

/** Files that clients upload. */
@Module({
  imports: [TypeOrmModule.forFeature([StoredFile, FileUpload, FileUploadPart]), AuthModule, LifecycleModule],
  controllers: [FilesController, UploadsController],
  providers: [
    FilesService,
    FileSweeper,
    FileQuota,
    UploadsService,
    DerivedContent,
    {
      provide: FileStorage,
      inject: [GatewayConfig],
      useFactory: storageOf,
    },
  ],
  exports: [FilesService, DerivedContent],
})
export class FilesModule {}
