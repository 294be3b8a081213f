import type { Server } from 'node:http';
import { type CanActivate, ForbiddenException, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { ApplicationConfig, HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { GatewayConfig } from '../config/gateway-config.js';
import { BootError } from '../errors/boot-error.js';
import { GatewayExceptionFilter } from '../http/gateway-exception.filter.js';
import type { HttpRequest, HttpResponse, RequestHook } from '../http/http-types.js';
import { JsonBodyInterceptor } from '../http/json-body.interceptor.js';
import { modelRoutes, type ModelRoute } from './model-routes.js';
import { middlewareOf, skippedEnhancers, skippedMiddleware } from './skipped-enhancers.js';

/** Paths below it are served without it as well. */
const PREFIX = '/v1';
/** The name of the middleware of the package cors. */
const CORS = 'corsMiddleware';

/** The parts of the application that the fast path uses. */
export interface FastPathOptions {
  /** The functions that Express runs for every request before it looks for a route. */
  readonly preparations: readonly RequestHook[];
  /** Middleware that does the preparations, or that has no say in these requests. */
  readonly known: readonly unknown[];
}

/**
 * Serves the model endpoints ahead of Express, whose own work for a request is as much as all of the gateway's. Routes, guards,
 * pipes and arguments are those of Nest's metadata, preparations and filter those of every other route, so that the responses
 * are the same. A request that is spelled in another way (a query, a trailing slash) or that CORS has a say in goes through
 * Express. The application does not start with an enhancer or middleware that would be skipped here.
 */
@Injectable()
export class FastPath implements OnApplicationBootstrap {
  private readonly hasCors: boolean;
  /** The middleware that Nest's adapter adds before the application's own: hooks that are not set. */
  private readonly ofNest: readonly unknown[];
  private readonly routes = new Map<string, ModelRoute>();
  private guards: readonly CanActivate[] = [];
  private body: JsonBodyInterceptor | undefined;
  private filter: GatewayExceptionFilter | undefined;
  private options: FastPathOptions | undefined;

  constructor(
    { server }: GatewayConfig,
    private readonly application: ApplicationConfig,
    private readonly modules: ModulesContainer,
    private readonly adapter: HttpAdapterHost,
  ) {
    this.hasCors = server.corsOrigins.length > 0;
    this.ofNest = middlewareOf(adapter.httpAdapter.getInstance());
  }

  /** From now on the server asks the model endpoints first. */
  takeFrom(server: Server, options: FastPathOptions): void {
    this.options = options;
    const { preparations } = options;
    const others = server.listeners('request') as ((request: HttpRequest, response: HttpResponse) => void)[];
    server.removeAllListeners('request');
    const [express, ...watchers] = others;
    if (express === undefined) throw new Error('Express must be listening before the fast path is put ahead of it');
    server.on('request', (request: HttpRequest, response: HttpResponse) => {
      const route = this.routeOf(request);
      if (route === undefined) express(request, response);
      else void this.serve(route, preparations, request, response);
    });
    for (const watcher of watchers) server.on('request', watcher);
  }

  /**
   * When all enhancers, routes and middleware are known.
   *
   * @throws BootError that names what would be skipped
   */
  onApplicationBootstrap(): void {
    if (this.options === undefined) return;
    const known = new Set([...this.ofNest, ...this.options.known, ...(this.hasCors ? [CORS] : [])]);
    const express: unknown = this.adapter.httpAdapter.getInstance();
    this.filter = this.application.getGlobalFilters().find((each) => each instanceof GatewayExceptionFilter);
    this.body = this.application.getGlobalInterceptors().find((each) => each instanceof JsonBodyInterceptor);
    const skipped = skippedEnhancers(this.application, { filter: this.filter, body: this.body });
    for (const route of modelRoutes(this.modules)) {
      skipped.push(...route.skipped, ...skippedMiddleware(express, route.path, known));
      this.routes.set(route.path, route);
      if (route.path.startsWith(`${PREFIX}/`)) this.routes.set(route.path.slice(PREFIX.length), route);
    }
    if (skipped.length > 0) {
      throw new BootError(`The fast path of the model endpoints would skip ${[...new Set(skipped)].join(', ')}.`);
    }
    this.guards = this.application.getGlobalGuards();
  }

  private routeOf({ method, url, headers }: HttpRequest): ModelRoute | undefined {
    if (method !== 'POST' || (this.hasCors && headers.origin !== undefined)) return undefined;
    return this.routes.get(url);
  }

  private async serve(
    route: ModelRoute,
    preparations: readonly RequestHook[],
    request: HttpRequest,
    response: HttpResponse,
  ): Promise<void> {
    response.locals = {};
    const context = new ExecutionContextHost([request, response], route.controllerClass, route.handler);
    try {
      for (const prepare of preparations) prepare(request, response);
      request.route = route;
      for (const guard of this.guards) {
        const isAllowed = guard.canActivate(context);
        if (isAllowed !== true && (await isAllowed) !== true) throw new ForbiddenException('Forbidden resource');
      }
      response.statusCode = route.statusCode;
      const reading = this.body?.read(context);
      if (reading !== undefined) await reading;
      const values = route.values(context);
      await route.handler.apply(route.controller, values instanceof Promise ? await values : values);
    } catch (error) {
      this.filter?.catch(error, context);
    }
  }
}
