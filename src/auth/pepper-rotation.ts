import { BeforeApplicationShutdown, Injectable, Logger, OnApplicationBootstrap } from '@nestjs/common';
import { Database } from '../database/database.js';
import { describeError } from '../errors/describe-error.js';
import { PepperAgreement } from './pepper-agreement.js';
import { Pepper } from './pepper.js';

const RENEWAL_MS = 5_000;
/**
 * Consecutive renewals after which a change is tried. A process whose database was unreachable must give the others the time to
 * register again before it treats them as ended.
 */
const RENEWALS_BEFORE_CHANGE = 2;
/** Renewals between two log lines that say the same. */
const RENEWALS_PER_LOG_LINE = 12;

/** Keeps this process registered with its pepper, and follows when the processes of the database change to another one. */
@Injectable()
export class PepperRotation implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Keys');
  private timer: NodeJS.Timeout | undefined;
  private renewing: Promise<void> | undefined;
  private renewals = 0;
  private unknown = 0;

  constructor(
    private readonly database: Database,
    private readonly pepper: Pepper,
    private readonly agreement: PepperAgreement,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => this.renewInTime(), RENEWAL_MS).unref();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.renewing;
    await this.database
      .transaction((manager) => this.agreement.leave(manager))
      .catch((error: unknown) => {
        // Its registration counts for half a minute more.
        this.logger.debug({ msg: 'the key pepper of this process stays registered', error: describeError(error) });
      });
  }

  private renewInTime(): void {
    this.renewing ??= this.renew()
      .catch((error: unknown) => {
        this.renewals = 0;
        this.logger.debug({ msg: 'the key pepper could not be registered', error: describeError(error) });
      })
      .finally(() => {
        this.renewing = undefined;
      });
  }

  private async renew(): Promise<void> {
    const { pepper } = this;
    const mayChange = this.renewals >= RENEWALS_BEFORE_CHANGE;
    const state = await this.database.transaction((manager) => this.agreement.agree(manager, mayChange));
    this.renewals += 1;
    if (state === 'unknown') {
      if (this.unknown % RENEWALS_PER_LOG_LINE === 0) {
        this.logger.error(
          'the key pepper was replaced, and this process does not hold the new one: keys in use fail here. Restart it with the new GATEWAY_KEY_PEPPER',
        );
      }
      this.unknown += 1;
      return;
    }
    this.unknown = 0;
    const scheme = state === 'current' ? pepper.fingerprint : (pepper.previousFingerprint ?? pepper.fingerprint);
    if (pepper.scheme !== scheme && state === 'current') {
      this.logger.log('all processes hold the new key pepper: keys are hashed with it from now on, when they are used');
    }
    pepper.writeWith(scheme);
  }
}
