import { PATH_METADATA, PIPES_METADATA, ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import type { ModulesContainer } from '@nestjs/core';
import { StrictBodyPipe } from '../http/strict-body.pipe.js';
import type { DtoClass } from './validator-schema.js';

/** What a route takes, as its handler declares it. */
export interface DescribedRoute {
  /** The class of the body; undefined without one. */
  readonly body: DtoClass | undefined;
  /** The class of the query; undefined where parameters are not described by a class. */
  readonly query: DtoClass | undefined;
  /** Whether members that are not declared are refused. */
  readonly isClosed: boolean;
}

/** Where @nestjs/swagger keeps `@ApiBody()`. */
const API_PARAMETERS = 'swagger/apiParameters';
const PARAMETER_TYPES = 'design:paramtypes';

/** @returns the routes of all controllers, by the names of their methods, which are their operation ids */
export function describedRoutes(modules: ModulesContainer): ReadonlyMap<string, DescribedRoute> {
  const routes = new Map<string, DescribedRoute>();
  for (const { controllers } of modules.values()) {
    for (const { metatype } of controllers.values()) {
      if (typeof metatype !== 'function') continue;
      const prototype = metatype.prototype as object;
      for (const name of Object.getOwnPropertyNames(prototype)) {
        const handler = Reflect.get(prototype, name) as unknown;
        if (typeof handler !== 'function' || name === 'constructor') continue;
        if (Reflect.getMetadata(PATH_METADATA, handler) !== undefined) {
          routes.set(name, describe(metatype, prototype, name, handler));
        }
      }
    }
  }
  return routes;
}

function describe(controller: object, prototype: object, name: string, handler: object): DescribedRoute {
  const pipes = [controller, handler].flatMap(
    (target) => (Reflect.getMetadata(PIPES_METADATA, target) ?? []) as readonly unknown[],
  );
  return {
    body: documentedBody(handler) ?? parameterClass(controller, prototype, name, RouteParamtypes.BODY),
    query: parameterClass(controller, prototype, name, RouteParamtypes.QUERY),
    isClosed: pipes.includes(StrictBodyPipe),
  };
}

function documentedBody(handler: object): DtoClass | undefined {
  const parameters = (Reflect.getMetadata(API_PARAMETERS, handler) ?? []) as readonly { in?: string; type?: unknown }[];
  const type = parameters.find(({ in: place }) => place === 'body')?.type;
  return typeof type === 'function' ? (type as DtoClass) : undefined;
}

/** The class of the parameter that takes a whole body or query; Nest keeps kinds of parameters as `<kind>:<index>`. */
function parameterClass(controller: object, prototype: object, name: string, kind: number): DtoClass | undefined {
  const kept = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, name) ?? {}) as Record<string, { data?: unknown }>;
  const types = (Reflect.getMetadata(PARAMETER_TYPES, prototype, name) ?? []) as readonly unknown[];
  for (const [key, { data }] of Object.entries(kept)) {
    const [keptKind, index] = key.split(':').map(Number);
    const type = types[index ?? -1];
    if (keptKind === kind && data === undefined && typeof type === 'function' && type !== Object) {
      return type as DtoClass;
    }
  }
  return undefined;
}
