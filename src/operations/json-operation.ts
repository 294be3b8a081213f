import type { JsonObject } from '../runtime/json-value.js';
import { Operation } from './operation.js';
import type { OperationName, OperationTypes, RequestOf } from './operation-types.js';

/** Operations whose canonical request is the client's JSON body. */
type JsonOperationName = {
  [Name in OperationName]: OperationTypes[Name]['request'] extends JsonObject ? Name : never;
}[OperationName];

/** An operation whose request is the client's own JSON body. */
export abstract class JsonOperation<Name extends JsonOperationName> extends Operation<Name> {
  override fieldsOf(request: RequestOf<Name>): Readonly<JsonObject> {
    return request;
  }

  override withoutFields(request: RequestOf<Name>, names: readonly string[]): RequestOf<Name> {
    const copy = { ...request };
    for (const name of names) Reflect.deleteProperty(copy, name);
    return copy;
  }
}
