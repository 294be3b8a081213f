import { DynamicModule, Global, Module } from '@nestjs/common';
import { Broadcast } from './broadcast.js';
import { ClusterPeers } from './cluster-peers.js';

/** Provides the peers of this process to all modules. */
@Global()
@Module({})
export class ClusterModule {
  static forRoot(peers: ClusterPeers): DynamicModule {
    return {
      module: ClusterModule,
      providers: [{ provide: ClusterPeers, useValue: peers }, Broadcast],
      exports: [ClusterPeers, Broadcast],
    };
  }
}
