/** The admin key that the very first start made; it is printed once and kept nowhere. */
export class BootstrapAdminKey {
  constructor(private key: string | undefined) {}

  /** The key at the first call of the process that made it; undefined ever after. */
  takeOnce(): string | undefined {
    const { key } = this;
    this.key = undefined;
    return key;
  }
}
