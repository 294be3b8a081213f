const names = new Set<string>();

/** Says in the document that an object may have fields beyond those that are listed: they are passed through. */
export function OpenObject(): ClassDecorator {
  return ({ name }) => void names.add(name);
}

/** Names of the schemas that are open. */
export function openObjectNames(): ReadonlySet<string> {
  return names;
}
