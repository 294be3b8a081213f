/** One thing that is wrong with the configuration. */
export interface ConfigFault {
  /** `models[0].deployments[1].provider` in the file, or the name of an environment variable. */
  readonly path: string;
  /** The fault and its fix. It never contains the value of a secret. */
  readonly message: string;
  /** Line of the file, from 1. */
  readonly line?: number | undefined;
}

/** All faults of the configuration at once. The message has one line for each. */
export class ConfigError extends Error {
  constructor(
    readonly faults: readonly ConfigFault[],
    readonly file?: string,
  ) {
    const lines = faults.map(({ path, message, line }) => {
      const where = line === undefined ? path : `${file ?? 'gateway.yaml'}:${line} ${path}`;
      return `  - ${where}: ${message}`;
    });
    super(`The configuration has ${faults.length} fault${faults.length === 1 ? '' : 's'}:\n${lines.join('\n')}`);
    this.name = 'ConfigError';
  }
}
