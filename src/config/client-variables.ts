/** Where a command finds the gateway as its client, and the key by which it calls it. */
export interface ClientVariables {
  readonly url: string | undefined;
  readonly key: string | undefined;
}

/** The variables of commands that are clients of a gateway. Empty ones count as unset. */
export function clientVariables(env: Readonly<Record<string, string | undefined>> = process.env): ClientVariables {
  const read = (name: string): string | undefined => {
    const value = env[name]?.trim();
    return value === '' ? undefined : value;
  };
  return { url: read('GATEWAY_URL'), key: read('GATEWAY_API_KEY') ?? read('GATEWAY_KEY') };
}
