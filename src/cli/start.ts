import { overrideVariables } from '../config/override-variables.js';
import type { Command } from './command.js';

export const START: Command = {
  name: 'start',
  summary: 'starts the gateway',
  usage: '[options]',
  options: {
    config: { value: 'file', meaning: 'the configuration file; wins over GATEWAY_CONFIG' },
    host: { value: 'address', meaning: 'the address to listen on; wins over HOST' },
    port: { value: 'number', meaning: 'the port to listen on; wins over PORT' },
  },
  maxWords: 0,
  run: async ({ text }) => {
    overrideVariables({ GATEWAY_CONFIG: text('config'), HOST: text('host'), PORT: text('port') });
    await import('../main.js');
    return 0;
  },
};
