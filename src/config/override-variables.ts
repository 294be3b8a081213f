/** Gives options of the command line precedence over the environment, in this process and its children. Undefined changes nothing. */
export function overrideVariables(variables: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(variables)) {
    if (value === undefined) continue;
    process.env[name] = value;
    // The same setting in a file would be a fault.
    Reflect.deleteProperty(process.env, `${name}_FILE`);
  }
}
