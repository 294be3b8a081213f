/** Lets the command line win over the environment, for this process and those that it starts. Undefined changes nothing. */
export function overrideVariables(variables: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(variables)) {
    if (value === undefined) continue;
    process.env[name] = value;
    // The same setting from a file would be a contradiction.
    Reflect.deleteProperty(process.env, `${name}_FILE`);
  }
}
