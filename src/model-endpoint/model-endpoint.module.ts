import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { EngineModule } from '../engine/engine.module.js';
import { RoutingModule } from '../routing/routing.module.js';
import { LifecycleModule } from '../lifecycle/lifecycle.module.js';
import { ErrorFormats } from '../http/error-formats.js';
import { FastPath } from './fast-path.js';
import { JsonEndpoints } from './json-endpoints.js';
import { JsonResponder } from './json-responder.js';
import { LiveCalls } from './live-calls.js';
import { RawResponder } from './raw-responder.js';
import { TokenCounts } from './token-counts.js';
import { Uploads } from './uploads.js';
import { WireResponder } from './wire-responder.js';

/** The code that the endpoints of all operations share on the client's side. */
@Module({
  imports: [AuthModule, EngineModule, LifecycleModule, RoutingModule],
  providers: [
    ErrorFormats,
    FastPath,
    JsonEndpoints,
    JsonResponder,
    LiveCalls,
    RawResponder,
    TokenCounts,
    Uploads,
    WireResponder,
  ],
  exports: [ErrorFormats, JsonEndpoints, JsonResponder, LiveCalls, RawResponder, TokenCounts, Uploads, WireResponder],
})
export class ModelEndpointModule {}
