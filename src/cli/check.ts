import { describeConfig } from '../config/describe-config.js';
import { loadWithSources } from '../config/load-config.js';
import { overrideVariables } from '../config/override-variables.js';
import { say, type Command } from './command.js';

export const CHECK: Command = {
  name: 'check',
  summary: 'prints what the configuration means, or all of its faults, without starting',
  usage: '[gateway.yaml]',
  options: {},
  maxWords: 1,
  run: ({ words }) => {
    overrideVariables({ GATEWAY_CONFIG: words[0] });
    const { config, changed } = loadWithSources();
    say(describeConfig(config, changed));
    return Promise.resolve(0);
  },
};
