import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuthModule } from '../auth/auth.module.js';
import { GatewayConfig } from '../config/gateway-config.js';
import { LifecycleModule } from '../lifecycle/lifecycle.module.js';
import { FileSweeper } from './file-sweeper.js';
import { FilesController } from './files.controller.js';
import { FilesService } from './files.service.js';
import { DiskStorage } from './storage/disk-storage.js';
import { FileStorage } from './storage/file-storage.js';
import { StoredFile } from './stored-file.entity.js';

/** Files that clients upload. */
@Module({
  imports: [TypeOrmModule.forFeature([StoredFile]), AuthModule, LifecycleModule],
  controllers: [FilesController],
  providers: [
    FilesService,
    FileSweeper,
    {
      provide: FileStorage,
      inject: [GatewayConfig],
      useFactory: ({ dataDirectory }: GatewayConfig) => new DiskStorage(join(dataDirectory, 'files')),
    },
  ],
  exports: [FilesService],
})
export class FilesModule {}
