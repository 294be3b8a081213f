import { DynamicModule, Global, Module } from '@nestjs/common';
import { Broadcast } from './broadcast.js';
import { ClusterPeers } from './cluster-peers.js';

/** Makes the other processes known everywhere. */
@Global()
@Module({})
export class ClusterModule {
  static forRoot(siblings: ClusterPeers): DynamicModule {
    return {
      module: ClusterModule,
      providers: [{ provide: ClusterPeers, useValue: siblings }, Broadcast],
      exports: [ClusterPeers, Broadcast],
    };
  }
}
