import { Agent } from 'undici';

/** An agent that connects to addresses that were checked, and to no others: the name of the host is not resolved again. */
export function checkedAgent(
  addresses: readonly { readonly address: string; readonly family: number }[],
  timeoutMs: number,
): Agent {
  return new Agent({
    connections: 1,
    connect: {
      timeout: timeoutMs,
      lookup: (_hostname, options, callback) => {
        const [first] = addresses;
        if (options.all === true) callback(null, [...addresses]);
        else callback(null, first?.address ?? '', first?.family);
      },
    },
  });
}
