import { describeConfig } from '../config/describe-config.js';
import { loadConfig } from '../config/load-config.js';
import { overrideVariables } from '../config/override-variables.js';
import { say, type Command } from './command.js';

export const CHECK: Command = {
  name: 'check',
  summary: 'says what the configuration means, or every fault of it, without starting',
  usage: '[gateway.yaml]',
  options: {},
  maxWords: 1,
  run: ({ words }) => {
    overrideVariables({ GATEWAY_CONFIG: words[0] });
    say(describeConfig(loadConfig()));
    return Promise.resolve(0);
  },
};
