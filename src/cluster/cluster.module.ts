import { DynamicModule, Global, Module } from '@nestjs/common';
import { News } from './news.js';
import { Siblings } from './siblings.js';

/** Makes the other processes known everywhere. */
@Global()
@Module({})
export class ClusterModule {
  static forRoot(siblings: Siblings): DynamicModule {
    return {
      module: ClusterModule,
      providers: [{ provide: Siblings, useValue: siblings }, News],
      exports: [Siblings, News],
    };
  }
}
