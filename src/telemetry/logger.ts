import { LoggerService } from '@nestjs/common';
import { pino, type DestinationStream, type Logger } from 'pino';
import { prettyFactory } from 'pino-pretty';
import type { GatewayConfig } from '../config/gateway-config.js';
import { LogOutput } from './log-output.js';

const STANDARD_OUTPUT = 1;

/** The process's pino logger: JSON lines on standard output, or coloured text on a terminal. */
export function createLogger({ level, format }: GatewayConfig['log']): Logger {
  const output = new LogOutput(STANDARD_OUTPUT);
  process.once('exit', () => output.flushSync());
  const destination = format === 'pretty' ? readable(output) : output;
  return pino(
    {
      level,
      timestamp: pino.stdTimeFunctions.isoTime,
      base: { pid: process.pid },
      // Level names instead of numbers, for log services.
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
}

/** Text for people in place of JSON. */
function readable(output: LogOutput): DestinationStream {
  const print = prettyFactory({ ignore: 'pid,hostname,context', messageFormat: '{if context}[{context}] {end}{msg}' });
  return { write: (line) => output.write(print(line)) };
}

/**
 * Nest's logger on pino. nestjs-pino 4 does not declare Nest 12 and its version 5 needs Node 22; this adapter replaces it.
 * Nest's own start-up lines go to `debug`: operators need only the one line with the address.
 */
export class GatewayLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, ...rest: unknown[]): void {
    const context = contextOf(rest);
    if (context !== undefined && NEST_STARTUP.has(context)) this.write('debug', message, rest);
    else this.write('info', message, rest);
  }
  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }
  error(message: unknown, ...rest: unknown[]): void {
    const context = contextOf(rest);
    // start.ts logs a failed start in one line; Nest would log it a second time.
    this.write(context !== undefined && LOGGED_BY_START.has(context) ? 'debug' : 'error', message, rest);
  }
  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }
  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }
  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, rest);
  }

  private write(
    level: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace',
    message: unknown,
    rest: readonly unknown[],
  ): void {
    const context = contextOf(rest);
    if (typeof message === 'object' && message !== null) this.logger[level]({ context, ...message });
    else this.logger[level]({ context }, String(message));
  }
}

const NEST_STARTUP = new Set(['NestFactory', 'InstanceLoader', 'RoutesResolver', 'RouterExplorer', 'NestApplication']);

const LOGGED_BY_START = new Set(['ExceptionHandler', 'NestApplication', 'TypeOrmModule']);

/** Nest passes the name of the class that logs as the last argument. */
function contextOf(rest: readonly unknown[]): string | undefined {
  const last = rest.at(-1);
  return typeof last === 'string' ? last : undefined;
}
