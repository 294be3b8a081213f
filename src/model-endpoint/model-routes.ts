import { type ExecutionContext, type PipeTransform, RequestMethod, type Type } from '@nestjs/common';
import {
  CUSTOM_ROUTE_ARGS_METADATA,
  EXCEPTION_FILTERS_METADATA,
  GUARDS_METADATA,
  HEADERS_METADATA,
  HTTP_CODE_METADATA,
  INTERCEPTORS_METADATA,
  METHOD_METADATA,
  PATH_METADATA,
  PIPES_METADATA,
  REDIRECT_METADATA,
  RENDER_METADATA,
  ROUTE_ARGS_METADATA,
  RouteParamtypes,
  SSE_METADATA,
} from '@nestjs/common/internal';
import type { ModulesContainer } from '@nestjs/core';
import type { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import type { HttpRequest, HttpResponse } from '../http/http-types.js';
import { MODEL_ENDPOINT } from './model-endpoint.decorator.js';

type Handler = (...values: unknown[]) => Promise<void>;

/** A model endpoint as Nest's metadata describe it. */
export interface ModelRoute {
  /** The path in the access log and in metrics. */
  readonly path: string;
  readonly controllerClass: Type;
  readonly controller: object;
  readonly handler: Handler;
  readonly statusCode: number;
  /** The handler's arguments. */
  values(context: ExecutionContextHost): unknown[] | Promise<unknown[]>;
  /** The features in the metadata that the fast path does not support. */
  readonly skipped: readonly string[];
}

/** One argument of a handler, as the parameter decorators store it. */
interface ArgumentMetadata {
  readonly index: number;
  readonly data?: unknown;
  readonly pipes?: readonly unknown[];
  /** The metadata of a decorator that createParamDecorator has made. */
  readonly factory?: (data: unknown, context: ExecutionContext) => unknown;
}

/** The metadata of a class or a handler that run around the handler. */
const ENHANCERS = {
  [GUARDS_METADATA]: 'guards',
  [INTERCEPTORS_METADATA]: 'interceptors',
  [PIPES_METADATA]: 'pipes',
  [EXCEPTION_FILTERS_METADATA]: 'filters',
  [HEADERS_METADATA]: '@Header',
  [REDIRECT_METADATA]: '@Redirect',
  [RENDER_METADATA]: '@Render',
  [SSE_METADATA]: '@Sse',
} as const;

/** The handlers with @ModelEndpoint, one entry for each path. */
export function* modelRoutes(modules: ModulesContainer): Generator<ModelRoute> {
  for (const { controllers, injectables } of modules.values()) {
    for (const { metatype, instance } of controllers.values()) {
      if (typeof metatype !== 'function' || !isObject(instance)) continue;
      const prototype = metatype.prototype as Record<string, unknown>;
      for (const name of Object.getOwnPropertyNames(prototype)) {
        const handler = name === 'constructor' ? undefined : prototype[name];
        if (typeof handler !== 'function' || Reflect.getMetadata(MODEL_ENDPOINT, handler) !== true) continue;
        if (Reflect.getMetadata(METHOD_METADATA, handler) !== RequestMethod.POST) continue;
        const controllerClass = metatype as Type;
        const pipeOf = (pipe: unknown): PipeTransform => resolvePipe(pipe, injectables);
        const { values, skipped } = argumentsOf(controllerClass, name, pipeOf);
        for (const path of pathsOf(controllerClass, handler)) {
          if (/[:*{(]/.test(path)) continue;
          yield {
            path,
            controllerClass,
            controller: instance,
            handler: handler as Handler,
            statusCode: (Reflect.getMetadata(HTTP_CODE_METADATA, handler) as number | undefined) ?? 201,
            values,
            skipped: [...skipped, ...enhancersOf(controllerClass, handler)].map(
              (what) => `${what} of ${controllerClass.name}.${name}`,
            ),
          };
        }
      }
    }
  }
}

function enhancersOf(controllerClass: Type, handler: object): string[] {
  return Object.entries(ENHANCERS).flatMap(([key, what]) =>
    [controllerClass, handler].some((target) => isGiven(Reflect.getMetadata(key, target))) ? [what] : [],
  );
}

function isGiven(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false;
}

function pathsOf(controllerClass: object, handler: object): string[] {
  const own = listOf(Reflect.getMetadata(PATH_METADATA, handler));
  return listOf(Reflect.getMetadata(PATH_METADATA, controllerClass)).flatMap((base) =>
    own.map(
      (path) =>
        `/${[base, path]
          .flatMap((part) => part.split('/'))
          .filter((part) => part !== '')
          .join('/')}`,
    ),
  );
}

function listOf(paths: unknown): string[] {
  return (Array.isArray(paths) ? paths : [paths ?? '']).map(String);
}

/** How the values of a handler's parameters are had. */
function argumentsOf(
  controllerClass: Type,
  name: string,
  pipeOf: (pipe: unknown) => PipeTransform,
): Pick<ModelRoute, 'values' | 'skipped'> {
  const metadata = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controllerClass, name) ?? {}) as Readonly<
    Record<string, ArgumentMetadata>
  >;
  const types = (Reflect.getMetadata('design:paramtypes', controllerClass.prototype as object, name) ?? []) as Type[];
  const extracts: Extract[] = [];
  const skipped: string[] = [];
  let handlesResponse = false;
  for (const [key, { index, data, pipes = [], factory }] of Object.entries(metadata)) {
    const type = key.split(':')[0] ?? '';
    const isCustom = type.endsWith(CUSTOM_ROUTE_ARGS_METADATA);
    const extract = isCustom ? customOf(factory, data) : extractOf(Number(type), data);
    if (!isCustom && Number(type) === (RouteParamtypes.RESPONSE as number)) handlesResponse = true;
    if (extract === undefined) {
      skipped.push(`parameter ${index}`);
      continue;
    }
    const metatype = types[index];
    const of: ArgumentOf = { type: isCustom ? 'custom' : 'body', ...(metatype !== undefined && { metatype }) };
    extracts[index] = piped(extract, pipes.map(pipeOf), of);
  }
  // Otherwise Nest sends what the handler returns.
  if (!handlesResponse) skipped.push('the returned value');
  return { skipped, values: (context) => valuesOf(extracts, context) };
}

type Extract = (context: ExecutionContextHost) => unknown;
type ArgumentOf = Parameters<PipeTransform['transform']>[1];

function valuesOf(extracts: readonly Extract[], context: ExecutionContextHost): unknown[] | Promise<unknown[]> {
  const values: unknown[] = [];
  let isPending = false;
  for (const extract of extracts) {
    const value = extract(context);
    if (value instanceof Promise) isPending = true;
    values.push(value);
  }
  return isPending ? Promise.all(values) : values;
}

function customOf(factory: ArgumentMetadata['factory'], data: unknown): Extract | undefined {
  return factory === undefined ? undefined : (context) => factory(data, context);
}

/** @returns undefined for parameters that the fast path does not have */
function extractOf(type: number, data: unknown): Extract | undefined {
  if (data !== undefined) return undefined;
  if (type === (RouteParamtypes.REQUEST as number)) return (context) => context.getArgByIndex<HttpRequest>(0);
  if (type === (RouteParamtypes.RESPONSE as number)) return (context) => context.getArgByIndex<HttpResponse>(1);
  if (type === (RouteParamtypes.BODY as number)) return (context) => context.getArgByIndex<HttpRequest>(0).body;
  return undefined;
}

function piped(extract: Extract, pipes: readonly PipeTransform[], of: ArgumentOf): Extract {
  let all = extract;
  for (const pipe of pipes) {
    const before = all;
    all = (context) => {
      const value = before(context);
      return value instanceof Promise
        ? value.then((awaited: unknown) => pipe.transform(awaited, of) as unknown)
        : (pipe.transform(value, of) as unknown);
    };
  }
  return all;
}

/** A pipe that is named by its class is an injectable of the controller's module. */
function resolvePipe(pipe: unknown, injectables: ReadonlyMap<unknown, { readonly instance: unknown }>): PipeTransform {
  return (typeof pipe === 'function' ? injectables.get(pipe)?.instance : pipe) as PipeTransform;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
