import type { INestApplication } from '@nestjs/common';
import { getQueueToken } from '@nestjs/bull';
import { BullAdapter } from '@bull-board/api/bullAdapter';
import { createBullBoard } from '@bull-board/api';
import { ExpressAdapter } from '@bull-board/express';
import type { Queue } from 'bull';
import type { NextFunction, Request, Response } from 'express';
import { credentialOf } from '../../auth/credential.js';
import { KeyCheck } from '../../auth/key-check.service.js';
import { BATCH_QUEUE_NAME, type Ring } from './bull-batch-queue.js';

export const BOARD_PATH = '/admin/queues';
const BASIC = /^basic +([A-Za-z0-9+/=]+) *$/i;

/** Bull Board for the bell's queue. A browser asks for a password: the user name is free, the password an admin key. */
export function queueBoard(app: INestApplication): (request: Request, response: Response, next: NextFunction) => void {
  const adapter = new ExpressAdapter();
  adapter.setBasePath(BOARD_PATH);
  createBullBoard({
    queues: [new BullAdapter(app.get<Queue<Ring>>(getQueueToken(BATCH_QUEUE_NAME)), { readOnlyMode: true })],
    serverAdapter: adapter,
  });
  const keys = app.get(KeyCheck);
  const router = adapter.getRouter() as (request: Request, response: Response, next: NextFunction) => void;
  return (request, response, next) => {
    const credential = passwordOf(request.headers.authorization) ?? credentialOf(request.headers);
    const allowed = credential === undefined ? Promise.resolve(null) : keys.check(credential);
    allowed.then((principal) => {
      if (principal?.scopes.has('admin') === true) {
        router(request, response, next);
        return;
      }
      response.status(401).setHeader('www-authenticate', 'Basic realm="llm-gateway", charset="UTF-8"');
      response.json({
        error: {
          message: 'Sign in with any user name and an admin key as the password.',
          type: 'authentication_error',
          param: null,
          code: 'invalid_api_key',
        },
      });
    }, next);
  };
}

function passwordOf(authorization: string | undefined): string | undefined {
  const [, encoded] = BASIC.exec(authorization ?? '') ?? [];
  if (encoded === undefined) return undefined;
  const pair = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  return colon === -1 ? undefined : pair.slice(colon + 1);
}
