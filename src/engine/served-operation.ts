import { notFound, type GatewayError } from '../errors/gateway-error.js';
import type { OperationName } from '../operations/operation-types.js';
import type { OperationPort, Provider } from '../providers/provider.js';

/** The operation that a call needs of a provider. */
export interface NeededOperation<Name extends OperationName> {
  readonly operation: { readonly name: Name };
  readonly isStream: boolean;
}

/** The port through which a provider serves a call; undefined where it does not have the operation, or not as a stream. */
export function portOf<Name extends OperationName>(
  provider: Provider,
  { operation, isStream }: NeededOperation<Name>,
): OperationPort<Name> | undefined {
  const port = provider.operation(operation.name);
  return isStream && port?.open === undefined ? undefined : port;
}

/** 404 `unsupported_endpoint`: none of the providers of a model serves the call. */
export function operationNotServed(
  { operation, isStream }: NeededOperation<OperationName>,
  model: string,
  providers: Iterable<string>,
): GatewayError {
  const names = [...new Set(providers)].map((name) => `'${name}'`).join(', ');
  const what = isStream ? `streams of ${operation.name}` : operation.name;
  return notFound(
    `The model '${model}' does not serve ${what}: its providers (${names}) do not have it. Choose another model.`,
    'unsupported_endpoint',
    'model',
  );
}
