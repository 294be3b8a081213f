import { list, section } from './composites.js';
import { flag, text } from './kinds.js';
import { setting } from './setting.js';

export const CONFIG = section('Editing of this file by administrators, in the console and by the API.', {
  editable: setting(flag(), {
    description: 'Whether administrators may edit this file, see docs/console.md. Otherwise they read it.',
    default: false,
  }),
  variables: setting(
    list(
      text({
        pattern: ['^[A-Za-z_][A-Za-z0-9_]*\\*?$', 'must be the name of a variable, or the beginning of names and a *'],
        form: 'name of a variable, or `PREFIX_*`',
      }),
    ),
    {
      description:
        'Environment variables that an edit may name as credentials of providers. Administrators can then send their values to any address.',
      default: [],
      example: ['VLLM_KEY', 'PROVIDER_*'],
    },
  ),
});
