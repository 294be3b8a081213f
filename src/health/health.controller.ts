import { Controller, Get, Header } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { HealthCheck, HealthCheckResult, HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import { Public } from '../auth/public.decorator.js';
import { Database } from '../database/database.js';
import { ApiErrorResponses, REQUEST_ID_HEADER } from '../errors/api-errors.decorator.js';
import { DeploymentReport } from '../routing/deployments/deployment-report.service.js';
import { HealthDto } from './health.dto.js';
import { Shutdown } from '../lifecycle/shutdown.service.js';
import { VERSION } from '../runtime/version.js';

/** Longest that readiness waits for the database, in milliseconds. */
const DATABASE_TIMEOUT_MS = 2_000;

@ApiTags('Health')
@Public()
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly database: Database,
    private readonly shutdown: Shutdown,
    private readonly deployments: DeploymentReport,
  ) {}

  @ApiOperation({ summary: 'Say that the service is up', description: 'Asks no dependency; needs no key.' })
  @ApiOkResponse({ type: HealthDto, headers: REQUEST_ID_HEADER })
  @ApiErrorResponses()
  @Header('cache-control', 'no-store')
  @Get()
  readHealth(): HealthDto {
    return {
      status: this.shutdown.isDraining ? 'draining' : 'ok',
      service: 'llm-gateway',
      version: VERSION,
      timestamp: Math.floor(Date.now() / 1000),
    };
  }

  @ApiOperation({
    summary: 'Liveness',
    description: '200 as long as the process can respond. Restart it when it cannot.',
  })
  @ApiErrorResponses()
  @HealthCheck()
  @Get('live')
  readLiveness(): Promise<HealthCheckResult> {
    return this.health.check([() => this.indicators.check('process').up()]);
  }

  @ApiOperation({
    summary: 'Readiness',
    description:
      '200 when requests can be served; 503 with the state of each dependency when not, or while draining. `models.without_deployment` names the configured models none of whose deployments can be called now.',
  })
  @ApiErrorResponses()
  @HealthCheck()
  @Get('ready')
  readReadiness(): Promise<HealthCheckResult> {
    return this.health.check([
      () => {
        const indicator = this.indicators.check('shutdown');
        return this.shutdown.isDraining ? indicator.down('draining') : indicator.up();
      },
      () => {
        const without = this.deployments.modelsWithoutDeployment();
        // Reported, not failed: another replica would not reach them either, and the other models are served.
        return this.indicators.check('models').up({ without_deployment: without });
      },
      async () => {
        const indicator = this.indicators.check('database');
        try {
          await this.database.ping(AbortSignal.timeout(DATABASE_TIMEOUT_MS));
          return indicator.up();
        } catch {
          // The reason may hold an address, so it stays in the log.
          return indicator.down('unreachable');
        }
      },
    ]);
  }
}
