import cluster from 'node:cluster';
import { IpcClusterPeers } from './ipc-cluster-peers.js';
import { IpcChannel } from './ipc-channel.js';
import type { ClusterPeers } from './cluster-peers.js';

/** Where a worker listens. */
export interface Listening {
  readonly url: string;
  readonly docs?: string;
}

/** This process as one of several that a primary has started. */
export interface WorkerProcess {
  readonly peers: ClusterPeers;
  /** Names the replacement of all processes that this one was started in; undefined where it was started for another reason. */
  replacement(): Promise<string | undefined>;
  /**
   * Reports that this process serves. From then on it stops when the primary asks it to, or when the primary has exited.
   *
   * @param drain `hasSuccessor`: other processes keep serving the port, so clients notice nothing
   */
  serve(where: Listening, drain: (reason: string, hasSuccessor: boolean) => Promise<void>): void;
}

/** @returns undefined where this process was not started by a primary */
export function joinPrimary(): WorkerProcess | undefined {
  const { worker } = cluster;
  if (worker === undefined) return undefined;
  const link = new IpcChannel((message) => {
    if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
  });
  process.on('message', (message) => link.receive(message));
  process.on('disconnect', () => link.close());
  return {
    peers: new IpcClusterPeers(link),
    replacement: async () => (await link.ask('replacement')) as string | undefined,
    serve: (where, drain) => {
      let isEnding = false;
      const end = (reason: string, hasSuccessor: boolean): void => {
        // A service manager may signal every process, and the primary then signals again.
        if (isEnding) return;
        isEnding = true;
        void drain(reason, hasSuccessor).then(() => process.exit(0));
      };
      process.on('SIGTERM', () => end('SIGTERM', false));
      // A terminal sends it to every process; the primary decides.
      process.on('SIGINT', () => undefined);
      link.handle('retire', () => end('replaced by a new process', true));
      worker.on('disconnect', () => {
        // Otherwise Node.js would end the process at once.
        worker.exitedAfterDisconnect = true;
        end('the primary process is gone', false);
      });
      link.notify('listening', where);
    },
  };
}
