import { Injectable } from '@nestjs/common';

/** Whether the process is shutting down; readiness and `/health` report it at once. */
@Injectable()
export class Shutdown {
  private draining = false;

  get isDraining(): boolean {
    return this.draining;
  }

  begin(): void {
    this.draining = true;
  }
}
