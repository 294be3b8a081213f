import { Injectable } from '@nestjs/common';

/** Whether the process has been told to stop; readiness and `/health` say so at once. */
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
